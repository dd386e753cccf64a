"""Matches by platform event: published, and confirmed by reading back; else published again."""

from collections.abc import Iterator

import pytest
from sqlalchemy import text

from crm_pipeline.accounts.engagement import EngagementSettings
from crm_pipeline.ledger.engagement import request_reading
from crm_pipeline.ledger.incidents import open_incidents
from crm_pipeline.local_org.event_bus import BUS, Subscriber
from crm_pipeline.report import CycleReport
from crm_pipeline.salesforce.org_objects import lacking
from crm_pipeline.sample.org_objects import objects_of_org
from crm_pipeline.sample.subscribers import subscribers
from crm_pipeline_tests.cycle.conftest import ACCOUNT, Bench
from crm_pipeline_tests.cycle.engagement.conftest import Engaged, complete
from crm_pipeline_tests.cycle.engagement.test_back import told
from crm_pipeline_tests.cycle.engagement.test_matching import (
    NOTHING,
    contact,
    copies,
    lead,
    shown,
    status,
)
from crm_pipeline_tests.cycle.engagement.test_switches import choose
from crm_pipeline_tests.flows.engagement.warehouse import define_tag, prospect, tag

CHOSEN = {"by_event": True, "confirm_minutes": 0}
OF_ADA = {"Prospect_Id__c": "ada", "Favorite__c": True, "Temperature__c": 70}


@pytest.fixture
def bench(engaged: Engaged) -> Iterator[Bench]:
    """A prospect with a tag, and a flow in the org that applies events."""
    with engaged({"subscribers": subscribers(EngagementSettings(**CHOSEN))}, **CHOSEN) as made:
        define_tag(made.connection, "hot")
        prospect(made.connection, "ada", favorite=True, temperature=70)
        tag(made.connection, "ada", "hot")
        yield made


def switch_off(bench: Bench) -> list[Subscriber]:
    """An admin switches the flow off; gives what switches it on again."""
    active = BUS[bench.org].subscribers
    before = active.copy()
    active.clear()
    return before


def published(bench: Bench) -> list[tuple[str | None, float]]:
    """Of each event the prospect, and the version."""
    events = [each.fields for each in BUS[bench.org].published]
    return [(each["Prospect__c"], each["Match_Version__c"]) for each in events]


@pytest.mark.deep
def test_a_match_is_published_applied_and_confirmed(bench: Bench) -> None:
    known, other = lead(bench, "ada@x.example"), contact(bench, "ada@x.example")
    report = complete(bench)
    assert shown(bench, "Lead", known) == shown(bench, "Contact", other) == OF_ADA
    assert copies(bench) == [(known, "hot")]
    assert report.tally.by_topic["publish_matches"] == {"create": 2, "calls": 1}
    assert published(bench) == [("ada", 1)] * 2
    report = complete(bench)
    assert report.tally.by_topic["publish_matches"] == {"confirmed": 2}
    complete(bench)
    assert status(bench) == ("Processed", 1, 1)
    assert complete(bench).counts.api_calls == 1


def test_with_events_the_fields_of_people_need_not_be_writable(engaged: Engaged) -> None:
    objects = objects_of_org(EngagementSettings(**CHOSEN).org_objects)
    for name in ("Lead", "Contact"):
        for field in objects[name]["fields"].values():
            field |= {"createable": False, "updateable": False}
    with engaged({"objects": objects}, **CHOSEN) as bench:
        prospect(bench.connection, "ada")
        lead(bench, "ada@x.example")
        complete(bench)
        assert published(bench) == [("ada", 1)]


@pytest.mark.deep
def test_what_an_event_changed_is_not_told_as_an_edit(bench: Bench) -> None:
    known = lead(bench, "ada@x.example")
    for _ in range(3):
        complete(bench)
    told(bench)
    prospect(bench.connection, "ada", favorite=False, temperature=3)
    for _ in range(3):
        complete(bench)
    assert shown(bench, "Lead", known) == {**OF_ADA, "Favorite__c": False, "Temperature__c": 3}
    assert told(bench) == []
    bench.admin("edit", id=known, fields={"Favorite__c": True})
    complete(bench)
    assert [each["favorite"] for each in told(bench)] == [True]


@pytest.mark.deep
def test_what_the_org_does_not_show_is_published_again_as_it_was(bench: Bench) -> None:
    known = lead(bench, "ada@x.example")
    flow = switch_off(bench)
    complete(bench)
    assert complete(bench).tally["publish_matches", "failed"] == 1
    assert status(bench)[0] == "Not Processed"
    BUS[bench.org].subscribers.extend(flow)
    assert retry(bench).tally["publish_matches", "confirmed"] == 1
    assert published(bench) == [("ada", 1)] * 2
    assert shown(bench, "Lead", known) == OF_ADA
    complete(bench)
    assert status(bench) == ("Processed", 2, 0)
    prospect(bench.connection, "ada", temperature=3)
    complete(bench)
    assert published(bench)[-1] == ("ada", 2)
    assert shown(bench, "Lead", known)["Temperature__c"] == 3


