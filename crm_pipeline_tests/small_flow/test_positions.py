"""Positions in a source are kept by flow, and a reading that keeps none is an error."""

from collections.abc import Generator
from dataclasses import replace
from typing import Any

from crm_pipeline.cadence.due import due_accounts
from crm_pipeline.cycle.cycle import sync_account
from crm_pipeline.declaration import Batch, Flow, Reading
from crm_pipeline.flows.registry import ALL_TOPICS, FLOWS
from crm_pipeline.ledger.positions import positions
from crm_pipeline.report import CycleReport
from crm_pipeline_tests.cycle.conftest import ACCOUNT, Bench
from crm_pipeline_tests.flows.webinars.warehouse import add_person, register
from crm_pipeline_tests.small_flow.badges import TOPICS, Badge, badges_flow


def cycle(bench: Bench, *flows: Flow[Any]) -> CycleReport:
    bench.connection.commit()
    steps = ALL_TOPICS | TOPICS
    return sync_account(ACCOUNT, run_id="test", steps=steps, flows=[*FLOWS, *flows])


def test_what_a_flow_read_is_news_no_more(bench: Bench) -> None:
    flow = badges_flow([Badge(1)], watches=())
    assert cycle(bench, flow).state == "Complete"
    assert due_accounts(only_urgent=False, flows=[*FLOWS, flow]) == []
    changed = badges_flow([Badge(1, level=2, at=1)], watches=())
    [due] = due_accounts(only_urgent=True, flows=[*FLOWS, changed])
    assert due.reason == "new rows"


def test_a_flow_that_keeps_no_position_fails_and_the_others_go_on(bench: Bench) -> None:
    def read(_: Reading[Any]) -> Generator[Batch]:
        yield Batch("badges", 1, (), None)

    add_person(bench.connection, 1)
    register(bench.connection, 1, 1)
    report = cycle(bench, replace(badges_flow([]), read=read))
    assert report.state == "Failed"
    assert "DeclarationError" in report.reason
    assert "load_results" in report.done
    assert len(bench.records("Event")) == 1


def test_each_flow_has_positions_of_its_own(bench: Bench) -> None:
    cycle(bench, badges_flow([Badge(1)]))
    mine = positions(bench.connection, ACCOUNT, "badges")
    assert set(mine) == {"badges"}
    assert set(positions(bench.connection, ACCOUNT, "webinars")) == {"registrations", "attendances"}
    assert positions(bench.connection, ACCOUNT, "campaigns") == {}
