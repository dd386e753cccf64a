"""Orgs for the tests of this room."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from crm_pipeline.local_org.server import LocalOrgServer
from crm_pipeline_tests.salesforce.orgs import CONFIG, Asked, Canned, CannedOrg, LocalOrg


@pytest.fixture
def make_org() -> Iterator[Callable[..., LocalOrg]]:
    """Makes a local org; keyword arguments are settings of its file."""
    with ExitStack() as stack:

        def make(**settings: object) -> LocalOrg:
            return LocalOrg(stack.enter_context(LocalOrgServer({**CONFIG, **settings})))

        yield make


@pytest.fixture
def org(make_org: Callable[..., LocalOrg]) -> LocalOrg:
    """A local org as it comes."""
    return make_org()


@pytest.fixture
def canned() -> Iterator[Callable[[Callable[[Asked], Canned]], CannedOrg]]:
    """Makes an org that answers what it is told to."""
    with ExitStack() as stack:
        yield lambda answer: stack.enter_context(CannedOrg(answer))


@pytest.fixture(autouse=True)
def _no_long_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Backoff as in production, only shorter."""
    for module in ("connection", "composite"):
        monkeypatch.setattr(f"crm_pipeline.salesforce.{module}.FIRST_WAIT_SECONDS", 0.001)