def retry(bench: Bench) -> CycleReport:
    """The next cycle, once the time of what has failed has come."""
    due = "UPDATE crm.operation SET next_attempt_at = now() WHERE state = 'failed'"
    bench.connection.execute(text(due))
    bench.connection.commit()
    return complete(bench)


def test_where_nobody_acts_on_events_that_is_one_incident_at_no_cost(bench: Bench) -> None:
    for _ in range(20):
        lead(bench, "ada@x.example")
    switch_off(bench)
    complete(bench)
    complete(bench)
    [incident] = open_incidents(bench.connection, ACCOUNT)
    assert (incident.code, incident.subject) == ("NOT_CONFIRMED", "Prospect_Match__e")
    left = "SELECT DISTINCT attempts_left FROM crm.operation WHERE state = 'failed'"
    assert bench.connection.scalars(text(left)).all() == [30]
    bench.connection.rollback()


@pytest.mark.deep
def test_a_publish_whose_answer_is_lost_is_repeated_with_its_version(bench: Bench) -> None:
    known = lead(bench, "ada@x.example")
    bench.fault("collections.create", "reset_after", times=1)
    bench.cycle()
    complete(bench)
    assert set(published(bench)) == {("ada", 1)}
    assert len(published(bench)) == 2
    assert shown(bench, "Lead", known) == OF_ADA


@pytest.mark.deep
def test_who_loses_the_prospect_is_cleaned_and_the_next_match_is_a_later_one(bench: Bench) -> None:
    known = lead(bench, "ada@x.example")
    complete(bench)
    complete(bench)
    prospect(bench.connection, "ada", life_cycle="Deleted", favorite=True, temperature=70)
    complete(bench)
    assert shown(bench, "Lead", known) == NOTHING
    assert complete(bench).tally["publish_matches", "confirmed"] == 1
    assert complete(bench).api_calls_by_kind.keys() == {"changes+updated"}
    prospect(bench.connection, "ada", favorite=True, temperature=70)
    complete(bench)
    assert shown(bench, "Lead", known) == OF_ADA
    assert published(bench) == [("ada", 1), (None, 2), ("ada", 3)]


@pytest.mark.deep
def test_a_field_that_is_mapped_no_more_is_emptied_by_event(bench: Bench) -> None:
    """It was left as it was, as the event did not name it."""
    known = lead(bench, "ada@x.example")
    complete(bench)
    choose(bench, **CHOSEN, person_fields={"Prospect_Id__c": "prospect_id"})
    flow = switch_off(bench)
    complete(bench)
    assert complete(bench).tally["publish_matches", "failed"] == 1
    BUS[bench.org].subscribers.extend(flow)
    retry(bench)
    assert shown(bench, "Lead", known) == {**NOTHING, "Prospect_Id__c": "ada"}
    [*_, last] = BUS[bench.org].published
    assert (last.fields["Favorite__c"], last.fields["Temperature__c"]) == (False, None)
    complete(bench)
    number = len(published(bench))
    # What people write there from now on is theirs.
    bench.admin("edit", id=known, fields={"Temperature__c": 5})
    request_reading(bench.connection, ACCOUNT)
    complete(bench)
    assert len(published(bench)) == number
    assert shown(bench, "Lead", known)["Temperature__c"] == 5
    choose(bench, **CHOSEN, person_fields={})
    for _ in range(2):
        complete(bench)
    assert shown(bench, "Lead", known)["Prospect_Id__c"] is None


def test_a_clean_up_is_published_too(bench: Bench) -> None:
    known = lead(bench, "ada@x.example")
    complete(bench)
    choose(bench, **CHOSEN, clean_up=True)
    for _ in range(2):
        complete(bench)
    assert shown(bench, "Lead", known) == NOTHING
    assert published(bench)[-1] == (None, 2)
    assert set(bench.states().values()) == {"done"}


@pytest.mark.deep
def test_events_switched_off_and_on_again(bench: Bench) -> None:
    known = lead(bench, "ada@x.example")
    complete(bench)
    bench.settings(engagement={})
    prospect(bench.connection, "ada", favorite=True, temperature=5)
    complete(bench)
    assert shown(bench, "Lead", known) == {**OF_ADA, "Temperature__c": 5}
    bench.settings(engagement=CHOSEN)
    prospect(bench.connection, "ada", favorite=True, temperature=6)
    complete(bench)
    assert shown(bench, "Lead", known)["Temperature__c"] == 6
    complete(bench)
    assert set(bench.states().values()) == {"done"}


def test_an_org_without_the_event_is_told_what_it_lacks(bench: Bench) -> None:
    [event] = [each for each in EngagementSettings(**CHOSEN).org_objects if each.is_event]
    assert lacking([event], {}) == ["Prospect_Match__e: not in the org, or hidden from the user"]
    bench.admin("settings", hidden_fields=["Prospect_Match__e.Match_Version__c"])
    report = bench.cycle()
    assert "Prospect_Match__e.Match_Version__c" in str(report)
