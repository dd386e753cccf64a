"""Rows that vanish, lose their person or are filtered out, and what becomes of them in the org."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from crm_pipeline.accounts.store import add_filter, remove_filter
from crm_pipeline_tests.cli.conftest import Run, run
from crm_pipeline_tests.cycle.campaigns.scenes import members, switch_on
from crm_pipeline_tests.cycle.conftest import ACCOUNT, Bench
from crm_pipeline_tests.cycle.test_counting import a_day_passes, counted, verdict
from crm_pipeline_tests.depth import deep_but_first
from crm_pipeline_tests.flows.webinars.warehouse import (
    LONG_AGO,
    add_person,
    add_sessions,
    attend,
    insert,
    register,
)

__all__ = ["run"]

HOWS = ("deleted", "without its person", "filtered", "without an address")
ROUTES = ("composite", "bulk")


def three_people(bench: Bench, **chosen: Any) -> None:
    """Each has registered, the first has attended, and two cycles have seen to it."""
    bench.settings(**{"vanished": "delete", **chosen})
    for person in (1, 2, 3):
        add_person(bench.connection, person)
        register(bench.connection, person, person, minute=person)
    attend(bench.connection, 1, 1, minute=10)
    register(bench.connection, 99, 3, session=2, minute=600)
    bench.cycle()
    bench.cycle()


def ship_person(bench: Bench, person: int, email: str | None, hours: int) -> None:
    bench.connection.execute(
        text(
            "UPDATE warehouse.person SET email = :email,"
            " shipped_at = :at + make_interval(hours => :hours) WHERE person_id = :person"
        ),
        {"person": person, "email": email, "at": LONG_AGO, "hours": hours},
    )


def vanish(bench: Bench, how: str) -> None:
    """The first registration, and of whom the address goes, the attendance too."""
    if how == "deleted":
        bench.connection.execute(
            text("DELETE FROM warehouse.registration WHERE registration_id = 1")
        )
    elif how == "without its person":
        bench.connection.execute(
            text("UPDATE warehouse.registration SET person_id = 404 WHERE registration_id = 1")
        )
    elif how == "filtered":
        add_filter(bench.connection, "acme", "p1@")
        ship_person(bench, 1, "p1@example.com", hours=11)
    else:
        ship_person(bench, 1, None, hours=11)


def come_back(bench: Bench, how: str) -> None:
    if how == "deleted":
        register(bench.connection, 1, 1, minute=1)
    elif how == "without its person":
        bench.connection.execute(
            text("UPDATE warehouse.registration SET person_id = 1 WHERE registration_id = 1")
        )
    else:
        if how == "filtered":
            remove_filter(bench.connection, "acme", "p1@")
        ship_person(bench, 1, "p1@example.com", hours=12)


def activities(bench: Bench) -> list[tuple[str, str]]:
    email = {lead["Id"]: lead["Email"] for lead in bench.records("Lead")}
    return sorted((email[each["WhoId"]][:2], each["Subject"]) for each in bench.records("Event"))


ALL = [
    ("p1", "Webinar Attendance"),
    ("p1", "Webinar Registration"),
    ("p2", "Webinar Registration"),
    ("p3", "Webinar Registration"),
    ("p3", "Webinar Registration"),
]


def left(how: str) -> list[tuple[str, str]]:
    """The attendance goes with the registration where it is the person who is out."""
    return ALL[2:] if how in ("filtered", "without an address") else [ALL[0], *ALL[2:]]


@pytest.mark.deep
@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("how", HOWS)
def test_what_vanishes_is_deleted_and_comes_back_with_its_row(
    bench: Bench, how: str, route: str
) -> None:
    three_people(bench, route=route)
    assert activities(bench) == ALL
    vanish(bench, how)
    a_day_passes(bench)
    report = bench.cycle()
    assert (report.state, report.tally.overall("failed")) == ("Complete", 0)
    assert activities(bench) == left(how)
    gone = len(ALL) - len(left(how))
    assert report.tally.overall("activities_deleted") == gone
    assert f"no longer has or allows them: {gone} activities" in report.notes
    assert ("what the org has of them is deleted" in report.notes) is (gone == 1)
    assert set(bench.states().values()) == {"done"}
    report = counted(bench)
    assert (report.notes, report.counts.api_calls) == ("", 0)
    assert (verdict(bench)["vanished_from_the_warehouse"], verdict(bench)["passed"]) == (0, True)
    come_back(bench, how)
    a_day_passes(bench)
    report = bench.cycle()
    assert (report.state, report.tally.overall("activities_created")) == ("Complete", gone)
    assert activities(bench) == ALL
    assert counted(bench).counts.api_calls == 0


@pytest.mark.deep
def test_the_newest_row_goes_as_well_once_nothing_is_shipped_any_more(bench: Bench) -> None:
    three_people(bench)
    bench.connection.execute(text("DELETE FROM warehouse.registration WHERE registration_id = 99"))
    assert counted(bench).tally.overall("activities_deleted") == 1
    assert activities(bench) == ALL[:-1]


@pytest.mark.deep
@pytest.mark.parametrize("how", HOWS)
def test_by_default_it_stays(bench: Bench, how: str) -> None:
    three_people(bench, vanished="keep")
    vanish(bench, how)
    a_day_passes(bench)
    assert bench.cycle().counts.api_calls == 0
    assert activities(bench) == ALL
    bench.settings(vanished="delete")
    if how in ("filtered", "without an address"):
        ship_person(bench, 1, None, hours=13)
    a_day_passes(bench)
    assert bench.cycle().state == "Complete"
    assert activities(bench) == left(how), "from the next look on the setting holds for it, too"


@pytest.mark.parametrize(
    ("route", "kind"), [("composite", "collections.delete"), ("bulk", "bulk2.close")]
)
@pytest.mark.parametrize("action", deep_but_first(1, ["reset_after", "reset_before"]))
@pytest.mark.parametrize("returns", [False, True])
def test_a_lost_answer_deletes_once_and_one_that_came_back_is_there_once(
    bench: Bench, route: str, kind: str, action: str, returns: bool
) -> None:
    three_people(bench, route=route)
    vanish(bench, "deleted")
    bench.fault(kind, action, nth=1)
    a_day_passes(bench)
    bench.cycle()
    if returns:
        come_back(bench, "deleted")
        a_day_passes(bench)
    for _ in range(4):
        bench.cycle()
    assert activities(bench) == (ALL if returns else left("deleted"))
    assert set(bench.states().values()) == {"done"}
    assert counted(bench).counts.api_calls == 0


@pytest.mark.deep
@pytest.mark.parametrize("route", ROUTES)
def test_what_people_deleted_already_is_done(bench: Bench, route: str) -> None:
    three_people(bench, route=route)
    for event in bench.records("Event"):
        if event["Subject"] == "Webinar Registration":
            event["IsDeleted"] = True
    vanish(bench, "deleted")
    a_day_passes(bench)
    report = bench.cycle()
    assert (report.state, report.tally.overall("failed"), report.counts.waiting) == (
        "Complete",
        0,
        0,
    )
    assert set(bench.states().values()) == {"done"}
    assert activities(bench) == ALL[:1]


@pytest.mark.deep
@pytest.mark.parametrize("vanished", ["keep", "delete"])
@pytest.mark.parametrize("refused", deep_but_first(1, [False, True]))
def test_what_was_never_there_is_sent_no_more(bench: Bench, vanished: str, refused: bool) -> None:
    """Neither the row's activity nor its membership nor its person, until the row comes back."""
    switch_on(bench)
    if refused:
        bench.fault("collections.create", "lock")
    else:
        bench.admin("settings", maintenance="down")
    three_people(bench, vanished=vanished)
    vanish(bench, "deleted")
    bench.connection.execute(text("DELETE FROM warehouse.registration WHERE registration_id = 2"))
    a_day_passes(bench)
    report = bench.cycle()
    if vanished == "keep":
        assert "2 were not sent yet, and are not any more" in report.notes
    bench.admin("settings", maintenance="none")
    bench.org.weather.faults.clear()
    report = bench.cycle()
    assert (report.state, report.tally.overall("activities_deleted")) == ("Complete", 0)
    assert activities(bench) == [ALL[0], *ALL[3:]]
    assert {lead["Email"][:2] for lead in bench.records("Lead")} == {"p1", "p3"}
    assert sorted(members(bench)) == [("Attended", True), ("Registered", False)]
    states = bench.states()
    assert states["registration:1"] == states["registration:2"] == "rejected"
    assert verdict(bench)["passed"]
    come_back(bench, "deleted")
    register(bench.connection, 2, 2, minute=2)
    a_day_passes(bench)
    bench.cycle()
    assert activities(bench) == ALL
    assert len(members(bench)) == 3


