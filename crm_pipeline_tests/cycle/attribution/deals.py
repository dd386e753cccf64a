"""Opportunities in the org of a shop, what the platform is told of them, a short call each."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine, text

from crm_pipeline_tests.cycle.attribution.conftest import ATTRIBUTION, FIELDS, SHOP_ORG
from crm_pipeline_tests.cycle.conftest import ACCOUNT, Bench, bench_of

CLOSE_DAY = "2026-12-31"
ID_ON_OPPORTUNITY = "Tracker_Lead__c"

DEAL_ORG: dict[str, Any] = {
    **SHOP_ORG,
    "currencies": {"USD": 1, "EUR": 0.9},
    "objects": {
        "Lead": {"fields": FIELDS},
        "Contact": {"fields": FIELDS},
        "Opportunity": {
            "fields": {
                ID_ON_OPPORTUNITY: {"type": "string", "length": 40},
                "Region__c": {"type": "string", "length": 40},
            }
        },
    },
}
"""An org with several currencies, where an opportunity may name a tracked lead."""

DEALS = {**ATTRIBUTION, "opportunity_id_field": ID_ON_OPPORTUNITY}


@contextmanager
def deals_of(pipeline: Engine, monkeypatch: pytest.MonkeyPatch, **org: Any) -> Iterator[Bench]:
    """An account with attribution on whose org is read in every cycle."""
    with bench_of({"name": ACCOUNT, **DEAL_ORG, **org}, pipeline, monkeypatch) as made:
        made.settings(attribution=DEALS, read_back_minutes=0)
        yield made


@pytest.fixture
def deals(pipeline: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """Such an account, of which nothing was read yet."""
    with deals_of(pipeline, monkeypatch) as made:
        yield made


def choose(bench: Bench, **choices: Any) -> None:
    """The account chooses otherwise."""
    bench.settings(attribution={**DEALS, **choices})


def deal(bench: Bench, contact: str | None = None, **fields: Any) -> str:
    """An opportunity that people make; with a contact in the primary role, if one is given."""
    known = {
        "Name": "Deal",
        "StageName": "Prospecting",
        "CloseDate": CLOSE_DAY,
        "Amount": 100,
        "CurrencyIsoCode": "USD",
        **fields,
    }
    if contact is not None:
        known["ContactId"] = contact
    made = {name: value for name, value in known.items() if name != "CurrencyIsoCode" or value}
    return str(bench.admin("create", object="Opportunity", fields=made)["id"])


def role(bench: Bench, opportunity: str, contact: str, *, primary: bool = False) -> str:
    """A contact gets a role in an opportunity."""
    fields = {"OpportunityId": opportunity, "ContactId": contact, "IsPrimary": primary}
    return str(bench.admin("create", object="OpportunityContactRole", fields=fields)["id"])


def edit(bench: Bench, record: str, **fields: Any) -> None:
    """People edit a record."""
    bench.admin("edit", id=record, fields=fields)


def cycle(bench: Bench) -> dict[str, Any]:
    """A cycle that has to be complete; returns what the platform knows then (`told`)."""
    report = bench.cycle()
    assert report.state == "Complete", report.reason
    return told(bench)


def told(bench: Bench) -> dict[str, Any]:
    """The latest body of each message, by lead and opportunity."""
    rows = bench.connection.execute(
        text("SELECT about, body FROM platform_inbox.current WHERE topic = 'lead_values'")
    )
    found = {row.about: row.body for row in rows}
    bench.connection.rollback()
    return found


def of_lead(bench: Bench, lead: int, opportunity: str) -> dict[str, Any]:
    """The latest body about a lead and an opportunity; an error where there is none."""
    body: dict[str, Any] = told(bench)[f"lead:{lead}:opportunity:{opportunity}"]
    return body


def messages(bench: Bench) -> int:
    """The number of messages that were ever told of opportunities."""
    number = bench.connection.scalar(
        text("SELECT count(*) FROM platform_inbox.message WHERE topic = 'lead_values'")
    )
    bench.connection.rollback()
    return int(number)


def sums(bench: Bench) -> dict[str, Decimal]:
    """The sum of the amounts that the platform knows, by currency."""
    found: dict[str, Decimal] = {}
    for body in told(bench).values():
        if body["amount"] is not None:
            before = found.get(body["currency"], Decimal(0))
            found[body["currency"]] = before + Decimal(body["amount"])
    return found


def waits(bench: Bench, opportunity: str) -> str | None:
    """Why an opportunity waits."""
    reason = bench.connection.scalar(
        text("SELECT waits_because FROM crm.opportunity WHERE opportunity_id = :it"),
        {"it": opportunity},
    )
    bench.connection.rollback()
    return None if reason is None else str(reason)
