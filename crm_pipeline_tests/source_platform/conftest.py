"""A platform over real HTTP, and messages to it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from crm_pipeline.local_platform.server import LocalPlatformServer
from crm_pipeline.source_platform.http import HttpPlatform
from crm_pipeline.source_platform.messages import Message

SECRET = "whsec for tests"


@pytest.fixture
def server() -> Iterator[LocalPlatformServer]:
    """A platform that shares `SECRET`."""
    with LocalPlatformServer(SECRET) as running:
        yield running


@pytest.fixture
def platform(server: LocalPlatformServer) -> HttpPlatform:
    """The way to it."""
    return way_to(server)


def way_to(server: LocalPlatformServer, *, read_timeout: float = 20) -> HttpPlatform:
    """The way to a platform, with how many seconds are waited for an answer."""
    return HttpPlatform(f"{server.url}/messages", SECRET, read_timeout=read_timeout)


def message(number: int, version: int = 1, **body: Any) -> Message:
    """A message about a lead."""
    return Message(
        message_id=str(UUID(int=1000 * number + version)),
        client_id="4711",
        topic="lead_values",
        about=f"lead:{number}",
        version=version,
        as_of=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        body=body or {"value": number},
    )
