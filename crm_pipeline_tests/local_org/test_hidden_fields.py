"""Fields that the users of the API do not see: people, flows and the org itself write them."""

from typing import Any

import pytest

from crm_pipeline_tests.local_org.records import LEAD, admin, create, error, read, update
from crm_pipeline_tests.local_org.wire import Caller, serving_afresh

OBJECTS = {
    "Lead": {
        "fields": {
            "Key__c": {"type": "string", "external_id": True},
            "Score__c": {"type": "double"},
        }
    },
    "Contact": {"fields": {"Score__c": {"type": "double"}}},
    "Visit__c": {"fields": {"Lead__c": {"reference_to": "Lead"}}},
    "Match__e": {"fields": {"Email__c": {"type": "email"}, "Score__c": {"type": "double"}}},
}
SUBSCRIBER = {
    "event": "Match__e",
    "object": "Lead",
    "match": {"Email": "Email__c"},
    "set": {"Score__c": "Score__c"},
}
HIDDEN = [
    "Lead.Title", "Lead.Email", "Lead.Score__c", "Lead.Key__c", "Lead.Status",
    "Contact.Title", "Contact.Email", "Contact.Score__c", "Contact.MailingCity",
    "Contact.AccountId", "Account.Phone", "Account.BillingCity",
    "Opportunity.StageName", "Opportunity.CloseDate", "Opportunity.Amount", "Opportunity.ContactId",
    "OpportunityContactRole.IsPrimary",
    "Event.WhoId", "Event.AccountId", "CampaignMember.LeadId", "CampaignMember.ContactId",
    "Visit__c.Lead__c",
]  # fmt: skip
PERSON: dict[str, Any] = {
    **LEAD, "Title": "Dr", "Email": "ada@example.com", "City": "London", "Phone": "1",
    "Score__c": 5.0, "Key__c": "k",
}  # fmt: skip


@pytest.fixture(scope="module")
def fresh():
    with serving_afresh(objects=OBJECTS, subscribers=[SUBSCRIBER]) as afresh:
        yield afresh


@pytest.fixture
def org(fresh):
    return fresh()


def hide(org: Caller, *names: str) -> None:
    admin(org, "settings", {"hidden_fields": list(names)})


def test_a_client_does_not_write_what_it_does_not_see(org):
    hide(org, *HIDDEN)
    lead = create(org)
    for answer in (
        org.call("PATCH", f"sobjects/Lead/{lead}", json={"Title": "Dr"}),
        org.post("sobjects/Visit__c", json={"Lead__r": {"Key__c": "k"}}),
    ):
        assert error(answer)["errorCode"] == "INVALID_FIELD"
    hide(org, "Lead.Key__c")
    answer = org.post("sobjects/Visit__c", json={"Lead__r": {"Key__c": "k"}})
    assert error(answer)["errorCode"] == "INVALID_FIELD"


def test_a_conversion_copies_what_clients_do_not_see(org):
    campaign = create(org, "Campaign", Name="x")
    lead = create(org, **PERSON)
    event = create(
        org, "Event", WhoId=lead, ActivityDateTime="2026-01-01T09:00:00Z", DurationInMinutes=1
    )
    member = create(org, "CampaignMember", LeadId=lead, CampaignId=campaign)
    hide(org, *HIDDEN)
    made = admin(org, "convert", {"lead_id": lead, "opportunity_name": "Deal"})
    hide(org)
    contact = read(org, "Contact", made["contact_id"])
    copied = {name: contact[name] for name in ("Title", "Email", "Score__c", "MailingCity")}
    assert copied == {
        "Title": "Dr",
        "Email": "ada@example.com",
        "Score__c": 5,
        "MailingCity": "London",
    }
    account = read(org, "Account", made["account_id"])
    assert (account["Phone"], account["BillingCity"]) == ("1", "London")
    opportunity = read(org, "Opportunity", made["opportunity_id"])
    assert (opportunity["StageName"], opportunity["ContactId"]) == ("Prospecting", contact["Id"])
    assert org.values("SELECT IsPrimary FROM OpportunityContactRole") == [True]
    moved = read(org, "Event", event)
    assert (moved["WhoId"], moved["AccountId"]) == (contact["Id"], account["Id"])
    assert read(org, "CampaignMember", member)["ContactId"] == contact["Id"]


def test_a_conversion_fills_what_an_existing_contact_lacks_and_clients_do_not_see(org):
    lead = create(org, **PERSON)
    contact = create(org, "Contact", LastName="Byron", Title="Countess")
    hide(org, *HIDDEN)
    admin(org, "convert", {"lead_id": lead, "contact_id": contact})
    hide(org)
    row = read(org, "Contact", contact)
    assert (row["Title"], row["Email"], row["Score__c"]) == ("Countess", "ada@example.com", 5)
    assert (row["FirstName"], row["Name"]) == ("Ada", "Ada Byron")


