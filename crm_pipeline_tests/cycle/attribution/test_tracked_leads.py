"""Tracked leads become people with their attribution."""

from typing import Any

import pytest

from crm_pipeline_tests.cycle.conftest import Bench
from crm_pipeline_tests.flows.webinars.warehouse import track

ADA: dict[str, Any] = {
    "contact_name": "Ada Lovelace",
    "email": "ada@example.com",
    "company_name": "Engines",
}
GOOGLE: dict[str, Any] = {
    "source": "google",
    "medium": "cpc",
    "campaign": "Spring",
    "gclid": "Cj0K",
}


def test_a_new_lead_becomes_a_lead_with_its_details_and_both_touches(shop: Bench) -> None:
    track(shop.connection, 4711, phone="030 901820", **ADA, **GOOGLE)
    report = shop.cycle()
    assert report.state == "Complete", report.reason
    [lead] = shop.records("Lead")
    assert {name: lead[name] for name in ("FirstName", "LastName", "Company", "Email")} == {
        "FirstName": "Ada",
        "LastName": "Lovelace",
        "Company": "Engines",
        "Email": "ada@example.com",
    }
    assert (lead["Phone"], lead["LeadSource"]) == ("+4930901820", "Web")
    assert (lead["Tracker_Id__c"], lead["Tracker_Kind__c"]) == ("4711", "form")
    for touch in ("First", "Last"):
        assert lead[f"{touch}_Source__c"] == "google"
        assert lead[f"{touch}_Gclid__c"] == "Cj0K"
        assert lead.get(f"{touch}_Keyword__c") is None
    assert report.tally["tracked_leads", "leads_new"] == 1
    assert shop.cycle().counts.api_calls == 0


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"is_spam": True, **ADA}, "spam"),
        ({"is_duplicate": True, **ADA}, "duplicate"),
        ({"kind": "fax", **ADA}, "unknown kind"),
        ({"contact_name": "Nobody"}, "no email and no valid phone number"),
        ({"email": "nobody@", "phone": "0000000000"}, "no email and no valid phone number"),
        ({"happened_at": "infinity", **ADA}, "happened_at is no usable time"),
    ],
)
def test_what_is_not_sent_is_counted_with_its_reason(
    shop: Bench, columns: dict[str, Any], reason: str
) -> None:
    track(shop.connection, 1, **columns)
    report = shop.cycle()
    assert (report.state, shop.records("Lead")) == ("Complete", [])
    assert report.tally["tracked_leads", f"rejected: {reason}"] == 1
    assert report.tally["tracked_leads", "rejected"] == 1


def test_the_first_touch_stays_and_the_last_one_is_replaced_as_a_whole(shop: Bench) -> None:
    track(shop.connection, 1, **ADA, **GOOGLE)
    shop.cycle()
    track(shop.connection, 2, minute=60, **ADA, source="bing")
    track(shop.connection, 3, minute=90, **ADA)
    shop.cycle()
    [lead] = shop.records("Lead")
    assert (lead["First_Source__c"], lead["First_Campaign__c"]) == ("google", "Spring")
    assert (lead["Last_Source__c"], lead["Last_Campaign__c"], lead["Last_Gclid__c"]) == (
        "bing",
        None,
        None,
    )
    assert lead["Tracker_Id__c"] == "1"
