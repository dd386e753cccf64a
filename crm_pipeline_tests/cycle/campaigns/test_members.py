"""Members of campaigns: each person once, with the status that the source gives them."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from crm_pipeline.accounts.store import FieldMapping, set_field_mapping
from crm_pipeline.database.statements import statement
from crm_pipeline.ledger.campaigns import add_campaign_link
from crm_pipeline.local_org.seeding import seed
from crm_pipeline.local_org.weather import ActiveFault, Weather
from crm_pipeline_tests.cycle.campaigns.scenes import (
    add_events,
    event_id,
    hours_pass_without_a_look_at_conversions,
    members,
    one_registration,
    says,
    switch_on,
    ten_thousand_known_people,
)
from crm_pipeline_tests.cycle.conftest import Bench
from crm_pipeline_tests.depth import deep_but_first
from crm_pipeline_tests.flows.webinars.warehouse import (
    LONG_AGO,
    add_person,
    attend,
    register,
)


def test_an_attendee_moves_forward_and_a_late_registration_never_takes_that_back(
    bench: Bench,
) -> None:
    switch_on(bench)
    one_registration(bench)
    bench.cycle()
    attend(bench.connection, 1, 1, minute=60)
    bench.cycle()
    assert members(bench) == [("Attended", True)]
    register(bench.connection, 2, 1, session=2, minute=120)
    bench.cycle()
    assert members(bench) == [("Attended", True)]
    assert len(bench.records("Campaign")) == 1


@pytest.mark.deep
def test_who_cancelled_and_registers_again_is_registered_again(bench: Bench) -> None:
    switch_on(bench)
    one_registration(bench)
    bench.cycle()
    says(bench, 1, "cancelled", minute=60)
    bench.cycle()
    assert members(bench) == [("Cancelled", False)]
    says(bench, 1, "registered", minute=120)
    bench.cycle()
    assert members(bench) == [("Registered", False)]


def test_one_of_two_sessions_cancelled_leaves_the_other_and_costs_nothing(bench: Bench) -> None:
    switch_on(bench)
    one_registration(bench)
    register(bench.connection, 2, 1, session=2, minute=1)
    bench.cycle()
    says(bench, 1, "cancelled", minute=120)
    report = bench.cycle(frozenset({"campaigns", "campaign_members"}))
    assert (members(bench), report.counts.api_calls) == ([("Registered", False)], 0)
    says(bench, 2, "cancelled", minute=240)
    bench.cycle()
    assert members(bench) == [("Cancelled", False)]


def test_an_attendance_that_is_taken_back_is_none_in_the_org_either(bench: Bench) -> None:
    switch_on(bench)
    one_registration(bench)
    attend(bench.connection, 1, 1, minute=30)
    bench.cycle()
    assert members(bench) == [("Attended", True)]
    bench.connection.execute(
        text("UPDATE warehouse.attendance SET minutes_attended = 0, shipped_at = :at"),
        {"at": LONG_AGO + timedelta(hours=3)},
    )
    bench.cycle()
    assert members(bench) == [("Registered", False)]


@pytest.mark.deep
@pytest.mark.parametrize("by_hand", ["Attended", "Responded"])
def test_a_status_that_people_gave_stays_where_it_means_more(bench: Bench, by_hand: str) -> None:
    switch_on(bench)
    one_registration(bench)
    bench.cycle()
    [member] = bench.records("CampaignMember")
    member["Status"], member["HasResponded"] = by_hand, True
    for minute, said in ((60, "cancelled"), (120, "registered")):
        says(bench, 1, said, minute=minute)
        bench.cycle()
        assert members(bench) == [(by_hand, True)]


def test_members_that_were_made_before_rows_were_remembered_are_put_right(bench: Bench) -> None:
    """Cancelled is whoever cancelled one of two sessions: so it was, and is so no more."""
    switch_on(bench)
    one_registration(bench)
    register(bench.connection, 2, 1, session=2, minute=1)
    says(bench, 1, "cancelled", minute=2)
    says(bench, 2, "cancelled", minute=2)
    bench.cycle()
    assert members(bench) == [("Cancelled", False)]
    bench.connection.execute(text("UPDATE crm.operation SET memory = NULL"))
    bench.connection.execute(text("UPDATE crm.campaign_mapping SET fingerprint = 'older rules'"))
    # As the warehouse had it all along: nothing of this is shipped anew.
    bench.connection.execute(
        text("UPDATE warehouse.registration SET status = 'registered' WHERE registration_id = 2")
    )
    bench.cycle()
    assert members(bench) == [("Registered", False)]
    [memory] = bench.connection.scalars(
        text("SELECT memory FROM crm.operation WHERE kind = 'member' AND version = 2")
    )
    assert {key: word[:2] for key, word in memory["rows"].items()} == {
        "r1": [1, "cancelled"],
        "r2": [2, "registered"],
    }


def test_a_status_word_that_nobody_explained_is_held_told_and_explained(bench: Bench) -> None:
    switch_on(bench)
    one_registration(bench)
    says(bench, 1, "maybe", minute=0)
    report = bench.cycle()
    assert (report.state, members(bench)) == ("Complete", [])
    assert "'maybe' (1)" in report.notes
    assert "stage_of" in report.notes
    check = statement("checks/every_status_word_is_known")
    asked = {"account_ids": ["acme"], "freshness_minutes": 60}
    [verdict] = bench.connection.execute(check, asked)
    assert (verdict.passed, verdict.members_held) == (False, 1)
    bench.settings(stage_of={"Maybe": "registered"})
    bench.cycle()
    assert members(bench) == [("Registered", False)]
    [verdict] = bench.connection.execute(check, asked)
    assert (verdict.passed, verdict.members_held) == (True, 0)


def test_waitlisted_people_are_members_only_where_the_account_says_so(bench: Bench) -> None:
    switch_on(bench)
    one_registration(bench)
    says(bench, 1, "waitlisted", minute=0)
    bench.cycle()
    assert members(bench) == []
    switch_on(bench, waitlisted={"label": "Waitlisted", "priority": 0})
    bench.cycle()
    assert members(bench) == []
    assert bench.records("Lead") == []
    bench.settings(people_from_stages=["registered", "attended", "waitlisted"])
    bench.cycle()
    bench.connection.execute(text("UPDATE crm.campaign_mapping SET fingerprint = ''"))
    bench.cycle()
    assert members(bench) == [("Waitlisted", False)]
    says(bench, 1, "approved", minute=60)
    bench.cycle()
    assert members(bench) == [("Registered", False)]


def test_a_member_that_is_there_is_updated_with_its_further_fields(bench: Bench) -> None:
    switch_on(bench)
    lead = bench.seed("Lead", LastName="L", Company="C", Email="p1@example.com")
    campaign = bench.seed("Campaign", Name="Ours")
    add_campaign_link(bench.connection, "acme", str(event_id(bench)), campaign)
    bench.seed("CampaignMember", CampaignId=campaign, LeadId=lead, Status="Sent")
    one_registration(bench)
    report = bench.cycle()
    assert members(bench) == [("Registered", False)]
    assert (report.tally.overall("members_created"), report.tally.overall("members_updated")) == (
        0,
        1,
    )


def test_who_responded_already_is_not_taken_back_to_registered(bench: Bench) -> None:
    switch_on(bench)
    lead = bench.seed("Lead", LastName="L", Company="C", Email="p1@example.com")
    campaign = bench.seed("Campaign", Name="Ours")
    add_campaign_link(bench.connection, "acme", str(event_id(bench)), campaign)
    bench.seed("CampaignMember", CampaignId=campaign, LeadId=lead, Status="Responded")
    one_registration(bench)
    bench.cycle()
    assert members(bench) == [("Responded", True)]


@pytest.mark.parametrize("action", ["reset_before", "reset_after"])
@pytest.mark.parametrize("nth", deep_but_first(2, [5, 6, 3, 4]))
def test_a_lost_answer_makes_no_second_campaign_and_no_second_member(
    bench: Bench, action: str, nth: int
) -> None:
    switch_on(bench)
    one_registration(bench)
    attend(bench.connection, 1, 1, minute=30)
    bench.fault("composite", action, nth=nth)
    for _ in range(4):
        bench.cycle()
    assert len(bench.records("Campaign")) == 1
    assert members(bench) == [("Attended", True)]
    assert set(bench.states().values()) == {"done"}


def test_a_converted_lead_is_a_member_through_its_contact_with_the_better_status(
    bench: Bench,
) -> None:
    switch_on(bench)
    one_registration(bench)
    attend(bench.connection, 1, 1, minute=30)
    bench.cycle()
    [lead], [campaign] = bench.records("Lead"), bench.records("Campaign")
    contact = bench.seed("Contact", LastName="L", Email="other@example.com")
    bench.seed("CampaignMember", CampaignId=campaign["Id"], ContactId=contact, Status="Registered")
    bench.admin("convert", lead_id=lead["Id"], contact_id=contact)
    assert members(bench) == [("Registered", False)], "Salesforce keeps the contact's own"
    register(bench.connection, 2, 1, session=2, minute=120)
    assert bench.cycle().state == "Complete"
    [member] = bench.records("CampaignMember")
    assert (member["ContactId"], member["Status"]) == (contact, "Attended")


def test_a_conversion_is_noticed_within_a_day_even_if_nothing_new_comes(bench: Bench) -> None:
    switch_on(bench)
    one_registration(bench)
    attend(bench.connection, 1, 1, minute=30)
    bench.cycle()
    [lead], [campaign] = bench.records("Lead"), bench.records("Campaign")
    contact = bench.seed("Contact", LastName="L", Email="other@example.com")
    bench.seed("CampaignMember", CampaignId=campaign["Id"], ContactId=contact, Status="Registered")
    bench.admin("convert", lead_id=lead["Id"], contact_id=contact)
    hours_pass_without_a_look_at_conversions(bench, 2)
    assert bench.cycle().counts.api_calls == 0, "not for this alone, so soon"
    hours_pass_without_a_look_at_conversions(bench, 25)
    report = bench.cycle()
    assert (report.state, report.counts.api_calls) == ("Complete", 3)
    assert [(each["ContactId"], each["Status"]) for each in bench.records("CampaignMember")] == [
        (contact, "Attended")
    ]
    assert bench.cycle().counts.api_calls == 0
    register(bench.connection, 2, 1, session=2, minute=120)
    assert bench.cycle().tally.overall("failed") == 0
    assert {event["WhoId"] for event in bench.records("Event")} == {contact}


def test_conversions_are_looked_for_once_an_hour_where_the_org_is_asked_anyway(
    bench: Bench,
) -> None:
    switch_on(bench)
    one_registration(bench)
    bench.cycle()
    [lead] = bench.records("Lead")
    contact = bench.admin("convert", lead_id=lead["Id"])["contact_id"]
    hours_pass_without_a_look_at_conversions(bench, 2)
    add_person(bench.connection, 2)
    register(bench.connection, 2, 2, minute=60)
    bench.cycle()
    [identity] = bench.connection.execute(
        text("SELECT salesforce_id, sent FROM crm.identity WHERE address = 'p1@example.com'")
    )
    assert identity.salesforce_id == contact
    assert identity.sent["LastName"] == "Last 1"


def test_two_people_of_one_record_are_one_member(bench: Bench) -> None:
    switch_on(bench)
    for number in (1, 2):
        add_person(bench.connection, number)
        register(bench.connection, number, number)
    bench.cycle()
    first, second = bench.records("Lead")
    bench.admin("merge", object="Lead", master_id=first["Id"], ids=[second["Id"]])
    attend(bench.connection, 2, 2, minute=60)
    for _ in range(2):
        bench.cycle()
    assert members(bench) == [("Attended", True)]


@pytest.mark.parametrize(("chosen", "contacts"), [("Contact", 1), ("neither", 0)])
def test_an_unknown_email_becomes_what_the_account_says(
    bench: Bench, chosen: str, contacts: int
) -> None:
    switch_on(bench)
    bench.settings(unknown_email=chosen)
    one_registration(bench)
    report = bench.cycle()
    assert report.state == "Complete"
    assert bench.records("Lead") == []
    assert len(bench.records("Contact")) == len(bench.records("CampaignMember")) == contacts
    assert bench.cycle().counts.api_calls == 0


def test_a_stranger_who_is_known_by_now_gets_all_memberships(bench: Bench) -> None:
    switch_on(bench)
    bench.settings(unknown_email="neither")
    one_registration(bench)
    bench.cycle()
    lead = bench.seed("Lead", LastName="L", Company="C", Email="p1@example.com")
    attend(bench.connection, 1, 1, minute=60)
    bench.cycle()
    assert [each["LeadId"] for each in bench.records("CampaignMember")] == [lead]
    assert {event["WhoId"] for event in bench.records("Event")} == {lead}
    assert len(bench.records("Event")) == 2


@pytest.mark.deep
@pytest.mark.parametrize(
    ("policy", "company", "title"),
    [
        (None, "Company 1", "CTO"),
        ("never", "Old", None),
        ("when_empty", "Old", "CTO"),
        ("source", "Company 1", "CTO"),
    ],
)
def test_fields_of_existing_people_are_written_as_the_account_says_or_else_as_ever(
    bench: Bench, policy: str | None, company: str, title: str | None
) -> None:
    switch_on(bench)
    bench.settings(person_fields=policy, person_field_policies={"LastName": "never"})
    bench.seed("Lead", LastName="Real", Company="Old", Email="p1@example.com")
    add_person(bench.connection, 1, job_title="CTO")
    register(bench.connection, 1, 1)
    bench.cycle()
    [lead] = bench.records("Lead")
    assert (lead["LastName"], lead["Company"], lead.get("Title")) == ("Real", company, title)
    lead["City"] = "Bonn"
    bench.connection.execute(
        text("UPDATE warehouse.person SET city = 'Rome', shipped_at = :at"),
        {"at": LONG_AGO + timedelta(days=1)},
    )
    bench.cycle()
    assert bench.records("Lead")[0]["City"] == ("Rome" if policy in (None, "source") else "Bonn")


def test_events_of_one_campaign_share_their_members_and_the_furthest_status_stands(
    bench: Bench,
) -> None:
    campaign = bench.seed("Campaign", Name="Ours")
    add_events(bench, 3)
    for event in range(4):
        add_campaign_link(bench.connection, "acme", str(event_id(bench) + event), campaign)
        if event:
            register(bench.connection, 10 + event, 0, session=10 + event)
    attend(bench.connection, 1, 0, session=12, minute=30)
    switch_on(bench, no_show_after_hours=None)
    for _ in range(2):
        assert bench.cycle().state == "Complete"
    came = [each["Status"] for each in bench.records("CampaignMember")]
    assert sorted(came) == ["Attended", "Registered", "Registered", "Registered"]
    assert set(bench.states().values()) == {"done"}


def test_a_mapped_column_stands_in_the_member(bench: Bench) -> None:
    switch_on(bench)
    one_registration(bench)
    bench.cycle()
    for field, column in (("Minutes__c", "minutes_attended"), ("Nope__c", "source")):
        mapping = FieldMapping("CampaignMember", field, source=column)
        set_field_mapping(bench.connection, "acme", mapping)
    attend(bench.connection, 1, 1, minute=30)
    report = bench.cycle()
    assert "Nope__c" in report.notes, "this org has no such field: it is left out and told"
    assert members(bench) == [("Attended", True)]
    assert bench.records("CampaignMember")[0]["Minutes__c"] == 30


@pytest.mark.deep
@pytest.mark.parametrize("linked", [False, True])
def test_members_of_ten_thousand_registrations_take_twelve_further_calls(
    bench: Bench, linked: bool
) -> None:
    """Ten with members, and two: to describe and create, or to find it and who is there."""
    ten_thousand_known_people(bench)
    if linked:
        campaign = bench.seed("Campaign", Name="Ours")
        add_campaign_link(bench.connection, "acme", str(event_id(bench)), campaign)
    switch_on(bench)
    report = bench.cycle(frozenset({"campaigns", "campaign_members"}))
    assert (len(bench.records("CampaignMember")), report.tally.overall("failed")) == (10_000, 0)
    assert report.counts.api_calls == 12, report.api_calls_by_kind
    assert report.counts.data_storage_mb == (20 if linked else 21), "2 KB each; a campaign has 8"


@pytest.mark.parametrize("route", ["composite", "bulk"])
def test_somebody_who_adds_the_member_before_we_do_makes_it_an_update(
    bench: Bench, route: str
) -> None:
    class Colleague(Weather):
        """Adds the member as soon as there is a campaign: just before a call of ours."""

        def take(self, kind: str) -> ActiveFault | None:
            campaigns, leads = bench.records("Campaign"), bench.records("Lead")
            if campaigns and leads and not bench.records("CampaignMember"):
                member = {"CampaignId": campaigns[0]["Id"], "LeadId": leads[0]["Id"]}
                seed(bench.org, {"CampaignMember": [{**member, "Status": "Sent"}]})
            return None

    bench.settings(route=route)
    bench.org.weather = Colleague()
    switch_on(bench)
    one_registration(bench)
    report = bench.cycle()
    assert (report.state, report.tally.overall("failed")) == ("Complete", 0)
    assert (report.tally.overall("members_created"), report.tally.overall("members_updated")) == (
        0,
        1,
    )
    assert members(bench) == [("Registered", False)]
    [sent] = bench.connection.scalars(
        text("SELECT reason FROM crm.operation WHERE kind = 'member' AND state = 'done'")
    )
    assert sent == "already a member"
    assert bench.cycle().counts.api_calls == 0
