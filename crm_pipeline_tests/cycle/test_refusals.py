"""Rows that an org refuses: what may pass is tried five times, a lost field is left out."""

import pytest
from sqlalchemy import text

from crm_pipeline_tests.cli.conftest import Run, run
from crm_pipeline_tests.cycle.campaigns.scenes import members, switch_on
from crm_pipeline_tests.cycle.conftest import Bench
from crm_pipeline_tests.depth import deep_rows_but_for
from crm_pipeline_tests.flows.webinars.warehouse import add_person, attend, register

__all__ = ["run"]

LOCKED = "UNABLE_TO_LOCK_ROW, unable to obtain exclusive access to this record or 1 records: 001"


def refused(bench: Bench, code: str, message: str = "x") -> list[str]:
    """The states of one person whose creation the org refuses so, after each of six cycles."""
    add_person(bench.connection, 1)
    register(bench.connection, 1, 1)
    bench.fault("collections.create", "error", code=code, message=message, status=400, times=999)
    states = []
    for _ in range(6):
        bench.cycle()
        states.append(bench.states()["person:p1@example.com"])
    return states


@pytest.mark.parametrize(
    ("code", "message"),
    deep_rows_but_for(
        lambda _, message: "QUERY_TIMEOUT" in message or "next release" in message,
        [
            (
                "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
                f"LeadTrigger: execution of AfterInsert {LOCKED}",
            ),
            ("CANNOT_EXECUTE_FLOW_TRIGGER", f"We can't save this record because … {LOCKED}"),
            ("CANNOT_EXECUTE_FLOW_TRIGGER", "The flow failed: QUERY_TIMEOUT: too long"),
            (
                "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
                "T: System.LimitException: Apex CPU time limit",
            ),
            ("PROCESSING_HALTED", "The transaction was rolled back"),
            ("ALL_OR_NONE_OPERATION_ROLLED_BACK", "Record rolled back"),
            ("A_CODE_THAT_NOBODY_KNOWS", "of the next release"),
            ("ENTITY_IS_LOCKED", "The record is in an approval process"),
        ],
    ),
)
def test_what_may_pass_is_tried_five_times(bench: Bench, code: str, message: str) -> None:
    assert refused(bench, code, message) == ["failed"] * 4 + ["exhausted"] * 2
    row = bench.connection.execute(
        text("SELECT attempts_left, error_code FROM crm.operation WHERE kind = 'person'")
    ).one()
    assert row == (0, code)


