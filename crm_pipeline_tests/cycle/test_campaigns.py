"""Campaigns in an account's cycle: linked or created, with members whose status moves forward."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from crm_pipeline.accounts.store import FieldMapping, push_session, set_field_mapping
from crm_pipeline.ledger.campaigns import add_campaign_link, queue_backfill
from crm_pipeline.local_org import dml
from crm_pipeline.local_org.seeding import seed
from crm_pipeline.local_org.transaction import WriteContext, committed
from crm_pipeline.local_org.weather import ActiveFault, Weather
from crm_pipeline_tests.cycle.conftest import ACCOUNT, ORG, Bench, bench_of
from crm_pipeline_tests.flows.webinars.warehouse import (
    CLIENT,
    LONG_AGO,
    add_person,
    attend,
    insert,
    register,
)

FIELDS = {
    "Campaign": {
        "fields": {
            "Event_Key__c": {"type": "string", "external_id": True},
            "Plain__c": {"type": "string"},
        }
    },
    "CampaignMember": {"fields": {"Minutes__c": {"type": "double", "scale": 0}}},
}


@pytest.fixture
def bench(pipeline: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """The bench of all cycles, with an org that has fields of its own for campaigns."""
    with bench_of({"name": ACCOUNT, **ORG, "objects": FIELDS}, pipeline, monkeypatch) as made:
        yield made


def switch_on(bench: Bench, **chosen: Any) -> None:
    bench.settings(campaigns=chosen)


def event_id(bench: Bench) -> int:
    found: int = bench.connection.execute(
        text("SELECT min(event_id) FROM warehouse.event")
    ).scalar_one()
    return found


def one_registration(bench: Bench) -> None:
    add_person(bench.connection, 1)
    register(bench.connection, 1, 1)


def members(bench: Bench) -> list[tuple[str, bool]]:
    return [(each["Status"], each["HasResponded"]) for each in bench.records("CampaignMember")]


def delete(bench: Bench, sobject: str, record_id: str) -> None:
    """As people do in the org: the members go with their campaign."""
    with committed(WriteContext(bench.org, next(iter(bench.org.users.values())).id)) as context:
        assert dml.delete(bench.org, context, sobject, record_id).success


def add_events(bench: Bench, number: int) -> None:
    """So many further events, all of one name, and somebody registered for each of them."""
    first = event_id(bench)
    times = {"starts_at": LONG_AGO, "ends_at": LONG_AGO, "shipped_at": LONG_AGO}
    for n in range(number + 1):
        session = 1 if n == 0 else 10 + n
        if n:
            ours = {"event_id": first + n, "client_id": CLIENT, **times}
            insert(bench.connection, "event", name="Expo", **ours)
            insert(bench.connection, "event_session", event_session_id=session, title="S", **ours)
        add_person(bench.connection, n)
        register(bench.connection, n, n, session=session)


def ten_thousand_known_people(bench: Bench) -> None:
    """All registered for the event, and in the org and the ledger as if cycles had seen to it."""
    leads = [
        {"LastName": f"Last {n}", "Company": "C", "Email": f"p{n}@example.com"}
        for n in range(1, 10_001)
    ]
    ids = bench.admin("seed", Lead=leads)["Lead"]
    bench.connection.execute(
        text(
            "WITH p AS (INSERT INTO warehouse.person (person_id, client_id, email, shipped_at)"
            " SELECT n, :client, 'p' || n || '@example.com', :at"
            " FROM generate_series(1, 10000) AS n RETURNING person_id)"
            " INSERT INTO warehouse.registration (registration_id, client_id, event_session_id,"
            " person_id, status, registered_at, shipped_at)"
            " SELECT person_id, :client, 1, person_id, 'registered', :at, :at FROM p"
        ),
        {"client": CLIENT, "at": LONG_AGO},
    )
    bench.connection.execute(
        text(
            "INSERT INTO crm.identity (account_id, person_key, sobject, salesforce_id, reason,"
            " sent, as_of) SELECT 'acme', 'p' || n || '@example.com', 'Lead', id, 'new', '{}', :at"
            " FROM unnest(CAST(:ids AS text [])) WITH ORDINALITY AS lead (id, n)"
        ),
        {"ids": ids, "at": LONG_AGO},
    )


def key(bench: Bench, person: int) -> str:
    return f"{event_id(bench)}:p{person}@example.com"


def test_an_account_that_has_campaigns_off_spends_nothing_on_them(bench: Bench) -> None:
    one_registration(bench)
    report = bench.cycle()
    assert (report.counts.api_calls, bench.records("Campaign")) == (3, [])
    assert not any("campaign" in key or "member" in key for key in bench.states())


def test_an_event_becomes_a_campaign_and_a_registration_a_member_of_it(bench: Bench) -> None:
    switch_on(bench)
    one_registration(bench)
    report = bench.cycle()
    assert (report.state, report.reason) == ("Complete", "")
    [campaign] = bench.records("Campaign")
    assert (campaign["Name"], campaign["Type"]) == ("Expo", "Webinar")
    assert (campaign["StartDate"], campaign["IsActive"]) == ("2026-03-01", True)
    [member] = bench.records("CampaignMember")
    [lead] = bench.records("Lead")
    assert (member["LeadId"], member["CampaignId"]) == (lead["Id"], campaign["Id"])
    assert (member["Status"], member["HasResponded"]) == ("Registered", False)
    assert (report.counts.campaigns_created, report.counts.members_created) == (1, 1)
    assert bench.cycle().counts.api_calls == 0


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


def test_a_linked_campaign_gets_the_statuses_that_it_lacks(bench: Bench) -> None:
    campaign = bench.seed("Campaign", Name="Ours")
    add_campaign_link(bench.connection, "acme", event_id(bench), campaign)
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
    add_campaign_link(bench.connection, "acme", event_id(bench), campaign)
    switch_on(bench, unknown_status="report", cancelled=None, no_show=None)
    one_registration(bench)
    report = bench.cycle()
    assert "UNKNOWN_STATUS" in report.reason
    assert members(bench) == []
    for label in ("Registered", "Attended"):
        bench.seed("CampaignMemberStatus", CampaignId=campaign, Label=label)
    report = bench.cycle()
    assert (report.state, report.reason) == ("Complete", "")
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
    assert ("UNKNOWN_STATUS" in report.reason) == (unknown_status == "report")
    came = unknown_status == "create"
    assert members(bench) == [("Attended", True) if came else ("Registered", False)]
    assert bench.states()["member:" + key(bench, 1)] == ("done" if came else "pending")


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


@pytest.mark.parametrize(
    ("field", "state", "said"),
    [
        ("Nope__c", "Failed", "no field Campaign.Nope__c"),
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
    assert said in report.reason
    assert len(bench.records("Event")) == 1, "the webinar's part goes on"
    switch_on(bench, external_id_field="Event_Key__c")
    assert bench.cycle().reason == ""
    assert members(bench) == [("Registered", False)]


def test_an_event_without_a_campaign_waits_for_one(bench: Bench) -> None:
    switch_on(bench, create_campaigns=False)
    one_registration(bench)
    report = bench.cycle()
    assert (report.state, report.counts.members_rejected) == ("Complete", 1)
    assert bench.records("CampaignMember") == []
    campaign = bench.seed("Campaign", Name="Ours")
    add_campaign_link(bench.connection, "acme", event_id(bench), campaign)
    queue_backfill(bench.connection, "acme", {event_id(bench): 1})
    bench.cycle()
    assert members(bench) == [("Registered", False)]


def test_a_campaign_that_is_not_there_is_an_incident(bench: Bench) -> None:
    add_campaign_link(
        bench.connection, "acme", event_id(bench), bench.seed("Campaign", Name="x")[:12] + "ZZZ"
    )
    switch_on(bench)
    one_registration(bench)
    assert "NO_CAMPAIGN" in bench.cycle().reason
    assert len(bench.records("Event")) == 1, "the webinar's part goes on"


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
    assert "CAMPAIGN_DELETED" in report.reason
    assert (bench.records("Campaign"), bench.states()["member:" + key(bench, 2)]) == ([], "pending")
    assert len(bench.records("Event")) == 2, "the webinar's part goes on"
    register(bench.connection, 3, 2, session=2, minute=120)
    assert "CAMPAIGN_DELETED" in bench.cycle().reason
    with committed(WriteContext(bench.org, campaign["OwnerId"])) as context:
        context.change(bench.org.table("Campaign"), campaign)
    report = bench.cycle()
    assert (report.state, report.reason) == ("Complete", "")
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
    add_campaign_link(bench.connection, "acme", event_id(bench), other)
    queue_backfill(bench.connection, "acme", {event_id(bench): 1})
    report = bench.cycle()
    assert (report.state, report.reason) == ("Complete", "")
    assert [each["CampaignId"] for each in bench.records("CampaignMember")] == [other]


@pytest.mark.parametrize("route", ["composite", "bulk"])
def test_a_linked_campaign_that_people_delete_is_an_incident(bench: Bench, route: str) -> None:
    bench.settings(route=route)
    campaign = bench.seed("Campaign", Name="Ours")
    add_campaign_link(bench.connection, "acme", event_id(bench), campaign)
    switch_on(bench)
    one_registration(bench)
    bench.cycle()
    delete(bench, "Campaign", campaign)
    attend(bench.connection, 1, 1, minute=60)
    assert "NO_CAMPAIGN" in bench.cycle().reason
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
    bench.fault("composite", action, nth=4)
    for _ in range(3):
        bench.cycle()
    lead_of = {each["Id"]: each["Email"] for each in bench.records("Lead")}
    campaigns = {each["Id"]: each["Description"] for each in bench.records("Campaign")}
    assert {
        (campaigns[each["CampaignId"]], lead_of[each["LeadId"]])
        for each in bench.records("CampaignMember")
    } == {(f"Webinar platform: event {first + n}", f"p{n}@example.com") for n in (0, 1)}
    assert set(bench.states().values()) == {"done"}


def test_a_member_that_is_there_is_updated_with_its_further_fields(bench: Bench) -> None:
    switch_on(bench)
    lead = bench.seed("Lead", LastName="L", Company="C", Email="p1@example.com")
    campaign = bench.seed("Campaign", Name="Ours")
    add_campaign_link(bench.connection, "acme", event_id(bench), campaign)
    bench.seed("CampaignMember", CampaignId=campaign, LeadId=lead, Status="Sent")
    one_registration(bench)
    report = bench.cycle()
    assert members(bench) == [("Registered", False)]
    assert (report.counts.members_created, report.counts.members_updated) == (0, 1)


def test_who_responded_already_is_not_taken_back_to_registered(bench: Bench) -> None:
    switch_on(bench)
    lead = bench.seed("Lead", LastName="L", Company="C", Email="p1@example.com")
    campaign = bench.seed("Campaign", Name="Ours")
    add_campaign_link(bench.connection, "acme", event_id(bench), campaign)
    bench.seed("CampaignMember", CampaignId=campaign, LeadId=lead, Status="Responded")
    one_registration(bench)
    bench.cycle()
    assert members(bench) == [("Responded", True)]


@pytest.mark.parametrize("action", ["reset_before", "reset_after"])
@pytest.mark.parametrize("nth", [1, 2, 3])
def test_a_lost_answer_makes_no_second_campaign_and_no_second_member(
    bench: Bench, action: str, nth: int
) -> None:
    switch_on(bench)
    one_registration(bench)
    attend(bench.connection, 1, 1, minute=30)
    bench.fault("composite", action, nth=nth + 2)
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


def hours_pass_without_a_look_at_conversions(bench: Bench, hours: int) -> None:
    bench.connection.execute(
        text(
            "UPDATE crm.campaign_mapping"
            " SET conversions_seen_at = now() - make_interval(hours => :hours)"
        ),
        {"hours": hours},
    )


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
    assert bench.cycle().counts.failed == 0
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
        text("SELECT salesforce_id, sent FROM crm.identity WHERE person_key = 'p1@example.com'")
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
    switch_on(bench, unknown_email=chosen)
    one_registration(bench)
    report = bench.cycle()
    assert report.state == "Complete"
    assert bench.records("Lead") == []
    assert len(bench.records("Contact")) == len(bench.records("CampaignMember")) == contacts
    assert bench.cycle().counts.api_calls == 0


def test_a_stranger_who_is_known_by_now_gets_all_memberships(bench: Bench) -> None:
    switch_on(bench, unknown_email="neither")
    one_registration(bench)
    bench.cycle()
    lead = bench.seed("Lead", LastName="L", Company="C", Email="p1@example.com")
    attend(bench.connection, 1, 1, minute=60)
    bench.cycle()
    assert [each["LeadId"] for each in bench.records("CampaignMember")] == [lead]
    assert {event["WhoId"] for event in bench.records("Event")} == {lead}
    assert len(bench.records("Event")) == 2


@pytest.mark.parametrize(
    ("policy", "company", "title"),
    [
        (None, "Company 1", "CTO"),
        ("never", "Old", None),
        ("when_empty", "Old", "CTO"),
        ("always", "Company 1", "CTO"),
    ],
)
def test_fields_of_existing_people_are_written_as_the_account_says_or_else_as_ever(
    bench: Bench, policy: str | None, company: str, title: str | None
) -> None:
    switch_on(bench, person_fields=policy, person_field_policies={"LastName": "never"})
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
    assert bench.records("Lead")[0]["City"] == ("Rome" if policy in (None, "always") else "Bonn")


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
        counts = bench.cycle().counts
        left.append((counts.backfills_waiting, counts.backfill_rows_waiting))
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


def test_events_of_one_campaign_share_their_members_and_the_furthest_status_stands(
    bench: Bench,
) -> None:
    campaign = bench.seed("Campaign", Name="Ours")
    add_events(bench, 3)
    for event in range(4):
        add_campaign_link(bench.connection, "acme", event_id(bench) + event, campaign)
        if event:
            register(bench.connection, 10 + event, 0, session=10 + event)
    attend(bench.connection, 1, 0, session=12, minute=30)
    switch_on(bench)
    for _ in range(2):
        assert bench.cycle().state == "Complete"
    came = [each["Status"] for each in bench.records("CampaignMember")]
    assert sorted(came) == ["Attended", "Registered", "Registered", "Registered"]
    assert set(bench.states().values()) == {"done"}


def test_a_changed_status_back_fills_what_is_there(bench: Bench) -> None:
    switch_on(bench)
    one_registration(bench)
    bench.cycle()
    switch_on(bench, registered={"label": "Signed up", "priority": 1})
    report = bench.cycle()
    assert report.counts.members_changed == 1
    assert members(bench) == [("Signed up", False)]
    assert bench.cycle().counts.api_calls == 0


def test_a_mapped_column_stands_in_the_member(bench: Bench) -> None:
    switch_on(bench)
    one_registration(bench)
    bench.cycle()
    for field, column in (("Minutes__c", "minutes_attended"), ("Nope__c", "source")):
        mapping = FieldMapping("CampaignMember", field, source=column)
        set_field_mapping(bench.connection, "acme", mapping)
    attend(bench.connection, 1, 1, minute=30)
    report = bench.cycle()
    assert "Nope__c" in report.reason, "this org has no such field: it is left out and told"
    assert members(bench) == [("Attended", True)]
    assert bench.records("CampaignMember")[0]["Minutes__c"] == 30


@pytest.mark.parametrize("linked", [False, True])
def test_members_of_ten_thousand_registrations_take_twelve_further_calls(
    bench: Bench, linked: bool
) -> None:
    """Ten with members, and two: to describe and create, or to find it and who is there."""
    ten_thousand_known_people(bench)
    if linked:
        campaign = bench.seed("Campaign", Name="Ours")
        add_campaign_link(bench.connection, "acme", event_id(bench), campaign)
    switch_on(bench)
    report = bench.cycle(frozenset({"campaigns", "campaign_members"}))
    assert (len(bench.records("CampaignMember")), report.counts.failed) == (10_000, 0)
    assert report.counts.api_calls == 12, report.api_calls_by_kind


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
    assert (report.state, report.counts.failed) == ("Complete", 0)
    assert (report.counts.members_created, report.counts.members_updated) == (0, 1)
    assert members(bench) == [("Registered", False)]
    [sent] = bench.connection.scalars(
        text("SELECT reason FROM crm.operation WHERE kind = 'member' AND state = 'done'")
    )
    assert sent == "already a member"
    assert bench.cycle().counts.api_calls == 0


def test_a_member_that_somebody_added_meanwhile_is_read_and_updated(bench: Bench) -> None:
    switch_on(bench)
    one_registration(bench)
    bench.cycle()
    [member] = bench.records("CampaignMember")
    bench.connection.execute(text("UPDATE crm.event_campaign SET is_new = true"))
    attend(bench.connection, 1, 1, minute=30)
    report = bench.cycle()
    assert (report.state, report.counts.failed) == ("Complete", 0)
    assert members(bench) == [("Attended", True)]
    assert bench.records("CampaignMember")[0]["Id"] == member["Id"]
