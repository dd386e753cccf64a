"""Two addresses never become one person because of a number, in whatever order things are known."""

from typing import Any

import pytest

from crm_pipeline_tests.cycle.conftest import Bench
from crm_pipeline_tests.flows.webinars.warehouse import track

CALL: dict[str, Any] = {"kind": "call", "phone": "030 901820"}


def known(shop: Bench) -> dict[str | None, str | None]:
    """The ids of first leads by the address of the record."""
    people = [*shop.records("Lead"), *shop.records("Contact")]
    return {each.get("Email"): each.get("Tracker_Id__c") for each in people}


@pytest.mark.parametrize("sobject", ["Lead", "Contact"])
def test_a_caller_taken_for_somebody_gives_another_address(shop: Bench, sobject: str) -> None:
    company = {"Company": "Engines"} if sobject == "Lead" else {}
    shop.seed(sobject, LastName="Anna", Phone="030 901820", Email="anna@example.com", **company)
    track(shop.connection, 1, **CALL, source="google")
    shop.cycle()
    assert known(shop) == {"anna@example.com": "1"}
    track(shop.connection, 2, minute=60, phone="030 901820", email="bob@example.com", source="bing")
    assert shop.cycle().state == "Complete"
    assert known(shop) == {"anna@example.com": "1", "bob@example.com": "1"}
    [anna] = [each for each in shop.records(sobject) if each["Email"] == "anna@example.com"]
    assert anna["Last_Source__c"] == "google"


def test_somebody_calls_by_the_number_that_another_one_never_had(shop: Bench) -> None:
    """The number is corrected in the cycle in which somebody calls by it."""
    track(shop.connection, 1, **CALL)
    shop.cycle()
    track(shop.connection, 1, minute=60, phone="030 901821", email="ada@example.com")
    track(shop.connection, 2, minute=61, **CALL)
    assert shop.cycle().state == "Complete"
    assert known(shop) == {"ada@example.com": "1", None: "2"}
