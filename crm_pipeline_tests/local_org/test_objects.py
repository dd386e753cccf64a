"""Behaviours of single objects beyond their describe."""

import pytest

from crm_pipeline_tests.local_org.records import admin, create, error, read, refused, update
from crm_pipeline_tests.local_org.wire import serving

START = "2026-05-14T10:00:00.000+0000"


# --- events ---


def test_an_event_needs_a_duration_or_an_end(acme):
    assert refused(acme, "Event", Subject="x", StartDateTime=START) == {
        "message": "Required fields are missing: [DurationInMinutes]",
        "errorCode": "REQUIRED_FIELD_MISSING",
        "fields": ["DurationInMinutes"],
    }
    assert refused(acme, "Event", DurationInMinutes=1)["fields"] == ["ActivityDateTime"]


def test_of_start_duration_and_end_an_event_works_out_the_third(acme):
    by_duration = create(acme, "Event", StartDateTime=START, DurationInMinutes=90)
    by_end = create(
        acme, "Event", ActivityDateTime=START, EndDateTime="2026-05-14T11:30:00.000+0000"
    )
    for event_id in (by_duration, by_end):
        event = read(acme, "Event", event_id)
        assert event["StartDateTime"] == event["ActivityDateTime"] == START
        assert event["EndDateTime"] == "2026-05-14T11:30:00.000+0000"
        assert event["DurationInMinutes"] == 90
        assert event["ActivityDate"] == "2026-05-14"


def test_duration_and_end_and_both_starts_must_agree(acme):
    answer = refused(
        acme, "Event", StartDateTime=START, DurationInMinutes=1, EndDateTime="2026-05-14T11:30:00Z"
    )
    assert answer["errorCode"] == "FIELD_INTEGRITY_EXCEPTION"
    answer = refused(
        acme,
        "Event",
        StartDateTime=START,
        ActivityDateTime="2026-05-15T10:00:00Z",
        DurationInMinutes=1,
    )
    assert answer["errorCode"] == "FIELD_INTEGRITY_EXCEPTION"


def test_an_event_lasts_from_none_to_1440_minutes(acme):
    for minutes in (0, 1440):
        create(acme, "Event", StartDateTime=START, DurationInMinutes=minutes)
    for minutes in (-1, 1441):
        assert refused(acme, "Event", StartDateTime=START, DurationInMinutes=minutes) == {
            "message": "Duration must be between 0 and 1440 minutes",
            "errorCode": "FIELD_INTEGRITY_EXCEPTION",
            "fields": ["DurationInMinutes"],
        }


def test_an_event_that_moves_keeps_its_duration_and_one_that_grows_moves_its_end(acme):
    event_id = create(acme, "Event", StartDateTime=START, DurationInMinutes=30)
    update(acme, "Event", event_id, StartDateTime="2026-05-15T10:00:00Z")
    event = read(acme, "Event", event_id)
    assert event["ActivityDateTime"] == "2026-05-15T10:00:00.000+0000"
    assert event["EndDateTime"] == "2026-05-15T10:30:00.000+0000"
    update(acme, "Event", event_id, DurationInMinutes=60)
    assert read(acme, "Event", event_id)["EndDateTime"] == "2026-05-15T11:00:00.000+0000"
    update(acme, "Event", event_id, EndDateTime="2026-05-15T10:15:00Z")
    assert read(acme, "Event", event_id)["DurationInMinutes"] == 15


def test_an_event_of_all_day_needs_only_its_day(acme):
    event_id = create(acme, "Event", IsAllDayEvent=True, ActivityDate="2026-05-14")
    assert read(acme, "Event", event_id)["StartDateTime"] == "2026-05-14T00:00:00.000+0000"


def test_an_event_about_a_contact_knows_the_account(acme):
    account = create(acme, "Account", Name="Acme")
    contact = create(acme, "Contact", LastName="x", AccountId=account)
    event_id = create(acme, "Event", StartDateTime=START, DurationInMinutes=1, WhoId=contact)
    assert read(acme, "Event", event_id)["AccountId"] == account


def test_an_activity_about_a_lead_cannot_be_about_something_else_too(acme):
    answer = refused(acme, "Task", WhoId=create(acme), WhatId=create(acme, "Account", Name="Acme"))
    assert answer["errorCode"] == "FIELD_INTEGRITY_EXCEPTION"


