from typing import Any

import pytest

from crm_pipeline_tests.local_org.records import LEAD, admin, create, error, read, refused, update
from crm_pipeline_tests.local_org.wire import Caller, serving
from crm_pipeline_tests.salesforce.describes import valid_for


@pytest.fixture(scope="module")
def server():
    with serving(state_and_country_picklists=True) as caller:
        yield caller


@pytest.fixture
def acme(server):
    admin(server, "reset")
    return server


def address(acme: Caller, lead: str) -> tuple[Any, ...]:
    row = read(acme, "Lead", lead)
    return tuple(row[name] for name in ("Country", "CountryCode", "State", "StateCode"))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"Country": "germany"}, ("Germany", "DE", None, None)),
        ({"CountryCode": "de"}, ("Germany", "DE", None, None)),
        ({"Country": "France", "CountryCode": "DE"}, ("Germany", "DE", None, None)),
        (
            {"CountryCode": "US", "State": "California"},
            ("United States", "US", "California", "CA"),
        ),
        ({"CountryCode": "CA", "StateCode": "on"}, ("Canada", "CA", "Ontario", "ON")),
        ({}, (None, None, None, None)),
    ],
)
def test_names_and_codes_are_kept_in_step(acme, given, expected):
    assert address(acme, create(acme, **given)) == expected


def test_whichever_of_name_and_code_changes_moves_the_other(acme):
    lead = create(acme, CountryCode="DE")
    update(acme, "Lead", lead, Country="France")
    assert address(acme, lead)[:2] == ("France", "FR")
    update(acme, "Lead", lead, CountryCode="US", StateCode="TX")
    assert address(acme, lead) == ("United States", "US", "Texas", "TX")
    update(acme, "Lead", lead, State=None, Country="")
    assert address(acme, lead) == (None, None, None, None)


def test_an_unknown_country_is_refused_and_nothing_is_saved(acme):
    assert refused(acme, "Contact", LastName="x", MailingCountry="Atlantis") == {
        "message": "There's a problem with this country, even though it may appear correct. "
        "Please select a country/territory from the list of valid countries.: Mailing Country",
        "errorCode": "FIELD_INTEGRITY_EXCEPTION",
        "fields": ["MailingCountry"],
    }
    assert refused(acme, "Lead", **LEAD, CountryCode="XX")["fields"] == ["Country"]
    assert acme.values("SELECT Id FROM Contact") == []


def test_a_state_belongs_to_its_country(acme):
    assert refused(acme, "Lead", **LEAD, CountryCode="DE", State="Texas") == {
        "message": "There's a problem with this state, even though it may appear correct. Please "
        "select a state from the list of valid states.: State/Province",
        "errorCode": "FIELD_INTEGRITY_EXCEPTION",
        "fields": ["State"],
    }
    assert (
        "country/territory must be specified"
        in refused(acme, "Lead", **LEAD, State="Texas")["message"]
    )
    lead = create(acme, CountryCode="US", StateCode="TX")
    answer = acme.call("PATCH", f"sobjects/Lead/{lead}", json={"Country": "Canada"})
    assert error(answer)["fields"] == ["State"]


def test_the_codes_are_in_the_describe_and_in_the_address(acme):
    fields = {each["name"]: each for each in acme.get("sobjects/Lead/describe").json()["fields"]}
    germany = {
        "active": True,
        "defaultValue": False,
        "label": "Germany",
        "validFor": None,
        "value": "DE",
    }
    assert germany in fields["CountryCode"]["picklistValues"]
    states = fields["StateCode"]
    assert (states["controllerName"], states["dependentPicklist"]) == ("CountryCode", True)
    countries = [each["value"] for each in fields["CountryCode"]["picklistValues"]]
    assert {
        (each["label"], each["validFor"])
        for each in states["picklistValues"]
        if each["value"] == "WA"
    } == {
        ("Washington", valid_for(countries.index("US"))),
        ("Western Australia", valid_for(countries.index("AU"))),
    }
    lead = read(acme, "Lead", create(acme, CountryCode="US", StateCode="TX"))
    assert (lead["Address"]["countryCode"], lead["Address"]["stateCode"]) == ("US", "TX")
