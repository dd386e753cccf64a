"""A removal that was asked for: the org, our own tables, the platform, the receipt."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from crm_pipeline.accounts.store import get_account
from crm_pipeline.database.engines import engine
from crm_pipeline.inbound.asking import ask_for_removal
from crm_pipeline.inbound.queue import Received, status_of
from crm_pipeline.inbound.scanning import places_of, scan_for_erased
from crm_pipeline.inbound.tombstones import Verb, hasher_of, lift
from crm_pipeline.report import CycleReport
from crm_pipeline_tests.cycle.conftest import ACCOUNT, Bench
from crm_pipeline_tests.cycle.tapped import Tap, tapped
from crm_pipeline_tests.depth import deep_but_first, deep_rows_but_for
from crm_pipeline_tests.flows.webinars.warehouse import add_person, attend, chat, register

CANARY = "canary@example.com"
WORDS = ("canary@", "Canarina", "Birdcage", "7946")
REMOVALS = frozenset(("removals",))


def ask(does: Verb = "erase", address: str = CANARY, **how: Any) -> Received:
    with engine("pipeline").begin() as connection:
        hasher = hasher_of(connection, get_account(connection, ACCOUNT))
        return ask_for_removal(
            connection, hasher, address, does=does, door="command", name="test", **how
        )


def receipt_of(received: Received) -> dict[str, Any]:
    with engine("pipeline").connect() as connection:
        status = status_of(connection, ACCOUNT, received.request_id)
    assert status is not None
    assert status.state == "done", status
    assert status.receipt is not None
    assert not any(word in json.dumps(status.receipt) for word in WORDS)
    return dict(status.receipt)


def done_at(receipt: dict[str, Any], place: str) -> dict[str, int]:
    return {each["done"]: each["number"] for each in receipt["places"] if each["place"] == place}


def traces(bench: Bench) -> list[str]:
    bench.connection.rollback()
    return [place for word in WORDS for place, _ in places_of(engine("pipeline"), word)]


def canary_and_another(bench: Bench, **columns: Any) -> None:
    known = {"first_name": "Canarina", "surname": "Birdcage", "phone_1": "+44 20 7946 0958"}
    add_person(bench.connection, 1, CANARY, **{**known, **columns})
    add_person(bench.connection, 2)
    for number in (1, 2):
        register(bench.connection, number, number)
        attend(bench.connection, number, number)
    chat(bench.connection, 1, 1, "I live in a Birdcage")
    bench.connection.commit()


@pytest.fixture
def tap(monkeypatch: pytest.MonkeyPatch) -> Iterator[Tap]:
    with tapped(monkeypatch) as tap:
        yield tap


def removed(bench: Bench, **how: Any) -> tuple[CycleReport, dict[str, Any]]:
    received = ask(**how)
    report = bench.cycle(REMOVALS)
    assert report.state == "Complete", report.reason
    assert report.tally["removals", "removed"] == 1
    return report, receipt_of(received)


def test_what_the_account_leaves_in_the_org_stays_and_all_else_goes(bench: Bench, tap: Tap):
    bench.settings(campaigns={})
    canary_and_another(bench)
    bench.cycle()
    assert traces(bench)
    calls = len(tap.heard)
    report, receipt = removed(bench)
    assert len(tap.heard) == calls, "nothing is asked of the org"
    assert traces(bench) == []
    assert {lead["Email"] for lead in bench.records("Lead")} == {CANARY, "p2@example.com"}
    assert "left: the account leaves what is in the org" in done_at(receipt, "org/Lead")
    assert done_at(receipt, "crm.operation")["erased"] >= 4
    assert report.tally["removals", "told"] == 1
    [told] = bench.connection.execute(text("SELECT topic, body FROM platform_inbox.message")).all()
    assert told == ("removals", {"remove": True, "user_ids": ["1"]})
    bench.connection.rollback()


@pytest.mark.deep
def test_the_other_person_is_as_before(bench: Bench):
    bench.settings(campaigns={})
    canary_and_another(bench)
    bench.cycle()
    before = {key: state for key, state in bench.states().items() if "canary" not in key}
    removed(bench)
    after = bench.states()
    assert {"registration:1": "rejected", "attendance:1": "rejected"}.items() <= after.items()
    same = {key: state for key, state in before.items() if key not in after or ":1" not in key}
    assert same.items() <= after.items()
    report = bench.cycle()
    assert (report.state, report.counts.api_calls) == ("Complete", 0)
    bench.connection.execute(
        text("UPDATE crm.source_count SET counted_at = now() - interval '2 days'")
    )
    assert bench.cycle().state == "Complete"
    assert traces(bench) == [], "the daily count reads nobody back"


def test_anonymized_in_the_org(bench: Bench):
    canary_and_another(bench)
    bench.cycle()
    lead = next(each for each in bench.records("Lead") if each["Email"] == CANARY)
    bench.seed("Task", WhoId=lead["Id"], Subject="Call Canarina", Description="at 7946")
    _, receipt = removed(bench, in_org="anonymize")
    rows = [row for table in ("Lead", "Event", "Task") for row in bench.records(table)]
    left = {
        (row["Id"][:3], name)
        for row in rows
        for name, value in row.items()
        if any(word in str(value) for word in WORDS)
    }
    assert left == set()
    mine = next(each for each in bench.records("Lead") if each["Id"] == lead["Id"])
    assert (mine["LastName"], mine["Company"], mine["Email"]) == ("[removed]", "[removed]", None)
    assert done_at(receipt, "org/Lead") == {"anonymized": 1}
    assert done_at(receipt, "org/Event") == {"anonymized": 2}
    assert done_at(receipt, "org/Task") == {"anonymized": 1}
    assert traces(bench) == []


@pytest.mark.deep
@pytest.mark.parametrize("became", ["Contact", "another Lead"])
def test_what_a_lead_became_is_anonymized_before_anybody_has_read_that(bench: Bench, became: str):
    canary_and_another(bench)
    bench.cycle()
    [lead] = [each["Id"] for each in bench.records("Lead") if each["Email"] == CANARY]
    if became == "Contact":
        bench.admin("convert", lead_id=lead)
    else:
        winner = bench.seed("Lead", LastName="Winner", Company="Somewhere")
        bench.admin("merge", object="Lead", master_id=winner, ids=[lead])
    _, receipt = removed(bench, in_org="anonymize")
    left = {
        (table, name)
        for table in ("Lead", "Contact", "Event")
        for row in bench.records(table)
        for name, value in row.items()
        if any(word in str(value) for word in WORDS) and not row.get("IsConverted")
    }
    assert left == set()
    assert done_at(receipt, f"org/{became.rsplit(maxsplit=1)[-1]}")["anonymized"] == 1
    assert done_at(receipt, "org/Event") == {"anonymized": 2}
    assert traces(bench) == []


def test_a_field_that_was_hidden_since_is_left_and_named_and_all_else_goes(bench: Bench):
    canary_and_another(bench)
    bench.cycle()
    bench.org.hide_fields(["Lead.Phone", "Event.Location"])
    _, receipt = removed(bench, in_org="anonymize")
    told = done_at(receipt, "org/Lead")
    assert told == {"anonymized": 1, "left: hidden from the user (Phone)": 1}
    assert done_at(receipt, "org/Event")["anonymized"] == 2
    [mine] = [each for each in bench.org.table("Lead").rows.values() if not each["Email"]]
    assert (mine["FirstName"], mine["LastName"]) == (None, "[removed]")


@pytest.mark.deep
@pytest.mark.parametrize("may", [True, False])
def test_deleted_in_the_org_for_good_where_the_user_may(bench: Bench, may: bool):
    bench.org.config.bulk_hard_delete = may
    canary_and_another(bench)
    bench.cycle()
    _, receipt = removed(bench, in_org="delete")
    assert [lead["Email"] for lead in bench.records("Lead")] == ["p2@example.com"]
    assert len(bench.records("Event")) == 2
    every = [row for name in ("Lead", "Event") for row in bench.org.table(name).rows.values()]
    assert not any(word in json.dumps(every) for word in WORDS), "nor in the recycle bin"
    if may:
        assert done_at(receipt, "org/Lead") == {"anonymized": 1, "deleted for good": 1}
        assert not any(row["IsDeleted"] for row in every)
    else:
        assert done_at(receipt, "org/Lead") == {"anonymized": 1, "deleted": 1}
        assert "left in the recycle bin" in next(iter(done_at(receipt, "org")))
    assert traces(bench) == []


def test_a_person_whom_only_the_org_knows_is_sought_by_the_address(bench: Bench):
    bench.seed("Contact", LastName="Birdcage", Email="Canary@example.com")
    _, receipt = removed(bench, in_org="delete")
    assert bench.records("Contact") == []
    assert done_at(receipt, "org/Contact")["deleted"] == 1


def test_activities_are_anonymized_by_their_ids_where_nobody_is_known_to_have_them(bench: Bench):
    """Whose record people deleted, or it has another address by now, is not known for a while."""
    canary_and_another(bench)
    bench.cycle()
    lead = next(each for each in bench.records("Lead") if each["Email"] == CANARY)
    bench.org.table("Lead").rows[lead["Id"]]["Email"] = "other@example.com"
    bench.connection.execute(
        text("DELETE FROM crm.identity WHERE salesforce_id = :id"), {"id": lead["Id"]}
    )
    _, receipt = removed(bench, in_org="anonymize")
    assert done_at(receipt, "org/Event") == {"anonymized": 2}


@pytest.mark.deep
def test_what_was_sent_without_an_answer_is_awaited(bench: Bench, monkeypatch: Any):
    canary_and_another(bench)
    bench.fault("composite", "reset_after", nth=2)
    bench.cycle()
    assert bench.states()["person:canary@example.com"] == "in_flight"
    monkeypatch.setenv("LOST_ANSWER_GRACE_SECONDS", "600")
    from crm_pipeline.settings import settings

    settings.cache_clear()
    received = ask(in_org="delete")
    report = bench.cycle(REMOVALS)
    assert report.state == "Failed"
    assert "the removal waits" in report.reason
    bench.connection.execute(text("UPDATE crm.request SET next_attempt_at = now()"))
    bench.connection.execute(text("UPDATE crm.operation SET sent_at = sent_at - interval '1 hour'"))
    assert bench.cycle(REMOVALS).state == "Complete"
    assert CANARY not in {lead["Email"] for lead in bench.records("Lead")}
    assert done_at(receipt_of(received), "org")["was under way, and erased"] >= 1
    assert traces(bench) == []


def test_an_org_that_is_down_keeps_a_removal_waiting(bench: Bench):
    canary_and_another(bench)
    bench.cycle()
    bench.fault("*", "reset_before", times=100)
    received = ask(in_org="delete")
    assert bench.cycle(REMOVALS).state == "Failed"
    bench.org.weather.faults.clear()
    assert bench.cycle(REMOVALS).tally["removals", "removed"] == 0, "not before its time"
    bench.connection.execute(text("UPDATE crm.request SET next_attempt_at = now()"))
    assert bench.cycle(REMOVALS).tally["removals", "removed"] == 1
    assert receipt_of(received)
    assert traces(bench) == []


@pytest.mark.deep
@pytest.mark.parametrize("may", deep_but_first(1, [True, False]))
@pytest.mark.parametrize(
    ("kind", "how"),
    deep_rows_but_for(
        lambda _, how: how["action"] == "lock",
        [
            ("collections.update", {"action": "lock", "rows": [1]}),
            ("collections.update", {"action": "reset_before"}),
            ("collections.delete", {"action": "lock", "rows": [1]}),
            ("collections.delete", {"action": "reset_before"}),
            ("bulk2.process", {"action": "lock", "rows": [1]}),
        ],
    ),
)
def test_records_that_could_not_be_written_just_now_keep_a_removal_waiting(
    bench: Bench, kind: str, how: dict[str, Any], may: bool
):
    """It was done, with a locked record as it was and a receipt that said so."""
    bench.org.config.bulk_hard_delete = may
    canary_and_another(bench)
    bench.cycle()
    bench.fault(kind, nth=1, **how)
    received = ask(in_org="delete")
    strikes = kind == "collections.update" or (kind == "bulk2.process") == may
    for state in ("Failed" if strikes else "Complete", "Complete"):
        report = bench.cycle(REMOVALS)
        assert report.state == state, report.reason
        bench.connection.execute(text("UPDATE crm.request SET next_attempt_at = now()"))
    assert receipt_of(received)
    every = [row for name in ("Lead", "Event") for row in bench.org.table(name).rows.values()]
    assert not any(word in json.dumps(every) for word in WORDS)
    assert len([row for row in every if not row["IsDeleted"]]) == 3
    assert traces(bench) == []


def test_asked_for_again_it_is_the_same_removal(bench: Bench):
    canary_and_another(bench)
    bench.cycle()
    first = ask()
    assert ask(address=CANARY).request_id == first.request_id
    bench.cycle(REMOVALS)
    again = ask()
    assert (again.request_id, again.is_new) == (first.request_id, False)


@pytest.mark.deep
def test_whoever_is_processed_again_may_be_removed_again(bench: Bench):
    canary_and_another(bench)
    bench.cycle()
    first = ask()
    bench.cycle(REMOVALS)
    with engine("pipeline").begin() as connection:
        hasher = hasher_of(connection, get_account(connection, ACCOUNT))
        assert lift(connection, hasher, CANARY)
    from crm_pipeline.accounts.store import read_from_the_start

    read_from_the_start(bench.connection, ACCOUNT)
    bench.cycle()
    assert traces(bench)
    again = ask()
    assert again.is_new
    assert again.request_id != first.request_id
    bench.cycle(REMOVALS)
    assert traces(bench) == []


def test_suppressed_people_are_kept_and_not_sent(bench: Bench, tap: Tap):
    canary_and_another(bench, country_code="Atlantis")
    bench.cycle()
    received = ask("suppress")
    assert bench.cycle(REMOVALS).tally["removals", "suppressed"] == 1
    receipt_of(received)
    assert bench.states()["person:canary@example.com"] == "rejected"
    assert traces(bench)
    calls = len(tap.heard)
    bench.cycle()
    assert not any("canary" in said for _, said in tap.heard[calls:])


@pytest.mark.deep
def test_texts_of_others_lose_the_address_and_are_not_sent_twice(bench: Bench):
    canary_and_another(bench)
    chat(bench.connection, 2, 2, f"Write to {CANARY.upper()}")
    bench.cycle()
    events = len(bench.records("Event"))
    removed(bench)
    assert [word for word in traces(bench) if word] == []
    bench.connection.execute(
        text("UPDATE crm.source_count SET counted_at = now() - interval '2 days'")
    )
    bench.cycle()
    assert len(bench.records("Event")) == events
    assert traces(bench) == []


@pytest.mark.deep
def test_what_others_said_long_ago_is_left_to_the_nightly_scan(bench: Bench):
    canary_and_another(bench)
    chat(bench.connection, 2, 2, f"Write to {CANARY.upper()}")
    bench.cycle()
    bench.connection.execute(text("UPDATE crm.cycle SET started_at = now() - interval '8 days'"))
    bench.connection.commit()
    _, receipt = removed(bench)
    assert "database/texts of others" in {each["place"] for each in receipt["left"]}
    assert traces(bench) == ["crm.operation.intent"]
    assert scan_for_erased(engine("pipeline"), []) == []
    assert traces(bench) == []


def test_statistics_tell_of_nobody(bench: Bench):
    canary_and_another(bench)
    bench.cycle()
    bench.connection.execute(text("ANALYZE crm.person, crm.operation, crm.identity"))
    bench.connection.commit()
    assert "pg_stats" in traces(bench)
    removed(bench)
    assert traces(bench) == []


@pytest.mark.deep
def test_a_removal_during_a_cycle_is_done_at_its_end(bench: Bench, tap: Tap):
    canary_and_another(bench)
    asked: list[Received] = []

    def during(_: str) -> None:
        if not asked:
            asked.append(ask(in_org="delete"))

    tap.during = during
    report = bench.cycle()
    assert report.state == "Complete", report.reason
    assert report.tally["removals", "removed"] == 1
    receipt_of(asked[0])
    assert [lead["Email"] for lead in bench.records("Lead")] == ["p2@example.com"]
    assert traces(bench) == []
