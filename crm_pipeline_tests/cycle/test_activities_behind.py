"""Activities behind their people: in the org early, in as few calls, and none by itself."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from crm_pipeline_tests.cycle.conftest import Bench
from crm_pipeline_tests.depth import deep_but_first
from crm_pipeline_tests.flows.webinars.warehouse import add_person, attend, chat, register
from crm_pipeline_tests.small_calls import small_calls

LOOKUP = 1
"""The call that comes before those that write."""


@pytest.fixture(autouse=True)
def _four_records_fill_a_call() -> Iterator[None]:
    with small_calls():
        yield


def registrations(bench: Bench, people: int) -> None:
    for person in range(1, people + 1):
        add_person(bench.connection, person)
        register(bench.connection, person, person)


def test_activities_go_while_other_people_are_still_on_their_way(bench: Bench) -> None:
    registrations(bench, 20)
    bench.settings(parallel_requests=2)
    bench.fault("composite", "hang_after", nth=LOOKUP + 1, seconds=60)
    done = text("SELECT count(*) FROM crm.operation WHERE kind = 'activity' AND state = 'done'")
    with ThreadPoolExecutor() as pool, bench.connection.engine.connect() as meanwhile:
        cycle = pool.submit(bench.cycle)
        while not meanwhile.scalar(done) and not cycle.done():
            time.sleep(0.01)
        bench.clears_up()
        assert cycle.result().state == "Complete"
    in_order = "SELECT kind FROM crm.operation ORDER BY finished_at, operation_id"
    kinds = bench.connection.scalars(text(in_order)).all()
    assert kinds.index("activity") < 20, "before the people whose call hangs"
    names = {lead["Id"]: lead["LastName"] for lead in bench.records("Lead")}
    assert len({names[event["WhoId"]] for event in bench.records("Event")}) == 20


def test_they_fill_their_calls_whatever_number_a_person_has(bench: Bench) -> None:
    registrations(bench, 10)
    for number, person in enumerate((3, 3, 3, 7), start=101):
        register(bench.connection, number, person, minute=number)
    report = bench.cycle()
    assert (report.state, len(bench.records("Event"))) == ("Complete", 14)
    people, activities = 3, 4
    assert report.counts.api_calls == LOOKUP + people + activities, report.api_calls_by_kind


def test_each_goes_to_the_record_of_its_person_new_or_known(bench: Bench) -> None:
    known = {
        f"p{person}@example.com": bench.seed(
            sobject, LastName="Old", Email=f"p{person}@example.com", **company
        )
        for person, sobject, company in (
            (2, "Lead", {"Company": "Old"}),
            (5, "Contact", {}),
            (9, "Contact", {}),
        )
    }
    registrations(bench, 12)
    bench.cycle()
    emails = {
        record["Id"]: record["Email"]
        for sobject in ("Lead", "Contact")
        for record in bench.records(sobject)
    }
    at = {emails[event["WhoId"]]: event["WhoId"] for event in bench.records("Event")}
    assert len(at) == len(bench.records("Event")) == 12
    assert known.items() <= at.items()


def test_those_of_a_refused_person_wait_and_the_others_do_not(bench: Bench) -> None:
    registrations(bench, 9)
    bench.connection.execute(
        text("UPDATE warehouse.person SET country_code = 'Atlantis' WHERE person_id IN (2, 8)")
    )
    report = bench.cycle()
    waiting = [key for key, state in bench.states().items() if state != "done"]
    assert sorted(waiting) == [
        "person:p2@example.com",
        "person:p8@example.com",
        "registration:2",
        "registration:8",
    ]
    assert (len(bench.records("Event")), report.tally.overall("failed")) == (7, 2)


@pytest.mark.parametrize("nth", deep_but_first(2, [2, 4, 1, 3, 5, 6]))
@pytest.mark.parametrize("action", ["reset_before", "reset_after"])
def test_what_is_lost_on_the_way_is_there_once_in_the_end(
    bench: Bench, action: str, nth: int
) -> None:
    registrations(bench, 12)
    bench.fault("composite", action, nth=LOOKUP + nth)
    bench.cycle()
    bench.cycle()
    report = bench.cycle()
    assert (report.state, report.counts.waiting) == ("Complete", 0)
    assert set(bench.states().values()) == {"done"}
    assert len({lead["Email"] for lead in bench.records("Lead")}) == 12
    assert len(bench.records("Lead")) == len(bench.records("Event")) == 12
    assert len({event["WhoId"] for event in bench.records("Event")}) == 12


def test_where_the_calls_may_not_do_for_everything_new_leads_go_first(bench: Bench) -> None:
    registrations(bench, 12)
    bench.settings(api_calls_per_cycle=LOOKUP + 3)
    report = bench.cycle()
    assert (report.state, report.counts.api_calls) == ("Paused", LOOKUP + 3)
    assert (len(bench.records("Lead")), len(bench.records("Event"))) == (12, 0)


def test_one_that_is_in_the_org_already_is_updated(bench: Bench) -> None:
    registrations(bench, 6)
    attend(bench.connection, 1, 1)
    bench.cycle()
    for person in range(1, 7):
        bench.connection.execute(
            text(
                "UPDATE warehouse.person SET job_title = 'Head', shipped_at = shipped_at"
                " + interval '2 hours' WHERE person_id = :person"
            ),
            {"person": person},
        )
        register(bench.connection, 10 + person, person, 2, minute=120)
    chat(bench.connection, 1, 1, minute=121)
    report = bench.cycle()
    assert (report.state, report.tally.overall("activities_updated")) == ("Complete", 1)
    assert (report.tally.overall("activities_created"), len(bench.records("Event"))) == (6, 13)


def test_a_value_that_has_to_fit_is_noted_once(bench: Bench) -> None:
    registrations(bench, 6)
    bench.connection.execute(
        text("UPDATE warehouse.person SET surname = repeat('x', 100) WHERE person_id = 1")
    )
    attend(bench.connection, 1, 1)
    chat(bench.connection, 1, 1, minute=1)
    bench.connection.execute(text("UPDATE warehouse.chat_message SET message = repeat('x', 40000)"))
    report = bench.cycle()
    noted = bench.connection.execute(
        text("SELECT field, count(*) FROM crm.field_change GROUP BY field ORDER BY field")
    ).all()
    assert [tuple(row) for row in noted] == [("Description", 1), ("LastName", 1)]
    assert report.tally.overall("fields_changed_to_fit") == 2
