"""One story under each value of what nobody could tell of real orgs: it always ends the same.

A switch that changes nothing here is one that the pipeline does not touch by what it sends today.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import groupby
from typing import Any

import pytest
from sqlalchemy import Engine, text

from crm_pipeline.accounts.account import AccountSettings
from crm_pipeline.cycle.cycle import sync_account
from crm_pipeline.declaration import Noticed, Watched
from crm_pipeline.flows.registry import ALL_TOPICS, FLOWS
from crm_pipeline.ledger.messages import MessageWant
from crm_pipeline.salesforce.changes import Children
from crm_pipeline_tests.cycle.conftest import ACCOUNT, ORG, Bench, bench_of
from crm_pipeline_tests.depth import deep_but_first, in_groups
from crm_pipeline_tests.flows.webinars.warehouse import add_person, register
from crm_pipeline_tests.local_org.switches import switches
from crm_pipeline_tests.small_flow.badges import MASTERED, TOPICS, Badge, badges_flow

EACH = [{name: value} for name, values in switches().items() for value in values]
OTHERS = {name: values[1] for name, values in switches().items()}
"""Of each switch a value that is not the default."""

_CHANGED = [{name: value} for name, values in switches().items() for value in values[1:]]
TOGETHER = [*in_groups(_CHANGED, 3), *in_groups(_CHANGED, 4)]
"""Every value that is not the default, among others in two ways."""

SAID = {1: "first", 2: "second"}


def named(chosen: Mapping[str, Any]) -> str:
    return str(chosen) if chosen != OTHERS else "others"


def under(*names: str) -> pytest.MarkDecorator:
    """Lets a story be told under each value of the switches that it is about."""
    chosen = [each for each in EACH if each.keys() <= {*names}]
    return pytest.mark.parametrize("bench", chosen, indirect=True, ids=named)


@pytest.fixture(params=deep_but_first(1, [OTHERS, {}, *TOGETHER]), ids=named)
def bench(
    request: pytest.FixtureRequest, pipeline: Engine, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Bench]:
    org = {"name": ACCOUNT, **ORG, "objects": MASTERED, **request.param}
    with bench_of(org, pipeline, monkeypatch) as made:
        made.settings(read_back_minutes=0)
        yield made


def cycle(bench: Bench, *badges: Badge) -> None:
    bench.connection.commit()
    flows = [*FLOWS, badges_flow(badges)]
    report = sync_account(ACCOUNT, run_id="test", steps=ALL_TOPICS | TOPICS, flows=flows)
    assert report.state == "Complete", report.reason


def retitle(bench: Bench, title: str, minute: int) -> None:
    bench.connection.execute(
        text(
            "UPDATE warehouse.person SET job_title = :title,"
            " shipped_at = shipped_at + make_interval(mins => :minute)"
        ),
        {"title": title, "minute": minute},
    )


def records_of(bench: Bench) -> tuple[dict[str, Any], dict[str, Any]]:
    badges = {each["Id"]: each for each in bench.records("Badge__c")}
    return (
        {each["Badge_Key__c"]: (each["Level__c"], each["Holder__c"]) for each in badges.values()},
        {
            each["Line_Key__c"]: (badges[each["Badge__c"]]["Badge_Key__c"], each["Text__c"])
            for each in bench.records("Line__c")
        },
    )


def test_badges_end_the_same(bench: Bench) -> None:
    one, two = Badge(1, lines=SAID), Badge(2, lines=SAID)
    cycle(bench, one)
    # The lines are made, and nobody is told.
    cycle(bench, one, Badge(2))
    bench.fault("collections.upsert", "reset_after", times=1)
    cycle(bench, one, two)
    for _ in range(2):
        cycle(bench, one, two)
    [record, other] = bench.records("Badge__c")
    bench.admin("edit", id=record["Id"], fields={"Holder__c": "By hand"})
    bench.admin("delete", ids=[other["Id"]])
    cycle(bench, one, two)
    cycle(bench, Badge(1, level=4, lines=SAID, at=1), Badge(2, level=5, lines=SAID, at=1))
    cycle(bench, Badge(1, level=4, lines={2: "x"}, at=2), Badge(2, level=5, lines=SAID, at=1))
    badges, lines = records_of(bench)
    assert badges == {"1": (4, "By hand"), "2": (5, "Somebody")}
    assert lines == {"1:2": ("1", "x"), "2:1": ("2", "first"), "2:2": ("2", "second")}
    assert set(bench.states().values()) == {"done"}
    told = bench.connection.execute(
        text("SELECT about, body ->> 'gone' FROM platform_inbox.message ORDER BY about")
    )
    assert told.all() == [("badge:1", "false"), ("badge:2", "true")]


@pytest.mark.deep
@pytest.mark.parametrize("route", deep_but_first(1, ["composite", "bulk"]))
def test_two_people_with_one_record_end_the_same(bench: Bench, route: str) -> None:
    bench.settings(route=route)
    for person in (1, 2):
        add_person(bench.connection, person)
        register(bench.connection, person, person)
    cycle(bench)
    first, second = bench.records("Lead")
    bench.admin("merge", object="Lead", master_id=first["Id"], ids=[second["Id"]])
    for number in (1, 2, 3):
        retitle(bench, f"Title {number}", number)
        cycle(bench)
    [lead] = bench.records("Lead")
    assert lead["Title"] == "Title 3"
    assert {each["WhoId"] for each in bench.records("Event")} == {lead["Id"]}
    assert set(bench.states().values()) == {"done"}


def deal(noticed: Sequence[Noticed], _: AccountSettings) -> list[MessageWant]:
    """Messages about opportunities: the stage, what it means, and how they came there."""
    return [
        MessageWant(
            "badge_edits",
            each.record["Id"],
            datetime.fromisoformat(each.record["SystemModstamp"]),
            {
                "stage": each.record["StageName"],
                "won": each.record["IsWon"],
                "moves": moves(each.record["OpportunityHistories"]),
            },
        )
        for each in noticed
    ]


def moves(history: Sequence[Mapping[str, Any]]) -> list[str]:
    """The stages, each named once as long as it lasts."""
    rows = sorted(history, key=lambda row: (row["CreatedDate"], row["Id"]))
    return [stage for stage, _ in groupby(row["StageName"] for row in rows)]


HISTORY = Children("OpportunityHistories", ("StageName", "CreatedDate", "Id"))
DEALS = Watched("Opportunity", ("StageName", "IsWon"), children=(HISTORY,), held_only=False)


@pytest.mark.deep
@under("retyped_stage_stamps_opportunities", "opportunity_history")
def test_opportunities_end_the_same(bench: Bench) -> None:
    deals = replace(badges_flow(()), watches=lambda _: (DEALS,), notice=deal)

    def told() -> Any:
        bench.connection.commit()
        flows = [*FLOWS, deals]
        report = sync_account(ACCOUNT, run_id="test", steps=ALL_TOPICS | TOPICS, flows=flows)
        assert report.state == "Complete", report.reason
        found = bench.connection.execute(text("SELECT body FROM platform_inbox.current"))
        return found.scalars().all()

    assert told() == []
    fields = {"Name": "x", "StageName": "Prospecting", "CloseDate": "2026-01-01", "Amount": 1}
    made = bench.admin("create", object="Opportunity", fields=fields)["id"]
    assert told() == [{"stage": "Prospecting", "won": False, "moves": ["Prospecting"]}]
    for changes in ({"Amount": 2}, {"StageName": "Qualification"}, {"StageName": "Needs Analysis"}):
        bench.admin("edit", id=made, fields=changes)
    moved = {"stage": "Needs Analysis", "moves": ["Prospecting", "Qualification", "Needs Analysis"]}
    assert told() == [{**moved, "won": False}]
    stages = {each["MasterLabel"]: each["Id"] for each in bench.records("OpportunityStage")}
    bench.admin("edit", id=stages["Needs Analysis"], fields={"IsWon": True})
    told()
    bench.admin("edit", id=made, fields={"NextStep": "call"})
    assert told() == [{**moved, "won": True}]
