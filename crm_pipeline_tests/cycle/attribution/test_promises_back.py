"""Each promise of attribution notices its breach; rows that ad platforms may take."""

from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
from sqlalchemy import Engine, text

from crm_pipeline.database.statements import statement
from crm_pipeline_tests.cycle.attribution.deals import (
    ID_ON_OPPORTUNITY,
    choose,
    cycle,
    deal,
    deals,
    deals_of,
    edit,
    of_lead,
    role,
)
from crm_pipeline_tests.cycle.conftest import ACCOUNT, Bench
from crm_pipeline_tests.flows.webinars.warehouse import track

__all__ = ["deals"]

PROMISES = (
    "every_tracked_lead_is_accounted_for",
    "every_opportunity_is_accounted_for",
    "no_match_is_older_than_its_role",
    "values_agree",
    "no_value_is_told_twice",
)


def broken(bench: Bench) -> list[str]:
    """The promises that are not kept."""
    found = []
    for promise in PROMISES:
        asked = {"account_ids": [ACCOUNT], "freshness_minutes": 60}
        row = bench.connection.execute(statement(f"checks/{promise}"), asked).one()
        if not row.passed:
            found.append(promise)
    return found


@pytest.fixture
def told(deals: Bench) -> Bench:
    """One opportunity of a lead by a role, one by its id, one that waits, one that is deleted."""
    track(deals.connection, 1, contact_name="Ada Lovelace", email="ada@example.com")
    contact = deals.seed("Contact", LastName="Ada", Email="ada@example.com")
    cycle(deals)
    role(deals, deal(deals), contact)
    deal(deals, Amount=7, CurrencyIsoCode="EUR", **{ID_ON_OPPORTUNITY: "1"})
    deal(deals)
    gone = deal(deals, **{ID_ON_OPPORTUNITY: "1"})
    cycle(deals)
    deals.admin("delete", ids=[gone])
    cycle(deals)
    assert broken(deals) == []
    return deals


WRONG: list[tuple[str, list[str]]] = [
    (
        "UPDATE crm.operation SET state = 'superseded' WHERE kind = 'person'",
        ["every_tracked_lead_is_accounted_for"],
    ),
    (
        "UPDATE crm.tracked_lead SET person_key = NULL",
        ["every_tracked_lead_is_accounted_for"],
    ),
    (
        (
            "UPDATE crm.opportunity SET record = record || '{\"Amount\": 8}'"
            " WHERE record ->> 'Amount' = '7.0'"
        ),
        ["values_agree"],
    ),
    (
        (
            "UPDATE crm.operation SET intent = jsonb_set(intent, '{body,currency}', '\"USD\"')"
            " WHERE intent #>> '{body,currency}' = 'EUR'"
        ),
        ["values_agree"],
    ),
    (
        "UPDATE crm.opportunity SET version = version + 1 WHERE waits_because IS NULL",
        ["every_opportunity_is_accounted_for"],
    ),
    (
        (
            "UPDATE crm.opportunity SET waits_because = NULL, told = true"
            " WHERE waits_because IS NOT NULL"
        ),
        ["every_opportunity_is_accounted_for"],
    ),
    (
        "UPDATE crm.cycle SET counts = jsonb_set(counts, '{topics,opportunities,read}', '99')",
        ["every_opportunity_is_accounted_for"],
    ),
    (
        "UPDATE crm.opportunity_role SET read_at = now() + interval '1 day'",
        ["no_match_is_older_than_its_role"],
    ),
    (
        "UPDATE crm.opportunity_role SET deleted = true",
        ["no_match_is_older_than_its_role"],
    ),
    (
        (
            "INSERT INTO crm.operation (account_id, flow, kind, natural_key, version, as_of,"
            " content_hash, intent, state, read_by) SELECT account_id, flow, kind, natural_key,"
            " version + 1, as_of, content_hash, intent, 'done', (SELECT cycle_id FROM"
            " crm.sync_state) FROM crm.operation WHERE intent #>> '{body,standing}' = 'deleted'"
        ),
        ["no_value_is_told_twice"],
    ),
]
"""What spoils the ledger, and which promises are broken then."""


def test_what_is_wrong_is_noticed(told: Bench) -> None:
    for change, expected in WRONG:
        assert told.connection.execute(text(change)).rowcount, change
        assert broken(told) == expected, change
        told.connection.rollback()


