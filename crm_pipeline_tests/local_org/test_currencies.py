"""An org with several currencies, and one without."""

from typing import Any

import pytest

from crm_pipeline_tests.local_org.records import admin, create, read, update
from crm_pipeline_tests.local_org.wire import Caller, serving, serving_afresh

USERS = [
    {"username": "admin@acme.test", "currency": "USD"},
    {"username": "sales@acme.test", "currency": "EUR"},
]
CURRENCIES = {"GBP": 1, "USD": 1.25, "EUR": 1.2, "JPY": 200}


@pytest.fixture(scope="module")
def fresh():
    with serving_afresh(users=USERS, currencies=CURRENCIES) as afresh:
        yield afresh


@pytest.fixture
def multi(fresh):
    return fresh()


def sell(caller: Caller, **fields: Any) -> str:
    given = {"Name": "x", "CloseDate": "2026-03-31", "StageName": "Prospecting", **fields}
    return create(caller, "Opportunity", **given)


def test_a_record_is_in_its_users_currency_unless_it_says_another(multi):
    own, other = sell(multi, Amount=10), sell(multi, Amount=10, CurrencyIsoCode="JPY")
    assert read(multi, "Opportunity", own)["CurrencyIsoCode"] == "USD"
    assert read(multi, "Opportunity", other)["CurrencyIsoCode"] == "JPY"
    fields = {"Name": "x", "CloseDate": "2026-03-31", "StageName": "Prospecting"}
    made = admin(
        multi, "create", {"object": "Opportunity", "fields": fields, "user": "sales@acme.test"}
    )
    assert read(multi, "Opportunity", made["id"])["CurrencyIsoCode"] == "EUR"
    answer = multi.post("sobjects/Opportunity", json={**fields, "CurrencyIsoCode": "XXX"})
    assert answer.json()[0]["errorCode"] == "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"


def test_amounts_are_converted_to_the_users_currency(multi):
    sell(multi, Amount=100, CurrencyIsoCode="EUR")
    (row,) = multi.query(
        "SELECT Amount, CurrencyIsoCode, convertCurrency(Amount) dollars, "
        "convertCurrency(ExpectedRevenue) FROM Opportunity"
    )
    assert row == {
        "Amount": 100.0,
        "CurrencyIsoCode": "EUR",
        "dollars": 104.17,
        "ExpectedRevenue": 10.42,
    }


def test_amounts_of_a_parent_are_converted_by_its_own_currency(multi):
    opportunity = sell(multi, Amount=200, CurrencyIsoCode="JPY")
    contact = create(multi, "Contact", LastName="x")
    create(multi, "OpportunityContactRole", OpportunityId=opportunity, ContactId=contact)
    (row,) = multi.query("SELECT convertCurrency(Opportunity.Amount) FROM OpportunityContactRole")
    assert row["Opportunity"]["Amount"] == 1.25


def test_aggregates_are_in_the_corporate_currency(multi):
    sell(multi, Amount=125)
    sell(multi, Amount=120, CurrencyIsoCode="EUR")
    assert multi.values("SELECT SUM(Amount) FROM Opportunity") == [200.0]


def test_amounts_are_not_converted_in_conditions_or_where_there_are_none(multi):
    for soql in (
        "SELECT Id FROM Opportunity WHERE convertCurrency(Amount) > 5",
        "SELECT Id FROM Opportunity ORDER BY convertCurrency(Amount)",
        "SELECT convertCurrency(Name) FROM Opportunity",
        "SELECT convertCurrency() FROM Opportunity",
    ):
        assert multi.refused(soql)["errorCode"] == "MALFORMED_QUERY"


def test_history_keeps_the_currency(multi):
    opportunity = sell(multi, Amount=1, CurrencyIsoCode="EUR")
    update(multi, "Opportunity", opportunity, Amount=2)
    found = multi.values("SELECT CurrencyIsoCode FROM OpportunityHistory")
    assert found == ["EUR", "EUR"]


def test_currencies_and_rates_can_be_read(multi):
    found = multi.query("SELECT IsoCode, ConversionRate, IsCorporate FROM CurrencyType")
    assert [list(each.values()) for each in found] == [
        ["GBP", 1.0, True],
        ["USD", 1.25, False],
        ["EUR", 1.2, False],
        ["JPY", 200.0, False],
    ]
    assert multi.values("SELECT DefaultCurrencyIsoCode FROM User ORDER BY Id") == ["USD", "EUR"]


def test_an_org_with_one_currency_speaks_of_none(acme):
    sell(acme, Amount=1)
    assert acme.refused("SELECT CurrencyIsoCode FROM Opportunity")["errorCode"] == "INVALID_FIELD"
    assert acme.refused("SELECT IsoCode FROM CurrencyType")["errorCode"] == "INVALID_TYPE"
    error = acme.refused("SELECT convertCurrency(Amount) FROM Opportunity")
    assert error["errorCode"] == "MALFORMED_QUERY"


def test_bulk_converts_too(multi):
    sell(multi, Amount=100, CurrencyIsoCode="EUR")
    soql = "SELECT CurrencyIsoCode, convertCurrency(Amount) FROM Opportunity"
    job = multi.post("jobs/query", json={"operation": "query", "query": soql}).json()["id"]
    while multi.get(f"jobs/query/{job}").json()["state"] != "JobComplete":
        pass
    assert multi.get(f"jobs/query/{job}/results").text.splitlines()[1] == '"EUR","104.17"'


def test_a_user_of_a_currency_that_is_not_there_is_refused():
    with (
        pytest.raises(Exception, match="XXX is none of the currencies"),
        serving(users=[{"username": "a@x.test", "currency": "XXX"}]),
    ):
        pass
