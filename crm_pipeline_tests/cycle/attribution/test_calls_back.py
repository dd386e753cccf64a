"""Reading opportunities back costs exactly so many API calls."""

from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Connection, text

from crm_pipeline.local_org import dml
from crm_pipeline.local_org.transaction import WriteContext, committed
from crm_pipeline_tests.cycle.attribution.deals import ID_ON_OPPORTUNITY, cycle, deal, deals, told
from crm_pipeline_tests.cycle.conftest import Bench
from crm_pipeline_tests.flows.webinars.warehouse import track

__all__ = ["deals"]

OPPORTUNITIES = 10_000


def test_an_idle_reading_is_one_call(deals: Bench) -> None:
    track(deals.connection, 1, contact_name="Ada Lovelace", email="ada@example.com")
    for _ in range(3):
        cycle(deals)
    deal(deals, **{ID_ON_OPPORTUNITY: "1"})
    cycle(deals)
    cycle(deals)
    assert deals.cycle().counts.api_calls == 1


def add_leads(connection: Connection, number: int) -> None:
    """So many tracked leads, as they are known once they were read."""
    connection.execute(
        text(
            "WITH people AS (INSERT INTO crm.person (account_id, address, as_of)"
            " SELECT 'acme', 'p' || n || '@example.com', now() FROM generate_series(1, :n) AS n"
            " RETURNING person_key, address)"
            " INSERT INTO crm.tracked_lead (account_id, lead_id, happened_at, as_of, email,"
            " address, person_key, columns)"
            " SELECT 'acme', person_key, '2026-01-01', now(), address, address, person_key,"
            " jsonb_build_object('kind', 'form', 'email', address)"
            " FROM people"
        ),
        {"n": number},
    )
    connection.commit()


def fill(bench: Bench, number: int) -> None:
    """Opportunities with three rows of history and one or two roles each, and their contacts."""
    contacts = bench.admin(
        "seed",
        Contact=[
            {"LastName": f"Last {n}", "Email": f"p{n}@example.com"} for n in range(1, number + 1)
        ],
    )["Contact"]
    opportunities = bench.admin(
        "seed",
        Opportunity=[
            {
                "Name": f"Deal {n}",
                "StageName": "Qualification",
                "CloseDate": "2026-12-31",
                "Amount": n / 4,
                "CurrencyIsoCode": "USD" if n % 3 else "EUR",
            }
            for n in range(number)
        ],
    )["Opportunity"]
    history: list[dict[str, Any]] = [
        {"OpportunityId": each, "StageName": stage, "Amount": 1, "CloseDate": "2026-12-31"}
        for each in opportunities
        for stage in ("Prospecting", "Needs Analysis")
    ]
    roles = [
        {"OpportunityId": each, "ContactId": contact, "IsPrimary": True}
        for each, contact in zip(opportunities, contacts, strict=True)
    ]
    roles += [
        {"OpportunityId": each, "ContactId": contact, "IsPrimary": False}
        for each, contact in zip(opportunities[::2], contacts[1::2], strict=True)
    ]
    bench.admin("seed", OpportunityHistory=history, OpportunityContactRole=roles)


@pytest.mark.deep
def test_ten_thousand_opportunities_with_their_people(deals: Bench) -> None:
    add_leads(deals.connection, OPPORTUNITIES)
    # Of the current minute an org does not say yet that all is covered: it would be read again.
    deals.admin("settings", clock_shift_seconds=-600)
    fill(deals, OPPORTUNITIES)
    deals.admin("settings", clock_shift_seconds=-300)
    report = deals.cycle()
    assert report.state == "Complete", report.reason
    assert len(told(deals)) == OPPORTUNITIES
    assert report.tally["opportunities", "new"] == OPPORTUNITIES
    # A describe; eight pages of roles, and the other objects with them; the leads that became the
    # opportunities or their contacts: two calls more. No role is older than its opportunity.
    assert report.counts.api_calls == 11, report.api_calls_by_kind
    assert deals.cycle().counts.api_calls == 1
    assert len(told(deals)) == OPPORTUNITIES

    # All of them are won in a day, each for another amount: nobody around them has changed.
    with committed(WriteContext(deals.org, next(iter(deals.org.users.values())).id)) as context:
        for number, each in enumerate(deals.records("Opportunity")):
            fields = {"StageName": "Closed Won", "Amount": number}
            dml.update(deals.org, context, "Opportunity", each["Id"], fields)
    deals.admin("settings", clock_shift_seconds=0)
    report = deals.cycle()
    assert report.state == "Complete", report.reason
    assert report.tally["opportunities", "changed"] == OPPORTUNITIES
    # Five pages, and one that finds that there are no more.
    assert report.counts.api_calls == 6, report.api_calls_by_kind
    now = told(deals).values()
    assert {(each["standing"], each["version"], len(each["history"])) for each in now} == {
        ("won", 2, 4)
    }
    assert sum(Decimal(each["closed_amount"]) for each in now) == sum(range(OPPORTUNITIES))
    assert deals.cycle().counts.api_calls == 1
