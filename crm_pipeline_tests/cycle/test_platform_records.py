"""The platform's users and feedback tickets in the org: people, and records under them."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from crm_pipeline.accounts.feedback_records import FeedbackObject
from crm_pipeline.accounts.store import FieldMapping, set_field_mapping
from crm_pipeline.accounts.templates import Template
from crm_pipeline.database.statements import statement
from crm_pipeline.inbound.scanning import places_of
from crm_pipeline.report import CycleReport
from crm_pipeline.sample.org_objects import objects_of_org
from crm_pipeline_tests.cli.conftest import Run, run
from crm_pipeline_tests.cycle.conftest import ACCOUNT, ORG, Bench, bench_of
from crm_pipeline_tests.cycle.test_a_restored_backup import back_up, restore, the_next_second
from crm_pipeline_tests.cycle.test_removals import CANARY, REMOVALS, ask, receipt_of
from crm_pipeline_tests.flows.webinars.warehouse import (
    CLIENT,
    LONG_AGO,
    add_person,
    insert,
    register,
)

__all__ = ["run"]

KEPT = {"users_in_org": True, "feedback_in_org": {}}


@pytest.fixture
def bench(pipeline: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    described = {"name": ACCOUNT, **ORG, "objects": objects_of_org([FeedbackObject().org_object])}
    with bench_of(described, pipeline, monkeypatch) as made:
        made.settings(inbound=KEPT)
        yield made


def ticket(bench: Bench, number: str, submitter: int | None, **columns: Any) -> None:
    said = {
        "project": "Beta",
        "feedback_type": "Bug",
        "team": "Participants",
        "status": "New",
        "title": f"Ticket {number}",
        "details": "It breaks",
        "submitted_at": LONG_AGO,
        "shipped_at": LONG_AGO,
    }
    insert(
        bench.connection,
        "feedback_ticket",
        ticket_id=number,
        client_id=CLIENT,
        submitter_id=submitter,
        **{**said, **columns},
    )


def change(bench: Bench, table: str, minute: int, **columns: Any) -> None:
    changes = ", ".join(f"{name} = :{name}" for name in columns)
    bench.connection.execute(
        text(f"UPDATE warehouse.{table} SET {changes}, shipped_at = :at"),
        {**columns, "at": LONG_AGO + timedelta(minutes=minute)},
    )


def complete(bench: Bench) -> CycleReport:
    report = bench.cycle()
    assert report.state == "Complete", report.reason
    return report


def feedback(bench: Bench) -> list[tuple[Any, ...]]:
    names = ("Ticket_Id__c", "Name", "Status__c", "Lead__c", "Contact__c")
    return [tuple(map(row.get, names)) for row in bench.records("Feedback__c")]


def test_users_are_people_of_the_org_and_tickets_records_under_them(bench: Bench):
    contact = bench.seed("Contact", LastName="Known", Email="p2@example.com")
    for person in (1, 2):
        add_person(bench.connection, person)
    register(bench.connection, 1, 1)
    ticket(bench, "a1", 1)
    ticket(bench, "a2", 2)
    ticket(bench, "a3", None)
    report = complete(bench)
    [lead] = bench.records("Lead")
    assert lead["Email"] == "p1@example.com"
    assert feedback(bench) == [
        ("a1", "Ticket a1", "New", lead["Id"], None),
        ("a2", "Ticket a2", "New", None, contact),
        ("a3", "Ticket a3", "New", None, None),
    ]
    assert report.tally["feedback_records", "without_person"] == 1
    idle = complete(bench)
    assert idle.counts.api_calls == 0
    change(bench, "feedback_ticket", 5, status="Closed")
    closed = complete(bench)
    assert [row[2] for row in feedback(bench)] == ["Closed"] * 3
    assert closed.counts.api_calls <= 2
    assert closed.tally["feedback_records", "update"] == 3


def test_a_field_of_a_ticket_may_be_made_by_a_template(run: Run, bench: Bench):
    """What that makes nothing of is told, and what the mapping of people does not, too."""
    title = Template(columns=("job_title",), lookup={"CTO": "Chief"})
    set_field_mapping(bench.connection, ACCOUNT, FieldMapping("Lead", "Title", title))
    add_person(bench.connection, 1, job_title="Head")
    named = {"source": ["ticket_title", "team"], "separator": " / "}
    status = {"source": "status", "lookup": {"new": "Open"}, "default": "Other"}
    mapping = {"Name": named, "Status__c": status}
    bench.settings(inbound={**KEPT, "feedback_in_org": {"mapping": mapping}})
    ticket(bench, "a1", None)
    ticket(bench, "a2", None, status="Strange")
    notes = complete(bench).notes
    assert "make nothing of: Lead.Title (1)" in notes
    assert "make nothing of: Feedback__c.Status__c (1)" in notes
    shown = run("account", "mapping", "missed", ACCOUNT).stdout
    assert "Feedback__c.Status__c\tStrange\t1" in shown
    assert [row[1:3] for row in feedback(bench)] == [
        ("Ticket a1 / Participants", "Open"),
        ("Ticket a2 / Participants", "Other"),
    ]
    assert complete(bench).counts.api_calls == 0


def test_users_and_tickets_that_did_not_change_since_the_start_are_left_out(bench: Bench):
    """Users are known to requests all the same."""
    bench.settings(start_at=(LONG_AGO + timedelta(minutes=1)).isoformat())
    add_person(bench.connection, 1)
    ticket(bench, "a1", 1)
    report = complete(bench)
    assert (feedback(bench), bench.records("Lead")) == ([], [])
    for topic in ("platform_users", "feedback_records"):
        assert report.tally[topic, "before_start"] == 1
    assert bench.connection.scalar(text("SELECT count(*) FROM crm.platform_user")) == 1
    change(bench, "feedback_ticket", 5, status="Closed")
    complete(bench)
    assert [row[:3] for row in feedback(bench)] == [("a1", "Ticket a1", "Closed")]
    bench.settings(start_at=None)
    complete(bench)
    assert len(bench.records("Lead")) == 1


@pytest.mark.deep
def test_what_a_submitter_wrote_is_redacted(bench: Bench):
    bench.settings(redaction=["cards"])
    add_person(bench.connection, 1)
    card = "4111 1111 1111 1111"
    ticket(bench, "a1", 1, title=f"Refund {card}", details=f"To {card}, please")
    report = complete(bench)
    [record] = bench.records("Feedback__c")
    assert (record["Name"], record["Details__c"]) == ("Refund [removed]", "To [removed], please")
    assert report.tally["feedback_records", "redacted"] == 2
    assert "Taken out of what people wrote: 2 of cards" in report.notes


@pytest.mark.deep
def test_an_answer_that_is_lost_makes_no_second_record(bench: Bench):
    add_person(bench.connection, 1)
    ticket(bench, "a1", 1)
    bench.fault("*", "reset_after", nth=3)
    for _ in range(3):
        bench.cycle()
    assert len(bench.records("Feedback__c")) == len(bench.records("Lead")) == 1


def test_what_people_delete_stays_deleted(bench: Bench):
    add_person(bench.connection, 1)
    ticket(bench, "a1", 1)
    complete(bench)
    [row] = bench.records("Feedback__c")
    bench.admin("delete", ids=[row["Id"]])
    change(bench, "feedback_ticket", 5, status="Closed")
    complete(bench)
    assert feedback(bench) == []


@pytest.mark.deep
def test_a_user_is_known_by_one_address_at_a_time_and_a_filtered_one_stays_out(bench: Bench):
    add_person(bench.connection, 1)
    add_person(bench.connection, 2, "two@blocked.example")
    ticket(bench, "a2", 2)
    bench.connection.execute(
        text("INSERT INTO crm.email_filter (account_id, filter_string) VALUES ('acme', 'blocked')")
    )
    report = complete(bench)
    assert report.tally["platform_users", "rejected"] == 1
    assert report.tally["feedback_records", "rejected"] == 1
    assert [lead["Email"] for lead in bench.records("Lead")] == ["p1@example.com"]
    assert feedback(bench) == []
    change(bench, "person", 5, email=None)
    complete(bench)
    assert bench.connection.scalar(text("SELECT count(*) FROM crm.platform_user")) == 0


def test_what_is_switched_on_later_is_read_from_the_start(bench: Bench):
    bench.settings(inbound={})
    add_person(bench.connection, 1)
    ticket(bench, "a1", 1)
    complete(bench)
    assert bench.records("Lead") == []
    bench.settings(inbound=KEPT)
    complete(bench)
    assert len(feedback(bench)) == len(bench.records("Lead")) == 1


def test_an_org_without_the_object_is_told_so_and_all_else_goes_on(bench: Bench):
    bench.settings(inbound={**KEPT, "feedback_in_org": {"object": "Ticket__c"}})
    add_person(bench.connection, 1)
    ticket(bench, "a1", 1)
    report = bench.cycle()
    assert "The org lacks for the flow feedback_records: Ticket__c" in report.reason
    assert len(bench.records("Lead")) == 1


@pytest.mark.deep
def test_a_removed_submitters_tickets_go_and_do_not_come_back(bench: Bench):
    for person, address in ((1, CANARY), (2, None)):
        add_person(bench.connection, person, address, first_name="Canarina" if person == 1 else "B")
        ticket(bench, f"a{person}", person, details=f"Canarina, {CANARY}, says so")
    complete(bench)
    received = ask(in_org="delete")
    assert bench.cycle(REMOVALS).state == "Complete"
    receipt = receipt_of(received)
    assert "org/Feedback__c" in {each["place"] for each in receipt["places"]}
    for minute in (5, 6):
        # The platform removes the user, and ships the tickets once more.
        change(bench, "person", minute, first_name="B")
        change(bench, "feedback_ticket", minute, status=f"Closed {minute}")
        complete(bench)
        bench.connection.execute(text("DELETE FROM warehouse.person WHERE person_id = 1"))
    assert [row[0] for row in feedback(bench)] == ["a2"]
    assert [lead["Email"] for lead in bench.records("Lead")] == ["p2@example.com"]
    bench.connection.rollback()
    assert list(places_of(bench.connection.engine, CANARY)) == []


def test_what_the_warehouse_has_no_more_stays_until_a_removal(bench: Bench):
    for person in (1, 2):
        add_person(bench.connection, person, CANARY if person == 1 else None)
        ticket(bench, f"a{person}", person)
    complete(bench)
    for table, column in (("feedback_ticket", "submitter_id"), ("person", "person_id")):
        bench.connection.execute(text(f"DELETE FROM warehouse.{table} WHERE {column} = 1"))
    change(bench, "person", 5, first_name="B")
    complete(bench)
    assert [row[0] for row in feedback(bench)] == ["a1", "a2"]
    users = text("SELECT user_id FROM crm.platform_user ORDER BY user_id")
    assert list(bench.connection.scalars(users)) == ["1", "2"]
    received = ask(in_org="delete")
    assert bench.cycle(REMOVALS).state == "Complete"
    places = {(each["place"], each["done"]) for each in receipt_of(received)["places"]}
    assert ("platform", "asked to remove") in places
    assert [row[0] for row in feedback(bench)] == ["a2"]
    assert list(bench.connection.scalars(users)) == ["2"]


def test_the_promise_sees_a_ticket_that_waits(bench: Bench):
    add_person(bench.connection, 1)
    ticket(bench, "a1", 1)
    complete(bench)
    asked = {"account_ids": [ACCOUNT], "freshness_minutes": 60}
    check = statement("checks/every_ticket_is_accounted_for")
    kept = bench.connection.execute(check, asked).one()
    assert (kept.passed, kept.tickets, kept.in_org) == (True, 1, 1)
    bench.connection.execute(
        text(
            "UPDATE crm.operation SET state = 'pending', created_at = now() - interval '2 hours'"
            " WHERE flow = 'feedback_records' AND kind = 'record'"
        )
    )
    assert bench.connection.execute(check, asked).one().passed is False


@pytest.mark.deep
def test_a_ticket_goes_back_to_what_a_restored_copy_believes_it_is(bench: Bench) -> None:
    """The org kept what the platform said in between."""
    add_person(bench.connection, 1)
    register(bench.connection, 1, 1)
    ticket(bench, "T1", None)
    bench.cycle()
    [made] = bench.records("Feedback__c")
    before = dict(made)
    back_up(bench)
    the_next_second()
    change(bench, "feedback_ticket", 5, status="Closed")
    ticket(bench, "T2", None, shipped_at=LONG_AGO + timedelta(minutes=6))
    assert bench.cycle().state == "Complete"
    assert {**bench.records("Feedback__c")[0], **STAMPS} != {**before, **STAMPS}
    restore(bench)
    change(bench, "feedback_ticket", 7, status="New")
    bench.connection.execute(text("DELETE FROM warehouse.feedback_ticket WHERE ticket_id = 'T2'"))
    report = bench.cycle()
    assert {**bench.records("Feedback__c")[0], **STAMPS} == {**before, **STAMPS}
    assert "Feedback__c records that our user made in the org and that are no row's" in report.notes
    assert bench.cycle().counts.api_calls == 0


STAMPS = {"LastModifiedDate": None, "SystemModstamp": None}