def test_a_required_field_that_is_refused_is_not_said_to_be_missing(acme):
    campaign = create(acme, "Campaign", Name="Webinar")
    acme.call("DELETE", f"sobjects/Campaign/{campaign}")
    answer = acme.post(
        "sobjects/CampaignMember", json={"CampaignId": campaign, "LeadId": create(acme)}
    )
    assert error(answer)["errorCode"] == "ENTITY_IS_DELETED"


def test_an_activity_is_about_a_person_that_exists(acme):
    gone = create(acme)
    acme.call("DELETE", f"sobjects/Lead/{gone}")
    answer = acme.post("sobjects/Task", json={"WhoId": gone})
    assert error(answer)["errorCode"] == "ENTITY_IS_DELETED"
    user = next(iter(acme.org.users.values())).id
    assert refused(acme, "Task", WhoId=user)["message"] == (
        f"Name ID: id value of incorrect type: {user}"
    )


def test_a_task_is_closed_when_it_is_completed(acme):
    task_id = create(acme, "Task", Subject="call", Priority="High")
    task = read(acme, "Task", task_id)
    assert (task["Status"], task["IsClosed"], task["IsHighPriority"]) == (
        "Not Started",
        False,
        True,
    )
    update(acme, "Task", task_id, Status="Completed")
    task = read(acme, "Task", task_id)
    assert (task["IsClosed"], task["CompletedDateTime"]) == (True, task["LastModifiedDate"])


# --- campaigns and their members ---


def test_a_new_campaign_has_the_statuses_sent_and_responded(acme):
    campaign = create(acme, "Campaign", Name="Webinar")
    assert acme.query(
        "SELECT Label, SortOrder, IsDefault, HasResponded FROM CampaignMemberStatus "
        f"WHERE CampaignId = '{campaign}' ORDER BY SortOrder"
    ) == [
        {"Label": "Sent", "SortOrder": 1, "IsDefault": True, "HasResponded": False},
        {"Label": "Responded", "SortOrder": 2, "IsDefault": False, "HasResponded": True},
    ]


def test_an_unknown_status_turns_silently_into_the_default(acme):
    campaign = create(acme, "Campaign", Name="Webinar")
    member = create(
        acme, "CampaignMember", CampaignId=campaign, LeadId=create(acme), Status="Attended"
    )
    assert read(acme, "CampaignMember", member)["Status"] == "Sent"
    create(acme, "CampaignMemberStatus", CampaignId=campaign, Label="Attended", HasResponded=True)
    update(acme, "CampaignMember", member, Status="attended")
    row = read(acme, "CampaignMember", member)
    assert (row["Status"], row["HasResponded"]) == ("Attended", True)
    assert row["FirstRespondedDate"] == row["CreatedDate"][:10]
    update(acme, "CampaignMember", member, Status="Nonsense")
    row = read(acme, "CampaignMember", member)
    assert (row["Status"], row["HasResponded"]) == ("Sent", False)


def test_of_a_lead_and_a_contact_a_member_keeps_the_contact(acme):
    campaign = create(acme, "Campaign", Name="Webinar")
    contact = create(acme, "Contact", LastName="x", Email="x@example.com")
    member = create(
        acme, "CampaignMember", CampaignId=campaign, LeadId=create(acme), ContactId=contact
    )
    row = read(acme, "CampaignMember", member)
    assert (row["LeadId"], row["ContactId"], row["Type"]) == (None, contact, "Contact")
    assert (row["LeadOrContactId"], row["Email"]) == (contact, "x@example.com")


def test_nobody_is_a_member_twice_and_nobody_is_none(acme):
    campaign, lead = create(acme, "Campaign", Name="Webinar"), create(acme)
    member = create(acme, "CampaignMember", CampaignId=campaign, LeadId=lead)
    assert refused(acme, "CampaignMember", CampaignId=campaign, LeadId=lead) == {
        "message": "Already a campaign member.",
        "errorCode": "DUPLICATE_VALUE",
        "fields": [],
    }
    assert refused(acme, "CampaignMember", CampaignId=campaign)["errorCode"] == (
        "REQUIRED_FIELD_MISSING"
    )
    acme.call("DELETE", f"sobjects/CampaignMember/{member}")
    create(acme, "CampaignMember", CampaignId=campaign, LeadId=lead)