def test_a_merge_takes_over_what_clients_do_not_see(org):
    winner, loser = (
        create(org, "Contact", LastName="Byron"),
        create(
            org,
            "Contact",
            LastName="Lovelace",
            FirstName="Ada",
            Title="Dr",
            Score__c=7,
        ),
    )
    hide(org, *HIDDEN)
    admin(org, "merge", {"object": "Contact", "master_id": winner, "ids": [loser]})
    hide(org)
    row = read(org, "Contact", winner)
    assert (row["Title"], row["Score__c"], row["Name"]) == ("Dr", 7, "Ada Byron")


def test_people_write_what_clients_do_not_see(org):
    campaign = create(org, "Campaign", Name="x")
    hide(org, *HIDDEN)
    lead = admin(org, "create", {"object": "Lead", "fields": PERSON})["id"]
    admin(org, "edit", {"id": lead, "fields": {"Title": "Prof", "Status": "Working - Contacted"}})
    visit = admin(org, "create", {"object": "Visit__c", "fields": {"Lead__r": {"Key__c": "k"}}})[
        "id"
    ]
    member = {"CampaignId": campaign, "LeadId": lead}
    member_id = admin(org, "create", {"object": "CampaignMember", "fields": member})["id"]
    admin(org, "delete", {"ids": [lead]})
    admin(org, "undelete", {"ids": [lead]})
    hide(org)
    row = read(org, "Lead", lead)
    assert (row["Title"], row["Status"], row["Score__c"]) == ("Prof", "Working - Contacted", 5)
    assert read(org, "Visit__c", visit)["Lead__c"] == lead
    assert read(org, "CampaignMember", member_id)["LeadId"] == lead


def test_people_sell_what_clients_do_not_see(org):
    contact = create(org, "Contact", LastName="x")
    hide(org, *HIDDEN)
    fields = {"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2026-01-01", "Amount": 9}
    deal = admin(org, "create", {"object": "Opportunity", "fields": fields})["id"]
    role = {"OpportunityId": deal, "ContactId": contact, "IsPrimary": True}
    admin(org, "create", {"object": "OpportunityContactRole", "fields": role})
    admin(org, "edit", {"id": deal, "fields": {"StageName": "Closed Won", "Amount": 8}})
    hide(org)
    row = read(org, "Opportunity", deal)
    assert (row["IsWon"], row["ExpectedRevenue"], row["ContactId"]) == (True, 8, contact)
    history = org.query("SELECT StageName, Amount FROM OpportunityHistory ORDER BY Id")
    assert [each["StageName"] for each in history] == ["Prospecting", "Closed Won"]


def test_records_are_put_in_past_what_clients_do_not_see(org):
    hide(org, *HIDDEN)
    (lead,) = admin(org, "seed", {"Lead": [PERSON]})["Lead"]
    (visit,) = admin(org, "seed", {"Visit__c": [{"Lead__r": {"Key__c": "k"}}]})["Visit__c"]
    hide(org)
    assert read(org, "Lead", lead)["Title"] == "Dr"
    assert read(org, "Visit__c", visit)["Lead__c"] == lead


def test_a_subscriber_matches_and_sets_what_clients_do_not_see(org):
    lead = create(org, Email="ada@example.com")
    hide(org, *HIDDEN)
    create(org, "Match__e", Email__c="ada@example.com", Score__c=3)
    outcomes = [each["outcomes"] for each in admin(org, "events", method="GET")["events"]]
    hide(org)
    assert (outcomes, read(org, "Lead", lead)["Score__c"]) == ([["updated 1"]], 3)


def test_an_activity_goes_with_its_contact_to_another_account(org):
    accounts = [create(org, "Account", Name=name) for name in ("a", "b")]
    winner, loser = (create(org, "Contact", LastName="x", AccountId=each) for each in accounts)
    task = create(org, "Task", Subject="x", WhoId=loser)
    assert read(org, "Task", task)["AccountId"] == accounts[1]
    admin(org, "merge", {"object": "Contact", "master_id": winner, "ids": [loser]})
    row = read(org, "Task", task)
    assert (row["WhoId"], row["AccountId"]) == (winner, accounts[0])


def test_one_role_stays_primary_through_a_merge_and_out_of_the_bin(org):
    contacts = [create(org, "Contact", LastName=name) for name in "abc"]
    fields = {"Name": "x", "StageName": "Prospecting", "CloseDate": "2026-01-01"}
    winner, loser = (create(org, "Opportunity", ContactId=each, **fields) for each in contacts[:2])
    admin(org, "merge", {"object": "Opportunity", "master_id": winner, "ids": [loser]})
    primary = "SELECT ContactId FROM OpportunityContactRole WHERE IsPrimary = true"
    assert org.values(primary) == [contacts[0]]
    assert len(org.values("SELECT Id FROM OpportunityContactRole")) == 2
    admin(org, "delete", {"ids": [contacts[0]]})
    (role,) = org.values("SELECT Id FROM OpportunityContactRole")
    update(org, "OpportunityContactRole", role, IsPrimary=True)
    admin(org, "undelete", {"ids": [contacts[0]]})
    assert org.values(primary) == [contacts[1]] == org.values("SELECT ContactId FROM Opportunity")
