"""A flow that keeps what is read of the org, asks for more, and says what follows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from sqlalchemy import Connection

from crm_pipeline.accounts.account import Account, AccountSettings
from crm_pipeline.cycle.cycle import sync_account
from crm_pipeline.declaration import Ask, Batch, Numbers, Reading, Taking, Watched
from crm_pipeline.flows.registry import ALL_TOPICS, FLOWS
from crm_pipeline.ledger.messages import MessageWant
from crm_pipeline.report import CycleReport
from crm_pipeline.salesforce.changes import Children
from crm_pipeline_tests.cycle.conftest import ACCOUNT, Bench
from crm_pipeline_tests.small_flow.badges import TOPICS, badges_flow

BACK = frozenset(("badge_edits",))


@dataclass
class Keeper:
    """Keeps records by object, and asks once for the accounts of opportunities."""

    taken: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    begins: list[str] = field(default_factory=list)
    answered: list[Ask] = field(default_factory=list)
    follows: int = 0

    def take(self, taking: Taking[AccountSettings]) -> Numbers:
        for sobject, records in taking.records.items():
            self.taken.setdefault(sobject, []).extend(dict(each) for each in records)
        self.begins += taking.begins
        self.answered += taking.asked
        return {("badge_edits", "taken"): sum(map(len, taking.records.values()))}

    def asks(self, _: Connection, __: Account, ___: AccountSettings) -> Sequence[Ask]:
        asked = {value for each in self.answered for value in each.values}
        ids = [each["Id"] for each in self.taken.get("Opportunity", ()) if each["Id"] not in asked]
        if not ids:
            return ()
        return (
            Ask("OpportunityContactRole", "OpportunityId", tuple(ids), "roles"),
            Ask("Opportunity", "Id", tuple(ids), "again"),
        )

    def follow(self, reading: Reading[AccountSettings]) -> Iterator[Batch]:
        self.follows += 1
        as_of = reading.ledger.exec_driver_sql("SELECT now()").scalar_one()
        for each in self.taken.get("Opportunity", ())[:1]:
            want = MessageWant("badge_edits", each["Id"], as_of, {"name": each["Name"]})
            yield Batch("badges", 0, (), None, wants=[want])


WATCHES = (
    Watched(
        "Opportunity",
        ("IsDeleted",),
        context=("Name",),
        if_there=("NoSuchField__c", "Type"),
        children=(Children("OpportunityHistories", ("Id", "StageName")),),
        held_only=False,
    ),
    Watched(
        "OpportunityContactRole",
        ("IsDeleted",),
        context=("ContactId",),
        if_there=("Contact.Email", "Contact.NoSuchField__c", "Nobody.Email"),
        held_only=False,
    ),
    Watched("Contact", (), held_only=False),
)


def cycle(keeper: Keeper, steps: frozenset[str] = BACK) -> CycleReport:
    flow = replace(
        badges_flow(()),
        watches=lambda _: WATCHES,
        take=keeper.take,
        asks=keeper.asks,
        follow=keeper.follow,
    )
    report = sync_account(ACCOUNT, run_id="test", steps=steps, flows=[*FLOWS, flow])
    assert report.state == "Complete", report.reason
    return report


def make_deal(bench: Bench) -> str:
    """An opportunity whose contact was there, and had its role, before anything was read."""
    contact = bench.seed("Contact", LastName="L", Email="a@x.example")
    fields = {
        "Name": "Big",
        "StageName": "Prospecting",
        "CloseDate": "2026-01-01",
        "ContactId": contact,
    }
    return str(bench.admin("create", object="Opportunity", fields=fields)["id"])


def test_records_are_kept_with_children_and_fields_that_are_there(bench: Bench) -> None:
    keeper = Keeper()
    cycle(keeper)
    assert sorted(keeper.begins) == ["Contact", "Opportunity", "OpportunityContactRole"]
    deal = make_deal(bench)
    report = cycle(keeper)
    assert keeper.begins.count("Opportunity") == 1
    [read, again] = keeper.taken["Opportunity"]
    assert read["Id"] == again["Id"] == deal
    for each in (read, again):
        assert [row["StageName"] for row in each["OpportunityHistories"]] == ["Prospecting"]
        assert "Type" in each
        assert "NoSuchField__c" not in each
    assert [each["Contact"]["Email"] for each in keeper.taken["OpportunityContactRole"]] == [
        "a@x.example",
        "a@x.example",
    ]
    assert [each.about for each in keeper.answered] == ["roles", "again"]
    assert report.tally["badge_edits", "taken"] == 2 + 2 + len(keeper.taken["Contact"]) == 5


def test_all_questions_of_a_flow_are_one_call(bench: Bench) -> None:
    keeper = Keeper()
    cycle(keeper)
    make_deal(bench)
    assert cycle(keeper).counts.api_calls == 2
    assert cycle(keeper).counts.api_calls == 1


def test_it_follows_without_a_reading_too(bench: Bench) -> None:
    """The reading has its own pace; what follows from what was taken does not wait for it."""
    keeper = Keeper()
    make_deal(bench)
    cycle(keeper)
    cycle(keeper, ALL_TOPICS | TOPICS)
    assert keeper.follows == 2


def test_nothing_follows_where_reading_back_is_not_asked_for(bench: Bench) -> None:
    keeper = Keeper()
    cycle(keeper, frozenset(("badges",)))
    assert keeper.follows == 0


@pytest.mark.parametrize("lost", ["reset_before", "reset_after"])
def test_a_question_that_fails_is_asked_again(bench: Bench, lost: str) -> None:
    keeper = Keeper()
    cycle(keeper)
    make_deal(bench)
    bench.fault("composite", lost, nth=2, times=20)
    flow = replace(badges_flow(()), watches=lambda _: WATCHES, take=keeper.take, asks=keeper.asks)
    report = sync_account(ACCOUNT, run_id="test", steps=BACK, flows=[*FLOWS, flow])
    assert report.state != "Complete"
    assert not keeper.answered
    bench.clears_up()
    cycle(keeper)
    assert [each.about for each in keeper.answered] == ["roles", "again"]
