"""How many calls tracked leads cost: exactly so many, as clients pay for them."""

import pytest
from sqlalchemy import text

from crm_pipeline_tests.cycle.conftest import Bench
from crm_pipeline_tests.flows.webinars.warehouse import CLIENT, LONG_AGO

TRACKED = """
INSERT INTO warehouse.tracked_lead (
    lead_id, client_id, kind, happened_at, contact_name, company_name, email, phone, source,
    medium, gclid, shipped_at
)
SELECT
    n, :client, CASE WHEN n > 8000 THEN 'call' ELSE 'form' END, :at, 'First Last' || n, 'Acme',
    CASE WHEN n <= 8000 THEN 'p' || n || '@example.com' END,
    '+49 30 ' || 900000 + n, 'google', 'cpc', 'g' || n, :at
FROM generate_series(1, 10000) AS n
"""

CHANGED_LAST = "2020-01-01T00:00:00.000+0000"
"""People who were changed just now would be read as changes, or not, as the clock has it."""


@pytest.mark.deep
@pytest.mark.parametrize("route", ["auto", "bulk"])
def test_ten_thousand_tracked_leads_and_nothing_new(shop: Bench, route: str) -> None:
    """Six in ten are known: 4,800 by their address, and 1,200 of 2,000 callers by the number.

    One call for descriptions, one for where changes begin, one for addresses, four for the rest of
    these, for numbers of the org and for callers, and ten for all writes.
    """
    shop.settings(route=route)
    known = [n for n in range(1, 10_001) if n <= 4_800 or 8_000 < n <= 9_200]
    people = [
        {"LastName": "Old", "Phone": f"(030) {900_000 + n}", "SystemModstamp": CHANGED_LAST}
        | ({"Email": f"p{n}@example.com"} if n <= 8_000 else {})
        for n in known
    ]
    leads = [{**each, "Company": "Old"} for each in people[::2]]
    shop.admin("seed", Lead=leads, Contact=people[1::2])
    shop.connection.execute(text(TRACKED), {"client": CLIENT, "at": LONG_AGO})
    report = shop.cycle()
    assert report.state == "Complete", report.reason
    assert (len(shop.records("Lead")), len(shop.records("Contact"))) == (7_000, 3_000)
    for sobject in ("Lead", "Contact"):
        assert all(each["First_Gclid__c"] for each in shop.records(sobject))
    assert report.counts.api_calls <= 24, report.api_calls_by_kind
    if route == "auto":  # A bulk job is asked for its state as often as it takes.
        assert report.counts.api_calls == 17, report.api_calls_by_kind
    assert shop.cycle().counts.api_calls == 0
