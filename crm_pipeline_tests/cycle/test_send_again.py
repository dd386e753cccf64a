"""Settings that change after rows were read: what is told, and what sending again sends."""

import pytest

from crm_pipeline_tests.cli.conftest import Run, run
from crm_pipeline_tests.cycle.conftest import ACCOUNT, Bench
from crm_pipeline_tests.flows.webinars.warehouse import add_person, register

__all__ = ["run"]

ROUTES = pytest.mark.parametrize("route", ["composite", "bulk"])


@pytest.fixture
def delivered(bench: Bench) -> Bench:
    """A lead of ours, a contact that was there, an activity of each."""
    bench.seed("Contact", LastName="Old", Email="p2@example.com", Phone="1", Title="Boss")
    for person in (1, 2):
        add_person(bench.connection, person, phone_1="0123", job_title="CTO", county="Kent")
        register(bench.connection, person, person)
    bench.settings(person_field_policies={"Phone": "never", "Title": "when_empty"})
    assert bench.cycle().state == "Complete"
    # So much later that the others are read no more.
    add_person(bench.connection, 3)
    register(bench.connection, 3, 3, minute=600)
    assert bench.cycle().state == "Complete"
    return bench


def contact(bench: Bench) -> tuple[str, str]:
    [only] = bench.records("Contact")
    return only["Phone"], only["Title"]


@ROUTES
def test_a_policy_that_changes_is_told_and_sends_again_what_it_lets_through_now(
    delivered: Bench, run: Run, route: str
) -> None:
    assert contact(delivered) == ("1", "Boss")
    told = run("account", "set", ACCOUNT, "person_field_policies=", f"route={route}").stdout
    assert f"`crm-pipeline account send-again {ACCOUNT} Phone Title`" in told
    assert delivered.cycle().counts.api_calls == 0
    told = run("account", "send-again", ACCOUNT, "Contact.phone", "--yes").stdout
    assert "3 rows of client" in told
    assert "API calls and 1 MB of data storage" in told
    assert "Of 2 people in the org Phone are written" in told
    report = delivered.cycle()
    assert report.state == "Complete"
    assert contact(delivered) == ("0123", "Boss")
    assert report.tally.overall("activities_updated") == 0
    assert delivered.cycle().counts.api_calls == 0


def test_fields_that_are_sent_again_go_by_the_policy_all_the_same(
    delivered: Bench, run: Run
) -> None:
    [only] = delivered.records("Contact")
    only["Phone"] = None
    run("account", "set", ACCOUNT, "person_fields=when_empty", "person_field_policies=")
    run("account", "send-again", ACCOUNT, "--all-fields", "--yes")
    assert delivered.cycle().state == "Complete"
    assert contact(delivered) == ("0123", "Boss")


@ROUTES
def test_a_mapping_that_changes_is_told_and_sends_again_what_it_says(
    delivered: Bench, run: Run, route: str
) -> None:
    delivered.settings(route=route)
    told = run("account", "mapping", "set", ACCOUNT, "Lead.Industry", "--source=county").stdout
    assert f"`crm-pipeline account send-again {ACCOUNT}` reads them again" in told
    run("account", "mapping", "set", ACCOUNT, "Event.Location", "--constant=Online")
    delivered.cycle()
    assert [lead.get("Industry") for lead in delivered.records("Lead")] == [None, None]
    run("account", "send-again", ACCOUNT, "--yes")
    assert delivered.cycle().state == "Complete"
    assert [lead.get("Industry") for lead in delivered.records("Lead")] == ["Kent", None]
    assert [event["Location"] for event in delivered.records("Event")] == ["Online"] * 3
    assert contact(delivered) == ("1", "Boss")


def test_a_filter_that_is_removed_is_told_and_sends_again_whom_it_rejected(
    bench: Bench, run: Run
) -> None:
    run("account", "filter", "add", ACCOUNT, "@example.com", "--yes")
    add_person(bench.connection, 1)
    register(bench.connection, 1, 1)
    bench.cycle()
    assert bench.records("Lead") == []
    told = run("account", "filter", "remove", ACCOUNT, "@example.com").stdout
    assert "Rows that were read before stay rejected; `crm-pipeline account send-again" in told
    run("account", "send-again", ACCOUNT, "--yes")
    bench.cycle()
    assert [event["Subject"] for event in bench.records("Event")] == ["Webinar Registration"]


def test_who_has_read_nothing_is_told_nothing_of_rows(bench: Bench, run: Run) -> None:
    assert "send-again" not in run("account", "set", ACCOUNT, "person_fields=never").stdout
    told = run("account", "mapping", "set", ACCOUNT, "Lead.Industry", "--constant=x").stdout
    assert "send-again" not in told


def test_a_field_that_nothing_fills_is_not_sent_again(delivered: Bench, run: Run) -> None:
    told = run("account", "send-again", ACCOUNT, "Fone", "--yes", fails=1).stderr
    assert (
        told
        == f"Account {ACCOUNT} fills no field 'Fone' that may be sent again; did you mean Phone?\n"
    )


def test_who_changes_what_rows_go_by_is_told_of_those_that_were_read(
    delivered: Bench, run: Run
) -> None:
    changes = ("activities=attendance", 'redaction=["cards"]')
    told = run("account", "set", ACCOUNT, *changes).stdout
    assert "Rows that were read before went by the former activities, redaction; `crm-pip" in told
    assert "send-again" not in run("account", "set", ACCOUNT, *changes).stdout
