"""Once a day the warehouse's rows are counted against what was read: no row is silently missed."""

from datetime import timedelta
from time import monotonic
from typing import Any

import pytest
from sqlalchemy import text

from crm_pipeline.accounts.store import get_account, push_session
from crm_pipeline.cadence.due import due_accounts
from crm_pipeline.database.engines import engine
from crm_pipeline.database.statements import statement
from crm_pipeline.flows.webinars import unread
from crm_pipeline.flows.webinars.unread import compare
from crm_pipeline.ledger.positions import positions
from crm_pipeline.report import CycleReport
from crm_pipeline_tests.cycle.campaigns.scenes import members, says, switch_on
from crm_pipeline_tests.cycle.conftest import Bench
from crm_pipeline_tests.depth import deep_but_first
from crm_pipeline_tests.flows.webinars.warehouse import (
    CLIENT,
    LONG_AGO,
    add_person,
    answer_poll,
    attend,
    chat,
    register,
)


def a_day_passes(bench: Bench) -> None:
    bench.connection.execute(
        text("UPDATE crm.source_count SET counted_at = now() - interval '25 hours'")
    )
    bench.connection.commit()


def verdict(bench: Bench) -> dict[str, Any]:
    rows = bench.connection.execute(
        statement("checks/nothing_unread"), {"account_ids": ["acme"], "freshness_minutes": 60}
    ).mappings()
    [row] = rows
    bench.connection.rollback()
    return {
        name.removeprefix("rows_"): value
        for name, value in row.items()
        if name not in ("account_id", "hours_since_the_count")
    }


def counted(bench: Bench) -> CycleReport:
    """The cycle a day later, to which nothing new is given."""
    a_day_passes(bench)
    assert [(due.account_id, due.reason) for due in due_accounts(only_urgent=False)] == [
        ("acme", "rows to count")
    ]
    report = bench.cycle()
    assert due_accounts(only_urgent=False) == []
    return report


def read_before(bench: Bench) -> None:
    """Rows of a morning that a cycle has read; what is put there later is below the watermark."""
    add_person(bench.connection, 1)
    for number in range(1, 4):
        register(bench.connection, number, 1, minute=number)
        attend(bench.connection, number, 1, minute=number)
    register(bench.connection, 99, 1, session=2, minute=600)
    attend(bench.connection, 99, 1, session=2, minute=600)
    bench.cycle()
    bench.cycle()
    assert due_accounts(only_urgent=False) == []


def test_a_row_that_commits_hours_after_its_shipping_time_is_found_read_and_told(
    bench: Bench,
) -> None:
    switch_on(bench)
    read_before(bench)
    add_person(bench.connection, 2)
    register(bench.connection, 4, 2, minute=555)
    assert bench.cycle().tally["registrations", "rows"] == 0, "no cycle sees the late one"
    assert "registration:4" not in bench.states()
    report = counted(bench)
    assert (report.state, report.tally["registrations", "rows"]) == ("Complete", 1)
    assert "1 registrations that no cycle had read" in report.notes
    assert bench.states()["registration:4"] == "done"
    assert members(bench) == [("Attended", True), ("No Show", False)]
    assert verdict(bench) == {
        "passed": False,
        "counted": 9,
        "found_unread": 1,
        "still_unread": 0,
        "without_person_session_or_event": 0,
        "vanished_from_the_warehouse": 0,
    }
    report = counted(bench)
    assert (report.notes, report.counts.api_calls, verdict(bench)["passed"]) == ("", 0, True)


@pytest.mark.deep
@pytest.mark.parametrize(
    "what", deep_but_first(2, ["chat", "person", "registration", "attendance", "poll answer"])
)
def test_whatever_is_committed_late_is_found(bench: Bench, what: str) -> None:
    read_before(bench)
    late: float = 300
    if what == "registration":
        says(bench, 1, "cancelled", minute=late)
    elif what == "attendance":
        attend(bench.connection, 4, 1, minute=late)
    elif what == "poll answer":
        answer_poll(bench.connection, 1, 1, minute=late)
    elif what == "chat":
        chat(bench.connection, 1, 2, replies=1, minute=late)
    else:
        bench.connection.execute(
            text("UPDATE warehouse.person SET job_title = 'Late', shipped_at = :at"),
            {"at": LONG_AGO + timedelta(minutes=late)},
        )
    report = counted(bench)
    assert "that no cycle had read" in report.notes
    assert verdict(bench)["still_unread"] == 0
    if what == "poll answer":
        assert any("Answer 1" in (each.get("Description") or "") for each in bench.records("Event"))
    if what == "person":
        assert bench.records("Lead")[0]["Title"] == "Late"
    assert counted(bench).notes == ""


