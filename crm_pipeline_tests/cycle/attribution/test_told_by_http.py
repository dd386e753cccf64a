"""Values reach a platform that fails, by signed HTTP: each version once, the last in the end."""

from typing import Any

import pytest

from crm_pipeline.local_platform.inbox import Fault
from crm_pipeline.local_platform.server import LocalPlatformServer
from crm_pipeline.settings import settings
from crm_pipeline_tests.cycle.attribution.deals import ID_ON_OPPORTUNITY, deal, deals, edit
from crm_pipeline_tests.cycle.conftest import Bench
from crm_pipeline_tests.flows.webinars.warehouse import track

__all__ = ["deals"]

SECRET = "a long enough secret"
FAULTS: tuple[dict[str, Any], ...] = (
    {"action": "error", "status": 503},
    {"action": "error", "status": 503, "after": True},
    {"action": "reset", "after": True},
    {"action": "forget"},
)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda each: "-".join(map(str, each.values())))
def test_a_platform_that_fails_knows_everything_in_the_end(
    deals: Bench, monkeypatch: pytest.MonkeyPatch, fault: dict[str, Any]
) -> None:
    with LocalPlatformServer(SECRET) as platform:
        monkeypatch.setenv("PLATFORM_URL", f"{platform.url}/messages")
        monkeypatch.setenv("PLATFORM_SECRET", SECRET)
        settings.cache_clear()
        track(deals.connection, 1, contact_name="Ada Lovelace", email="ada@example.com")
        deals.cycle()
        made = deal(deals, **{ID_ON_OPPORTUNITY: "1"})
        platform.inbox.faults.append(Fault(**fault))
        deals.cycle()
        edit(deals, made, StageName="Closed Won")
        deals.cycle()
        report = deals.cycle()
        assert report.state == "Complete", report.reason
        [current] = platform.inbox.current.values()
        assert current.body["standing"] == "won"
        versions = [each.version for each in platform.inbox.messages.values()]
        assert len(versions) == len(set(versions))
        before = len(versions)
        deals.cycle()
        assert len(platform.inbox.messages) == before
