"""An org with person accounts: an Account and the Contact that is kept of it are one person."""

import pytest

from crm_pipeline_tests.local_org.records import admin, create, read, refused, update
from crm_pipeline_tests.local_org.wire import Caller, serving_afresh

SCORE = {"Score__c": {"type": "string", "length": 10}}


@pytest.fixture(scope="module")
def fresh():
    objects = {"Contact": {"fields": SCORE}, "Lead": {"fields": SCORE}}
    with serving_afresh(person_accounts=True, objects=objects) as afresh:
        yield afresh


@pytest.fixture
def acme(fresh):
    return fresh()


def person(caller: Caller, **fields: str) -> tuple[str, str]:
    """The account of a new person, and the contact that is kept of it."""
    made = create(caller, "Account", FirstName="Ada", LastName="Lovelace", **fields)
    return made, read(caller, "Account", made)["PersonContactId"]


def test_an_account_with_a_last_name_is_a_person_with_a_contact(acme: Caller) -> None:
    account, contact = person(acme, PersonEmail="ada@example.com", Phone="1", Score__pc="7")
    shown = read(acme, "Account", account)
    assert shown["IsPersonAccount"] is True
    assert (shown["Name"], shown["PersonEmail"]) == ("Ada Lovelace", "ada@example.com")
    kept = read(acme, "Contact", contact)
    assert kept["AccountId"] == account
    assert (kept["Name"], kept["Email"], kept["Phone"]) == ("Ada Lovelace", "ada@example.com", "1")
    assert (kept["Score__c"], kept["IsPersonAccount"]) == ("7", True)
    (row,) = acme.query("SELECT PersonContact.Email FROM Account WHERE IsPersonAccount = true")
    assert row["PersonContact"]["Email"] == "ada@example.com"
    assert create(acme, "Account", Name="Engines")
    assert refused(acme, "Account", Site="x")["errorCode"] == "REQUIRED_FIELD_MISSING"


def test_what_is_written_to_either_is_of_both_and_stamps_both(acme: Caller) -> None:
    account, contact = person(acme)
    update(acme, "Account", account, PersonEmail="new@example.com", LastName="King")
    kept, shown = read(acme, "Contact", contact), read(acme, "Account", account)
    assert (kept["Email"], kept["Name"]) == ("new@example.com", "Ada King")
    assert kept["SystemModstamp"] == shown["SystemModstamp"]
    update(acme, "Contact", contact, LastName="Byron", Email="b@example.com")
    shown = read(acme, "Account", account)
    assert (shown["Name"], shown["PersonEmail"]) == ("Ada Byron", "b@example.com")


def test_people_who_are_merged_are_one_contact_and_keep_their_opportunities(acme: Caller) -> None:
    master, contact = person(acme)
    loser, former = person(acme, PersonEmail="ada@example.com")
    sold = {"Name": "x", "CloseDate": "2026-03-31", "StageName": "Prospecting"}
    opportunity = create(acme, "Opportunity", AccountId=loser, **sold)
    admin(acme, "merge", {"object": "Account", "master_id": master, "ids": [loser]})
    assert read(acme, "Opportunity", opportunity)["AccountId"] == master
    shown = read(acme, "Account", master)
    assert (shown["PersonContactId"], shown["PersonEmail"]) == (contact, "ada@example.com")
    (gone,) = acme.get(
        "queryAll", params={"q": f"SELECT MasterRecordId FROM Contact WHERE Id = '{former}'"}
    ).json()["records"]
    assert gone["MasterRecordId"] == contact
    business = create(acme, "Account", Name="Engines")
    merging = {"object": "Account", "master_id": business, "ids": [master]}
    answer = acme.http.post(f"{acme.url}/_admin/merge", json=merging, timeout=10)
    assert "person account" in answer.text


def test_a_lead_without_a_company_becomes_a_person(acme: Caller) -> None:
    lead = create(acme, "Lead", Company=None, Email="ada@example.com", Score__c="9")
    made = admin(acme, "convert", {"lead_id": lead})
    shown = read(acme, "Account", made["account_id"])
    assert (shown["Name"], shown["PersonContactId"]) == ("Ada Lovelace", made["contact_id"])
    assert (shown["PersonEmail"], shown["Score__pc"]) == ("ada@example.com", "9")
