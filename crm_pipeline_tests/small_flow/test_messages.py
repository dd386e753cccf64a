"""Messages to the source platform, from a flow's wants to its inbox."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from crm_pipeline.cadence.due import due_accounts
from crm_pipeline.cycle.cycle import sync_account
from crm_pipeline.flows.registry import ALL_TOPICS, FLOWS
from crm_pipeline.ledger.anew import start_anew
from crm_pipeline.local_platform.inbox import Fault
from crm_pipeline.local_platform.server import LocalPlatformServer
from crm_pipeline.report import CycleReport
from crm_pipeline.settings import settings
from crm_pipeline.source_platform.http import HttpPlatform
from crm_pipeline_tests.cycle.conftest import ACCOUNT, Bench
from crm_pipeline_tests.small_flow.badges import Badge, badges_flow

TOPICS = frozenset(("badge_levels", "retried_operations"))
SECRET = "a secret for tests"
TOLD = Badge(1, told=True)


@pytest.fixture
def server() -> Iterator[LocalPlatformServer]:
    with LocalPlatformServer(SECRET) as running:
        yield running


def cycle(bench: Bench, *badges: Badge, **more: Any) -> CycleReport:
    """A cycle that only tells the platform."""
    bench.connection.commit()
    flows = [*FLOWS, badges_flow(badges)]
    return sync_account(ACCOUNT, run_id="test", steps=TOPICS, flows=flows, **more)


def by_http(
    server: LocalPlatformServer, secret: str = SECRET, *, read_timeout: float = 20
) -> dict[str, Any]:
    def platform_of() -> HttpPlatform:
        return HttpPlatform(f"{server.url}/messages", secret, read_timeout=read_timeout)

    return {"platform_of": platform_of}


def test_the_settings_choose_the_way(
    bench: Bench, server: LocalPlatformServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLATFORM_URL", f"{server.url}/messages")
    monkeypatch.setenv("PLATFORM_SECRET", SECRET)
    settings.cache_clear()
    assert cycle(bench, TOLD).tally.by_topic == {"badge_levels": {"told": 1}}
    assert [each.body for each in server.inbox.messages.values()] == [{"level": 1}]
    assert levels(bench) == {}


@pytest.mark.parametrize("way", ["tables", "http"])
def test_an_account_that_starts_anew_tells_nothing_twice(
    bench: Bench, server: LocalPlatformServer, way: str
) -> None:
    more = by_http(server) if way == "http" else {}
    server.inbox.faults.append(Fault(action="refuse", about="badge:2", times=None))
    cycle(bench, TOLD, Badge(2, told=True), **more)
    before = told(bench)
    with bench.connection.begin():
        start_anew(bench.connection, ACCOUNT)
    assert told(bench) == before
    assert cycle(bench, TOLD, Badge(2, told=True), **more).tally.by_topic == {}
    assert server.inbox.repeated == 0
    cycle(bench, Badge(1, level=2, told=True, at=1), **more)
    assert told(bench)["badge:1"] == "done"


def told(bench: Bench) -> dict[str, str]:
    """The states of messages, by what they are about."""
    states = bench.states().items()
    return {
        key.removeprefix("told:badge_levels:"): state
        for key, state in states
        if key.startswith("told:")
    }


def levels(bench: Bench) -> dict[str, int]:
    rows = bench.connection.execute(text("SELECT about, body FROM platform_inbox.current"))
    found = {row.about: row.body["level"] for row in rows}
    bench.connection.rollback()
    return found


def test_by_default_messages_stand_in_tables(bench: Bench) -> None:
    report = cycle(bench, TOLD, Badge(2, level=5, told=True))
    assert report.tally.by_topic == {"badge_levels": {"told": 2}}
    assert levels(bench) == {"badge:1": 1, "badge:2": 5}
    assert report.counts.api_calls == 0
    assert bench.org.meter.calls["login"] == 0


def test_a_message_has_one_id_by_either_way(bench: Bench, server: LocalPlatformServer) -> None:
    server.inbox.faults.append(Fault(action="error", after=True))
    assert cycle(bench, TOLD, **by_http(server)).state == "Failed"
    cycle(bench, TOLD, Badge(2, told=True))
    ids = bench.connection.execute(
        text("SELECT CAST(message_id AS text) FROM platform_inbox.message ORDER BY about")
    )
    [sent] = server.inbox.messages
    of_first, of_second = ids.scalars()
    assert sent == of_first != of_second


def test_what_was_told_is_not_told_again_before_it_changes(bench: Bench) -> None:
    cycle(bench, TOLD)
    assert cycle(bench, TOLD).tally.by_topic == {}
    cycle(bench, Badge(1, level=9, told=True, at=1))
    assert levels(bench) == {"badge:1": 9}


def test_of_several_unsent_versions_only_the_newest_goes(
    bench: Bench, server: LocalPlatformServer
) -> None:
    server.inbox.faults.append(Fault(action="error", status=503))
    assert cycle(bench, TOLD, **by_http(server)).state == "Failed"
    cycle(bench, Badge(1, level=2, told=True, at=1), **by_http(server))
    [message] = server.inbox.messages.values()
    assert (message.version, message.body) == (2, {"level": 2})


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("action", ["error", "reset", "hang"])
def test_a_platform_that_is_away_is_told_later_and_each_thing_once(
    bench: Bench, server: LocalPlatformServer, action: Any, *, after: bool
) -> None:
    server.inbox.faults.append(Fault(action=action, after=after, seconds=1.5))
    patience = 1 if action == "hang" else 20
    report = cycle(bench, TOLD, **by_http(server, read_timeout=patience))
    assert report.state == "Failed"
    assert "source platform" in report.reason
    assert told(bench) == {"badge:1": "pending"}
    assert cycle(bench, TOLD, **by_http(server)).state == "Complete"
    assert len(server.inbox.messages) == 1
    assert told(bench) == {"badge:1": "done"}


def test_a_refused_message_waits_for_people_and_holds_up_no_other(
    bench: Bench, server: LocalPlatformServer
) -> None:
    server.inbox.faults.append(Fault(action="refuse", about="badge:1", times=None))
    report = cycle(bench, TOLD, Badge(2, told=True), **by_http(server))
    assert report.tally.by_topic == {"badge_levels": {"told": 1, "failed": 1}}
    assert report.counts.exhausted == 1
    assert told(bench) == {
        "badge:1": "exhausted",
        "badge:2": "done",
    }


def test_a_message_without_an_answer_is_sent_again(
    bench: Bench, server: LocalPlatformServer
) -> None:
    server.inbox.faults.append(Fault(action="forget", about="badge:1"))
    report = cycle(bench, TOLD, Badge(2, told=True), **by_http(server))
    assert told(bench)["badge:1"] == "pending"
    assert "gave no answer for 1 of their messages" in report.notes
    report = cycle(bench, TOLD, Badge(2, told=True), **by_http(server))
    assert len(server.inbox.messages) == 2
    assert "no answer" not in report.notes


def test_a_wrong_secret_is_said_and_loses_nothing(
    bench: Bench, server: LocalPlatformServer
) -> None:
    report = cycle(bench, TOLD, **by_http(server, "another secret"))
    assert (report.state, "PLATFORM_SECRET" in report.reason) == ("Failed", True)
    assert cycle(bench, TOLD, **by_http(server)).state == "Complete"
    assert len(server.inbox.messages) == 1


def test_a_message_without_an_answer_is_a_reason_to_run(
    bench: Bench, server: LocalPlatformServer
) -> None:
    server.inbox.faults.append(Fault(action="forget", about="badge:1"))
    flows = [*FLOWS, badges_flow([TOLD], watches=())]
    steps = ALL_TOPICS.union(topic.name for flow in flows for topic in flow.topics)
    report = sync_account(ACCOUNT, run_id="test", steps=steps, flows=flows, **by_http(server))
    assert (report.state, told(bench)["badge:1"]) == ("Complete", "pending")
    [due] = due_accounts(only_urgent=False, flows=flows)
    assert due.reason == "unfinished"
    sync_account(ACCOUNT, run_id="test", steps=steps, flows=flows, **by_http(server))
    assert told(bench)["badge:1"] == "done"
    assert due_accounts(only_urgent=False, flows=flows) == []
