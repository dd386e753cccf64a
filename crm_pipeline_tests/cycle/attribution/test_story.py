"""The story of a tracked lead in twelve steps, with the reason at each of them; and an odd one."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine

from crm_pipeline_tests.cycle.attribution.deals import (
    cycle,
    deal,
    deals,
    deals_of,
    edit,
    messages,
    of_lead,
    role,
    sums,
    told,
    waits,
)
from crm_pipeline_tests.cycle.conftest import Bench
from crm_pipeline_tests.depth import deep_but_first
from crm_pipeline_tests.flows.webinars.warehouse import track

__all__ = ["deals"]

CALL: dict[str, Any] = {"kind": "call", "phone": "030 901820", "contact_name": "Ada Lovelace"}


@pytest.fixture(
    params=deep_but_first(
        1,
        [
            {},
            {"merge_stamps_children": False, "opportunity_history": "stages"},
            {"updated_in_composite": False},
        ],
    ),
    ids=["as documented", "no stamps", "covered apart"],
)
def shop(
    request: pytest.FixtureRequest, pipeline: Engine, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Bench]:
    with deals_of(pipeline, monkeypatch, **request.param) as made:
        yield made


def why(body: dict[str, Any]) -> tuple[str, str, dict[str, int]]:
    """The rule, the reason, and the triggers with their versions."""
    return body["match"]["rule"], body["match"]["because"], body["fired"]


def test_twelve_steps(shop: Bench) -> None:
    # 1. A new lead by phone.
    track(shop.connection, 1, **CALL)
    assert cycle(shop) == {}
    [lead] = shop.records("Lead")
    assert lead["Tracker_Id__c"] == "1"

    # 2. They call again: another lead of the tracker, the same person.
    track(shop.connection, 2, minute=60, **CALL)
    assert cycle(shop) == {}
    assert len(shop.records("Lead")) == 1

    # 3. Sales convert the lead, with an opportunity.
    made = shop.admin("convert", lead_id=lead["Id"], opportunity_name="Engines")
    first = made["opportunity_id"]
    edit(shop, first, Amount=1000.5, CurrencyIsoCode="USD")
    cycle(shop)
    body = of_lead(shop, 1, first)
    assert (body["standing"], body["amount"], body["currency"]) == ("open", "1000.50", "USD")
    assert (body["match"]["rule"], body["match"]["because"]) == (
        "converted_lead",
        f"converted from {lead['Id']}",
    )

    # 4. The contact is merged into another one.
    winner = shop.seed("Contact", LastName="Byron")
    shop.admin("merge", object="Contact", master_id=winner, ids=[made["contact_id"]])
    cycle(shop)
    assert of_lead(shop, 1, first) == body

    # 5. A second opportunity has no contact at first; a role is added late. The person's last lead
    # before it is the second call.
    second = deal(shop, Amount=50)
    cycle(shop)
    assert waits(shop, second) == "no contact has a role in it, and no lead was converted into it"
    role(shop, second, winner)
    cycle(shop)
    assert waits(shop, second) is None
    late = of_lead(shop, 2, second)
    assert (late["match"]["rule"], late["match"]["because"]) == (
        "contact_role",
        f"contact {winner}",
    )

    # 6. Five moves between two readings.
    stages = ["Qualification", "Needs Analysis", "Value Proposition", "Qualification", "Closed Won"]
    for stage in stages[:4]:
        edit(shop, second, StageName=stage)
    edit(shop, second, StageName="Perception Analysis")
    cycle(shop)
    body = of_lead(shop, 2, second)
    assert [each["stage"] for each in body["history"]] == [
        "Prospecting",
        *stages[:4],
        "Perception Analysis",
    ]
    times = [each["at"] for each in body["history"]]
    assert times == sorted(times)
    assert (body["standing"], body["closed_amount"]) == ("open", "0.00")
    by_role = ("contact_role", f"contact {winner}")
    assert why(body) == (*by_role, {"new": 1, "updated": 2})

    # 7. Won.
    edit(shop, second, StageName="Closed Won")
    cycle(shop)
    body = of_lead(shop, 2, second)
    assert (body["standing"], body["closed_amount"], body["amount"]) == ("won", "50.00", "50.00")
    assert body["history"][-1]["is_won"] is True
    assert why(body) == (*by_role, {"new": 1, "updated": 3})

    # 8. Lost after all.
    edit(shop, second, StageName="Closed Lost")
    cycle(shop)
    body = of_lead(shop, 2, second)
    assert (body["standing"], body["closed_amount"], body["amount"]) == ("lost", "0.00", "50.00")
    assert why(body) == (*by_role, {"new": 1, "updated": 4})

    # 9. Won again, with another amount and another day.
    edit(shop, second, StageName="Closed Won", Amount=75.25, CloseDate="2027-01-01")
    cycle(shop)
    body = of_lead(shop, 2, second)
    assert (body["standing"], body["closed_amount"]) == ("won", "75.25")
    assert body["close_date"] == "2027-01-01"
    assert why(body) == (*by_role, {"new": 1, "updated": 5})

    # 10. Deleted: the value goes back.
    shop.admin("delete", ids=[second])
    cycle(shop)
    body = of_lead(shop, 2, second)
    assert (body["standing"], body["amount"], body["closed_amount"]) == ("deleted", None, "0.00")
    assert why(body) == (*by_role, {"new": 1, "updated": 6})

    # 11. Undeleted.
    shop.admin("undelete", ids=[second])
    cycle(shop)
    body = of_lead(shop, 2, second)
    assert (body["standing"], body["amount"], body["closed_amount"]) == ("won", "75.25", "75.25")
    assert why(body) == (*by_role, {"new": 1, "updated": 7})

    # 12. In another currency.
    edit(shop, second, CurrencyIsoCode="EUR")
    cycle(shop)
    body = of_lead(shop, 2, second)
    assert (body["currency"], body["amount"]) == ("EUR", "75.25")
    assert why(body) == (*by_role, {"new": 1, "updated": 8})
    assert of_lead(shop, 1, first)["currency"] == "USD"

    # And nothing more, as nothing more happened.
    before = messages(shop)
    cycle(shop)
    cycle(shop)
    assert messages(shop) == before


@pytest.mark.deep
def test_an_odd_day_of_salespeople(deals: Bench) -> None:
    """The same contact by two conversions, merged away; the primary role moved; no amount."""
    for number, email in enumerate(("ada@example.com", "bob@example.com", "eve@example.com"), 1):
        track(deals.connection, number, contact_name=f"Caller {number}", email=email)
    cycle(deals)
    leads = {each["Email"]: each["Id"] for each in deals.records("Lead")}
    ada = deals.admin("convert", lead_id=leads["ada@example.com"])["contact_id"]
    deals.admin("convert", lead_id=leads["bob@example.com"], contact_id=ada)
    eve = deals.admin("convert", lead_id=leads["eve@example.com"])["contact_id"]
    made = deal(deals, eve, Amount=50)
    cycle(deals)
    assert of_lead(deals, 3, made)["amount"] == "50.00"
    first = deals.records("OpportunityContactRole")[0]["Id"]
    edit(deals, first, IsPrimary=False)
    role(deals, made, ada, primary=True)
    cycle(deals)
    assert of_lead(deals, 3, made)["standing"] == "withdrawn"
    [holder] = [body for body in told(deals).values() if body["standing"] == "open"]
    assert holder["lead"] in ("1", "2")
    assert holder["match"]["rule"] == "contact_role"
    deals.admin("merge", object="Contact", master_id=eve, ids=[ada])
    edit(deals, made, Amount=None, StageName="Closed Lost")
    cycle(deals)
    cycle(deals)
    edit(deals, made, StageName="Closed Won")
    cycle(deals)
    [now] = [body for body in told(deals).values() if body["standing"] == "won"]
    assert (now["amount"], now["stage"]) == (None, "Closed Won")
    edit(deals, made, Amount=75, CurrencyIsoCode="EUR")
    deals.admin("delete", ids=[made])
    cycle(deals)
    assert sums(deals) == {}
    deals.admin("undelete", ids=[made])
    cycle(deals)
    assert sums(deals) == {"EUR": Decimal(75)}
    before = messages(deals)
    cycle(deals)
    assert messages(deals) == before
