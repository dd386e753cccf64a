"""People who gave a phone number and no email address."""

from itertools import product
from typing import Any

import pytest
from sqlalchemy import text

from crm_pipeline_tests.cycle.attribution.conftest import ATTRIBUTION
from crm_pipeline_tests.cycle.conftest import ACCOUNT, Bench, account_of
from crm_pipeline_tests.flows.webinars.warehouse import add_person, register, track

CALL: dict[str, Any] = {"kind": "call", "phone": "030 901820"}


def phones(shop: Bench) -> list[str | None]:
    return [lead.get("Phone") for lead in shop.records("Lead")]


def test_a_caller_becomes_a_lead_and_a_second_call_is_of_the_same_one(shop: Bench) -> None:
    track(shop.connection, 1, **CALL, source="google")
    shop.cycle()
    track(shop.connection, 2, minute=60, kind="call", phone="+49 (30) 901820", source="bing")
    assert shop.cycle().state == "Complete"
    [lead] = shop.records("Lead")
    assert (lead["Phone"], lead["LastName"]) == ("+4930901820", "[not provided]")
    assert (lead["First_Source__c"], lead["Last_Source__c"]) == ("google", "bing")
    assert (lead["Tracker_Id__c"], lead["Tracker_Kind__c"]) == ("1", "call")


def test_whoever_has_the_number_in_the_org_is_the_caller(shop: Bench) -> None:
    """In any field for numbers, however it is written there."""
    fields = [("Lead", "Phone"), ("Lead", "MobilePhone")]
    fields += [("Contact", "HomePhone"), ("Contact", "Phone")]
    ways = ("030/9018{}", "+49 30 9018{}", "0049 (30) 90 18 {}")
    known = {}
    for number, ((sobject, field), way) in enumerate(product(fields, ways), 20):
        person = {"LastName": "Lovelace", field: way.format(number)}
        company = {"Company": "Engines"} if sobject == "Lead" else {}
        known[shop.seed(sobject, **person, **company)] = {**person, "First_Source__c": str(number)}
        call = {**CALL, "phone": f"030 9018{number}", "contact_name": "Somebody Else"}
        track(shop.connection, number, **call, source=str(number))
    assert shop.cycle().state == "Complete"
    people = {each["Id"]: each for each in (*shop.records("Lead"), *shop.records("Contact"))}
    assert people.keys() == known.keys()
    for key, person in known.items():
        assert person.items() <= people[key].items()


def test_a_number_of_several_people_is_nobodys(shop: Bench) -> None:
    for name in ("Anna", "Otto"):
        shop.seed("Contact", LastName=name, Phone="030 901820", Email=f"{name}@example.com")
    for lead in (1, 2):
        track(shop.connection, lead, minute=lead, **CALL)
        shop.cycle()
    assert phones(shop) == ["+4930901820"]
    why = shop.connection.scalars(text("SELECT reason FROM crm.identity")).all()
    assert why == ["new; the number is several people's"]
    assert all(not contact.get("Tracker_Id__c") for contact in shop.records("Contact"))


def test_records_with_one_address_are_one_person_whoever_has_the_number(shop: Bench) -> None:
    shop.seed("Contact", LastName="Ada", Phone="030 901820", Email="ada@example.com")
    shop.seed("Lead", LastName="Ada", Company="E", Phone="030 901820", Email="ADA@example.com")
    track(shop.connection, 1, **CALL)
    shop.cycle()
    [lead] = shop.records("Lead")
    assert lead["Tracker_Id__c"] == "1"


def test_a_converted_lead_is_its_contact(shop: Bench) -> None:
    lead = shop.seed("Lead", LastName="Ada", Company="E", Phone="030 901820")
    shop.admin("convert", lead_id=lead)
    track(shop.connection, 1, **CALL)
    shop.cycle()
    [contact] = shop.records("Contact")
    assert contact["Tracker_Id__c"] == "1"
    assert len(shop.records("Lead")) == 1