@pytest.mark.parametrize("name", ["CampaignId", "LeadId", "ContactId"])
def test_a_member_cannot_be_moved(acme, name):
    campaign = create(acme, "Campaign", Name="Webinar")
    member = create(acme, "CampaignMember", CampaignId=campaign, LeadId=create(acme))
    answer = acme.call("PATCH", f"sobjects/CampaignMember/{member}", json={name: campaign})
    assert error(answer)["errorCode"] == "INVALID_FIELD_FOR_INSERT_UPDATE"


def test_a_member_shows_its_person(acme):
    campaign = create(acme, "Campaign", Name="Webinar")
    account = create(acme, "Account", Name="Acme")
    people = (
        {"LeadId": create(acme, LastName="Lead", Company="Lead Inc.", City="Bonn")},
        {
            "ContactId": create(
                acme, "Contact", LastName="Contact", AccountId=account, MailingCity="Rome"
            )
        },
    )
    shown = []
    for person in people:
        member = create(acme, "CampaignMember", CampaignId=campaign, **person)
        row = read(acme, "CampaignMember", member)
        shown.append((row["LastName"], row["City"], row["CompanyOrAccount"]))
    assert shown == [("Lead", "Bonn", "Lead Inc."), ("Contact", "Rome", "Acme")]


def test_a_status_has_a_label_of_its_own_and_one_is_the_default(acme):
    campaign = create(acme, "Campaign", Name="Webinar")
    given = {"CampaignId": campaign, "Label": "Attended"}
    default = create(acme, "CampaignMemberStatus", **given, IsDefault=True)
    assert read(acme, "CampaignMemberStatus", default)["SortOrder"] == 3
    assert acme.values(
        f"SELECT Label FROM CampaignMemberStatus WHERE CampaignId = '{campaign}' "
        "AND IsDefault = true"
    ) == ["Attended"]
    assert refused(acme, "CampaignMemberStatus", **given)["errorCode"] == "DUPLICATE_VALUE"
    assert refused(acme, "CampaignMemberStatus", CampaignId=campaign, Label="x", SortOrder=1)[
        "fields"
    ] == ["SortOrder"]


def test_only_a_marketing_user_creates_campaigns(acme):
    user = acme.org.users["sales@acme.test"]
    acme.http.headers["Authorization"] = f"Bearer {acme.org.open_session(user.id, None).token}"
    answer = acme.post("sobjects/Campaign", json={"Name": "Webinar"})
    assert answer.status_code == 403
    assert error(answer)["errorCode"] == "INSUFFICIENT_ACCESS_OR_READONLY"


# --- opportunities ---


def test_an_opportunity_takes_probability_and_forecast_from_its_stage(acme):
    given = {"Name": "o", "StageName": "Value Proposition", "CloseDate": "2026-05-14"}
    opportunity_id = create(acme, "Opportunity", **given, Amount=200)
    row = read(acme, "Opportunity", opportunity_id)
    assert (row["Probability"], row["ForecastCategoryName"]) == (50.0, "Pipeline")
    assert (row["ExpectedRevenue"], row["IsClosed"], row["IsWon"]) == (100.0, False, False)
    assert (row["Fiscal"], row["FiscalYear"], row["FiscalQuarter"]) == ("2026 2", 2026, 2)
    update(acme, "Opportunity", opportunity_id, StageName="Closed Won")
    row = read(acme, "Opportunity", opportunity_id)
    assert (row["Probability"], row["IsClosed"], row["IsWon"]) == (100.0, True, True)
    own = create(acme, "Opportunity", **given, Probability=5)
    assert read(acme, "Opportunity", own)["Probability"] == 5.0


def test_the_contact_of_a_new_opportunity_becomes_its_primary_role(acme):
    contact = create(acme, "Contact", LastName="x")
    opportunity_id = create(
        acme, "Opportunity", Name="o", StageName="Prospecting", CloseDate="2026-05-14",
        ContactId=contact,
    )  # fmt: skip
    role = "SELECT ContactId, IsPrimary FROM OpportunityContactRole"
    assert acme.query(role) == [{"ContactId": contact, "IsPrimary": True}]
    other = create(acme, "Contact", LastName="y")
    create(
        acme, "OpportunityContactRole", OpportunityId=opportunity_id, ContactId=other,
        IsPrimary=True,
    )  # fmt: skip
    assert acme.values(f"{role} WHERE IsPrimary = true") == [other]
    answer = acme.call("PATCH", f"sobjects/Opportunity/{opportunity_id}", json={"ContactId": other})
    assert error(answer)["errorCode"] == "INVALID_FIELD_FOR_INSERT_UPDATE"


