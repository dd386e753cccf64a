"""Decisions: what is to be written for a person or an activity."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from crm_pipeline.accounts.account import AccountSettings
from crm_pipeline.delivery.decisions import (
    Decision,
    decide_activity,
    decide_person,
    made_unheard,
    newest_for_each_record,
)
from crm_pipeline.delivery.kind import PERSON
from crm_pipeline.ledger.due import DueActivity, DuePerson
from crm_pipeline.salesforce.describe import SObjectSchema
from crm_pipeline.salesforce.fields import FieldSchema
from crm_pipeline.salesforce.matching import Match

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SETTINGS = AccountSettings()


def schema(name: str, *fields: str) -> SObjectSchema:
    return SObjectSchema(
        name,
        {
            field: FieldSchema(field, "string", length=80, createable=True, updateable=True)
            for field in fields
        },
    )


SCHEMAS = {
    "Lead": schema("Lead", "LastName", "Company", "Email", "City"),
    "Contact": schema("Contact", "LastName", "Email", "MailingCity"),
}
EVENT = schema("Event", "Subject", "ActivityDateTime", "Description", "WhoId")


def person(**changes: Any) -> DuePerson:
    lead = {"LastName": "Lovelace", "Email": "ada@example.com", "City": "London"}
    contact = {"LastName": "Lovelace", "Email": "ada@example.com", "MailingCity": "London"}
    new = DuePerson(
        operation_id=1,
        natural_key="person:1",
        person_key=1,
        address="ada@example.com",
        as_of=NOON,
        intent={"Lead": lead, "Contact": contact},
        sobject=None,
        salesforce_id=None,
        identity_reason=None,
        last_sent=None,
        last_as_of=None,
    )
    return replace(new, **changes)


def known(**changes: Any) -> DuePerson:
    record = {"sobject": "Lead", "salesforce_id": "00Q1", "last_as_of": NOON}
    record["known_address"] = "ada@example.com"
    return person(**{**record, "last_sent": person().intent["Lead"], **changes})


def decide(given: DuePerson, match: Match | None = None) -> Decision:
    found = {} if match is None else {"ada@example.com": match}
    return decide_person(given, found, SCHEMAS, SETTINGS, {})


def test_nobody_in_the_org_becomes_a_lead_with_what_salesforce_requires() -> None:
    decision = decide(person())
    assert (decision.action, decision.sobject) == ("create", "Lead")
    assert decision.fields["Company"] == "[not provided]"
    assert decision.fields["LastName"] == "Lovelace"


def test_a_match_gets_only_what_differs_there() -> None:
    there = {"LastName": "lovelace ", "Email": "ADA@example.com", "MailingCity": "London"}
    decision = decide(person(), Match("Contact", "0031", there, "the only contact"))
    assert (decision.action, decision.salesforce_id) == ("update", "0031")
    assert decision.fields == {"LastName": "Lovelace"}


def test_a_match_that_has_it_all_gets_nothing() -> None:
    there = dict(person().intent["Lead"])
    assert decide(person(), Match("Lead", "00Q1", there, "the only lead")).action == "none"


def test_a_time_that_is_in_the_org_already_is_no_difference() -> None:
    """Salesforce returns it as `+0000`, whatever way it was written."""
    seen = FieldSchema("Seen__c", "datetime", createable=True, updateable=True)
    schemas = {**SCHEMAS, "Lead": SObjectSchema("Lead", {"Seen__c": seen})}
    there = Match("Lead", "00Q1", {"Seen__c": "2026-03-01T12:00:00.000+0000"}, "the only lead")
    for written in ("2026-03-01T12:00:00.000+0000", "2026-03-01T12:00:00Z", NOON.isoformat()):
        given = person(intent={"Lead": {"Seen__c": written}, "Contact": {}})
        decision = decide_person(given, {given.address: there}, schemas, SETTINGS, {})
        assert decision.action == "none", written


def test_the_address_of_a_contact_reached_through_its_lead_is_left_alone() -> None:
    there = {"LastName": "Lovelace", "Email": "other@example.com", "MailingCity": "Paris"}
    decision = decide(person(), Match("Contact", "0031", there, "converted"))
    assert decision.fields == {"MailingCity": "London"}


def test_a_known_person_gets_only_what_changed_since_it_was_sent() -> None:
    assert decide(known()).action == "none"
    earlier = {**person().intent["Lead"], "City": "Paris"}
    assert decide(known(last_sent=earlier)).fields == {"City": "London"}


def test_what_is_older_than_what_was_sent_changes_nothing() -> None:
    earlier = {**person().intent["Lead"], "City": "Paris"}
    later = NOON + timedelta(minutes=1)
    assert decide(known(last_sent=earlier, last_as_of=later)).action == "none"


def test_one_who_had_another_address_is_the_record_of_that_one_unless_the_new_one_is_there() -> (
    None
):
    former = {
        "salesforce_id": "00Q7",
        "known_address": "old@example.com",
        "last_sent": {**person().intent["Lead"], "Email": "old@example.com"},
    }
    decision = decide(known(**former))
    assert (decision.salesforce_id, decision.fields) == ("00Q7", {"Email": "ada@example.com"})
    there = dict(person().intent["Lead"])
    assert decide(known(**former), Match("Lead", "00Q1", there, "")).salesforce_id == "00Q1"


def test_one_whose_address_was_corrected_after_a_lost_answer_is_what_that_made() -> None:
    made = Match("Lead", "00Q7", {**person().intent["Lead"], "Email": "old@example.com"}, "")
    corrected = person(sent_emails=["Old@Example.com"])
    found, left = made_unheard([corrected], {"old@example.com": made})
    assert left == {}
    decision = decide_person(corrected, left, SCHEMAS, SETTINGS, found)
    assert (decision.salesforce_id, decision.fields) == ("00Q7", {"Email": "ada@example.com"})
    assert decide_person(corrected, {}, SCHEMAS, SETTINGS, {}).action == "create"


def test_of_several_whose_answers_were_lost_each_is_what_was_made_for_them() -> None:
    """Ada has another address, Bob has hers, and Cy has his."""
    made = {
        name: Match("Lead", f"00Q{name}", {"Email": f"{name}@example.com"}, "")
        for name in ("ada", "bob", "cy")
    }
    people = [
        person(person_key=number, address=f"{now}@example.com", sent_emails=[f"{was}@example.com"])
        for number, (was, now) in enumerate([("cy", "bob"), ("bob", "ada"), ("ada", "new")])
    ]
    found, left = made_unheard(people, {match.fields["Email"]: match for match in made.values()})
    assert found == {0: made["cy"], 1: made["bob"], 2: made["ada"]}
    assert left == {}


def activity(**changes: Any) -> DueActivity:
    new = DueActivity(
        operation_id=1,
        natural_key="attendance:1",
        person_key=1,
        intent={"Subject": "Webinar Attendance", "Description": "Poll"},
        who_id="00Q1",
        salesforce_id=None,
        last_person_key=None,
        last_intent=None,
    )
    return replace(new, **changes)


def test_a_new_activity_stands_under_its_person() -> None:
    decision = decide_activity(activity(), EVENT)
    assert (decision.action, decision.fields["WhoId"]) == ("create", "00Q1")


def test_an_activity_that_is_there_gets_what_changed() -> None:
    sent = {
        "salesforce_id": "00U1",
        "last_person_key": 1,
        "last_intent": {"Subject": "Webinar Attendance", "Description": ""},
    }
    decision = decide_activity(activity(**sent), EVENT)
    assert (decision.action, decision.fields) == ("update", {"Description": "Poll"})
    unchanged = {**sent, "last_intent": activity().intent}
    assert decide_activity(activity(**unchanged), EVENT).action == "none"
    moved = {**unchanged, "last_person_key": 2}
    assert decide_activity(activity(**moved), EVENT).fields == {"WhoId": "00Q1"}


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9)), max_size=8))
def test_of_several_people_who_are_one_record_exactly_the_newest_speaks(
    given_people: list[tuple[int, int]],
) -> None:
    pairs = [
        (
            person(operation_id=number, as_of=NOON + timedelta(minutes=minute)),
            Decision(number, "update", "Lead", f"00Q{record}", {"City": "x"}, "known", kind=PERSON),
        )
        for number, (record, minute) in enumerate(given_people)
    ]
    decisions = newest_for_each_record(pairs)
    assert [d.operation_id for d in decisions] == list(range(len(pairs)))
    for record in {record for record, _ in given_people}:
        newest = max(minute for r, minute in given_people if r == record)
        speaking = [
            pairs[d.operation_id][0]
            for d in decisions
            if d.action == "update" and d.salesforce_id == f"00Q{record}"
        ]
        assert [each.as_of for each in speaking] == [NOON + timedelta(minutes=newest)]


def test_a_no_to_emails_is_a_no_whoever_of_one_record_s_people_said_it() -> None:
    said = Decision(1, "update", "Lead", "00Q1", {"HasOptedOutOfEmail": True}, "known", kind=PERSON)
    later = Decision(2, "update", "Lead", "00Q1", {"City": "Rome"}, "known", kind=PERSON)
    older, newer = known(), known(operation_id=2, as_of=NOON + timedelta(hours=1))
    first, second = newest_for_each_record([(older, said), (newer, later)])
    assert first.action == "none"
    assert second.fields == {"City": "Rome", "HasOptedOutOfEmail": True}
