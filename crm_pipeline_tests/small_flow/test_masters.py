"""Details: they die with their master, and may not be given another one."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import Engine, text

from crm_pipeline_tests.cycle.conftest import Bench, bench_of
from crm_pipeline_tests.small_flow.badges import MASTERED, Badge
from crm_pipeline_tests.small_flow.conftest import org_of_badges
from crm_pipeline_tests.small_flow.test_records import cycle, levels, lines, lose_answer

ONE, TWO = Badge(1, lines={1: "first", 2: "second"}), Badge(2, lines={1: "x"})
MOVED = replace(ONE, lines_of=2, at=1)
LATER = Badge(1, lines={1: "first"}, at=1)


@pytest.fixture
def bench(pipeline: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    with bench_of(org_of_badges(objects=MASTERED), pipeline, monkeypatch) as made:
        yield made


def test_details_go_with_their_master_and_by_no_request_of_their_own(bench: Bench) -> None:
    cycle(bench, ONE, TWO)
    report = cycle(bench, replace(ONE, gone=True, at=1), TWO)
    assert report.tally.by_topic == {
        "badges": {"delete": 1, "calls": 1},
        "badge_lines": {"delete": 2},
    }
    assert (levels(bench), lines(bench)) == ({"2": 1}, {"2:1": "2 x"})
    assert report.counts.api_calls == 1
    why = bench.connection.scalars(
        text("SELECT reason FROM crm.operation WHERE natural_key LIKE 'line:1:%' AND version = 2")
    )
    assert why.all() == ["deleted with its master"] * 2
    held = bench.connection.scalars(text("SELECT natural_key FROM crm.record ORDER BY 1"))
    assert held.all() == ["badge:2", "line:2:1"]
    cycle(bench, replace(ONE, at=2), TWO)
    assert lines(bench) == {"1:1": "1 first", "1:2": "1 second", "2:1": "2 x"}


@pytest.mark.parametrize("route", ["composite", "bulk"])
def test_a_detail_of_another_master_is_made_anew(bench: Bench, route: str) -> None:
    bench.settings(route=route)
    cycle(bench, ONE, TWO)
    report = cycle(bench, MOVED, TWO)
    assert report.state == "Complete", report.reason
    assert lines(bench) == {"1:1": "2 first", "1:2": "2 second", "2:1": "2 x"}
    assert set(bench.states().values()) == {"done"}
    assert cycle(bench, MOVED, TWO).counts.api_calls == 0


def test_that_takes_two_calls(bench: Bench) -> None:
    cycle(bench, ONE, TWO)
    report = cycle(bench, MOVED, TWO)
    assert report.counts.api_calls == 2
    assert report.tally.by_topic["badge_lines"] == {"create": 2, "delete": 2, "calls": 2}


@pytest.mark.parametrize("call", ["collections.delete", "collections.upsert"])
@pytest.mark.parametrize("when", ["reset_before", "reset_after"])
def test_an_answer_that_is_lost_meanwhile_loses_no_detail(
    bench: Bench, call: str, when: str
) -> None:
    cycle(bench, ONE, TWO)
    bench.fault(call, when, times=1)
    for _ in range(3):
        cycle(bench, MOVED, TWO)
    assert lines(bench) == {"1:1": "2 first", "1:2": "2 second", "2:1": "2 x"}
    assert set(bench.states().values()) == {"done"}


def test_nor_does_one_that_people_deleted_before(bench: Bench) -> None:
    cycle(bench, ONE, TWO)
    [record] = [each for each in bench.records("Line__c") if each["Line_Key__c"] == "1:1"]
    bench.admin("delete", ids=[record["Id"]])
    cycle(bench, MOVED, TWO)
    assert lines(bench) == {"1:1": "2 first", "1:2": "2 second", "2:1": "2 x"}


def test_details_of_a_master_that_people_deleted_are_made_anew_with_it(bench: Bench) -> None:
    cycle(bench, ONE, TWO)
    [record] = [each for each in bench.records("Badge__c") if each["Badge_Key__c"] == "1"]
    bench.admin("delete", ids=[record["Id"]])
    report = cycle(bench, replace(ONE, level=3, at=1), TWO)
    assert lines(bench) == {"1:1": "1 first", "1:2": "1 second", "2:1": "2 x"}
    # A detail that went with its master is not deleted once more.
    assert bench.org.meter.calls["collections.delete"] == 0
    assert report.state == "Complete"


def test_a_master_that_may_not_be_deleted_keeps_its_details(bench: Bench) -> None:
    cycle(bench, ONE, TWO)
    bench.fault("collections.delete", "lock", times=9)
    gone = replace(ONE, gone=True, at=1)
    cycle(bench, gone, TWO)
    assert bench.states()["line:1:1"] == "pending"
    bench.org.weather.faults.clear()
    for _ in range(2):
        cycle(bench, gone, TWO)
    assert (levels(bench), lines(bench)) == ({"2": 1}, {"2:1": "2 x"})
    assert set(bench.states().values()) == {"done"}


def test_a_detail_that_was_made_without_an_answer_keeps_its_master(bench: Bench) -> None:
    cycle(bench, Badge(1), Badge(2))
    lose_answer(bench, "collections.upsert", LATER, Badge(2))
    cycle(bench, replace(LATER, lines_of=2, at=2), Badge(2))
    assert lines(bench) == {"1:1": "2 first"}
