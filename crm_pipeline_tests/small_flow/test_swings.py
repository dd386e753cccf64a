"""The loop breaker: fields that the org and the platform set in turn, and edits that look so."""

from typing import Any

import pytest
from sqlalchemy import text

from crm_pipeline.cycle.cycle import sync_account
from crm_pipeline.flows.registry import FLOWS
from crm_pipeline.report import CycleReport
from crm_pipeline_tests.cycle.conftest import ACCOUNT, Bench
from crm_pipeline_tests.small_flow.badges import Badge, badges_flow

STEPS = frozenset(("badges", "badge_lines", "badge_edits", "retried_operations"))


def cycle(bench: Bench, holder: str, at: int) -> CycleReport:
    """A cycle with a badge of this holder, as the platform says it at a minute."""
    bench.connection.commit()
    flows = [*FLOWS, badges_flow([Badge(1, holder=holder, at=at)])]
    report = sync_account(ACCOUNT, run_id="test", steps=STEPS, flows=flows)
    assert report.state == "Complete", report.reason
    return report


def holder_in_org(bench: Bench) -> Any:
    [record] = bench.records("Badge__c")
    return record["Holder__c"]


def set_in_org(bench: Bench, holder: str) -> None:
    [record] = bench.records("Badge__c")
    bench.admin("edit", id=record["Id"], fields={"Holder__c": holder})


def messages(bench: Bench) -> list[Any]:
    """The holders that the platform was told, in this order."""
    found = bench.connection.scalars(
        text("SELECT body ->> 'Holder__c' FROM platform_inbox.message ORDER BY version")
    ).all()
    bench.connection.rollback()
    return list(found)


def turns(bench: Bench, number: int, *, after: int = 0) -> list[CycleReport]:
    """So often the platform takes over what it was told, and the org undoes that."""
    reports = []
    for minute in range(after + 1, after + number + 1):
        wanted = (messages(bench) or ["one"])[-1]
        cycle(bench, wanted, at=minute)
        set_in_org(bench, "one" if wanted == "other" else "other")
        reports.append(cycle(bench, wanted, at=minute))
    return reports


@pytest.mark.deep
def test_two_systems_that_set_a_value_in_turn_are_noticed_bounded_and_told(bench: Bench) -> None:
    cycle(bench, "one", at=0)
    reports = turns(bench, 10)
    assert len(messages(bench)) <= 7
    assert "so their changes are told no more: Badge__c.Holder__c (1)" in reports[-1].notes
    assert not any("told no more" in each.notes for each in reports[:5])
    last = messages(bench)[-1]
    assert holder_in_org(bench) != last


@pytest.mark.deep
def test_it_is_over_once_the_org_has_the_platforms_value(bench: Bench) -> None:
    cycle(bench, "one", at=0)
    turns(bench, 10)
    wanted = messages(bench)[-1]
    set_in_org(bench, wanted)
    report = cycle(bench, wanted, at=50)
    assert "told no more" not in cycle(bench, wanted, at=50).notes, report.notes
    set_in_org(bench, "a third")
    cycle(bench, wanted, at=50)
    assert messages(bench)[-1] == "a third"


@pytest.mark.deep
@pytest.mark.parametrize("apart", ["1 day 1 minute", None])
def test_people_who_change_their_mind_are_told(bench: Bench, apart: str | None) -> None:
    """By other values within a day, or by the same two, a day apart each."""
    cycle(bench, "one", at=0)
    told = []
    for minute in range(1, 10):
        value = ("other" if minute % 2 else "one") if apart else f"value {minute}"
        set_in_org(bench, value)
        report = cycle(bench, (messages(bench) or ["one"])[-1], at=minute)
        cycle(bench, value, at=minute)
        told.append(value)
        assert "told no more" not in report.notes
        if apart:
            bench.connection.execute(
                text("UPDATE crm.org_swing SET seen_at = seen_at - CAST(:apart AS interval)"),
                {"apart": apart},
            )
            bench.connection.commit()
    assert messages(bench) == told


def test_an_edit_back_to_what_was_told_before_ours_is_not_lost(bench: Bench) -> None:
    cycle(bench, "one", at=0)
    set_in_org(bench, "by hand")
    cycle(bench, "one", at=0)
    cycle(bench, "by the platform", at=1)
    assert holder_in_org(bench) == "by the platform"
    set_in_org(bench, "by hand")
    cycle(bench, "by the platform", at=1)
    assert messages(bench) == ["by hand", "by hand"]
    set_in_org(bench, "by the platform")
    cycle(bench, "by the platform", at=1)
    assert messages(bench)[2:] == ["by the platform"]
