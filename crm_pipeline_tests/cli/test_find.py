"""`crm-pipeline find`: the story of a person, a row or a record."""

import json
from typing import Any

import pytest
from sqlalchemy import text
from typer.testing import Result

from crm_pipeline.accounts.store import FieldMapping, add_filter, set_field_mapping
from crm_pipeline.accounts.templates import source_of
from crm_pipeline.database.engines import engine
from crm_pipeline.settings import settings
from crm_pipeline_tests.cli.conftest import Run
from crm_pipeline_tests.cycle.attribution.deals import deals
from crm_pipeline_tests.cycle.campaigns.scenes import event_id, switch_on
from crm_pipeline_tests.cycle.conftest import ACCOUNT, Bench, bench
from crm_pipeline_tests.cycle.engagement.conftest import Engaged, engaged
from crm_pipeline_tests.cycle.test_removals import REMOVALS, ask
from crm_pipeline_tests.flows.engagement.warehouse import define_tag, prospect, tag
from crm_pipeline_tests.flows.webinars.warehouse import add_person, register, track

NEW = "person:p5@example.com"

__all__ = ["bench", "deals", "engaged"]


@pytest.fixture
def told(bench: Bench, run: Run) -> Bench:
    """One who is twice in the org, one whom the org refuses, one who is filtered out, one alone.

    The first has another name since; of the last one registration is on a waiting list, and another
    one waits for the next cycle.
    """
    switch_on(bench)
    where = source_of(("county", "postal_code"), {"separator": " ", "default": "somewhere"})
    set_field_mapping(bench.connection, ACCOUNT, FieldMapping("Event", "Location", where))
    for _ in range(2):
        bench.seed("Lead", LastName="Twice", Company="Old", Email="p1@example.com")
    add_person(bench.connection, 1)
    add_person(bench.connection, 2, country_code="Atlantis")
    add_person(bench.connection, 3, "p3@spam.example")
    add_person(bench.connection, 4)
    add_filter(bench.connection, ACCOUNT, "spam")
    for person in (1, 2, 3, 4):
        register(bench.connection, person, person)
    register(bench.connection, 6, 4)
    waitlisted = "UPDATE warehouse.registration SET status = 'waitlisted' WHERE registration_id = 6"
    bench.connection.execute(text(waitlisted))
    bench.cycle()
    bench.connection.execute(
        text(
            "UPDATE warehouse.person SET surname = 'Other', shipped_at = shipped_at + interval"
            " '1 hour' WHERE person_id = 1"
        )
    )
    bench.cycle()
    register(bench.connection, 5, 4, minute=60)
    bench.connection.commit()
    return bench


def story(result: Result) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def events(found: dict[str, Any], about: str) -> list[str]:
    """What happened to one of the things of a story."""
    return [
        f"{each['event']}: {each['detail']}"
        for each in found["what_happened"]
        if each["about"] == about
    ]


def comes_next(found: dict[str, Any], about: str) -> str:
    [standing] = [each for each in found["how_it_stands"] if each["about"] == about]
    return f"{standing['state']}: {standing['what_comes_next']}"


