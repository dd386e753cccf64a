"""Exactly what a plan says is sent; what has changed since waits, and is named."""

import pytest
from sqlalchemy import text

from crm_pipeline.accounts.account import AccountError
from crm_pipeline.cycle.apply import apply_plan
from crm_pipeline.cycle.plan import planned
from crm_pipeline.cycle.planning import Planning
from crm_pipeline.ledger.campaigns import add_campaign_link
from crm_pipeline.ledger.plans import departures_of
from crm_pipeline_tests.cycle.campaigns.scenes import event_id, switch_on
from crm_pipeline_tests.cycle.campaigns.test_grains import (
    DEMO,
    EXPO,
    SESSION_1,
    campaigns,
    is_now,
    two_people_of_two_sessions,
)
from crm_pipeline_tests.cycle.conftest import ACCOUNT, Bench
from crm_pipeline_tests.cycle.plans import applied, foresee_and_see, plan_of
from crm_pipeline_tests.cycle.test_removals import ask
from crm_pipeline_tests.flows.webinars.warehouse import add_person, register


def emails(bench: Bench) -> set[str]:
    return {str(lead["Email"]) for lead in bench.records("Lead")}


@pytest.fixture(params=["composite", pytest.param("bulk", marks=pytest.mark.deep)])
def three_people(request: pytest.FixtureRequest, bench: Bench) -> Bench:
    """Two who are new, and one who is in the org; with campaigns."""
    switch_on(bench)
    bench.settings(route=request.param)
    bench.seed("Lead", LastName="Old", Company="Old", Email="p3@example.com")
    for person in (1, 2, 3):
        add_person(bench.connection, person)
        register(bench.connection, person, person)
    return bench


def test_a_plan_that_still_holds_is_done_to_the_last_field(three_people: Bench) -> None:
    plan_id = plan_of(three_people)
    done = applied(three_people, plan_id)
    assert done.departures == []
    assert len(three_people.records("Lead")) == 3
    assert len(three_people.records("CampaignMember")) == 3
    assert three_people.cycle().counts.api_calls == 0
    with pytest.raises(AccountError, match=f"plan {plan_id} was applied by cycle"):
        apply_plan(ACCOUNT, plan_id, run_id="apply", by="otto")


def test_what_has_changed_since_waits_and_is_named(three_people: Bench) -> None:
    """A value at the source, a value in the org, and a row that was not there."""
    plan_id = plan_of(three_people)
    three_people.connection.execute(
        text(
            "UPDATE warehouse.person SET surname = 'Other', shipped_at = shipped_at + interval"
            " '1 hour' WHERE person_id = 1"
        )
    )
    [known] = three_people.records("Lead")
    three_people.admin("edit", id=known["Id"], fields={"FirstName": "First 3"})
    add_person(three_people.connection, 4)
    register(three_people.connection, 4, 4, minute=60)
    done = applied(three_people, plan_id)
    assert emails(three_people) == {"p2@example.com", "p3@example.com"}
    [known] = [each for each in three_people.records("Lead") if each["Email"][:2] == "p3"]
    assert known["LastName"] == "Old"
    told = {each.about: (each.foreseen, each.became, each.explanation) for each in done.departures}
    assert told["person:p1@example.com"] == ("create", "waiting", "source")
    assert told["registration:1"] == ("create", "waiting", "follows")
    assert told["person:p3@example.com"] == ("update", "waiting", "org")
    assert not told.keys() & {"person:p2@example.com", "person:p4@example.com"}
    three_people.cycle()
    assert emails(three_people) == {f"p{n}@example.com" for n in (1, 2, 3, 4)}
    [known] = [each for each in three_people.records("Lead") if each["Email"][:2] == "p3"]
    assert known["LastName"] == "Last 3"


def test_a_campaign_is_made_and_follows_its_event_only_as_planned(bench: Bench) -> None:
    def names() -> list[str]:
        return [each["Name"] for each in bench.records("Campaign")]

    def came(plan_id: int) -> set[tuple[str | None, str | None]]:
        found = applied(bench, plan_id).departures
        return {(e.foreseen, e.became) for e in found if e.about == f"campaign:{event}"}

    switch_on(bench)
    event = event_id(bench)
    add_person(bench.connection, 1)
    register(bench.connection, 1, 1)
    plan_id = plan_of(bench)
    is_now(bench, "event", event, hour=1, name="Renamed")
    assert came(plan_id) == {("create", "waiting")}
    assert names() == []
    bench.cycle()
    is_now(bench, "event", event, hour=2, name="Again")
    assert "Campaign update" in foresee_and_see(bench)
    is_now(bench, "event", event, hour=3, name="Late")
    plan_id = plan_of(bench)
    is_now(bench, "event", event, hour=4, name="Later")
    assert came(plan_id) == {("update", "waiting")}
    assert names() == ["Again"]
    assert came(plan_of(bench)) == set()
    assert names() == ["Later"]


def test_a_plan_of_one_person_sends_that_one_alone_also_of_a_draft(bench: Bench) -> None:
    for person in (1, 2):
        add_person(bench.connection, person)
        register(bench.connection, person, person)
    bench.connection.execute(text("UPDATE crm.account SET activated_at = NULL, enabled = false"))
    plan_id = plan_of(bench, Planning(address="p2@example.com"))
    done = applied(bench, plan_id)
    assert emails(bench) == {"p2@example.com"}
    assert (done.departures, done.report.counts.waiting) == ([], 2)
    assert set(bench.states().values()) == {"done", "pending"}
    assert bench.cycle().state == "Draft"


