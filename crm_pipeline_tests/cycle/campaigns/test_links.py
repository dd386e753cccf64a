"""Campaigns of events: which one, what becomes of it, and what is read again when that changes."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from crm_pipeline.accounts.store import push_session
from crm_pipeline.ledger.campaigns import add_campaign_link, queue_backfill
from crm_pipeline.local_org.transaction import WriteContext, committed
from crm_pipeline_tests.cycle.campaigns.scenes import (
    add_events,
    delete,
    event_id,
    key,
    members,
    one_registration,
    switch_on,
)
from crm_pipeline_tests.cycle.conftest import Bench
from crm_pipeline_tests.flows.webinars.warehouse import (
    LONG_AGO,
    add_person,
    attend,
    register,
)


def test_an_account_that_has_campaigns_off_spends_nothing_on_them(bench: Bench) -> None:
    one_registration(bench)
    report = bench.cycle()
    assert (report.counts.api_calls, bench.records("Campaign")) == (3, [])
    assert not any("campaign" in key or "member" in key for key in bench.states())


def test_an_event_becomes_a_campaign_and_a_registration_a_member_of_it(bench: Bench) -> None:
    switch_on(bench)
    one_registration(bench)
    report = bench.cycle()
    assert (report.state, report.reason, report.notes) == ("Complete", "", "")
    [campaign] = bench.records("Campaign")
    assert (campaign["Name"], campaign["Type"]) == ("Expo", "Webinar")
    assert (campaign["StartDate"], campaign["IsActive"]) == ("2026-03-01", True)
    [member] = bench.records("CampaignMember")
    [lead] = bench.records("Lead")
    assert (member["LeadId"], member["CampaignId"]) == (lead["Id"], campaign["Id"])
    assert (member["Status"], member["HasResponded"]) == ("Registered", False)
    assert (report.tally.overall("campaigns_created"), report.tally.overall("members_created")) == (
        1,
        1,
    )
    assert bench.cycle().counts.api_calls == 0


def test_a_linked_campaign_gets_the_statuses_that_it_lacks(bench: Bench) -> None:
    campaign = bench.seed("Campaign", Name="Ours")
    add_campaign_link(bench.connection, "acme", str(event_id(bench)), campaign)
    switch_on(bench, create_campaigns=False)
    one_registration(bench)
    attend(bench.connection, 1, 1, minute=9)
    report = bench.cycle()
    assert report.state == "Complete"
    assert members(bench) == [("Attended", True)]
    labels = {each["Label"] for each in bench.records("CampaignMemberStatus")}
    assert {"Registered", "Attended", "Cancelled", "No Show"} < labels
    assert len(bench.records("Campaign")) == 1


def test_a_missing_status_may_be_reported_before_anything_is_sent(bench: Bench) -> None:
    campaign = bench.seed("Campaign", Name="Ours")
    add_campaign_link(bench.connection, "acme", str(event_id(bench)), campaign)
    switch_on(bench, unknown_status="report", cancelled=None, no_show=None)
    one_registration(bench)
    report = bench.cycle()
    assert "UNKNOWN_STATUS" in report.notes
    assert members(bench) == []
    for label in ("Registered", "Attended"):
        bench.seed("CampaignMemberStatus", CampaignId=campaign, Label=label)
    report = bench.cycle()
    assert (report.state, report.reason, report.notes) == ("Complete", "", "")
    assert members(bench) == [("Registered", False)]


@pytest.mark.parametrize("unknown_status", ["create", "report"])
def test_a_status_that_people_took_away_is_not_silently_replaced_by_the_default(
    bench: Bench, unknown_status: str
) -> None:
    switch_on(bench, unknown_status=unknown_status)
    one_registration(bench)
    bench.cycle()
    for status in bench.records("CampaignMemberStatus"):
        if status["Label"] == "Attended":
            delete(bench, "CampaignMemberStatus", status["Id"])
    attend(bench.connection, 1, 1, minute=30)
    report = bench.cycle()
    assert ("UNKNOWN_STATUS" in report.notes) == (unknown_status == "report")
    came = unknown_status == "create"
    assert members(bench) == [("Attended", True) if came else ("Registered", False)]
    assert bench.states()["member:" + key(bench, 1)] == ("done" if came else "pending")


def test_a_campaign_that_a_lost_answer_made_and_that_lacks_a_status_is_not_made_again(
    bench: Bench,
) -> None:
    """The refusal had made it forget what had been sent, and so for what to seek."""
    switch_on(bench, unknown_status="report")
    one_registration(bench)
    bench.fault("composite", "reset_after", nth=5)
    bench.cycle()
    assert len(bench.records("Campaign")) == 1
    assert bench.states()[f"campaign:{event_id(bench)}"] == "in_flight"
    [attended] = [s for s in bench.records("CampaignMemberStatus") if s["Label"] == "Attended"]
    delete(bench, "CampaignMemberStatus", attended["Id"])
    for _ in range(3):
        assert "UNKNOWN_STATUS" in bench.cycle().notes
    assert len(bench.records("Campaign")) == 1
    bench.seed("CampaignMemberStatus", CampaignId=attended["CampaignId"], Label="Attended")
    bench.cycle()
    assert members(bench) == [("Registered", False)]
    assert len(bench.records("Campaign")) == 1


def test_a_campaign_is_found_by_its_external_id(bench: Bench) -> None:
    event = str(event_id(bench))
    mine = bench.seed("Campaign", Name="Ours", Event_Key__c=event)
    switch_on(bench, external_id_field="Event_Key__c", create_campaigns=False)
    one_registration(bench)
    bench.cycle()
    assert [each["CampaignId"] for each in bench.records("CampaignMember")] == [mine]


def test_a_campaign_that_is_created_has_the_external_id(bench: Bench) -> None:
    switch_on(bench, external_id_field="Event_Key__c")
    one_registration(bench)
    bench.cycle()
    assert [each["Event_Key__c"] for each in bench.records("Campaign")] == [str(event_id(bench))]
    assert members(bench) == [("Registered", False)]


@pytest.mark.deep
@pytest.mark.parametrize(
    ("field", "state", "said"),
    [
        ("Nope__c", "Failed", "does not show Campaign.Nope__c"),
        ("Plain__c", "Complete", "NO_EXTERNAL_ID"),
    ],
)
def test_a_field_that_cannot_be_the_external_id_is_named_and_may_be_mended(
    bench: Bench, field: str, state: str, said: str
) -> None:
    switch_on(bench, external_id_field=field)
    one_registration(bench)
    report = bench.cycle()
    assert report.state == state
    assert said in report.reason + report.notes
    assert len(bench.records("Event")) == 1, "the webinar's part goes on"
    switch_on(bench, external_id_field="Event_Key__c")
    assert bench.cycle().reason == ""
    assert members(bench) == [("Registered", False)]


def test_an_event_without_a_campaign_waits_for_one(bench: Bench) -> None:
    switch_on(bench, create_campaigns=False)
    one_registration(bench)
    report = bench.cycle()
    assert (report.state, report.tally.overall("memberships_without_campaign_or_status")) == (
        "Complete",
        1,
    )
    assert bench.records("CampaignMember") == []
    campaign = bench.seed("Campaign", Name="Ours")
    add_campaign_link(bench.connection, "acme", str(event_id(bench)), campaign)
    queue_backfill(bench.connection, "acme", {event_id(bench): 1})
    bench.cycle()
    assert members(bench) == [("Registered", False)]


def moved(bench: Bench, *, hours: int, **event: Any) -> None:
    """The event has another name or other days, shipped so much later."""
    changed = ", ".join(f"{name} = :{name}" for name in event)
    bench.connection.execute(
        text(f"UPDATE warehouse.event SET {changed}, shipped_at = :at"),
        {**event, "at": LONG_AGO + timedelta(hours=hours)},
    )


def shown(bench: Bench) -> tuple[str, str, str]:
    [campaign] = bench.records("Campaign")
    return campaign["Name"], campaign["StartDate"], campaign["EndDate"]


@pytest.mark.deep
def test_a_campaign_that_we_made_follows_its_event_but_not_where_people_changed_it(
    bench: Bench,
) -> None:
    switch_on(bench)
    one_registration(bench)
    bench.cycle()
    assert shown(bench) == ("Expo", "2026-03-01", "2026-03-01")
    later = LONG_AGO + timedelta(days=30)
    moved(bench, hours=2, name="Expo, put off", starts_at=later, ends_at=later)
    report = bench.cycle()
    assert shown(bench) == ("Expo, put off", "2026-03-31", "2026-03-31")
    assert report.counts.api_calls == 3, "to look it up, to change it, and what the activity says"
    bench.records("Campaign")[0]["Name"] = "Ours, by hand"
    later += timedelta(days=1)
    moved(bench, hours=4, name="Expo, at last", starts_at=later, ends_at=later)
    bench.cycle()
    assert shown(bench) == ("Ours, by hand", "2026-04-01", "2026-04-01")
    assert bench.cycle().counts.api_calls == 0
    assert members(bench) == [("Registered", False)]


def test_a_campaign_follows_its_event_though_the_clock_was_set_back(bench: Bench) -> None:
    """What was wanted by the new time counted as older, and the campaign kept the former name."""
    switch_on(bench)
    one_registration(bench)
    bench.cycle()
    for table, column in (("operation", "as_of"), ("account_clock", "said_at")):
        an_hour_ahead = f"UPDATE crm.{table} SET {column} = now() + interval '1 hour'"
        bench.connection.execute(text(f"{an_hour_ahead} WHERE account_id = 'acme'"))
    bench.connection.execute(text("UPDATE warehouse.event SET name = 'New', shipped_at = now()"))
    assert bench.cycle().state == "Complete"
    assert [each["Name"] for each in bench.records("Campaign")] == ["New"]


@pytest.mark.parametrize("named", [True, False])
def test_a_campaign_that_others_made_keeps_its_name(bench: Bench, named: bool) -> None:
    event = str(event_id(bench))
    campaign = bench.seed("Campaign", Name="Expo", Event_Key__c=event, StartDate="2026-03-01")
    if named:
        add_campaign_link(bench.connection, "acme", str(event_id(bench)), campaign)
    switch_on(bench, external_id_field="Event_Key__c")
    one_registration(bench)
    bench.cycle()
    moved(bench, hours=2, name="Other")
    bench.cycle()
    [there] = bench.records("Campaign")
    assert (there["Name"], there["StartDate"]) == ("Expo", "2026-03-01")


@pytest.mark.deep
@pytest.mark.parametrize("action", ["reset_before", "reset_after"])
def test_a_lost_answer_leaves_the_name_to_follow_in_the_next_cycle(
    bench: Bench, action: str
) -> None:
    switch_on(bench)
    one_registration(bench)
    bench.cycle()
    moved(bench, hours=2, name="Expo II")
    bench.fault("update", action, nth=1)
    bench.cycle()
    assert bench.states()[f"campaign:{event_id(bench)}"] == "pending"
    for _ in range(2):
        bench.cycle()
    assert shown(bench)[0] == "Expo II"
    moved(bench, hours=4, name="Expo III")
    bench.cycle()
    assert shown(bench)[0] == "Expo III"


@pytest.mark.deep
def test_a_campaign_that_is_locked_follows_in_a_later_cycle(bench: Bench) -> None:
    switch_on(bench)
    one_registration(bench)
    bench.cycle()
    moved(bench, hours=2, name="Expo II")
    bench.fault("update", "lock", nth=1)
    bench.cycle()
    assert shown(bench)[0] == "Expo"
    assert bench.states()[f"campaign:{event_id(bench)}"] == "failed"
    bench.cycle()
    assert shown(bench)[0] == "Expo II"
    assert set(bench.states().values()) == {"done"}


def test_a_campaign_follows_that_a_lost_answer_made_before_its_event_changed(bench: Bench) -> None:
    switch_on(bench)
    one_registration(bench)
    bench.fault("composite", "reset_after", nth=5)
    bench.cycle()
    assert shown(bench)[0] == "Expo"
    assert bench.states()[f"campaign:{event_id(bench)}"] == "in_flight"
    moved(bench, hours=2, name="Expo II")
    for _ in range(2):
        bench.cycle()
    assert shown(bench)[0] == "Expo II"
    assert set(bench.states().values()) == {"done"}


@pytest.mark.deep
def test_a_campaign_that_is_not_there_is_an_incident(bench: Bench) -> None:
    gone = bench.seed("Campaign", Name="x")[:12] + "ZZZ"
    add_campaign_link(bench.connection, "acme", str(event_id(bench)), gone)
    switch_on(bench)
    one_registration(bench)
    assert "NO_CAMPAIGN" in bench.cycle().notes
    assert len(bench.records("Event")) == 1, "the webinar's part goes on"


@pytest.mark.deep
@pytest.mark.parametrize("chosen", [{}, {"external_id_field": "Event_Key__c"}])
def test_a_campaign_that_people_delete_is_an_incident_until_they_restore_it(
    bench: Bench, chosen: dict[str, Any]
) -> None:
    switch_on(bench, **chosen)
    one_registration(bench)
    bench.cycle()
    [campaign] = bench.records("Campaign")
    delete(bench, "Campaign", campaign["Id"])
    add_person(bench.connection, 2)
    register(bench.connection, 2, 2, minute=60)
    report = bench.cycle()
    assert "CAMPAIGN_DELETED" in report.notes
    assert (bench.records("Campaign"), bench.states()["member:" + key(bench, 2)]) == ([], "pending")
    assert len(bench.records("Event")) == 2, "the webinar's part goes on"
    register(bench.connection, 3, 2, session=2, minute=120)
    assert "CAMPAIGN_DELETED" in bench.cycle().notes
    with committed(WriteContext(bench.org, campaign["OwnerId"])) as context:
        context.change(bench.org.table("Campaign"), campaign)
    report = bench.cycle()
    assert (report.state, report.reason, report.notes) == ("Complete", "", "")
    assert members(bench) == [("Registered", False)]


def test_another_campaign_named_for_a_deleted_one_gets_all_members(bench: Bench) -> None:
    switch_on(bench)
    one_registration(bench)
    bench.cycle()
    [campaign] = bench.records("Campaign")
    delete(bench, "Campaign", campaign["Id"])
    attend(bench.connection, 1, 1, minute=60)
    bench.cycle()
    other = bench.seed("Campaign", Name="Ours")
    add_campaign_link(bench.connection, "acme", str(event_id(bench)), other)
    queue_backfill(bench.connection, "acme", {event_id(bench): 1})
    report = bench.cycle()
    assert (report.state, report.reason, report.notes) == ("Complete", "", "")
    assert [each["CampaignId"] for each in bench.records("CampaignMember")] == [other]


@pytest.mark.parametrize("route", ["composite", "bulk"])
def test_a_linked_campaign_that_people_delete_is_an_incident(bench: Bench, route: str) -> None:
    bench.settings(route=route)
    campaign = bench.seed("Campaign", Name="Ours")
    add_campaign_link(bench.connection, "acme", str(event_id(bench)), campaign)
    switch_on(bench)
    one_registration(bench)
    bench.cycle()
    delete(bench, "Campaign", campaign)
    attend(bench.connection, 1, 1, minute=60)
    assert "NO_CAMPAIGN" in bench.cycle().notes
    [message] = bench.connection.scalars(text("SELECT message FROM crm.incident"))
    assert campaign in message
    assert "crm-pipeline campaign link" in message


@pytest.mark.parametrize("action", ["reset_before", "reset_after"])
def test_events_of_one_name_find_their_own_campaigns_again_after_a_lost_answer(
    bench: Bench, action: str
) -> None:
    switch_on(bench)
    first = event_id(bench)
    add_events(bench, 1)
    bench.fault("create", action, nth=1)
    bench.cycle()
    assert "in_flight" in bench.states().values()
    for _ in range(2):
        bench.cycle()
    lead_of = {each["Id"]: each["Email"] for each in bench.records("Lead")}
    campaigns = {each["Id"]: each["Description"] for each in bench.records("Campaign")}
    assert {
        (campaigns[each["CampaignId"]], lead_of[each["LeadId"]])
        for each in bench.records("CampaignMember")
    } == {(f"Webinar platform: event {first + n}", f"p{n}@example.com") for n in (0, 1)}
    assert set(bench.states().values()) == {"done"}


def test_events_that_have_a_campaign_keep_it_when_no_new_ones_are_to_be_created(
    bench: Bench,
) -> None:
    switch_on(bench)
    one_registration(bench)
    bench.cycle()
    switch_on(bench, create_campaigns=False)
    attend(bench.connection, 1, 1, minute=60)
    assert bench.cycle().state == "Complete"
    assert members(bench) == [("Attended", True)]


def test_members_follow_when_another_field_finds_another_campaign(bench: Bench) -> None:
    switch_on(bench)
    one_registration(bench)
    bench.cycle()
    mine = bench.seed("Campaign", Name="Ours", Event_Key__c=str(event_id(bench)))
    switch_on(bench, external_id_field="Event_Key__c")
    assert bench.cycle().state == "Complete"
    assert [each["CampaignId"] for each in bench.records("CampaignMember")][1:] == [mine]
    assert bench.cycle().counts.api_calls == 0


def test_who_was_left_out_for_want_of_a_campaign_comes_when_campaigns_are_created(
    bench: Bench,
) -> None:
    switch_on(bench, create_campaigns=False)
    one_registration(bench)
    bench.cycle()
    switch_on(bench)
    bench.cycle()
    assert members(bench) == [("Registered", False)]


def test_a_back_fill_takes_its_share_of_each_cycle_and_says_what_is_left(bench: Bench) -> None:
    switch_on(bench)
    add_events(bench, 3)
    bench.cycle()
    assert len(bench.records("Campaign")) == 4
    renamed = {"label": "Signed up", "priority": 1}
    left = []
    switch_on(bench, backfill_rows_per_cycle=2, registered=renamed)
    for _ in range(3):
        tally = bench.cycle().tally
        left.append((tally.overall("events_to_read_again"), tally.overall("rows_to_read_again")))
    assert left == [(2, 2), (0, 0), (0, 0)]
    assert members(bench) == [("Signed up", False)] * 4


def test_a_session_that_is_pushed_from_now_on_brings_its_earlier_members(bench: Bench) -> None:
    push_session(bench.connection, "acme", 1)
    switch_on(bench)
    for number, minute in ((1, 120), (2, 0)):
        add_person(bench.connection, number)
        register(bench.connection, number, number, session=number, minute=minute)
    bench.cycle()
    assert len(members(bench)) == 1
    push_session(bench.connection, "acme", 2)
    bench.cycle()
    assert len(members(bench)) == 2


def test_a_changed_status_back_fills_what_is_there(bench: Bench) -> None:
    switch_on(bench)
    one_registration(bench)
    bench.cycle()
    switch_on(bench, registered={"label": "Signed up", "priority": 1})
    report = bench.cycle()
    assert report.tally.overall("memberships_changed") == 1
    assert members(bench) == [("Signed up", False)]
    assert bench.cycle().counts.api_calls == 0


@pytest.mark.parametrize("at", ["infinity", "9999-12-31 23:59:59+00", "24989-01-01 00:00:00+00"])
def test_an_event_that_ends_at_no_usable_time_is_a_campaign_without_that_day(
    bench: Bench, at: str
) -> None:
    switch_on(bench)
    bench.connection.execute(
        text("UPDATE warehouse.event SET ends_at = CAST(:at AS timestamptz)"), {"at": at}
    )
    one_registration(bench)
    report = bench.cycle()
    assert report.state == "Complete"
    assert "EndDate" in report.notes
    [campaign] = bench.records("Campaign")
    assert (campaign["StartDate"], campaign.get("EndDate")) == ("2026-03-01", None)
    assert len(members(bench)) == 1