def test_one_whose_creation_was_not_answered_is_looked_up_and_deleted(bench: Bench) -> None:
    bench.fault("collections.create", "reset_after", nth=2)
    bench.settings(vanished="delete")
    add_person(bench.connection, 1)
    register(bench.connection, 1, 1, minute=1)
    attend(bench.connection, 1, 1, minute=1)
    assert bench.cycle().tally.overall("activities_created") == 0
    assert len(bench.records("Event")) == 2
    vanish(bench, "filtered")
    for _ in range(3):
        bench.cycle()
    assert bench.records("Event") == []


def many(bench: Bench) -> None:
    for number in range(1000, 1200):
        insert(
            bench.connection,
            "registration",
            registration_id=number,
            client_id="client-1",
            event_session_id=2,
            person_id=2,
            status="registered",
            registered_at=LONG_AGO,
            shipped_at=LONG_AGO,
        )


def test_so_many_at_once_are_not_believed_unless_a_person_does(bench: Bench, run: Run) -> None:
    three_people(bench)
    many(bench)
    counted(bench)
    before = len(bench.records("Event"))
    assert before == 205
    bench.connection.execute(
        text("DELETE FROM warehouse.registration WHERE registration_id BETWEEN 1000 AND 1100")
    )
    a_day_passes(bench)
    report = bench.cycle()
    assert "101 registrations that were read are not in the warehouse any more" in report.notes
    assert "loaded badly rather than deleted" in report.notes
    assert len(bench.records("Event")) == before
    assert verdict(bench)["vanished_from_the_warehouse"] == 101
    bench.connection.execute(
        text("DELETE FROM warehouse.registration WHERE registration_id BETWEEN 1 AND 2")
    )
    a_day_passes(bench)
    assert "loaded badly" in bench.cycle().notes, "every day"
    assert len(bench.records("Event")) == before
    told = run("account", "believe-vanished", "acme", "--yes").stdout
    assert "103 registrations that were read were not in the warehouse any more" in told
    assert "103 registrations" in bench.cycle().notes
    assert len(bench.records("Event")) == before - 103
    bench.connection.execute(
        text("DELETE FROM warehouse.registration WHERE registration_id > 1000")
    )
    a_day_passes(bench)
    assert "loaded badly" not in bench.cycle().notes, "fewer than 100"


