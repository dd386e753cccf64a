"""All that the local org is asked, with when it began: the witness of what went out."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_plus

import pytest

from crm_pipeline.local_org.app import LocalOrgApp


@dataclass
class Tap:
    """Requests as they came, by the clock of this process; `during` is called at each one."""

    heard: list[tuple[float, str]] = field(default_factory=list)
    during: Callable[[str], None] = lambda _: None

    def naming(self, text: str, since: float = 0.0) -> list[str]:
        """The requests that began after a moment and have a text in them, in any case."""
        return [said for at, said in self.heard if at > since and text.lower() in said.lower()]


@contextmanager
def tapped(monkeypatch: pytest.MonkeyPatch) -> Iterator[Tap]:
    tap = Tap()
    answer = LocalOrgApp._answer

    async def listening(self: LocalOrgApp, request: Any, body: bytes, send: Any) -> Any:
        said = f"{request.url.path}?{request.url.query} {body.decode(errors='replace')}"
        whole = said + unquote_plus(said)
        tap.heard.append((time.monotonic(), whole))
        if "/services/data" in request.url.path:
            tap.during(whole)
        return await answer(self, request, body, send)

    with monkeypatch.context() as patch:
        patch.setattr(LocalOrgApp, "_answer", listening)
        yield tap
