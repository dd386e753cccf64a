"""A cycle is taken back once, wherever the process that does so dies."""

from contextlib import suppress

import pytest
from sqlalchemy import text

from crm_pipeline.cycle.undo import CycleToUndo, plan_undo, undo_cycle
from crm_pipeline_tests.cycle.conftest import ACCOUNT, Bench
from crm_pipeline_tests.cycle.test_removals_killed import END_OTHERS, Killed, killed_at
from crm_pipeline_tests.flows.webinars.warehouse import add_person, register

PLACES_AT_MOST = 200
STRIDE = 6


@pytest.mark.deep
def test_wherever_it_dies_all_is_taken_back_once(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the places every so many-th is visited: a cycle for each, of one known and one new."""
    for turn in range(1, PLACES_AT_MOST // STRIDE + 1):
        known = f"p{2 * turn}@example.com"
        old = bench.seed("Lead", LastName="Old", Company="x", Email=known)
        for person in (2 * turn, 2 * turn + 1):
            add_person(bench.connection, person)
            register(bench.connection, person, person, minute=person)
        of = CycleToUndo(ACCOUNT, bench.cycle().cycle_id or 0)
        foreseen = plan_undo(of, run_id="plan")
        assert sorted(each.outcome for each in foreseen.records) == ["delete"] * 3 + ["restore"]
        with killed_at(turn * STRIDE, monkeypatch) as places, suppress(Killed):
            undo_cycle(of, only=foreseen.changing, by="ann", run_id="undo")
        died = places() >= turn * STRIDE
        bench.connection.rollback()
        bench.connection.execute(END_OTHERS)
        _comes_to_rest(bench)
        if left := plan_undo(of, run_id="plan").changing:
            undo_cycle(of, only=left, by="ann", run_id="undo")
        [lead] = [each for each in bench.records("Lead") if each["Email"] == known]
        assert (lead["Id"], lead["LastName"], lead["Company"]) == (old, "Old", "x")
        assert len(bench.records("Lead")) == turn, "the new one is gone, and none is made again"
        assert bench.records("Event") == []
        if not died:
            break
    assert 60 < places() < turn * STRIDE, "all places of an undo are come to"


def _comes_to_rest(bench: Bench) -> None:
    """Cycles, of which the first sees what was under way, and another one looks that up."""
    for _ in range(2):
        report = bench.cycle()
        assert report.state == "Complete", report.reason
        bench.connection.execute(
            text("UPDATE crm.operation SET sent_at = '2026-01-01' WHERE state = 'in_flight'")
        )
    report = bench.cycle()
    assert (report.state, report.counts.waiting) == ("Complete", 0)