# --- users and the organization ---


def test_the_organization_tells_what_it_is_and_cannot_be_made_or_deleted(acme):
    assert acme.query("SELECT Id, Name, IsSandbox, OrganizationType FROM Organization") == [
        {
            "Id": acme.org.id,
            "Name": "Acme Inc.",
            "IsSandbox": False,
            "OrganizationType": "Developer Edition",
        }
    ]
    assert acme.post("sobjects/Organization", json={"Name": "x"}).status_code in (400, 403)
    answer = acme.call("DELETE", f"sobjects/Organization/{acme.org.id}")
    assert error(answer)["errorCode"] == "INSUFFICIENT_ACCESS_OR_READONLY"


def test_users_are_records(acme):
    assert acme.query("SELECT Name, Username, IsActive FROM User ORDER BY Username") == [
        {"Name": "Ada Admin", "Username": "admin@acme.test", "IsActive": True},
        {"Name": "Sales", "Username": "sales@acme.test", "IsActive": True},
    ]


# --- converted and merged ---


def test_a_converted_lead_becomes_account_contact_and_opportunity(acme):
    lead = create(
        acme,
        Email="ada@example.com",
        City="Bath",
        Ext__c="1",
        Title="Countess",
        Phone="1",
        HasOptedOutOfEmail=True,
    )
    made = admin(acme, "convert", {"lead_id": lead, "opportunity_name": "Deal"})
    contact = read(acme, "Contact", made["contact_id"])
    assert contact["HasOptedOutOfEmail"] is True
    assert (contact["LastName"], contact["Email"]) == ("Lovelace", "ada@example.com")
    assert (contact["MailingCity"], contact["AccountId"]) == ("Bath", made["account_id"])
    assert read(acme, "Account", made["account_id"])["Name"] == "Engines"
    opportunity = read(acme, "Opportunity", made["opportunity_id"])
    assert (opportunity["Name"], opportunity["AccountId"]) == ("Deal", made["account_id"])
    row = read(acme, "Lead", lead)
    assert row["IsConverted"] is True
    assert row["Status"] == "Closed - Converted"
    assert row["ConvertedDate"] == row["LastModifiedDate"][:10]
    assert row["ConvertedContactId"] == made["contact_id"]
    assert row["ConvertedAccountId"] == made["account_id"]
    assert row["ConvertedOpportunityId"] == made["opportunity_id"]


def test_a_converted_lead_is_still_found_but_takes_nothing_more(acme):
    lead = create(acme, Email="ada@example.com")
    admin(acme, "convert", {"lead_id": lead})
    assert acme.values("SELECT Id FROM Lead WHERE Email = 'ada@example.com'") == [lead]
    cannot = {
        "message": "cannot reference converted lead",
        "errorCode": "CANNOT_UPDATE_CONVERTED_LEAD",
        "fields": [],
    }
    answer = acme.call("PATCH", f"sobjects/Lead/{lead}", json={"Title": "x"})
    assert (answer.status_code, error(answer)) == (400, cannot)
    assert refused(acme, "Task", WhoId=lead) == cannot
    assert refused(acme, "Event", WhoId=lead, StartDateTime=START, DurationInMinutes=1) == cannot
    campaign = create(acme, "Campaign", Name="Webinar")
    assert refused(acme, "CampaignMember", CampaignId=campaign, LeadId=lead) == cannot


def test_conversion_takes_activities_and_memberships_to_the_contact(acme):
    lead = create(acme)
    campaign = create(acme, "Campaign", Name="Webinar")
    member = create(acme, "CampaignMember", CampaignId=campaign, LeadId=lead, Status="Responded")
    task = create(acme, "Task", WhoId=lead)
    contact = admin(acme, "convert", {"lead_id": lead})["contact_id"]
    assert read(acme, "Task", task)["WhoId"] == contact
    row = read(acme, "CampaignMember", member)
    assert (row["LeadId"], row["ContactId"], row["Status"]) == (lead, contact, "Responded")