def test_the_campaigns_above_those_of_a_person_go_with_them(bench: Bench) -> None:
    switch_on(bench, grain="both", series_parent="series")
    two_people_of_two_sessions(bench)
    is_now(bench, "event", event_id(bench), hour=0, series="Tuesdays")
    applied(bench, plan_of(bench, Planning(address="p2@example.com")))
    assert emails(bench) == {"p2@example.com"}
    assert campaigns(bench) == {DEMO: None, EXPO: DEMO, SESSION_1: EXPO}


def test_a_plan_from_a_start_is_applied_with_that_start(bench: Bench) -> None:
    for person in (1, 2):
        add_person(bench.connection, person)
        register(bench.connection, person, person, minute=60 * person)
    plan_id = plan_of(bench, Planning(start_at="2026-03-01T13:30:00Z"))
    assert applied(bench, plan_id).departures == []
    assert emails(bench) == {"p2@example.com"}


def test_a_plan_that_did_not_come_to_its_end_is_applied_again(bench: Bench) -> None:
    """And what a process that died held back is sent by the next cycle."""
    for person in (1, 2):
        add_person(bench.connection, person)
        register(bench.connection, person, person)
    plan_id = plan_of(bench, Planning(most_people=1))
    bench.settings(api_calls_per_cycle=1)
    assert apply_plan(ACCOUNT, plan_id, run_id="apply", by="otto").report.state == "Paused"
    assert not bench.records("Lead")
    bench.settings(api_calls_per_cycle=None)
    bench.connection.execute(text("UPDATE crm.sync_state SET state = 'Failed'"))
    applied(bench, plan_id)
    assert len(bench.records("Event")) == 1
    bench.connection.execute(
        text("UPDATE crm.operation SET state = 'held' WHERE state = 'pending'")
    )
    bench.cycle()
    assert len(bench.records("Event")) == 2


def test_a_ledger_that_may_be_an_older_copy_stays_so_while_something_is_held_back(
    bench: Bench,
) -> None:
    is_unsure = text("SELECT unsure FROM crm.ledger_mark")
    for person in (1, 2):
        add_person(bench.connection, person)
        register(bench.connection, person, person)
    bench.cycle(frozenset(("registrations",)))
    bench.connection.execute(text("UPDATE crm.ledger_mark SET unsure = true"))
    applied(bench, plan_of(bench, Planning(address="p1@example.com")))
    assert emails(bench) == {"p1@example.com"}
    assert bench.connection.scalar(is_unsure)
    bench.cycle()
    assert not bench.connection.scalar(is_unsure)


def test_erasure_reaches_plans_and_what_became_of_them(bench: Bench) -> None:
    for person in (1, 2):
        add_person(bench.connection, person)
        register(bench.connection, person, person)
    plan_id = plan_of(bench)
    bench.connection.execute(text("UPDATE warehouse.person SET surname = 'Other'"))
    bench.cycle()
    departed = {each.about for each in departures_of(bench.connection, plan_id)}
    assert departed == {"person:p1@example.com", "person:p2@example.com"}
    ask("erase", "p1@example.com")
    bench.cycle()
    left = bench.connection.scalars(text("SELECT about FROM crm.plan_row ORDER BY about")).all()
    assert "person:p2@example.com" in left
    assert not [each for each in left if "p1@" in each]
    departed = {each.about for each in departures_of(bench.connection, plan_id)}
    assert departed == {"person:p2@example.com"}


def test_what_was_held_back_from_the_first_tries_is_one_with_what_is_read_of_it(
    bench: Bench,
) -> None:
    """Both versions of a row were pending once nothing was held, and two activities were made."""
    for person in (1, 2):
        add_person(bench.connection, person)
        register(bench.connection, person, person)
    bench.cycle()
    plan_id = plan_of(bench)
    register(bench.connection, 3, 2, minute=60)
    register(bench.connection, 4, 1, minute=61)
    bench.cycle(frozenset(("lead_payloads",)))
    bench.connection.execute(
        text("UPDATE crm.operation SET state = 'failed' WHERE natural_key = 'registration:4'")
    )
    bench.connection.execute(
        text(
            "UPDATE warehouse.registration SET registered_at = registered_at + interval '5 min',"
            " shipped_at = shipped_at + interval '1 hour' WHERE registration_id = 3"
        )
    )
    applied(bench, plan_id)
    assert bench.cycle().state == "Complete"
    assert len(bench.records("Event")) == 4


def test_statuses_that_a_campaign_lacks_are_named_by_plan_and_apply(bench: Bench) -> None:
    campaign = bench.seed("Campaign", Name="Ours")
    add_campaign_link(bench.connection, ACCOUNT, str(event_id(bench)), campaign)
    switch_on(bench, create_campaigns=False, cancelled=None)
    add_person(bench.connection, 1)
    register(bench.connection, 1, 1)
    named = "Statuses of members that campaigns lack, and get: Attended (1), Attended On-demand (1)"
    bench.connection.commit()
    with planned(ACCOUNT, Planning(), run_id="plan") as plan:
        assert named in plan.report.notes
        plan_id = plan.keep(bench.connection)
    assert named in applied(bench, plan_id).report.notes
