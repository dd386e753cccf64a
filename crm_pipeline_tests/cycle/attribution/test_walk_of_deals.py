"""Salespeople convert, win, lose, merge, delete and reopen while calls fail and processes die.

In the end the platform knows of every opportunity what the org has, in each currency, and every
promise is kept. What is expected comes of the org and of what the walk did, not of our tables.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from sqlalchemy import Engine, event

from crm_pipeline.database.engines import engine
from crm_pipeline.database.statements import statement
from crm_pipeline.flows.attribution.flow import ATTRIBUTION
from crm_pipeline_tests.cycle.attribution.deals import (
    ID_ON_OPPORTUNITY,
    choose,
    cycle,
    deal,
    deals,
    edit,
    role,
    sums,
    told,
)
from crm_pipeline_tests.cycle.conftest import ACCOUNT, Bench
from crm_pipeline_tests.flows.webinars.warehouse import track

__all__ = ["deals"]

STAGES = ("Prospecting", "Qualification", "Negotiation/Review", "Closed Won", "Closed Lost")
SEEDS = range(4)
TROUBLE = ("reset_before", "reset_after", "html_503", "truncate", "expire_session")


class Died(BaseException):
    """The process is killed: nothing of it handles that."""


@contextmanager
def dies_at(statement_number: int) -> Iterator[None]:
    """The process dies before this statement, counted from now on."""
    left = [statement_number]

    def count(*_: Any) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise Died

    event.listen(Engine, "before_cursor_execute", count)
    try:
        yield
    except Died:
        pass
    finally:
        event.remove(Engine, "before_cursor_execute", count)
        # A process that is killed takes its connections along, and with them its locks.
        gc.collect()
        engine("pipeline").dispose()


@dataclass
class Sales:
    """Salespeople at work, and whose each contact and opportunity is by what they did."""

    bench: Bench
    draw: Random
    leads: dict[str, int] = field(default_factory=dict)
    people: dict[str, set[int]] = field(default_factory=dict)
    won_by: dict[str, set[int]] = field(default_factory=dict)
    named: dict[str, int] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    called: int = 0

    def work(self) -> None:
        """One thing that somebody does."""
        ways = [
            self.call,
            self.convert,
            self.open_deal,
            self.open_deal,
            self.give_role,
            self.take_role,
            self.edit_deal,
            self.edit_deal,
            self.edit_deal,
            self.merge_contacts,
            self.delete_deal,
            self.undelete_deal,
            self.name_lead,
        ]
        self.draw.choice(ways)()

    def call(self) -> None:
        """Somebody new is tracked, and in the org after the next cycle."""
        self.called += 1
        track(
            self.bench.connection,
            self.called,
            minute=self.called,
            contact_name=f"Caller {self.called}",
            email=f"c{self.called}@example.com",
        )
        self.bench.connection.commit()

    def convert(self) -> None:
        leads = [each for each in self.bench.records("Lead") if not each["IsConverted"]]
        if leads:
            lead = self.draw.choice(leads)
            number = int(lead["Email"].removeprefix("c").partition("@")[0])
            name = {"opportunity_name": "Converted"} if self.draw.random() < 0.7 else {}
            made = self.bench.admin("convert", lead_id=lead["Id"], **name)
            self.people.setdefault(made["contact_id"], set()).add(number)
            if made.get("opportunity_id"):
                self.won_by.setdefault(made["opportunity_id"], set()).add(number)

    def open_deal(self) -> None:
        amount = self.draw.randrange(0, 100_000) / 100
        currency = self.draw.choice(("USD", "EUR"))
        contacts = self.contacts
        contact = self.draw.choice(contacts) if contacts and self.draw.random() < 0.5 else None
        deal(self.bench, contact, Amount=amount, CurrencyIsoCode=currency)

    def give_role(self) -> None:
        if self.contacts and (made := self.deals):
            role(self.bench, self.draw.choice(made), self.draw.choice(self.contacts))

    def take_role(self) -> None:
        if roles := self.bench.records("OpportunityContactRole"):
            self.bench.admin("delete", ids=[self.draw.choice(roles)["Id"]])

    def edit_deal(self) -> None:
        if made := self.deals:
            changes: dict[str, Any] = {"StageName": self.draw.choice(STAGES)}
            if self.draw.random() < 0.5:
                changes["Amount"] = self.draw.randrange(0, 100_000) / 100
            if self.draw.random() < 0.2:
                changes["CurrencyIsoCode"] = self.draw.choice(("USD", "EUR"))
            edit(self.bench, self.draw.choice(made), **changes)

    def merge_contacts(self) -> None:
        if len(self.contacts) > 1:
            winner, loser = self.draw.sample(self.contacts, 2)
            self.bench.admin("merge", object="Contact", master_id=winner, ids=[loser])
            self.people.setdefault(winner, set()).update(self.people.pop(loser, set()))

    def delete_deal(self) -> None:
        if made := self.deals:
            chosen = self.draw.choice(made)
            self.bench.admin("delete", ids=[chosen])
            self.gone.add(chosen)

    def undelete_deal(self) -> None:
        if self.gone:
            chosen = self.draw.choice(sorted(self.gone))
            self.bench.admin("undelete", ids=[chosen])
            self.gone.discard(chosen)

    def name_lead(self) -> None:
        if self.called and (made := self.deals):
            chosen, number = self.draw.choice(made), self.draw.randint(1, self.called)
            edit(self.bench, chosen, **{ID_ON_OPPORTUNITY: str(number)})
            self.named[chosen] = number

    @property
    def deals(self) -> list[str]:
        return [each["Id"] for each in self.bench.records("Opportunity")]

    @property
    def contacts(self) -> list[str]:
        return [each["Id"] for each in self.bench.records("Contact")]

    def expected(self) -> dict[str, set[int]]:
        """The tracked leads of each opportunity that is there, by what people did."""
        found: dict[str, set[int]] = {}
        for each in self.bench.records("Opportunity"):
            if number := self.named.get(each["Id"]):
                found[each["Id"]] = {number}
            else:
                found[each["Id"]] = set(self.won_by.get(each["Id"], ()))
        for each in self.bench.records("OpportunityContactRole"):
            if each["OpportunityId"] not in self.named and each["OpportunityId"] in found:
                found[each["OpportunityId"]] |= self.people.get(each["ContactId"], set())
        return {opportunity: leads for opportunity, leads in found.items() if leads}


def in_trouble(bench: Bench, draw: Random) -> None:
    """A cycle in which something goes wrong, or its process dies at any statement."""
    bench.connection.commit()
    if draw.random() < 0.5:
        with dies_at(draw.randrange(1, 120)):
            bench.cycle()
        return
    bench.fault(draw.choice(("composite", "*")), draw.choice(TROUBLE), nth=draw.randint(1, 4))
    bench.cycle()
    bench.clears_up()


def kept(bench: Bench) -> dict[str, bool]:
    """Whether each promise of the flow is kept."""
    found = {}
    for promise in ATTRIBUTION.promises:
        row = bench.connection.execute(
            statement(f"checks/{promise.name}"),
            {"account_ids": [ACCOUNT], "freshness_minutes": 60},
        ).one()
        found[promise.name] = bool(row.passed)
    bench.connection.rollback()
    return found


@pytest.mark.deep
@pytest.mark.parametrize("seed", SEEDS)
def test_the_platform_knows_in_the_end_what_the_org_has(deals: Bench, seed: int) -> None:
    draw = Random(seed)
    choose(deals, split=draw.choice(("primary", "equal", "first_touch")))
    sales = Sales(deals, draw)
    for _ in range(4):
        sales.call()
    cycle(deals)
    for _ in range(8):
        for _ in range(draw.randint(1, 6)):
            sales.work()
        in_trouble(deals, draw)
    for _ in range(3):
        cycle(deals)

    expected = sales.expected()
    live = [body for body in told(deals).values() if body["match"] and body["amount"] is not None]
    by_deal: dict[str, set[int]] = {}
    for body in live:
        by_deal.setdefault(body["opportunity"], set()).add(int(body["lead"]))
    assert by_deal.keys() == {each for each in expected if amount_of(deals, each) is not None}
    for opportunity, leads in by_deal.items():
        assert leads <= expected[opportunity]
    totals: dict[str, Decimal] = {}
    for each in deals.records("Opportunity"):
        if each["Id"] in expected and each.get("Amount") is not None:
            code = each["CurrencyIsoCode"]
            totals[code] = totals.get(code, Decimal(0)) + Decimal(str(each["Amount"]))
    assert sums(deals) == totals
    assert kept(deals) == dict.fromkeys((each.name for each in ATTRIBUTION.promises), True)
    for body in live:
        org = deals.org.table("Opportunity").rows[body["opportunity"]]
        standing = "open" if not org["IsClosed"] else "won" if org["IsWon"] else "lost"
        assert (body["standing"], body["stage"]) == (standing, org["StageName"])


def amount_of(bench: Bench, opportunity: str) -> float | None:
    found: float | None = bench.org.table("Opportunity").rows[opportunity].get("Amount")
    return found
