"""Records that refer to people: Leads, the Contacts that these become, and who stands for whom."""

from typing import Any

import pytest
from sqlalchemy import text

from crm_pipeline.cycle.cycle import sync_account
from crm_pipeline.flows.registry import ALL_TOPICS, FLOWS
from crm_pipeline.report import CycleReport
from crm_pipeline_tests.cycle.conftest import ACCOUNT, Bench
from crm_pipeline_tests.cycle.test_people_who_change import ship
from crm_pipeline_tests.flows.webinars.warehouse import add_person, register
from crm_pipeline_tests.small_flow.badges import TOPICS, Badge, badges_flow

ONE = Badge(1, person=1)


def cycle(bench: Bench, *badges: Badge) -> CycleReport:
    bench.connection.commit()
    flows = [*FLOWS, badges_flow(badges)]
    report = sync_account(ACCOUNT, run_id="test", steps=ALL_TOPICS | TOPICS, flows=flows)
    assert report.state == "Complete", report.reason
    return report


def whose(bench: Bench) -> list[tuple[Any, Any]]:
    """The addresses of the Lead and the Contact of each badge."""
    email = {r["Id"]: r["Email"] for s in ("Lead", "Contact") for r in bench.records(s)}
    return [
        (email.get(each.get("Lead__c")), email.get(each.get("Contact__c")))
        for each in bench.records("Badge__c")
    ]


@pytest.fixture
def two(bench: Bench) -> Bench:
    """Two people in the org, and a badge of the first."""
    bench.settings(read_back_minutes=0)
    for number in (1, 2):
        add_person(bench.connection, number)
        register(bench.connection, number, number)
    cycle(bench, ONE)
    cycle(bench, ONE)
    assert whose(bench) == [("p1@example.com", None)]
    return bench


def convert(bench: Bench, address: str) -> None:
    [lead] = [each for each in bench.records("Lead") if each["Email"] == address]
    bench.admin("convert", lead_id=lead["Id"])


def test_a_converted_lead_is_followed_to_its_contact(two: Bench) -> None:
    convert(two, "p1@example.com")
    ship(two, 2, p1="p1@example.com")
    two.connection.execute(text("UPDATE warehouse.person SET job_title = 'Other'"))
    cycle(two, ONE)
    cycle(two, ONE)
    assert whose(two) == [(None, "p1@example.com")]
    # The call of the reading back.
    assert cycle(two, ONE).counts.api_calls == 1


def test_a_merged_lead_is_followed_to_the_winner(two: Bench) -> None:
    first, second = two.records("Lead")
    two.admin("merge", object="Lead", master_id=second["Id"], ids=[first["Id"]])
    two.connection.execute(
        text("UPDATE warehouse.person SET job_title = 'Other', shipped_at = shipped_at + '1 day'")
    )
    cycle(two, ONE)
    cycle(two, ONE)
    [badge] = two.records("Badge__c")
    assert badge["Lead__c"] == second["Id"]


def test_of_an_absorbed_person_the_successor_is_meant(two: Bench) -> None:
    ship(two, 1, p1="p2@example.com")
    cycle(two)
    cycle(two)
    assert whose(two) == [("p2@example.com", None)]


def test_one_who_is_absorbed_before_the_badge_is_sent_is_no_reason_to_wait(two: Bench) -> None:
    two.fault("collections.*", "error", status=503, code="SERVER_UNAVAILABLE", times=9)
    bench = two
    bench.connection.commit()
    flows = [*FLOWS, badges_flow([ONE, Badge(2, person=1, at=1)])]
    sync_account(ACCOUNT, run_id="test", steps=TOPICS, flows=flows)
    bench.org.weather.faults.clear()
    ship(bench, 1, p1="p2@example.com")
    cycle(bench)
    cycle(bench)
    assert whose(bench) == [("p2@example.com", None)] * 2


def test_a_successor_who_is_absorbed_is_followed_further(two: Bench) -> None:
    add_person(two.connection, 3)
    register(two.connection, 3, 3)
    ship(two, 1, p1="p2@example.com")
    cycle(two)
    ship(two, 2, p1="p3@example.com", p2="p3@example.com")
    cycle(two)
    cycle(two)
    assert whose(two) == [("p3@example.com", None)]


def test_what_refers_to_a_person_who_is_left_out_is_left_out_until_they_come(bench: Bench) -> None:
    """It waited for ever, and counted as late."""
    bench.settings(unknown_email="neither")
    add_person(bench.connection, 1)
    register(bench.connection, 1, 1)
    cycle(bench)
    badge = Badge(1, person=1, lines={1: "first"})
    cycle(bench, badge)
    assert set(bench.states().values()) == {"left_out"}
    assert bench.records("Badge__c") == []
    assert cycle(bench, badge).counts.waiting == 0
    bench.settings(unknown_email="Lead")
    cycle(bench, badge)
    assert whose(bench) == [("p1@example.com", None)]
    assert len(bench.records("Line__c")) == 1
    assert set(bench.states().values()) == {"done"}


def test_what_refers_to_a_person_who_was_dropped_is_left_out(bench: Bench) -> None:
    bench.org.table("Lead").type.describe["createable"] = False
    add_person(bench.connection, 1)
    register(bench.connection, 1, 1)
    cycle(bench, Badge(1, person=1, lines={1: "first"}))
    bench.connection.execute(
        text("UPDATE crm.operation SET state = 'dropped' WHERE kind = 'person'")
    )
    for _ in range(2):
        assert cycle(bench, Badge(1, person=1, lines={1: "first"})).counts.waiting == 0
    assert sorted(bench.states().values()) == ["dropped", "left_out", "left_out", "left_out"]


def test_what_refers_to_a_person_who_is_there_by_now_comes(bench: Bench) -> None:
    bench.settings(unknown_email="neither")
    add_person(bench.connection, 1)
    register(bench.connection, 1, 1)
    cycle(bench)
    cycle(bench, ONE)
    bench.seed("Lead", LastName="L", Company="C", Email="p1@example.com")
    cycle(bench, Badge(1, person=1, level=2, at=1))
    assert whose(bench) == [("p1@example.com", None)]
    assert len(bench.records("Event")) == 1