@pytest.mark.deep
@pytest.mark.parametrize("what", ["poll answer", "chat", "reply", "deleted answer"])
def test_a_part_that_is_shipped_before_the_newest_of_its_row_is_found(
    bench: Bench, what: str
) -> None:
    """It changes no time of the attendance."""
    add_person(bench.connection, 1)
    attend(bench.connection, 1, 1, minute=1)
    answer_poll(bench.connection, 1, 1, minute=1)
    chat(bench.connection, 1, 1, minute=100)
    attend(bench.connection, 99, 1, session=2, minute=600)
    bench.cycle()
    if what == "poll answer":
        answer_poll(bench.connection, 2, 1, minute=50)
    elif what == "chat":
        chat(bench.connection, 2, 1, minute=50)
    elif what == "reply":
        bench.connection.execute(
            text(
                "INSERT INTO warehouse.chat_reply SELECT 7, client_id, chat_message_id,"
                " 'Late reply', sent_at, sent_at FROM warehouse.chat_message"
            )
        )
    else:
        bench.connection.execute(text("DELETE FROM warehouse.poll_answer"))
    assert bench.cycle().tally.overall("rows_read") == 0, "no cycle sees it"
    report = counted(bench)
    assert "1 attendances that no cycle had read" in report.notes
    [said] = [d for each in bench.records("Event") if "Chat: " in (d := each["Description"])]
    assert {
        "poll answer": "Answer 2" in said,
        "chat": "Message 2" in said,
        "reply": "Late reply" in said,
        "deleted answer": "Answer" not in said,
    }[what]
    report = counted(bench)
    assert (report.notes, report.counts.api_calls) == ("", 0)


@pytest.mark.deep
@pytest.mark.parametrize("what", ["registration", "attendance", "person", "session"])
def test_what_is_shipped_before_the_newest_part_of_its_row_is_found(
    bench: Bench, what: str
) -> None:
    """Nobody ever saw it: an event that is shipped every night makes all of its rows as new."""
    switch_on(bench)
    bench.connection.execute(
        text("UPDATE warehouse.event SET shipped_at = :at"),
        {"at": LONG_AGO + timedelta(minutes=500)},
    )
    read_before(bench)
    late = LONG_AGO + timedelta(minutes=400)
    if what == "registration":
        bench.connection.execute(text("DELETE FROM warehouse.attendance"))
        bench.cycle()
        says(bench, 1, "cancelled", minute=400)
    else:
        column = {
            "attendance": "minutes_attended = 90",
            "person": "job_title = 'Late'",
            "session": "title = 'Late'",
        }[what]
        table = "event_session" if what == "session" else what
        key = 3 if what == "attendance" else 1
        bench.connection.execute(
            text(
                f"UPDATE warehouse.{table} SET {column}, shipped_at = :at WHERE {table}_id = :key"
            ),
            {"at": late, "key": key},
        )
    assert bench.cycle().tally.overall("rows_read") == 0, "no cycle sees it"
    report = counted(bench)
    assert "that no cycle had read were found by counting" in report.notes
    assert (verdict(bench)["passed"], verdict(bench)["still_unread"]) == (False, 0)
    said = " ".join(str(event.get("Description")) for event in bench.records("Event"))
    assert {
        "registration": "cancelled" in said.lower(),
        "attendance": "92 minutes" in said,
        "person": bench.records("Lead")[0].get("Title") == "Late",
        "session": "Session: Late" in said,
    }[what], said
    report = counted(bench)
    assert (report.notes, report.counts.api_calls, verdict(bench)["passed"]) == ("", 0, True)


