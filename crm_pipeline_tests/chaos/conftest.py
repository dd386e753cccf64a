"""Fixtures of the harness's tests."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from crm_pipeline_tests.chaos.installation import Installation, installed, org_named


@pytest.fixture(scope="module")
def installation(module_pipeline: Engine) -> Iterator[Installation]:
    """One account, its org, and processes for its cycles; for all tests of a module."""
    with installed(module_pipeline, org_named("acme")) as installation:
        yield installation