@pytest.mark.deep
def test_what_is_hopeless_for_sure_waits_for_people_at_once(bench: Bench) -> None:
    message = "T: execution of BeforeInsert: FIELD_CUSTOM_VALIDATION_EXCEPTION, No: []"
    assert refused(bench, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", message) == ["exhausted"] * 6


@pytest.mark.deep
@pytest.mark.parametrize("code", ["REQUIRED_FIELD_MISSING", "INSUFFICIENT_ACCESS_OR_READONLY"])
def test_what_people_mend_in_the_org_waits_without_end(bench: Bench, code: str) -> None:
    assert refused(bench, code) == ["failed"] * 6


def test_rows_that_are_halted_in_every_round_cost_few_calls_and_are_told(bench: Bench) -> None:
    """It was Complete, with no reason, no attempt, and 18 calls in every cycle."""
    add_person(bench.connection, 1)
    register(bench.connection, 1, 1)
    bench.fault("collections.create", "error", code="PROCESSING_HALTED", status=400, times=999)
    report = bench.cycle()
    assert (report.tally.overall("failed"), report.counts.waiting) == (1, 2)
    assert report.counts.api_calls <= 6
    assert bench.cycle().counts.api_calls <= 5
    bench.org.weather.faults.clear()
    bench.cycle()
    assert set(bench.states().values()) == {"done"}


@pytest.mark.parametrize("route", ["composite", "bulk"])
def test_a_field_s_right_that_is_lost_while_it_is_known_is_left_out_and_named(
    bench: Bench, run: Run, route: str
) -> None:
    bench.settings(route=route)
    add_person(bench.connection, 1, phone_1="0123")
    register(bench.connection, 1, 1)
    known = bench.seed("Contact", LastName="Old", Email="p3@example.com")
    bench.cycle()
    bench.admin("settings", hidden_fields=["Lead.Phone", "Contact.MailingCity"])
    add_person(bench.connection, 2, phone_1="0456")
    register(bench.connection, 2, 2, minute=1)
    add_person(bench.connection, 3, phone_1="0789", city="Paris")
    register(bench.connection, 3, 3, minute=1)

    report = bench.cycle()

    assert report.state == "Complete"
    assert set(bench.states().values()) == {"done"}
    assert [lead.get("Phone") for lead in bench.records("Lead")] == ["0123", None]
    assert bench.org.table("Contact").rows[known]["Phone"] == "0789"
    assert "Not in the org, or hidden, so not sent: MailingCity (1), Phone (1)" in report.notes

    bench.admin("settings", hidden_fields=[])
    run("account", "send-again", "acme", "Phone", "City", "MailingCity", "--yes")
    assert bench.cycle().state == "Complete"
    assert [lead.get("Phone") for lead in bench.records("Lead")] == ["0123", "0456"]
    assert bench.org.table("Contact").rows[known]["MailingCity"] == "Paris"
    assert bench.cycle().counts.api_calls == 0


@pytest.mark.parametrize("route", ["composite", "bulk"])
def test_activities_get_what_was_left_out_once_it_is_asked_for(
    bench: Bench, run: Run, route: str
) -> None:
    """Sending again brought people what the org had hidden, and left activities without it."""
    bench.settings(route=route)
    add_person(bench.connection, 1)
    register(bench.connection, 1, 1)
    bench.cycle()
    bench.admin("settings", hidden_fields=["Event.Description"])
    register(bench.connection, 2, 1, session=2, minute=1)
    bench.connection.execute(
        text(
            "UPDATE warehouse.registration SET status = 'cancelled', shipped_at = now()"
            " WHERE registration_id = 1"
        )
    )
    register(bench.connection, 3, 1, session=2, minute=2)
    report = bench.cycle()
    assert "Not in the org, or hidden, so not sent: Description" in report.notes
    bench.admin("settings", hidden_fields=[])
    told = run("account", "send-again", "acme", "description", "--yes").stdout
    assert "Activities that went without them (3) get them now." in told
    assert bench.cycle().state == "Complete"
    said = [each.get("Description") or "" for each in bench.records("Event")]
    assert all("Event: Expo" in each for each in said)
    assert [each[:9] == "Cancelled" for each in said].count(True) == 1
    assert len(said) == 3
    assert bench.cycle().counts.api_calls == 0


@pytest.mark.parametrize("route", ["composite", "bulk"])
def test_an_update_goes_on_without_a_field_that_is_hidden_since(bench: Bench, route: str) -> None:
    """The field stands in Salesforce's words alone, and the whole request is refused for it."""
    add_person(bench.connection, 1, phone_1="0123")
    register(bench.connection, 1, 1)
    contact = bench.seed("Contact", LastName="Old", Email="p2@example.com")
    add_person(bench.connection, 2, phone_1="0456")
    register(bench.connection, 2, 2)
    bench.cycle()
    bench.settings(route=route)
    bench.admin("settings", hidden_fields=["Lead.Phone"])
    bench.connection.execute(
        text("UPDATE warehouse.person SET phone_1 = '0999', job_title = 'Head', shipped_at = now()")
    )
    attend(bench.connection, 1, 1, minute=60)

    report = bench.cycle()

    assert (report.state, report.tally.overall("failed")) == ("Complete", 0)
    assert [(lead["Phone"], lead["Title"]) for lead in bench.records("Lead")] == [("0123", "Head")]
    row = bench.org.table("Contact").rows[contact]
    assert (row["Phone"], row["Title"]) == ("0999", "Head")
    assert "Phone" in report.notes


@pytest.mark.parametrize("route", ["composite", "bulk"])
@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("hidden", ["Event.WhoId", "Event.Subject", "CampaignMember.Status"])
def test_nothing_goes_without_a_field_that_says_whose_it_is(
    bench: Bench, route: str, known: bool, hidden: str
) -> None:
    switch_on(bench)
    bench.settings(route=route)
    add_person(bench.connection, 1)
    if known:
        register(bench.connection, 1, 1)
        bench.cycle()
    bench.admin("settings", hidden_fields=[hidden])
    attend(bench.connection, 1, 1, minute=60)
    for _ in range(2):
        report = bench.cycle()
        assert (report.state, report.tally.overall("failed")) == ("Failed", 0)
        assert hidden in report.reason
    bench.admin("settings", hidden_fields=[])
    assert bench.cycle().state == "Complete"
    assert set(bench.states().values()) == {"done"}
    [lead] = bench.records("Lead")
    assert {event["WhoId"] for event in bench.records("Event")} == {lead["Id"]}
    assert len(bench.records("Event")) == 1 + known
    assert "Webinar Attendance" in [event["Subject"] for event in bench.records("Event")]
    assert members(bench) == [("Attended", True)]


def test_a_query_of_a_field_that_nobody_can_do_without_names_it(bench: Bench) -> None:
    add_person(bench.connection, 1)
    register(bench.connection, 1, 1)
    bench.admin("settings", hidden_fields=["Lead.Email"])
    report = bench.cycle()
    assert report.state == "Failed"
    assert "it shows no field Lead.Email" in report.reason
