"""Rejoins, overlaps and replays, end to end: one attendance of each person and session."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from crm_pipeline.database.statements import statement
from crm_pipeline_tests.cli.conftest import Run, run
from crm_pipeline_tests.cycle.conftest import ACCOUNT, Bench
from crm_pipeline_tests.flows.webinars.warehouse import (
    LONG_AGO,
    add_person,
    answer_poll,
    attend,
    chat,
    register,
)

__all__ = ["run"]

ROUTES = pytest.mark.parametrize("route", ["composite", "bulk"])


def changes(bench: Bench, attendance: int, *, minute: float, **columns: Any) -> None:
    names = ", ".join(f"{name} = :{name}" for name in columns)
    bench.connection.execute(
        text(
            f"UPDATE warehouse.attendance SET {names}, shipped_at = :at"
            " WHERE attendance_id = :attendance"
        ),
        {**columns, "attendance": attendance, "at": LONG_AGO + timedelta(minutes=minute)},
    )


def told(bench: Bench) -> list[tuple[str, str]]:
    """Subject and minute past noon of each activity."""
    return [
        (each["Subject"], each["ActivityDateTime"][11:16])
        for each in sorted(bench.records("Event"), key=lambda each: each["ActivityDateTime"])
    ]


def is_accounted_for(bench: Bench) -> bool:
    asked = {"account_ids": [ACCOUNT], "freshness_minutes": 60}
    [verdict] = bench.connection.execute(statement("checks/every_row_is_accounted_for"), asked)
    return bool(verdict.passed)


def a_day_passes(bench: Bench) -> None:
    bench.connection.execute(
        text("UPDATE crm.source_count SET counted_at = counted_at - interval '2 days'")
    )


@ROUTES
def test_who_comes_back_has_one_attendance(bench: Bench, route: str) -> None:
    bench.settings(route=route)
    add_person(bench.connection, 1)
    for number, minute in ((11, 20), (12, 0), (13, 10)):
        attend(bench.connection, number, 1, minute=minute)
    attend(bench.connection, 14, 1, session=2, minute=90)
    report = bench.cycle()
    assert told(bench) == [("Webinar Attendance", "12:00"), ("Webinar Attendance", "13:30")]
    assert report.tally["filtered_leads", "part_of_another"] == 2
    assert report.tally.overall("rejected") == 0
    assert is_accounted_for(bench)
    assert bench.states() | {"person:p1@example.com": ""} == {
        "attendance:11": "rejected",
        "attendance:12": "done",
        "attendance:13": "rejected",
        "attendance:14": "done",
        "person:p1@example.com": "",
    }
    assert bench.cycle().counts.api_calls == 0
    assert is_accounted_for(bench)


def test_a_visit_that_is_shipped_later_is_part_of_the_first_and_what_it_says_is_told(
    bench: Bench,
) -> None:
    add_person(bench.connection, 1)
    attend(bench.connection, 1, 1, minute=5)
    chat(bench.connection, 1, 1, minute=6)
    bench.cycle()
    attend(bench.connection, 2, 1, minute=300)
    answer_poll(bench.connection, 2, 2, minute=301)
    chat(bench.connection, 3, 2, minute=302)
    report = bench.cycle()
    assert report.tally.overall("activities_updated") == 1
    [only] = bench.records("Event")
    for said in ("Question 2?", "Message 1", "Message 3"):
        assert said in only["Description"]
    assert is_accounted_for(bench)
    # One that began before the others: the activity stays, and begins then.
    attend(bench.connection, 3, 1, minute=600)
    changes(bench, 3, minute=600, attended_at=LONG_AGO)
    bench.cycle()
    assert told(bench) == [("Webinar Attendance", "12:00")]
    assert is_accounted_for(bench)
    chat(bench.connection, 4, 2, minute=900)
    bench.cycle()
    assert "Message 4" in bench.records("Event")[0]["Description"]
    a_day_passes(bench)
    assert bench.cycle().counts.api_calls == 0, "counted, every row is known"
    unread = text("SELECT sum(cardinality(again) + vanished) FROM crm.source_count")
    assert bench.connection.scalar(unread) == 0


@pytest.fixture
def delivered_one_by_one(bench: Bench) -> Bench:
    """Two visits of one person to one session, each with its activity: so it was once."""
    add_person(bench.connection, 1)
    attend(bench.connection, 1, 1, session=1, minute=1)
    attend(bench.connection, 2, 1, session=2, minute=2)
    bench.cycle()
    bench.connection.execute(text("DELETE FROM crm.visit"))
    bench.connection.execute(text("UPDATE warehouse.attendance SET event_session_id = 1"))
    # So much later that the others are read no more.
    attend(bench.connection, 3, 1, session=2, minute=600)
    bench.cycle()
    assert len(told(bench)) == 3
    return bench


def test_activities_that_were_delivered_one_by_one_stay(delivered_one_by_one: Bench) -> None:
    bench = delivered_one_by_one
    chat(bench.connection, 1, 1, minute=700)
    chat(bench.connection, 2, 2, minute=700)
    bench.cycle()
    assert [minute for _, minute in told(bench)] == ["12:01", "12:02", "22:00"]
    assert is_accounted_for(bench)
    a_day_passes(bench)
    assert bench.cycle().counts.api_calls == 0


@pytest.mark.parametrize("read_again_before", [False, True])
def test_what_was_delivered_one_by_one_is_joined_when_somebody_asks_for_it(
    delivered_one_by_one: Bench, run: Run, read_again_before: bool
) -> None:
    bench = delivered_one_by_one
    if read_again_before:
        chat(bench.connection, 1, 1, minute=700)
        chat(bench.connection, 2, 2, minute=700)
        bench.cycle()
    said = run("account", "join-attendances", ACCOUNT, "--yes").stdout
    assert "3 rows of client" in said
    assert "Of 3 attendances in the org, of 1 person" in said
    assert "at most 2 are visits of somebody who came back" in said
    assert "with at most 1 API call more" in said
    report = bench.cycle()
    assert [minute for _, minute in told(bench)] == ["12:01", "22:00"]
    assert report.tally.overall("activities_deleted") == 1
    assert is_accounted_for(bench)
    assert bench.cycle().counts.api_calls == 0


def test_where_nobody_came_twice_there_is_nothing_to_join(bench: Bench, run: Run) -> None:
    add_person(bench.connection, 1)
    attend(bench.connection, 1, 1)
    bench.cycle()
    refused = run("account", "join-attendances", ACCOUNT, "--yes", fails=True)
    assert "Nobody has more than one attendance" in refused.stderr


@pytest.mark.deep
@pytest.mark.parametrize("vanished", ["keep", "delete"])
def test_the_visit_with_the_activity_that_is_somebody_else_s_takes_it_along(
    bench: Bench, vanished: str
) -> None:
    bench.settings(vanished=vanished)
    for person in (1, 2):
        add_person(bench.connection, person)
    attend(bench.connection, 1, 1, minute=1)
    attend(bench.connection, 2, 1, minute=2)
    bench.cycle()
    changes(bench, 1, minute=60, person_id=2)
    bench.cycle()
    names = {each["Id"]: each["LastName"] for each in bench.records("Lead")}
    assert sorted(names[each["WhoId"]] for each in bench.records("Event")) == ["Last 1", "Last 2"]
    # And back: what was an attendance of its own is part of one again, and its activity goes.
    changes(bench, 1, minute=120, person_id=1)
    bench.cycle()
    assert [names[each["WhoId"]] for each in bench.records("Event")] == ["Last 1"]
    assert is_accounted_for(bench)


@pytest.mark.deep
@pytest.mark.parametrize("vanished", ["keep", "delete"])
def test_a_visit_of_no_minutes_hands_the_activity_over(bench: Bench, vanished: str) -> None:
    bench.settings(vanished=vanished)
    add_person(bench.connection, 1)
    attend(bench.connection, 1, 1, minute=1)
    attend(bench.connection, 2, 1, minute=2)
    bench.cycle()
    changes(bench, 1, minute=60, minutes_attended=0)
    bench.cycle()
    assert told(bench) == [("Webinar Attendance", "12:02")]
    changes(bench, 2, minute=120, minutes_attended=0)
    bench.cycle()
    assert len(told(bench)) == (0 if vanished == "delete" else 1)
    changes(bench, 2, minute=180, minutes_attended=5)
    bench.cycle()
    assert told(bench) == [("Webinar Attendance", "12:02")]


@pytest.mark.parametrize("vanished", ["keep", "delete"])
def test_a_visit_that_vanishes_leaves_one_activity_to_the_others(
    bench: Bench, vanished: str
) -> None:
    bench.settings(vanished=vanished)
    add_person(bench.connection, 1)
    attend(bench.connection, 1, 1, minute=1)
    attend(bench.connection, 2, 1, minute=2)
    bench.cycle()
    bench.connection.execute(text("DELETE FROM warehouse.attendance WHERE attendance_id = 1"))
    register(bench.connection, 9, 1, session=2, minute=600)
    a_day_passes(bench)
    bench.cycle()
    assert [minute for _, minute in told(bench)] == ["12:02", "22:00"]
    assert is_accounted_for(bench)
    chat(bench.connection, 1, 2, minute=900)
    bench.cycle()
    # And it comes back: part of the other one by now.
    attend(bench.connection, 1, 1, minute=1000)
    changes(bench, 1, minute=1000, attended_at=LONG_AGO)
    bench.cycle()
    assert [minute for _, minute in told(bench)] == ["12:00", "22:00"]
    assert "Message 1" in bench.records("Event")[1]["Description"]


def test_a_later_visit_that_vanishes_takes_its_words_along(bench: Bench) -> None:
    add_person(bench.connection, 1)
    attend(bench.connection, 1, 1, minute=1)
    attend(bench.connection, 2, 1, minute=2)
    chat(bench.connection, 1, 2, minute=3)
    chat(bench.connection, 2, 1, minute=3)
    bench.cycle()
    for table in ("chat_message", "attendance"):
        bench.connection.execute(text(f"DELETE FROM warehouse.{table} WHERE attendance_id = 2"))
    register(bench.connection, 9, 1, session=2, minute=600)
    a_day_passes(bench)
    bench.cycle()
    told_now = bench.records("Event")[0]["Description"]
    assert ("Message 1" in told_now, "Message 2" in told_now) == (False, True)


def test_a_view_of_the_recording_is_another_activity_and_one_however_often(bench: Bench) -> None:
    add_person(bench.connection, 1)
    for number in (1, 2, 3):
        attend(bench.connection, number, 1, minute=number)
    for number in (2, 3):
        changes(bench, number, minute=number, kind="on_demand")
    bench.cycle()
    assert told(bench) == [("Webinar Attendance", "12:01"), ("Webinar On-Demand View", "12:02")]
    bench.settings(on_demand_subject="Saw the recording")
    attend(bench.connection, 4, 1, minute=60)
    changes(bench, 4, minute=60, kind="replay")
    bench.cycle()
    assert told(bench)[1:] == [("Saw the recording", "12:02")]


def test_an_account_may_want_no_views_of_recordings(bench: Bench) -> None:
    bench.settings(people_from_stages=["registered", "attended"])
    add_person(bench.connection, 1)
    attend(bench.connection, 1, 1)
    changes(bench, 1, minute=0, kind="on_demand")
    bench.cycle()
    assert (bench.records("Lead"), told(bench)) == ([], [])


def test_visits_of_who_became_one_person_are_one(bench: Bench) -> None:
    for person in (1, 2):
        add_person(bench.connection, person)
        attend(bench.connection, person, person, minute=person)
    bench.cycle()
    bench.connection.execute(
        text(
            "UPDATE warehouse.person SET email = 'p1@example.com', shipped_at = :at"
            " WHERE person_id = 2"
        ),
        {"at": LONG_AGO + timedelta(minutes=60)},
    )
    bench.cycle()
    assert len(told(bench)) == 1


def test_new_words_send_nothing_again_of_which_nothing_is_new(bench: Bench) -> None:
    """So it is when a release has its activities say more: each row says it when it is read."""
    for person in (1, 2):
        add_person(bench.connection, person)
        register(bench.connection, person, person)
        attend(bench.connection, person, person)
    bench.cycle()
    register(bench.connection, 9, 2, session=2, minute=600)
    attend(bench.connection, 9, 2, session=2, minute=600)
    bench.cycle()
    bench.settings(activity_text=["minutes"])
    assert bench.cycle().tally.overall("activities_updated") == 1, "what is read twice anyway"
    a_day_passes(bench)
    assert bench.cycle().counts.api_calls == 0
    chat(bench.connection, 1, 1, minute=900)
    assert bench.cycle().tally.overall("activities_updated") == 1


@pytest.mark.deep
@pytest.mark.parametrize(
    ("choice", "left"), [("mark", "Cancelled"), ("keep", "Event"), ("delete", "")]
)
def test_a_cancelled_registration_is_marked_kept_or_deleted_and_comes_back(
    bench: Bench, choice: str, left: str
) -> None:
    bench.settings(cancelled_activity=choice)
    add_person(bench.connection, 1)
    register(bench.connection, 1, 1)
    bench.cycle()
    for minute, status in ((60, "cancelled"), (120, "registered")):
        bench.connection.execute(
            text("UPDATE warehouse.registration SET status = :status, shipped_at = :at"),
            {"status": status, "at": LONG_AGO + timedelta(minutes=minute)},
        )
        bench.cycle()
        words = [each["Description"].partition(":")[0] for each in bench.records("Event")]
        now = left if status == "cancelled" else "Event"
        assert [word.partition("\n")[0] for word in words] == ([now] if now else [])