def test_a_person_s_story_is_told_in_time_with_the_choice_of_a_record(run: Run, told: Bench):
    first, second = [each["Id"] for each in told.records("Lead")][:2]
    wanted = (
        "Email = p1@example.com; Company = Company 1; Country = GB; LastName = Last 1; "
        "FirstName = First 1; LeadSource = Webinar"
    )
    replaced = (
        "Company: Old → Company 1; Country: nothing → GB; LastName: Twice → Last 1; "
        "FirstName: nothing → First 1; LeadSource: nothing → Webinar"
    )
    why = "(the oldest of 2 leads with this email)"
    found = story(run("find", ACCOUNT, " P1@Example.com", "--json"))
    assert events(found, "person:p1@example.com") == [
        f"read by cycle 1: {wanted}",
        f"chosen in the org: {first} of {first}, {second}",
        "sent by cycle 1: update Lead in a composite call",
        f"replaces: Lead {first}: {replaced}",
        f"done: updated Lead {first}: Company, Country, LastName, FirstName, LeadSource {why}",
        "read by cycle 2: LastName: Last 1 → Other",
        "sent by cycle 2: update Lead in a composite call",
        f"done: updated Lead {first}: LastName {why}",
    ]
    [activity] = told.records("Event")[:1]
    assert events(found, "registration:1")[1:] == [
        "sent by cycle 1: create Event in a composite call",
        f"done: created Event {activity['Id']} (new)",
    ]
    assert [each for each in events(found, f"member:{event_id(told)}:1") if each.startswith("done")]
    assert comes_next(found, "registration:1") == "done: nothing, until the source says otherwise"
    mapped = {each["field"]: each["comes_from"] for each in found["fields_of_the_lead_of_person_1"]}
    assert (mapped["LastName"], mapped["LeadSource"]) == ("surname", "constant")
    [of_event] = found["mapped_fields_of_the_event_of_registration_1"]
    assert of_event["field"] == "Location"
    assert of_event["comes_from"] == "county + postal_code, else 'somewhere'"
    for sought in (first, first[:15], "registration:1"):
        by_other_means = story(run("find", ACCOUNT, sought, "--json"))
        assert by_other_means["what_happened"] == found["what_happened"], sought


def test_who_was_refused_has_each_answer_told_and_what_waits(run: Run, told: Bench):
    found = story(run("find", ACCOUNT, "p2@example.com", "--json"))
    assert [each for each in events(found, "person:p2@example.com") if "Atlantis" not in each] == [
        "sent by cycle 1: create Lead in a composite call",
        "refused: FIELD_CUSTOM_VALIDATION_EXCEPTION: No leads from there",
    ]
    assert "operations requeue" in comes_next(found, "person:p2@example.com")
    assert comes_next(found, "registration:2") == "pending: goes once its person is in the org"


def test_who_was_filtered_is_found_with_the_filter(run: Run, told: Bench):
    for sought in ("p3@spam.example", "registration:3"):
        found = run("find", ACCOUNT, sought).stdout
        assert "registration:3\t1\tfiltered by 'spam'" in found
        assert "rejected: filtered by 'spam'" in found
        assert "is not sent: filtered by 'spam'" in found


def test_a_row_that_no_cycle_has_read_is_found_in_the_warehouse(run: Run, told: Bench):
    for sought in ("registration:5", " P4@example.com "):
        found = run("find", ACCOUNT, sought).stdout
        assert "registration:5\t1\tto be read by a cycle" in found, sought
    too_long = run("find", ACCOUNT, f"registration:{10**20}", fails=1).stderr
    assert "knows nothing of" in too_long


def test_a_row_without_a_person_is_told_with_whom_the_warehouse_names(run: Run, told: Bench):
    for sought in ("registration:6", "p4@example.com"):
        found = story(run("find", ACCOUNT, sought, "--json"))
        assert events(found, "registration:6") == ["read by cycle 1: rejected: waitlisted"], sought
        assert comes_next(found, "registration:6") == "rejected: is not sent: waitlisted"
        others = found.get("rows_of_the_warehouse", [])
        assert "registration:6" not in {each["row"] for each in others}, sought


def test_what_waits_goes_when_the_account_may_send(run: Run, told: Bench):
    run("account", "set", ACCOUNT, 'limits={"new_people": 0, "times_usual": 0.0001}')
    add_person(told.connection, 5)
    register(told.connection, 7, 5, minute=61)
    assert told.cycle().state == "Held"

    def next_of_the_new_one() -> str:
        return comes_next(story(run("find", ACCOUNT, "p5@example.com", "--json")), NEW)

    held = "goes once somebody approves what the account is held for (`crm-pipeline approve`)"
    assert next_of_the_new_one() == f"pending: {held}"
    run("account", "disable", ACCOUNT)
    assert f"cycles run (`crm-pipeline account enable {ACCOUNT}`)" in next_of_the_new_one()
    run("account", "enable", ACCOUNT)
    run("approve", ACCOUNT, "--yes")
    assert next_of_the_new_one() == "pending: goes with the next cycle"