@pytest.mark.deep
@pytest.mark.parametrize("what", ["chat", "registration"])
def test_what_is_older_now_than_it_was_read_is_found_too(bench: Bench, what: str) -> None:
    """The newest part vanished, or an older copy of the row was loaded over it."""
    add_person(bench.connection, 1)
    attend(bench.connection, 1, 1, minute=1)
    chat(bench.connection, 1, 1, "My secret", minute=100)
    register(bench.connection, 1, 1, minute=200)
    register(bench.connection, 99, 1, session=2, minute=600)
    bench.cycle()
    bench.connection.execute(
        text("DELETE FROM warehouse.chat_message")
        if what == "chat"
        else text(
            "UPDATE warehouse.registration SET registered_at = registered_at - interval '1 hour',"
            " shipped_at = shipped_at - interval '1 hour' WHERE registration_id = 1"
        )
    )
    report = counted(bench)
    assert "that no cycle had read were found by counting" in report.notes
    events = {each["Subject"]: each for each in bench.records("Event")[::-1]}
    if what == "chat":
        assert "My secret" not in events["Webinar Attendance"]["Description"]
    else:
        at = [each["ActivityDateTime"] for each in bench.records("Event")]
        assert "2026-03-01T14:20:00.000+0000" in at
        assert "2026-03-01T15:20:00.000+0000" not in at
    for _ in range(2):
        report = counted(bench)
        assert (report.notes, report.counts.api_calls, verdict(bench)["passed"]) == ("", 0, True)


def test_a_person_who_is_another_client_s_now_is_found_by_counting(bench: Bench) -> None:
    """No change of theirs was seen any more: the extracts ask for those of the client's people."""
    read_before(bench)
    bench.connection.execute(
        text(
            "UPDATE warehouse.person SET client_id = 'client-2', job_title = 'Moved',"
            " shipped_at = :at"
        ),
        {"at": LONG_AGO + timedelta(minutes=700)},
    )
    assert "that no cycle had read were found by counting" in counted(bench).notes
    assert bench.records("Lead")[0]["Title"] == "Moved"
    assert counted(bench).notes == ""


def test_rows_that_were_read_before_parts_were_noted_are_read_again_some_each_day(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unread, "_MOST_UNSURE", 2)
    read_before(bench)
    bench.connection.execute(text("UPDATE crm.operation SET memory = NULL"))
    noted = (
        "SELECT count(*) FROM crm.operation"
        " WHERE natural_key LIKE 'registration%' AND memory ? 'shipped'"
    )
    register(bench.connection, 100, 1, session=2, minute=900)
    # Two are read with what is new, and two of the other three are read again.
    for rows in (4, 5):
        report = counted(bench)
        assert (report.state, report.notes, verdict(bench)["passed"]) == ("Complete", "", True)
        assert bench.connection.scalar(text(noted)) == rows


@pytest.mark.deep
def test_of_a_history_that_an_older_version_read_the_newest_days_are_compared_first(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unread, "_MOST_UNSURE", 2)
    read_before(bench)
    for number in (100, 101, 102):
        register(bench.connection, number, 1, session=2, minute=(number - 98) * 24 * 60)
    bench.cycle()
    bench.connection.execute(text("UPDATE crm.operation SET memory = NULL"))
    register(bench.connection, 200, 1, session=2, minute=9 * 24 * 60)
    bench.connection.commit()
    account = get_account(bench.connection, "acme")
    far = positions(bench.connection, "acme", "webinars")
    found, _ = compare(bench.connection, engine("warehouse"), account, {}, far)
    assert found.read_as_of.keys() == {"registration:101", "registration:102"}
    noted = "SELECT count(*) FROM crm.operation WHERE memory ? 'shipped'"
    for rows in (8, 10, 12, 12):
        assert (counted(bench).notes, verdict(bench)["passed"]) == ("", True)
        assert bench.connection.scalar(text(noted)) == rows


