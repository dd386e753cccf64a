"""Two things of the source with one external key: one has the record, the other is told why not."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from crm_pipeline.cycle.cycle import sync_account
from crm_pipeline.flows.registry import ALL_TOPICS, FLOWS
from crm_pipeline_tests.cycle.conftest import ACCOUNT, Bench
from crm_pipeline_tests.small_flow.badges import TOPICS, Badge, badges_flow

TWIN = Badge(2, level=7, twin_of=1, lines={1: "of the twin"})


def cycle(bench: Bench, *badges: Badge) -> None:
    bench.connection.commit()
    flows = [*FLOWS, badges_flow(badges, watches=())]
    report = sync_account(ACCOUNT, run_id="test", steps=ALL_TOPICS | TOPICS, flows=flows)
    assert report.state == "Complete", report.reason


def levels(bench: Bench) -> dict[str, Any]:
    return {row["Badge_Key__c"]: row["Level__c"] for row in bench.records("Badge__c")}


def refusal(bench: Bench) -> tuple[str, str]:
    found = bench.connection.execute(
        text(
            "SELECT error_code, error_message FROM crm.operation WHERE natural_key = 'badge:2'"
            " ORDER BY version DESC LIMIT 1"
        )
    ).one()
    bench.connection.commit()
    return found.error_code, found.error_message


@pytest.mark.parametrize("route", ["composite", "bulk"])
def test_the_first_one_has_the_record_and_the_second_is_refused(bench: Bench, route: str) -> None:
    bench.settings(route=route)
    cycle(bench, Badge(1), TWIN, Badge(3))
    assert levels(bench) == {"1": 1, "3": 1}
    states = bench.states()
    assert (states["badge:1"], states["badge:2"]) == ("done", "failed")
    code, message = refusal(bench)
    assert code == "KEY_TAKEN"
    assert message.startswith("badge:2 has the Badge__c.Badge_Key__c of badge:1")


def test_one_that_comes_later_leaves_the_record_as_it_is(bench: Bench) -> None:
    cycle(bench, Badge(1))
    cycle(bench, Badge(1), TWIN)
    cycle(bench, replace(Badge(1), level=2, at=1), replace(TWIN, level=8, at=1))
    assert levels(bench) == {"1": 2}
    assert refusal(bench)[0] == "KEY_TAKEN"


def test_it_goes_once_the_other_is_gone(bench: Bench) -> None:
    cycle(bench, Badge(1), TWIN)
    cycle(bench, replace(Badge(1), gone=True, at=1), TWIN)
    assert levels(bench) == {}
    bench.connection.execute(text("UPDATE crm.operation SET next_attempt_at = now()"))
    cycle(bench, replace(Badge(1), gone=True, at=1), TWIN)
    assert levels(bench) == {"1": 7}
    assert len(bench.records("Line__c")) == 1
    assert bench.states()["badge:2"] == "done"