def test_who_is_unknown_or_removed_is_said_to_be(run: Run, told: Bench):
    assert "knows nothing of" in run("find", ACCOUNT, "registration:99", fails=1).stderr
    assert "is no email address" in run("find", ACCOUNT, "Jane Doe", fails=1).stderr
    ask(address="p1@example.com")
    assert told.cycle(REMOVALS).state == "Complete"
    found = run("find", ACCOUNT, "p1@example.com").stdout
    assert "removed on request; only that is kept of them" in found
    assert "It reaches back 30 days of requests" in found
    assert "What happened" not in found
    assert not told.connection.scalar(text("SELECT count(*) FROM crm.candidate"))


def test_without_the_warehouse_the_ledger_tells_what_it_knows(
    run: Run, told: Bench, monkeypatch: pytest.MonkeyPatch
):
    set_field_mapping(told.connection, ACCOUNT, FieldMapping("Lead", "Rating", source="county"))
    event = event_id(told)
    told.connection.commit()
    monkeypatch.setenv("WAREHOUSE_URL", "postgresql://nobody@127.0.0.1:1/none")
    settings.cache_clear()
    engine.cache_clear()
    found = run("find", ACCOUNT, "p1@example.com")
    explained = run("campaign", "explain", ACCOUNT, event, "p1@example.com", fails=1).stderr
    engine("pipeline").dispose()
    assert explained.startswith("The warehouse does not answer; check WAREHOUSE_URL")
    assert "The warehouse could not be asked: The warehouse does not answer" in found.stderr
    assert "read by cycle 2\tLastName: Last 1 → Other" in found.stdout


def test_a_caller_is_found_by_number_with_calls_and_opportunities(run: Run, deals: Bench):
    track(deals.connection, 1, kind="call", phone="030 901820", contact_name="Ada Lovelace")
    deals.cycle()
    [lead] = deals.records("Lead")
    made = deals.admin("convert", lead_id=lead["Id"], opportunity_name="Engines")
    deals.cycle()
    found = story(run("find", ACCOUNT, "+49 30 901820", "--json"))
    assert events(found, "lead:1") == ["tracked: call"]
    [matched] = events(found, f"opportunity:{made['opportunity_id']}")
    assert matched.endswith(f"to lead 1 by converted_lead: converted from {lead['Id']}")
    told = f"told:lead_values:lead:1:opportunity:{made['opportunity_id']}"
    assert events(found, told)[-1] == "done: the platform has it"
    mapped = {
        each["field"]: each["comes_from"] for each in found["fields_of_the_contact_of_person_1"]
    }
    assert mapped["Tracker_Id__c"] == "flow attribution"
    for sought in (lead["Id"], made["contact_id"], "lead:1"):
        by_other_means = story(run("find", ACCOUNT, sought, "--json"))
        assert by_other_means["what_happened"] == found["what_happened"], sought
    of_deal = story(run("find", ACCOUNT, made["opportunity_id"], "--json"))
    assert events(of_deal, told) == events(found, told)


def test_a_prospect_is_found_by_address_with_tags_and_copies(run: Run, engaged: Engaged):
    with engaged() as bench:
        lead = bench.seed("Lead", LastName="Ada", Company="A", Email="ada@example.com")
        define_tag(bench.connection, "hot")
        prospect(bench.connection, "p1", email="Ada@example.com")
        tag(bench.connection, "p1", "hot")
        bench.cycle()
        found = story(run("find", ACCOUNT, "ada@example.com", "--json"))
        things = ("prospect:p1", "prospect_tag:p1:hot", f"person_tag:{lead}:hot")
        for about in things:
            assert events(found, about)[-1].startswith("done: created"), about
        assert comes_next(found, "prospect:p1").startswith("done")
        of_record = story(run("find", ACCOUNT, lead, "--json", "--limit=1"))
        assert "moments; --limit shows more" in str(of_record["said"])
