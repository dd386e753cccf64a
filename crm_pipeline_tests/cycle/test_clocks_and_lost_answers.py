"""Records of a lost answer are found whatever clocks say, and taken once only."""

import pytest
from sqlalchemy import text

from crm_pipeline_tests.cycle.campaigns.scenes import (
    delete,
    event_id,
    one_registration,
    switch_on,
)
from crm_pipeline_tests.cycle.conftest import Bench
from crm_pipeline_tests.depth import deep_but_first
from crm_pipeline_tests.flows.webinars.warehouse import add_person, attend, register

CLOCKS = pytest.mark.parametrize("seconds", deep_but_first(2, [-660, 660, -86_400]))
"""By how much the org's clock differs from the database's: a day or eleven minutes."""


@CLOCKS
@pytest.mark.parametrize("nth", [2, 3])
def test_lost_activities_are_found_whatever_the_org_s_clock_says(
    bench: Bench, seconds: int, nth: int
) -> None:
    bench.admin("settings", clock_shift_seconds=seconds)
    one_registration(bench)
    attend(bench.connection, 1, 1, minute=30)
    bench.fault("composite", "reset_after", nth=nth)
    for _ in range(3):
        bench.cycle()
    assert len(bench.records("Lead")) == 1
    assert len(bench.records("Event")) == 2
    assert set(bench.states().values()) == {"done"}


@pytest.mark.deep
@CLOCKS
@pytest.mark.parametrize("hidden", [[], ["Campaign.Description"]])
def test_a_lost_campaign_is_found_whatever_the_org_s_clock_says(
    bench: Bench, seconds: int, hidden: list[str]
) -> None:
    bench.admin("settings", clock_shift_seconds=seconds, hidden_fields=hidden)
    switch_on(bench)
    one_registration(bench)
    bench.fault("composite", "reset_after", nth=5)
    bench.cycle()
    assert bench.states()[f"campaign:{event_id(bench)}"] == "in_flight"
    for _ in range(2):
        bench.cycle()
    assert len(bench.records("Campaign")) == 1
    assert len(bench.records("CampaignMember")) == 1
    assert set(bench.states().values()) == {"done"}


@pytest.mark.deep
def test_a_campaign_of_the_same_name_that_people_made_is_not_taken_for_a_lost_one(
    bench: Bench,
) -> None:
    bench.admin("settings", hidden_fields=["Campaign.Description"])
    theirs = bench.seed("Campaign", Name="Expo")
    bench.org.table("Campaign").rows[theirs]["CreatedById"] = "005000000000000AAA"
    switch_on(bench)
    one_registration(bench)
    bench.fault("composite", "reset_before", nth=5)
    for _ in range(3):
        bench.cycle()
    [member] = bench.records("CampaignMember")
    assert member["CampaignId"] != theirs


@pytest.mark.parametrize("action", ["reset_before", "reset_after"])
@pytest.mark.parametrize(
    "changed", ["name = 'Expo, now in May'", "starts_at = starts_at + interval '9 days'"]
)
def test_a_campaign_that_changes_after_a_lost_answer_is_not_made_twice(
    bench: Bench, action: str, changed: str
) -> None:
    switch_on(bench)
    one_registration(bench)
    bench.fault("composite", action, nth=5)
    bench.cycle()
    assert len(bench.records("Campaign")) == (action == "reset_after")
    bench.connection.execute(text(f"UPDATE warehouse.event SET {changed}, ends_at = ends_at"))
    attend(bench.connection, 1, 1, minute=60)
    for _ in range(3):
        bench.cycle()
    assert len(bench.records("Campaign")) == 1
    assert [each["Status"] for each in bench.records("CampaignMember")] == ["Attended"]


@pytest.mark.deep
def test_labels_that_change_after_a_lost_answer_make_no_second_campaign(bench: Bench) -> None:
    switch_on(bench)
    one_registration(bench)
    bench.fault("composite", "reset_after", nth=5)
    bench.cycle()
    assert bench.states()[f"campaign:{event_id(bench)}"] == "in_flight"
    switch_on(bench, attended={"label": "Was there", "has_responded": True, "priority": 4})
    attend(bench.connection, 1, 1, minute=60)
    for _ in range(3):
        bench.cycle()
    assert len(bench.records("Campaign")) == 1
    assert [each["Status"] for each in bench.records("CampaignMember")] == ["Was there"]


def test_an_activity_of_another_person_is_not_taken_for_a_lost_one(bench: Bench) -> None:
    """Two people register in one second and are merged; only the first one's activity arrived."""
    add_person(bench.connection, 1)
    register(bench.connection, 1, 1)
    assert bench.cycle().state == "Complete"
    bench.seed("Lead", LastName="Two", Company="C", Email="p2@example.com")
    add_person(bench.connection, 2, surname="Two", company_name="C")
    register(bench.connection, 2, 2)
    bench.fault("collections.create", "reset_before", nth=1)
    bench.cycle()
    assert bench.states()["registration:2"] == "in_flight"
    first, second = (each["Id"] for each in bench.records("Lead"))
    bench.admin("merge", object="Lead", master_id=second, ids=[first])
    for _ in range(2):
        bench.cycle()
    assert [each["WhoId"] for each in bench.records("Event")] == [second, second]
    assert set(bench.states().values()) == {"done"}


def test_an_activity_that_people_deleted_before_its_lead_was_converted_does_not_come_again(
    bench: Bench,
) -> None:
    one_registration(bench)
    bench.cycle()
    attend(bench.connection, 1, 1, minute=30)
    bench.fault("collections.create", "reset_after", nth=1)
    bench.cycle()
    assert bench.states()["attendance:1"] == "in_flight"
    registered, attended = bench.records("Event")
    delete(bench, "Event", attended["Id"])
    bench.admin("convert", lead_id=bench.records("Lead")[0]["Id"])
    for _ in range(2):
        assert bench.cycle().state == "Complete"
    living = [each["Id"] for each in bench.records("Event") if not each["IsDeleted"]]
    assert living == [registered["Id"]]
    assert set(bench.states().values()) == {"done"}