@pytest.mark.deep
def test_more_than_were_told_are_not_believed_either(bench: Bench, run: Run) -> None:
    three_people(bench)
    many(bench)
    counted(bench)
    run("account", "believe-vanished", "acme", "--yes", fails=1)
    before = len(bench.records("Event"))
    gone = "DELETE FROM warehouse.registration WHERE registration_id BETWEEN 1000 AND "
    bench.connection.execute(text(gone + "1110"))
    counted(bench)
    run("account", "believe-vanished", "acme", "--yes")
    bench.connection.execute(text(gone + "1150"))
    assert "loaded badly" in bench.cycle().notes
    assert len(bench.records("Event")) == before
    bench.settings(vanished="keep")
    told = run("account", "believe-vanished", "acme", "--yes").stdout
    assert "what the org has of them stays" in told
    bench.cycle()
    assert len(bench.records("Event")) == before


def test_of_so_many_at_once_nothing_is_believed_that_was_not_sent_either(
    bench: Bench, run: Run
) -> None:
    bench.admin("settings", maintenance="down")
    three_people(bench, vanished="keep")
    many(bench)
    a_day_passes(bench)
    bench.cycle()
    bench.connection.execute(text("DELETE FROM warehouse.registration WHERE registration_id > 999"))
    a_day_passes(bench)
    assert "loaded badly" in bench.cycle().notes
    run("account", "believe-vanished", "acme", "--yes")
    assert "200 were not sent yet, and are not any more" in bench.cycle().notes
    bench.admin("settings", maintenance="none")
    bench.cycle()
    assert activities(bench) == ALL


