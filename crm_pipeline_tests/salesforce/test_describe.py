"""Values are made to fit what the org's describe says, so that the person arrives."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_pipeline.salesforce.describe import FieldChange, SObjectSchema
from crm_pipeline.salesforce.values import Why
from crm_pipeline_tests.salesforce.describes import CONTACT_WITH_PLACES, LEAD

SCHEMA = SObjectSchema.from_describe(LEAD)
PLACES = SObjectSchema.from_describe(CONTACT_WITH_PLACES)


def test_a_schema_survives_the_cache_and_stays_small():
    for schema in (SCHEMA, PLACES):
        cached = schema.to_json()

        assert SObjectSchema.from_json(cached) == schema
        assert SObjectSchema.from_json(orjson.loads(cached)) == schema
        assert SObjectSchema.from_json(cached).fit({"LastName": "x"}, "create").fields
    assert len(SCHEMA.to_json()) < 2_000


def test_what_another_version_cached_of_a_field_is_passed_over():
    cached = orjson.loads(SCHEMA.to_json())
    cached["fields"][0]["id_lookup"] = True

    assert SObjectSchema.from_json(cached) == SCHEMA


@pytest.mark.parametrize(
    ("field", "value", "written", "why"),
    [
        ("LastName", "Lovelace", "Lovelace", None),
        ("LastName", "  Lovelace\t", "Lovelace", None),
        ("lastname", "Lovelace", "Lovelace", None),
        ("City", "x" * 41, "x" * 40, Why.TOO_LONG),
        ("City", "x" * 39 + " y", "x" * 39, Why.TOO_LONG),
        ("City", "ü" * 40, "ü" * 40, None),
        ("City", 4711, "4711", None),
        ("Status", "Any text", "Any text", None),
        ("Rating", "Hot", "Hot", None),
        ("Rating", "hot", "Hot", Why.SPELLING),
        ("Rating", "warm", "W", Why.SPELLING),
        ("Topics__c", "law; Tax", "Law;Tax", Why.SPELLING),
        ("Topics__c", "Law;Art", "Law", Why.NOT_IN_PICKLIST),
        ("Email", "Ann@Example.com", "Ann@Example.com", None),
        ("Seats__c", "12", 12, None),
        ("Seats__c", 12.0, 12, None),
        ("Score__c", Decimal("1.5"), 1.5, None),
        ("Opt_In__c", "Yes", True, None),
        ("Opt_In__c", False, False, None),
        ("Born__c", date(1815, 12, 10), "1815-12-10", None),
        ("Born__c", "1815-12-10T00:00:00Z", "1815-12-10", None),
        (
            "Seen__c",
            datetime(2026, 11, 20, 1, tzinfo=timezone(timedelta(hours=2))),
            "2026-11-19T23:00:00.000+0000",
            None,
        ),
        ("Seen__c", "2026-11-20T01:00:00.000+0000", "2026-11-20T01:00:00.000+0000", None),
        ("OwnerId", "005000000000001AAA", "005000000000001AAA", None),
    ],
)
def test_a_value_goes_out_as_the_field_takes_it(field, value, written, why):
    fitted = SCHEMA.fit({field: value}, "create")

    schema = SCHEMA.field(field)
    assert schema is not None
    name = schema.name
    assert fitted.fields == {name: written}
    assert type(fitted.fields[name]) is type(written)
    assert fitted.changes == ([] if why is None else [FieldChange(name, why, value, written)])


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("Type", "Webinar", Why.ABSENT),
        ("ConvertedContactId", "003000000000001AAA", Why.READ_ONLY),
        ("Review__c", "later", Why.READ_ONLY),
        ("Rating", "Lukewarm", Why.NOT_IN_PICKLIST),
        ("Rating", "Cold", Why.NOT_IN_PICKLIST),
        ("Topics__c", "Art", Why.NOT_IN_PICKLIST),
        ("Second_Email__c", "not an email", Why.INVALID_EMAIL),
        ("Seats__c", "many", Why.WRONG_TYPE),
        ("Seats__c", 1.5, Why.WRONG_TYPE),
        ("Score__c", True, Why.WRONG_TYPE),
        ("Score__c", "nan", Why.WRONG_TYPE),
        ("Opt_In__c", "perhaps", Why.WRONG_TYPE),
        ("Born__c", "yesterday", Why.WRONG_TYPE),
        ("Seen__c", "2026-11-20T01:00:00", Why.WRONG_TYPE),
        ("Seen__c", "soon", Why.WRONG_TYPE),
        ("Born__c", date(9999, 12, 31), Why.WRONG_YEAR),
        ("Born__c", "1699-12-31", Why.WRONG_YEAR),
        ("Born__c", "24989-01-01", Why.WRONG_YEAR),
        ("Born__c", "2044-03-15 BC", Why.WRONG_YEAR),
        ("Seen__c", "infinity", Why.WRONG_YEAR),
        ("Seen__c", datetime(4001, 1, 1, tzinfo=UTC), Why.WRONG_YEAR),
        ("Seen__c", datetime(2026, 1, 1), Why.WRONG_TYPE),  # noqa: DTZ001 - of no zone
        ("OwnerId", "somebody", Why.WRONG_TYPE),
    ],
)
def test_what_the_field_cannot_take_is_left_out_and_recorded(field, value, why):
    fitted = SCHEMA.fit({field: value, "LastName": "Lovelace"}, "create")

    assert fitted.fields == {"LastName": "Lovelace"}
    assert fitted.changes == [FieldChange(field, why, value, None)]


def test_some_fields_are_for_creating_only_and_some_for_updating_only():
    values = {"Origin__c": "a", "Review__c": "b", "City": "c"}

    assert set(SCHEMA.fit(values, "create").fields) == {"Origin__c", "City"}
    assert set(SCHEMA.fit(values, "update").fields) == {"Review__c", "City"}
    assert set(SCHEMA.fit(values, "upsert").fields) == {"City"}


@pytest.mark.parametrize("operation", ["create", "update"])
def test_blank_text_says_nothing(operation):
    assert SCHEMA.fit({"City": "", "FirstName": " \n"}, operation) == ({}, [])


def test_none_clears_a_field_that_may_be_empty_and_only_on_an_update():
    values = {"City": None, "LastName": None}

    assert SCHEMA.fit(values, "update") == ({"City": None}, [])
    assert SCHEMA.fit(values, "create") == ({}, [])


def test_required_are_the_fields_that_nothing_else_fills():
    required = [field.name for field in SCHEMA.fields.values() if field.required]
    assert required == ["LastName", "Company"]


def test_only_what_the_org_shows_is_queried():
    assert SCHEMA.readable(["city", "Email", "Type", "City"]) == ["City", "Email"]
    assert PLACES.readable(["MailingState", "MailingCountry", "LastName"]) == [
        "MailingState",
        "MailingCountry",
        "LastName",
        "MailingCountryCode",
        "MailingStateCode",
    ]


@pytest.mark.parametrize(
    ("country", "state", "written"),
    [
        ("DE", None, {"MailingCountryCode": "DE"}),
        ("germany", None, {"MailingCountryCode": "DE"}),
        ("us", "texas", {"MailingCountryCode": "US", "MailingStateCode": "TX"}),
        ("US", "TX", {"MailingCountryCode": "US", "MailingStateCode": "TX"}),
        ("US", "Washington", {"MailingCountryCode": "US", "MailingStateCode": "WA"}),
        ("AU", "western australia", {"MailingCountryCode": "AU", "MailingStateCode": "WA"}),
    ],
)
def test_states_and_countries_are_written_as_codes_where_the_org_keeps_lists(
    country, state, written
):
    fitted = PLACES.fit({"MailingCountry": country, "MailingState": state}, "create")

    assert fitted == (written, [])


@pytest.mark.parametrize(
    ("values", "written", "field", "why"),
    [
        ({"MailingCountry": "Atlantis"}, {}, "MailingCountry", Why.UNKNOWN_COUNTRY),
        ({"MailingState": "TX"}, {}, "MailingState", Why.STATE_WITHOUT_COUNTRY),
        (
            {"MailingCountry": "DE", "MailingState": "Bavaria"},
            {"MailingCountryCode": "DE"},
            "MailingState",
            Why.UNKNOWN_STATE,
        ),
        (
            {"MailingCountry": "AU", "MailingState": "Washington"},
            {"MailingCountryCode": "AU"},
            "MailingState",
            Why.UNKNOWN_STATE,
        ),
    ],
)
def test_a_place_that_the_org_does_not_know_is_left_out_and_the_person_kept(
    values, written, field, why
):
    fitted = PLACES.fit({"LastName": "Lovelace", **values}, "create")

    assert fitted.fields == {"LastName": "Lovelace", **written}
    assert fitted.changes == [FieldChange(field, why, values[field], None)]


def test_a_state_is_found_by_its_name_where_the_describe_does_not_say_whose_it_is():
    fields = [
        {**field, "picklistValues": [{**v, "validFor": None} for v in field["picklistValues"]]}
        for field in CONTACT_WITH_PLACES["fields"]
    ]
    schema = SObjectSchema.from_describe({"name": "Contact", "fields": fields})

    fitted = schema.fit({"MailingCountry": "US", "MailingState": "texas"}, "create")

    assert fitted.fields == {"MailingCountryCode": "US", "MailingStateCode": "TX"}


def test_an_update_may_change_the_state_alone_where_its_name_tells_which():
    assert PLACES.fit({"MailingState": "new south wales"}, "update").fields == {
        "MailingStateCode": "NSW"
    }
    assert PLACES.fit({"MailingState": "Bavaria"}, "update").fields == {}
    assert PLACES.fit({"MailingCountry": None, "MailingState": None}, "update").fields == {
        "MailingCountryCode": None,
        "MailingStateCode": None,
    }


_ANY_VALUE = st.none() | st.text() | st.integers() | st.floats() | st.booleans() | st.datetimes()
_RECORDS = st.dictionaries(
    st.sampled_from([*(f["name"] for f in LEAD["fields"]), "Absent", "lastNAME"]), _ANY_VALUE
)


@given(_RECORDS, st.sampled_from(["create", "update", "upsert"]))
def test_whatever_comes_in_what_goes_out_is_within_the_describe(record, operation):
    fitted = SCHEMA.fit(record, operation)

    for name, value in fitted.fields.items():
        field = SCHEMA.fields[name]
        assert field.writable(operation)
        if isinstance(value, str):
            assert value == value.strip()
            assert value
            assert not field.length or len(value) <= field.length
        if field.restricted and value is not None and field.type == "picklist":
            assert value in {choice.value for choice in field.values if choice.active}


@given(_RECORDS, st.sampled_from(["create", "update", "upsert"]))
def test_what_fits_once_fits_without_a_change_again(record, operation):
    once = SCHEMA.fit(record, operation).fields

    assert SCHEMA.fit(once, operation) == (once, [])