def test_attendances_that_were_read_before_parts_were_noted_are_no_difference(
    bench: Bench,
) -> None:
    read_before(bench)
    answer_poll(bench.connection, 1, 1, minute=601)
    bench.cycle()
    bench.connection.execute(text("UPDATE crm.operation SET memory = NULL"))
    register(bench.connection, 100, 1, session=2, minute=900)
    report = counted(bench)
    assert (report.notes, verdict(bench)["passed"]) == ("", True)
    assert report.counts.api_calls == 1, "the registration that is new"
    noted = "SELECT bool_and(memory ? 'shipped') FROM crm.operation WHERE kind = 'activity'"
    assert bench.connection.scalar(text(noted))
    assert counted(bench).counts.api_calls == 0


@pytest.mark.deep
def test_a_late_part_of_an_attendance_that_was_read_before_parts_were_noted_is_found(
    bench: Bench,
) -> None:
    read_before(bench)
    bench.connection.execute(text("UPDATE crm.operation SET memory = NULL"))
    answer_poll(bench.connection, 1, 1, minute=1)
    report = counted(bench)
    assert (report.notes, verdict(bench)["passed"]) == ("", True)
    assert ["Poll" in str(e.get("Description")) for e in bench.records("Event")].count(True) == 1


@pytest.mark.deep
@pytest.mark.parametrize("shipped", ["-infinity", "0044-03-15 BC", "1960-01-01"])
def test_a_row_from_before_all_time_is_found_too(bench: Bench, shipped: str) -> None:
    read_before(bench)
    for table in ("person", "event", "event_session"):
        bench.connection.execute(
            text(f"UPDATE warehouse.{table} SET shipped_at = :at"), {"at": shipped}
        )
    register(bench.connection, 4, 1)
    bench.connection.execute(
        text("UPDATE warehouse.registration SET shipped_at = :at WHERE registration_id = 4"),
        {"at": shipped},
    )
    assert "5 registrations that no cycle had read" in counted(bench).notes, "and their parents"
    assert bench.states()["registration:4"] == "done"
    assert counted(bench).notes == ""


def test_a_row_whose_session_never_comes_is_told_until_it_does(bench: Bench) -> None:
    read_before(bench)
    register(bench.connection, 4, 1, session=77, minute=30)
    report = counted(bench)
    assert "1 registrations cannot be read" in report.notes
    assert verdict(bench)["without_person_session_or_event"] == 1
    assert not verdict(bench)["passed"]
    bench.connection.execute(
        text(
            "INSERT INTO warehouse.event_session SELECT 77, event_id, client_id, 'Late',"
            " starts_at, ends_at, :at FROM warehouse.event_session WHERE event_session_id = 1"
        ),
        {"at": LONG_AGO + timedelta(hours=20)},
    )
    bench.cycle()
    assert bench.states()["registration:4"] == "done"
    counted(bench)
    assert verdict(bench)["passed"]


@pytest.mark.parametrize("how", ["deleted", "without its person"])
def test_a_row_that_vanished_is_told_once_and_what_the_org_has_of_it_stays(
    bench: Bench, how: str
) -> None:
    switch_on(bench)
    read_before(bench)
    before = [each["Subject"] for each in bench.records("Event")]
    bench.connection.execute(
        text("DELETE FROM warehouse.registration WHERE registration_id = 1")
        if how == "deleted"
        else text("UPDATE warehouse.registration SET person_id = 404 WHERE registration_id = 1")
    )
    report = counted(bench)
    assert "1 registrations that were read are not in the warehouse any more" in report.notes
    assert [each["Subject"] for each in bench.records("Event")] == before
    found = verdict(bench)
    assert (found["vanished_from_the_warehouse"], found["passed"]) == (1, True)
    assert counted(bench).notes == ""
    assert verdict(bench)["vanished_from_the_warehouse"] == 1


def test_sessions_that_are_not_pushed_are_no_difference(bench: Bench) -> None:
    read_before(bench)
    push_session(bench.connection, "acme", 1)
    bench.cycle()
    report = counted(bench)
    assert (report.notes, verdict(bench)["passed"], verdict(bench)["counted"]) == ("", True, 6)
    assert verdict(bench)["vanished_from_the_warehouse"] == 0