def test_a_lead_may_be_converted_into_a_contact_that_is_there(acme):
    account = create(acme, "Account", Name="Acme")
    contact = create(acme, "Contact", LastName="Known", AccountId=account)
    lead = create(acme, Email="ada@example.com")
    made = admin(acme, "convert", {"lead_id": lead, "contact_id": contact})
    assert (made["contact_id"], made["account_id"]) == (contact, account)
    row = read(acme, "Contact", contact)
    assert (row["LastName"], row["Email"]) == ("Known", "ada@example.com")


def test_a_lead_is_converted_once(acme):
    lead = create(acme)
    admin(acme, "convert", {"lead_id": lead})
    answer = acme.http.post(f"{acme.url}/_admin/convert", json={"lead_id": lead}, timeout=30)
    assert answer.status_code == 400
    answer = acme.http.post(f"{acme.url}/_admin/convert", json={"lead_id": "x"}, timeout=30)
    assert answer.status_code == 404


def test_a_merged_record_is_deleted_and_names_its_master(acme):
    master = create(acme, Email="ada@example.com")
    loser = create(acme, Email="other@example.com", Title="Countess")
    task = create(acme, "Task", WhoId=loser)
    campaign = create(acme, "Campaign", Name="Webinar")
    for lead in (master, loser):
        create(acme, "CampaignMember", CampaignId=campaign, LeadId=lead)
    admin(acme, "merge", {"object": "Lead", "master_id": master, "ids": [loser]})
    row = read(acme, "Lead", master)
    assert (row["Email"], row["Title"]) == ("ada@example.com", "Countess")
    assert read(acme, "Task", task)["WhoId"] == master
    assert acme.values("SELECT LeadId FROM CampaignMember") == [master]
    assert acme.get(f"sobjects/Lead/{loser}").status_code == 404
    answer = acme.get(
        "queryAll", params={"q": "SELECT Id, MasterRecordId FROM Lead WHERE IsDeleted = true"}
    )
    (gone,) = answer.json()["records"]
    assert (gone["Id"], gone["MasterRecordId"]) == (loser, master)


@pytest.mark.parametrize(
    ("sobject", "ids", "status"),
    [("Task", ["x"], 400), ("Lead", [], 400), ("Lead", ["x"], 404), ("Lead", ["self"], 400)],
)
def test_a_merge_that_makes_no_sense_is_refused(acme, sobject, ids, status):
    lead = create(acme)
    body = {
        "object": sobject,
        "master_id": lead,
        "ids": [lead if each == "self" else each for each in ids],
    }
    answer = acme.http.post(f"{acme.url}/_admin/merge", json=body, timeout=30)
    assert answer.status_code == status


# --- parents ---


def test_the_parent_of_a_required_lookup_stays():
    fields = {
        "Account__c": {"reference_to": "Account", "child_relationship_name": "Seats"},
        "Contact__c": {"reference_to": "Contact", "required": True},
    }
    with serving(objects={"Seat__c": {"label": "Seat", "fields": fields}}) as caller:
        account = create(caller, "Account", Name="A")
        contact = create(caller, "Contact", LastName="Lovelace", AccountId=account)
        seat = create(caller, "Seat__c", Name="12B", Account__c=account, Contact__c=contact)
        for sobject, record_id in (("Contact", contact), ("Account", account)):
            answer = caller.call("DELETE", f"sobjects/{sobject}/{record_id}")
            assert answer.status_code == 400
            assert error(answer)["errorCode"] == "DELETE_FAILED"
            assert error(answer)["message"].endswith("associated with the following Seats: 12B")
        assert read(caller, "Seat__c", seat)["Contact__c"] == contact
        assert read(caller, "Contact", contact)["AccountId"] == account, "nothing was cascaded"
        children = caller.get("sobjects/Contact/describe").json()["childRelationships"]
        assert {one["childSObject"] for one in children if one["restrictedDelete"]} == {"Seat__c"}
        caller.call("DELETE", f"sobjects/Seat__c/{seat}")
        assert caller.call("DELETE", f"sobjects/Account/{account}").status_code == 204
