"""Routes of records: composite calls or bulk jobs, within what an account may spend."""

import re

import pytest
from sqlalchemy import text

from crm_pipeline.delivery import lookup
from crm_pipeline_tests.cycle.conftest import Bench
from crm_pipeline_tests.flows.webinars.warehouse import add_person, attend, register


def people(bench: Bench, number: int) -> None:
    for person in range(1, number + 1):
        add_person(bench.connection, person, city="x" * 50 if person == 3 else "Paris")
        register(bench.connection, person, person)


def test_by_bulk_everything_arrives_as_it_does_by_composite_calls(bench: Bench) -> None:
    bench.settings(route="bulk")
    bench.seed("Lead", LastName="Old", Company="Old", Email="p1@example.com")
    bench.seed("Contact", LastName="Old", Email="p2@example.com")
    people(bench, 8)
    report = bench.cycle()
    assert (report.state, report.tally.overall("failed")) == ("Complete", 0)
    assert set(bench.states().values()) == {"done"}
    assert len(bench.records("Lead")) == 7
    assert {lead["LastName"] for lead in bench.records("Lead")} == {
        f"Last {person}" for person in (1, 3, 4, 5, 6, 7, 8)
    }
    assert bench.records("Contact")[0]["LastName"] == "Last 2"
    assert len({event["WhoId"] for event in bench.records("Event")}) == 8
    assert "new leads by bulk" in report.route


def test_what_a_bulk_job_refuses_is_mended_by_composite_calls(bench: Bench) -> None:
    bench.settings(route="bulk")
    people(bench, 3)
    bench.fault("bulk2.process", "lock", nth=1, rows=[2])
    report = bench.cycle()
    assert report.api_calls_by_kind["create"] >= 2, "the locked lead by a call of its own"
    assert set(bench.states().values()) == {"done"}
    assert len(bench.records("Lead")) == 3
    assert report.state == "Complete"


def test_an_account_s_cap_of_calls_is_kept_and_the_next_cycle_goes_on(bench: Bench) -> None:
    bench.settings(api_calls_per_cycle=2)
    people(bench, 3)
    report = bench.cycle()
    assert (report.state, report.counts.api_calls) == ("Paused", 2)
    assert "2 API calls are spent" in report.reason
    assert len(bench.records("Lead")) == 3, "new leads go first"
    assert bench.records("Event") == []
    assert bench.cycle().state == "Complete"
    assert len(bench.records("Event")) == 3


@pytest.mark.parametrize("route", ["auto", "composite", "bulk"])
def test_a_cap_that_does_for_nothing_is_told_with_one_that_does(bench: Bench, route: str) -> None:
    """Cycles waited for ever, each saying that the next one goes on."""
    bench.settings(api_calls_per_cycle=1, route=route)
    people(bench, 3)
    for _ in range(2):
        report = bench.cycle()
        assert report.state == "Paused"
        assert "before anything went through, and the next one's will be, too" in report.reason
        assert "raise the account's api_calls_per_cycle (" in report.remedy
        assert ("route=auto" in report.remedy) == (route == "bulk")
    [enough] = re.findall(r"\((\d+) would do for all", report.reason)
    bench.settings(api_calls_per_cycle=int(enough), route=route)
    assert bench.cycle().state == "Complete"
    assert len(bench.records("Event")) == 3


def test_a_small_cap_leaves_retries_a_call(bench: Bench) -> None:
    """A fifth of four calls was none: what had failed once was never tried again."""
    bench.settings(api_calls_per_cycle=4)
    people(bench, 1)
    bench.fault("collections.create", "error", code="ENTITY_IS_LOCKED", status=400, nth=1)
    for _ in range(3):
        bench.cycle()
    assert set(bench.states().values()) == {"done"}


def test_at_95_percent_of_its_share_an_account_pauses_and_under_75_it_goes_on(
    bench: Bench,
) -> None:
    people(bench, 1)
    bench.settings(api_day_share=0.5)
    bench.admin("settings", daily_api_requests=1000, daily_api_requests_used=480)
    report = bench.cycle()
    assert report.state == "Paused"
    assert report.counts.api_calls == 1, "the first answer tells what is used"
    assert report.remedy == "raise the account's api_day_share, if it is to go on sooner"
    bench.admin("settings", daily_api_requests_used=400)
    assert bench.cycle().state == "Paused"
    bench.admin("settings", daily_api_requests_used=100)
    bench.forget_usage()
    assert bench.cycle().state == "Complete"


@pytest.mark.parametrize("share", [0.5, 1.0])
def test_an_org_that_has_nothing_left_is_not_told_to_give_more(bench: Bench, share: float) -> None:
    """Its share of the day was to be raised, where nothing can be raised."""
    people(bench, 1)
    bench.settings(api_day_share=share)
    bench.admin("settings", daily_api_requests=1000, daily_api_requests_used=980)
    report = bench.cycle()
    assert (report.state, report.remedy) == ("Paused", "nothing: it goes on by itself")
    assert "api_day_share" not in report.reason


def test_a_cycle_that_does_not_ask_the_org_makes_no_pause_longer(bench: Bench) -> None:
    people(bench, 1)
    bench.admin("settings", daily_api_requests=1000, daily_api_requests_used=999)
    assert bench.cycle().state == "Paused"
    assert bench.cycle().state == "Paused"
    seen = text("UPDATE crm.sync_state SET api_seen_at = now() - interval '50 min' RETURNING 1")
    assert bench.connection.scalar(seen)
    bench.connection.commit()
    report = bench.cycle()
    assert (report.state, report.counts.api_calls) == ("Paused", 0)
    stands = text(
        "SELECT api_seen_at < now() - interval '49 min', paused_until < now() + interval '11 min'"
        " FROM crm.sync_state"
    )
    assert bench.connection.execute(stands).one() == (True, True)


def test_forecast_and_actual_stand_side_by_side(bench: Bench) -> None:
    people(bench, 3)
    counts = bench.cycle().counts
    assert (counts.api_calls_forecast, counts.api_calls) == (3, 3)
    for person in (1, 2):
        attend(bench.connection, person, person, minute=90)
    counts = bench.cycle().counts
    assert (counts.api_calls_forecast, counts.api_calls) == (1, 1)


def test_very_many_people_are_found_in_one_census_of_the_org(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookup, "CENSUS_FROM", 3)
    monkeypatch.setattr(lookup, "CENSUS_UP_TO", 5)
    known = bench.seed("Lead", LastName="Old", Company="Old", Email="P1@example.com")
    converted = bench.seed("Lead", LastName="Old", Company="Old", Email="p2@example.com")
    contact = bench.admin("convert", lead_id=converted)["contact_id"]
    bench.seed("Contact", LastName="Stranger", Email="stranger@example.com")
    elsewhere = bench.seed("Contact", LastName="Old", Email="private@example.com")
    lead = bench.seed("Lead", LastName="Old", Company="Old", Email="p3@example.com")
    bench.admin("convert", lead_id=lead, contact_id=elsewhere)
    people(bench, 5)
    report = bench.cycle()
    assert set(bench.states().values()) == {"done"}
    assert report.api_calls_by_kind["bulk.query"] == 2
    who = {event["WhoId"] for event in bench.records("Event")}
    assert {known, contact, elsewhere} <= who
    assert len(who) == 5
    assert bench.org.table("Contact").rows[elsewhere]["Email"] == "private@example.com"