@pytest.mark.parametrize("vanished", ["keep", "delete"])
def test_what_is_rejected_after_it_was_sent_is_told(bench: Bench, vanished: str) -> None:
    """That it stays in the org was said of rows that vanish only, not of those filtered out."""
    bench.settings(vanished=vanished)
    add_person(bench.connection, 1)
    register(bench.connection, 1, 1)
    attend(bench.connection, 1, 1, minute=1)
    bench.cycle()
    add_filter(bench.connection, ACCOUNT, "p1@")
    stays = "2 that were read are rejected now; what the org has of them stays"
    assert (stays in bench.cycle().notes) == (vanished == "keep")
    assert len(bench.records("Event")) == (2 if vanished == "keep" else 0)
    assert stays not in bench.cycle().notes, "once"


@pytest.mark.deep
def test_rows_of_a_former_client_have_not_vanished(bench: Bench, run: Run) -> None:
    """They were counted against the other client's, and what they had brought was deleted."""
    switch_on(bench)
    three_people(bench, campaigns={})
    add_sessions(bench.connection, 3, client="client-2")
    add_person(bench.connection, 4, client="client-2")
    register(bench.connection, 4, 4, session=3, client="client-2", minute=700)
    before = members(bench)
    run("account", "set", ACCOUNT, "client=client-2", "--yes")
    bench.cycle()
    both = sorted([*ALL, ("p4", "Webinar Registration")])
    for _ in range(2):
        a_day_passes(bench)
        report = bench.cycle()
        assert (report.state, report.notes) == ("Complete", "")
        assert verdict(bench)["passed"]
        assert activities(bench) == both
    run("account", "set", ACCOUNT, "client=client-1", "--yes")
    for _ in range(3):
        report = bench.cycle()
        assert (report.state, report.notes) == ("Complete", "")
        assert activities(bench) == both
        assert verdict(bench)["passed"]
        a_day_passes(bench)
    assert members(bench) == [*before, ("Registered", False)]
    vanish(bench, "deleted")
    assert counted(bench).tally.overall("activities_deleted") == 1


def said_after(bench: Bench) -> dict[int, float]:
    """How many minutes after the beginning the row was that said what is known of each person."""
    rows = bench.connection.execute(
        text(
            "SELECT substr(p.address, 2, 1)::int AS person, max(o.as_of) AS said"
            " FROM crm.operation AS o JOIN crm.person AS p USING (person_key)"
            " WHERE o.kind = 'person' GROUP BY person"
        )
    )
    found = {row.person: (row.said - LONG_AGO) / timedelta(minutes=1) for row in rows}
    bench.connection.rollback()
    return found


@pytest.mark.parametrize("vanished", ["keep", "delete"])
def test_whose_newest_row_is_gone_is_heard_by_the_rows_that_are_left(
    bench: Bench, vanished: str
) -> None:
    """What they said later was older than what is known, until a newer row came.

    Also where they are read before it is known that the newest is gone. That of the first vanishes,
    that of the second is refused, that of the third is the fourth's by now, who has a newer one;
    and of the fifth an older one is refused.
    """
    bench.settings(vanished=vanished)
    for person in range(1, 6):
        add_person(bench.connection, person, job_title="Before")
        register(bench.connection, person, person, minute=person)
        register(bench.connection, 10 + person, person, session=2, minute=600)
    for person in (4, 5):
        register(bench.connection, 20 + person, person, session=2, minute=700)
    bench.cycle()
    ship = "UPDATE warehouse.registration SET {}, shipped_at = :at WHERE registration_id = {}"
    later = {"at": LONG_AGO + timedelta(hours=13)}
    bench.connection.execute(text("DELETE FROM warehouse.registration WHERE registration_id = 11"))
    bench.connection.execute(text(ship.format("status = 'denied'", 12)), later)
    bench.connection.execute(text(ship.format("person_id = 4", 13)), later)
    bench.connection.execute(text(ship.format("status = 'denied'", 15)), later)
    bench.connection.execute(
        text("UPDATE warehouse.person SET job_title = 'After', shipped_at = :at"),
        {"at": LONG_AGO + timedelta(hours=14)},
    )
    bench.cycle()
    counted(bench)
    assert said_after(bench) == {1: 1, 2: 2, 3: 3, 4: 700, 5: 700}
    titles = {each["Email"]: each["Title"] for each in bench.records("Lead")}
    assert titles == {f"p{person}@example.com": "After" for person in range(1, 6)}
    assert bench.cycle().counts.api_calls == 0