def test_behind_a_switchboard_sits_somebody_else(shop: Bench) -> None:
    shop.seed("Contact", LastName="Reception", Phone="030 901820")
    track(shop.connection, 1, kind="call", phone="030 901820 ext. 12")
    shop.cycle()
    assert phones(shop) == ["+4930901820 ext. 12"]


def test_who_gives_an_address_later_is_the_same_lead(shop: Bench) -> None:
    """The call comes again, richer, or another lead gives both."""
    track(shop.connection, 1, **CALL)
    shop.cycle()
    track(shop.connection, 2, minute=60, phone="030 901820", email="ada@example.com")
    shop.cycle()
    track(shop.connection, 3, minute=90, **CALL)
    shop.cycle()
    [lead] = shop.records("Lead")
    assert (lead["Email"], lead["Phone"]) == ("ada@example.com", "+4930901820")
    assert lead["Tracker_Id__c"] == "1"


def test_a_caller_who_turns_out_to_be_a_registrant_becomes_that_person(shop: Bench) -> None:
    add_person(shop.connection, 1, "ada@example.com")
    register(shop.connection, 1, 1)
    track(shop.connection, 1, **CALL, source="google")
    shop.cycle()
    assert len(shop.records("Lead")) == 2
    track(shop.connection, 1, minute=60, email="ada@example.com")
    assert shop.cycle().state == "Complete"
    registrant = next(e for e in shop.records("Lead") if e.get("Email") == "ada@example.com")
    assert (registrant["First_Source__c"], registrant["Tracker_Id__c"]) == ("google", "1")
    assert len(shop.records("Lead")) == 2


def test_a_family_shares_a_number_and_stays_apart(shop: Bench) -> None:
    for lead, email in ((1, "anna@example.com"), (2, "otto@example.com")):
        track(shop.connection, lead, minute=lead, phone="030 901820", email=email)
        shop.cycle()
    track(shop.connection, 3, minute=9, **CALL)
    shop.cycle()
    emails = [lead.get("Email") for lead in shop.records("Lead")]
    assert emails == ["anna@example.com", "otto@example.com", None]


def test_a_number_is_nobodys_though_only_one_of_those_who_share_it_is_in_the_org(
    shop: Bench,
) -> None:
    """The other one comes in the same cycle."""
    shop.seed("Lead", LastName="Anna", Company="E", Phone="030 901820", Email="anna@example.com")
    for lead, email in ((1, "anna@example.com"), (2, "otto@example.com")):
        track(shop.connection, lead, minute=lead, phone="030 901820", email=email)
    track(shop.connection, 3, minute=9, **CALL)
    shop.cycle()
    told = {lead.get("Email"): lead["Tracker_Id__c"] for lead in shop.records("Lead")}
    assert told == {"anna@example.com": "1", "otto@example.com": "2", None: "3"}


def test_a_corrected_number_is_written_to_the_same_lead(shop: Bench) -> None:
    track(shop.connection, 1, **CALL)
    shop.cycle()
    track(shop.connection, 1, minute=60, phone="030 901821")
    shop.cycle()
    assert phones(shop) == ["+4930901821"]


def test_an_email_decides_where_number_and_email_are_of_different_people(shop: Bench) -> None:
    shop.seed("Contact", LastName="Number", Phone="030 901820")
    shop.seed("Contact", LastName="Email", Email="ada@example.com")
    track(shop.connection, 1, phone="030 901820", email="ada@example.com")
    shop.cycle()
    told = {each["LastName"]: each.get("Tracker_Id__c") for each in shop.records("Contact")}
    assert told == {"Number": None, "Email": "1"}


