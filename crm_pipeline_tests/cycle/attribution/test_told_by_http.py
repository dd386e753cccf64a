"""Values reach a platform that fails, by signed HTTP: each version once, the last in the end."""

from typing import Any

import pytest

from crm_pipeline.local_platform.inbox import Fault
from crm_pipeline.local_platform.server import LocalPlatformServer
from crm_pipeline.settings import settings
from crm_pipeline_tests.cycle.attribution.deals import (
    ID_ON_OPPORTUNITY,
    choose,
    deal,
    deals,
    edit,
)
from crm_pipeline_tests.cycle.conftest import Bench
from crm_pipeline_tests.cycle.test_a_restored_backup import back_up, restore
from crm_pipeline_tests.depth import deep_but_for
from crm_pipeline_tests.flows.webinars.warehouse import track

__all__ = ["deals"]

SECRET = "a long enough secret"
FAULTS: tuple[dict[str, Any], ...] = (
    {"action": "error", "status": 503},
    {"action": "error", "status": 503, "after": True},
    {"action": "reset", "after": True},
    {"action": "forget"},
)


@pytest.mark.parametrize(
    "fault",
    deep_but_for(lambda each: each.get("after", False), FAULTS),
    ids=lambda each: "-".join(map(str, each.values())),
)
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


@pytest.mark.deep
def test_a_filter_changed_while_messages_wait_fires_as_it_would_have_and_nothing_twice(
    deals: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each opportunity that fired is told, with what it is by then and why it was told first."""

    def filtered(least: float) -> None:
        condition = {"field": "Amount", "operator": ">=", "value": least}
        choose(deals, triggers=["matching_filter"], opportunity_filter=[condition])

    with LocalPlatformServer(SECRET) as platform:
        monkeypatch.setenv("PLATFORM_URL", f"{platform.url}/messages")
        monkeypatch.setenv("PLATFORM_SECRET", SECRET)
        monkeypatch.setenv("RETRY_BACKOFF_SECONDS", "0")
        settings.cache_clear()
        filtered(1000)
        track(deals.connection, 1, contact_name="Ada Lovelace", email="ada@example.com")
        deals.cycle()
        big, small = (
            deal(deals, Amount=amount, **{ID_ON_OPPORTUNITY: "1"}) for amount in (1000, 10)
        )
        platform.inbox.faults.append(Fault(action="error", status=503, times=None))
        deals.cycle()
        for least, worth in ((5, 30), (1000, 40), (5000, 2000)):
            filtered(least)
            edit(deals, small, Amount=worth)
            deals.cycle()
        assert not platform.inbox.messages
        platform.inbox.faults.clear()
        report = deals.cycle()
        assert report.state == "Complete", report.reason
        current = {each.body["opportunity"]: each.body for each in platform.inbox.current.values()}
        assert {each: body["amount"] for each, body in current.items()} == {
            big: "1000.00",
            small: "2000.00",
        }
        fired = {each: body["fired"]["matching_filter"] for each, body in current.items()}
        assert fired == {big: 1, small: 2}
        before = dict(platform.inbox.messages)
        filtered(5)
        deals.cycle()
        assert platform.inbox.messages == before


@pytest.mark.deep
@pytest.mark.parametrize("since", ["Closed Won", "Prospecting"])
def test_a_platform_that_knows_more_than_a_restored_ledger_is_told_what_holds(
    deals: Bench, monkeypatch: pytest.MonkeyPatch, since: str
) -> None:
    """It took the next version for one that it knew, and the value stayed another one for good."""
    with LocalPlatformServer(SECRET) as platform:
        monkeypatch.setenv("PLATFORM_URL", f"{platform.url}/messages")
        monkeypatch.setenv("PLATFORM_SECRET", SECRET)
        settings.cache_clear()
        track(deals.connection, 1, contact_name="Ada Lovelace", email="ada@example.com")
        deals.cycle()
        made = deal(deals, **{ID_ON_OPPORTUNITY: "1"})
        deals.cycle()
        back_up(deals)
        fired = []
        for stage in ("Qualification", "Negotiation/Review"):
            edit(deals, made, StageName=stage)
            deals.cycle()
        for _ in range(2):
            restore(deals)
            edit(deals, made, StageName=since)
            assert deals.cycle().state == "Complete"
            [current] = platform.inbox.current.values()
            assert current.body["stage"] == since
            edit(deals, made, NextStep="call", Amount=7)
            assert deals.cycle().state == "Complete"
            [current] = platform.inbox.current.values()
            assert (current.body["stage"], current.body["amount"]) == (since, "7.00")
            fired.append(current.body["fired"])
        assert fired[0]["new"] == fired[1]["new"] == 1
        assert 3 < fired[0]["updated"] <= fired[1]["updated"]
        before = len(platform.inbox.messages)
        assert deals.cycle().state == "Complete"
        assert len(platform.inbox.messages) == before


def test_an_opportunity_made_since_the_copy_is_told_in_a_version_above_those_that_are_known(
    deals: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It began again with version 1, which was none of the later ones."""
    with LocalPlatformServer(SECRET) as platform:
        monkeypatch.setenv("PLATFORM_URL", f"{platform.url}/messages")
        monkeypatch.setenv("PLATFORM_SECRET", SECRET)
        settings.cache_clear()
        track(deals.connection, 1, contact_name="Ada Lovelace", email="ada@example.com")
        deals.cycle()
        back_up(deals)
        made = deal(deals, **{ID_ON_OPPORTUNITY: "1"})
        deals.cycle()
        edit(deals, made, StageName="Qualification")
        deals.cycle()
        [known] = platform.inbox.current.values()
        restore(deals)
        edit(deals, made, StageName="Closed Won")
        assert deals.cycle().state == "Complete"
        [current] = platform.inbox.current.values()
        assert current.body["stage"] == "Closed Won"
        assert current.body["version"] > known.body["version"] == 2
        assert current.body["fired"] == {"new": current.body["version"]}
