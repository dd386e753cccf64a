"""An org takes what was made to fit by its own describe."""

from typing import Any

import pytest

from crm_pipeline.salesforce.connection import Org
from crm_pipeline.salesforce.describe import SObjectSchema
from crm_pipeline.salesforce.outcomes import Write
from crm_pipeline.salesforce.values import Why
from crm_pipeline.salesforce.writes import send_by_composite


def _schema(connection: Org, sobject: str) -> SObjectSchema:
    answer = connection.request("describe", "GET", f"sobjects/{sobject}/describe")
    return SObjectSchema.from_json(SObjectSchema.from_describe(answer.body).to_json())


def _create(connection: Org, sobject: str, fields: dict[str, Any]) -> str:
    [[outcome]] = send_by_composite(connection, [Write(0, sobject, "create", fields)])
    assert outcome.errors == ()
    return outcome.status


AWKWARD = {
    "LastName": "x" * 200,
    "Company": " padded ",
    "City": "x" * 41,
    "Email": "ann@example.com",
    "Salutation": "Dr.",
    "LeadSource": "Webinar",
    "Country": "DE",
    "State": "Nowhere",
    "Phone": "1" * 41,
    "Nothing__c": "x",
    "Name": "read only",
    "NumberOfEmployees": "many",
    "Description": "d" * 40_000,
}


@pytest.mark.parametrize("picklists", [False, True])
def test_awkward_values_arrive_as_a_lead(make_org, picklists):
    org = make_org(state_and_country_picklists=picklists)
    connection = org.connect()
    schema = _schema(connection, "Lead")

    fitted = schema.fit(AWKWARD, "create")

    assert _create(connection, "Lead", fitted.fields) == "ok"
    [row] = org.rows("Lead")
    assert row["LastName"] == "x" * 80
    assert row["Country"] == ("Germany" if picklists else "DE")
    assert {change.field: change.why for change in fitted.changes} == {
        "LastName": Why.TOO_LONG,
        "City": Why.TOO_LONG,
        "Phone": Why.TOO_LONG,
        "Description": Why.TOO_LONG,
        "Nothing__c": Why.ABSENT,
        "Name": Why.READ_ONLY,
        "NumberOfEmployees": Why.WRONG_TYPE,
    } | ({"State": Why.UNKNOWN_STATE} if picklists else {})


def test_a_state_of_its_country_arrives(make_org):
    org = make_org(state_and_country_picklists=True)
    connection = org.connect()
    schema = _schema(connection, "Contact")
    person = {"LastName": "A", "MailingCountry": "us", "MailingState": "texas"}

    fitted = schema.fit(person, "create")

    assert fitted.changes == []
    assert _create(connection, "Contact", fitted.fields) == "ok"
    [row] = org.rows("Contact")
    assert (row["MailingCountry"], row["MailingState"]) == ("United States", "Texas")


def test_a_hidden_field_and_a_restricted_value_do_not_stop_a_person(make_org):
    org = make_org(
        hidden_fields=["Lead.Phone"],
        objects={"Lead": {"fields": {"LeadSource": {"restricted": True, "values": ["Web"]}}}},
    )
    connection = org.connect()
    person = {"LastName": "A", "Company": "c", "Phone": "1", "LeadSource": "webinar"}

    fitted = _schema(connection, "Lead").fit(person, "create")

    assert fitted.fields == {"LastName": "A", "Company": "c"}
    assert _create(connection, "Lead", fitted.fields) == "ok"


def test_an_event_without_duration_in_the_describe_of_an_activity_arrives(org):
    connection = org.connect()
    event = {
        "Subject": "Webinar Registration",
        "ActivityDateTime": "2026-11-20T10:00:00Z",
        "DurationInMinutes": 0,
        "Type": "Webinar",
        "ShowAs": "free",
    }

    fitted = _schema(connection, "Event").fit(event, "create")

    assert fitted.fields["ShowAs"] == "Free"
    assert _create(connection, "Event", fitted.fields) == "ok"