def test_with_another_phone_region_callers_stay_who_they_are(shop: Bench) -> None:
    """Numbers without a country code are others then; who calls by them is nobody else.

    Leads that were left out by the former settings are sent.
    """
    austria = {**ATTRIBUTION, "phone_region": "AT", "kinds": ["call"]}
    shop.settings(attribution=austria)
    mobile: dict[str, Any] = {"kind": "call", "phone": "0664 1234567", "source": "google"}
    hers: dict[str, Any] = {"kind": "call", "phone": "0664 7654321"}
    track(shop.connection, 1, **mobile)
    track(shop.connection, 2, minute=2, **mobile)
    track(shop.connection, 3, minute=3, **CALL)
    track(shop.connection, 4, minute=4, email="ada@example.com", **hers)
    track(shop.connection, 5, minute=5, **hers)
    track(shop.connection, 6, minute=6, kind="form", email="bob@example.com")
    report = shop.cycle()
    assert phones(shop) == ["+436641234567", "+436647654321"]
    assert report.tally["tracked_leads", "rejected"] == 2
    shop.settings(attribution=ATTRIBUTION)
    report = shop.cycle()
    assert report.state == "Complete", report.reason
    assert report.tally["tracked_leads", "leads_changed"] == 6
    there = {
        lead["Tracker_Id__c"]: (lead.get("Phone"), lead.get("Email"))
        for lead in shop.records("Lead")
    }
    assert there == {
        "1": ("+496641234567", None),
        "3": ("+4930901820", None),
        "4": ("+496647654321", "ada@example.com"),
        "6": (None, "bob@example.com"),
    }
    assert shop.cycle().counts.api_calls == 0
    shop.settings(attribution=austria)
    assert shop.cycle().tally["tracked_leads", "rejected"] == 2
    assert phones(shop) == ["+436641234567", "+436647654321", "+4930901820", None]
    assert whose(shop) == {"1": "1", "2": "1", "4": "4", "5": "4"}


def whose(shop: Bench) -> dict[str, str]:
    """The first lead of the person of each lead that is about somebody."""
    rows = shop.connection.execute(
        text(
            "SELECT t.lead_id, min(t.lead_id) OVER (PARTITION BY t.person_key) AS first"
            " FROM crm.tracked_lead AS t WHERE t.person_key IS NOT NULL"
        )
    )
    return {row.lead_id: row.first for row in rows}


@pytest.mark.deep
@pytest.mark.parametrize("action", ["reset_before", "reset_after"])
def test_a_lost_answer_makes_no_second_lead(shop: Bench, action: str) -> None:
    """Not even where others have the number as well."""
    for name in ("Anna", "Otto"):
        shop.seed("Contact", LastName=name, Phone="030 901820", Email=f"{name}@example.com")
    track(shop.connection, 1, **CALL, landing_page="x" * 300)
    shop.fault("collections.create", action, nth=1)
    shop.cycle()
    assert "in_flight" in shop.states().values()
    for _ in range(2):
        report = shop.cycle()
    assert report.state == "Complete"
    assert phones(shop) == ["+4930901820"]


def test_what_people_write_in_the_org_is_known_once_it_is_read_back(shop: Bench) -> None:
    contact = shop.seed("Contact", LastName="Ada", Phone="030 901899")
    shop.settings(read_back_minutes=0)
    track(shop.connection, 1, kind="call", phone="0171 1234567")
    shop.cycle()
    shop.admin("edit", id=contact, fields={"Phone": "(030) 901820"})
    track(shop.connection, 2, minute=60, **CALL)
    track(shop.connection, 3, minute=60, kind="call", phone="030 901899")
    shop.cycle()
    [ada] = shop.records("Contact")
    assert ada["Tracker_Id__c"] == "2"
    assert phones(shop) == ["+491711234567", "+4930901899"]


def test_two_accounts_of_one_org_make_one_lead_of_a_caller(shop: Bench) -> None:
    """The other one knows nothing of the lead yet: it finds it by the number as it was written."""
    account_of(
        shop.connection, shop.server, "other", "client-2", org=ACCOUNT, attribution=ATTRIBUTION
    )
    track(shop.connection, 1, **CALL, source="google")
    track(shop.connection, 2, client="client-2", **CALL, source="bing")
    assert shop.cycle().state == shop.cycle(account="other").state == "Complete"
    [lead] = shop.records("Lead")
    assert (lead["First_Source__c"], lead["Last_Source__c"]) == ("google", "bing")