def test_a_count_that_no_extract_agrees_with_fails_the_cycle(bench: Bench) -> None:
    """As with an extract that somebody narrowed: here it sees nobody, since it is streamed."""
    read_before(bench)
    register(bench.connection, 4, 1, minute=30)
    bench.connection.execute(text("ALTER TABLE warehouse.person RENAME TO everybody"))
    bench.connection.execute(
        text(
            "CREATE VIEW warehouse.person AS SELECT * FROM warehouse.everybody"
            " WHERE current_query() NOT LIKE 'FETCH%'"
        )
    )
    a_day_passes(bench)
    report = bench.cycle()
    assert report.state == "Failed"
    assert "counts 1 rows that registrations.sql does not give" in report.reason
    assert (verdict(bench)["still_unread"], verdict(bench)["passed"]) == (1, False)


def test_a_count_costs_no_api_call_and_is_made_once_a_day(bench: Bench) -> None:
    read_before(bench)
    assert counted(bench).counts.api_calls == 0
    at = text("SELECT min(counted_at) FROM crm.source_count")
    first = bench.connection.scalar(at)
    bench.connection.rollback()
    register(bench.connection, 100, 1, session=2, minute=601)
    bench.cycle()
    assert bench.connection.scalar(at) == first


def test_a_row_that_vanished_does_not_hide_an_unread_one_of_the_same_time(bench: Bench) -> None:
    """All rows of an event that is shipped anew have one time."""
    read_before(bench)
    bench.connection.execute(text("DELETE FROM warehouse.registration WHERE registration_id = 2"))
    register(bench.connection, 50, 1, minute=2)
    report = counted(bench)
    assert report.tally["registrations", "rows"] == 1
    assert bench.states()["registration:50"] == "done"


@pytest.mark.deep
def test_counting_two_hundred_thousand_rows_takes_seconds(bench: Bench) -> None:
    rows = 100_000
    read_before(bench)
    bench.connection.execute(
        text(
            "INSERT INTO warehouse.registration (registration_id, client_id, event_session_id,"
            " person_id, status, registered_at, shipped_at)"
            " SELECT 1000 + n, :client, 1, 1, 'registered', :at,"
            " :at + n * interval '0.3 seconds' FROM generate_series(1, :rows) AS n"
        ),
        {"client": CLIENT, "at": LONG_AGO, "rows": rows},
    )
    bench.connection.execute(
        text(
            "INSERT INTO warehouse.attendance (attendance_id, client_id, event_session_id,"
            " person_id, attended_at, minutes_attended, shipped_at)"
            " SELECT registration_id, client_id, event_session_id, person_id, registered_at, 30,"
            " shipped_at FROM warehouse.registration WHERE registration_id > 1000"
        )
    )
    bench.connection.execute(
        text(
            "INSERT INTO crm.operation (account_id, flow, kind, natural_key, version,"
            " as_of, content_hash, intent, state, memory)"
            " SELECT 'acme', 'webinars', 'activity', key || registration_id, 1,"
            " shipped_at, '', '{}', 'done', jsonb_build_object('shipped', CAST(extract(EPOCH FROM"
            " shipped_at) + 3 * extract(EPOCH FROM CAST(:at AS timestamptz)) AS bigint))"
            " FROM warehouse.registration, unnest(ARRAY['registration:', 'attendance:']) AS key"
            " WHERE registration_id > 1000 AND (registration_id <> 7777 OR key LIKE 'r%')"
        ),
        {"at": LONG_AGO},
    )
    a_day_passes(bench)
    account = get_account(bench.connection, "acme")
    begun = monotonic()
    read = positions(bench.connection, "acme", "webinars")
    found = compare(bench.connection, engine("warehouse"), account, {}, read)
    took = monotonic() - begun
    assert [(each.unread, each.vanished) for each in found] == [(set(), 0), ({7777}, 0)]
    assert took < 15, "3 seconds on an idle machine, with a day of rows compared one by one"
    report = counted(bench)
    assert "1 attendances that no cycle had read" in report.notes
    assert report.tally["filtered_leads", "part_of_another"] == 1, "of the one from before"