def test_a_currency_that_the_account_names_is_the_orgs(
    pipeline: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with deals_of(pipeline, monkeypatch, currencies={}) as deals:
        track(deals.connection, 1, contact_name="Ada Lovelace", email="ada@example.com")
        choose(deals, currency="JPY")
        cycle(deals)
        made = deal(deals, CurrencyIsoCode=None, Amount=5, **{ID_ON_OPPORTUNITY: "1"})
        cycle(deals)
        body = of_lead(deals, 1, made)
        assert (body["amount"], body["currency"]) == ("5", "JPY")
        assert broken(deals) == []
        choose(deals)
        cycle(deals)
        assert of_lead(deals, 1, made)["currency"] is None
        assert broken(deals) == []


def conversions(bench: Bench) -> list[dict[str, Any]]:
    """The conversions that ad platforms may take, the smallest value first."""
    return rows_of(bench, "SELECT * FROM platform_inbox.ad_conversion ORDER BY value")


def retractions(bench: Bench) -> set[str]:
    """The order ids of those that do not hold any more."""
    found = rows_of(bench, "SELECT * FROM platform_inbox.ad_retraction")
    return {each["order_id"] for each in found}


def rows_of(bench: Bench, query: str) -> list[dict[str, Any]]:
    found = [dict(row) for row in bench.connection.execute(text(query)).mappings()]
    bench.connection.rollback()
    return found


def sha(clear: str) -> str:
    return sha256(clear.encode()).hexdigest()


@pytest.mark.deep
def test_won_opportunities_are_conversions_for_ad_platforms(deals: Bench) -> None:
    choose(deals, split="equal")
    clicks: dict[str, Any] = {"gclid": "Cj0K", "fbclid": "IwAR"}
    ada: dict[str, Any] = {"email": " Ada.Lovelace+ads@Gmail.com", "phone": "030 901820"}
    track(deals.connection, 1, contact_name="Ada Lovelace", **ada, **clicks)
    track(deals.connection, 2, kind="call", phone="030 901821", contact_name="Bob")
    cycle(deals)
    one = deal(deals, Amount=100.01, CurrencyIsoCode="EUR", **{ID_ON_OPPORTUNITY: "1"})
    two = deal(deals, Amount=50, **{ID_ON_OPPORTUNITY: "2"})
    cycle(deals)
    assert conversions(deals) == []
    for each in (one, two):
        edit(deals, each, StageName="Closed Won")
    cycle(deals)
    by_phone, by_click = conversions(deals)
    assert (by_click["lead_id"], by_click["opportunity_id"]) == ("1", one)
    assert by_click["order_id"] == f"{one}-1"
    assert (by_click["gclid"], by_click["fbclid"], by_click["gbraid"]) == ("Cj0K", "IwAR", None)
    [happened_at] = rows_of(deals, "SELECT happened_at FROM crm.tracked_lead WHERE lead_id = '1'")
    milliseconds = int(happened_at["happened_at"].timestamp()) * 1000
    assert by_click["fbc"] == f"fb.1.{milliseconds}.IwAR"
    assert by_click["hashed_email"] == sha("adalovelace@gmail.com")
    assert by_click["hashed_phone"] == sha("+4930901820")
    assert by_click["hashed_email_for_meta"] == sha("ada.lovelace+ads@gmail.com")
    assert by_click["hashed_phone_for_meta"] == sha("4930901820")
    assert (str(by_click["value"]), by_click["currency"]) == ("100.01", "EUR")
    [won] = [
        each["CreatedDate"]
        for each in deals.records("OpportunityHistory")
        if (each["OpportunityId"], each["StageName"]) == (one, "Closed Won")
    ]
    assert by_click["converted_at"] == datetime.fromisoformat(won)
    assert (by_phone["hashed_email"], by_phone["fbc"]) == (None, None)
    assert by_phone["opportunity_id"] == two
    assert by_phone["hashed_phone"] == sha("+4930901821")
    edit(deals, one, Amount=120)
    cycle(deals)
    restated = conversions(deals)[1]
    assert (str(restated["value"]), restated["order_id"]) == ("120.00", by_click["order_id"])
    assert restated["version"] > by_click["version"]
    assert restated["as_of"] > by_click["as_of"]
    assert retractions(deals) == set()
    edit(deals, one, StageName="Closed Lost")
    deals.admin("delete", ids=[two])
    cycle(deals)
    assert conversions(deals) == []
    assert retractions(deals) == {f"{one}-1", f"{two}-2"}
    # The org's times have whole seconds.
    deals.org.clock_shift += timedelta(seconds=1)
    edit(deals, one, StageName="Closed Won")
    cycle(deals)
    [again] = conversions(deals)
    assert again["order_id"] == f"{one}.2-1"
    assert again["converted_at"] > by_click["converted_at"]
    assert retractions(deals) == {f"{one}-1", f"{two}-2"}


def test_a_conversion_is_of_the_time_when_it_was_won_first(
    pipeline: Engine, monkeypatch: Any
) -> None:
    signed = {"label": "Signed", "type": "won"}
    stages = [{"label": "Prospecting", "type": "open"}, {"label": "Closed Won", "type": "won"}]
    with deals_of(pipeline, monkeypatch, opportunity_stages=[*stages, signed]) as deals:
        track(deals.connection, 1, email="ada@example.com", gclid="Cj0K", contact_name="Ada King")
        cycle(deals)
        made = deal(deals, **{ID_ON_OPPORTUNITY: "1"})
        for stage in ("Closed Won", "Prospecting", "Closed Won", "Signed"):
            edit(deals, made, StageName=stage)
        cycle(deals)
        moves = [each["CreatedDate"] for each in deals.records("OpportunityHistory")]
        [conversion] = conversions(deals)
        assert conversion["converted_at"] == datetime.fromisoformat(sorted(moves)[-2])
        assert conversion["order_id"] == f"{made}-1"
