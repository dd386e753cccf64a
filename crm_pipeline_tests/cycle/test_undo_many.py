"""What taking back a large cycle costs, before the database has any numbers of it."""

from time import monotonic

import pytest
from sqlalchemy import text

from crm_pipeline.cycle.undo import CycleToUndo, plan_undo, undo_cycle
from crm_pipeline_tests.cycle.conftest import ACCOUNT, Bench
from crm_pipeline_tests.flows.webinars.warehouse import CLIENT, LONG_AGO

pytestmark = pytest.mark.deep

KNOWN, NEW = 600, 700
SECONDS_AT_MOST = 60
"""It takes two; minutes where it went through all operations for each record."""


def many(bench: Bench, known: int, new: int) -> None:
    """People with a registration each, of whom the first ones are in the org."""
    bench.admin(
        "seed",
        Lead=[
            {"LastName": "Old", "Company": "x", "Email": f"p{n}@example.com", "Title": "Boss"}
            for n in range(1, known + 1)
        ],
    )
    asked = {"client": CLIENT, "at": LONG_AGO, "n": known + new}
    bench.connection.execute(
        text(
            "INSERT INTO warehouse.person (person_id, client_id, email, surname,"
            " job_title, company_name, shipped_at)"
            " SELECT n, :client, 'p' || n || '@example.com', 'Last ' || n, 'CTO', 'Y', :at"
            " FROM generate_series(1, :n) AS n"
        ),
        asked,
    )
    bench.connection.execute(
        text(
            "INSERT INTO warehouse.registration (registration_id, client_id, event_session_id,"
            " person_id, status, registered_at, shipped_at)"
            " SELECT n, :client, 1, n, 'registered', :at, :at FROM generate_series(1, :n) AS n"
        ),
        asked,
    )


def test_a_large_cycle_is_taken_back_in_a_few_calls_and_seconds(bench: Bench) -> None:
    bench.settings(route="composite")
    many(bench, KNOWN, NEW)
    of = CycleToUndo(ACCOUNT, bench.cycle().cycle_id or 0)
    begun = monotonic()
    shown = plan_undo(of, run_id="plan")
    assert len(shown.changing) == 2 * (KNOWN + NEW)
    done = undo_cycle(of, only=shown.changing, by="ann", run_id="undo")
    assert (done.report.state, len(bench.records("Lead"))) == ("Complete", KNOWN)
    assert bench.records("Event") == []
    assert monotonic() - begun < SECONDS_AT_MOST
    assert [each.report.counts.api_calls <= 12 for each in (shown, done)] == [True, True]
