"""The pipeline: a whole cycle, one half of it, or a plan of it.

python -m benchmarks.programs.ours cycle    warehouse to org
python -m benchmarks.programs.ours fill     warehouse to ledger
python -m benchmarks.programs.ours drain    ledger to org: the loader alone
python -m benchmarks.programs.ours plan     what the cycle would do, nothing of it done
"""

import sys
import time
from dataclasses import asdict
from importlib import import_module
from typing import Any

from sqlalchemy import Engine, event

from benchmarks.installation import ACCOUNT_ID
from benchmarks.task import perform
from crm_pipeline.cycle.cycle import collect_rarely, sync_account
from crm_pipeline.cycle.plan import planned
from crm_pipeline.cycle.planning import Planning
from crm_pipeline.database.engines import engine
from crm_pipeline.flows.registry import ALL_TOPICS

_WHEN_NEEDED = (
    "cryptography.fernet",
    "cryptography.hazmat.primitives.kdf.hkdf",
    "crm_pipeline.salesforce.login",
    "jwt.exceptions",
    "psycopg",
    "simple_salesforce.login",
    "sqlalchemy.dialects.postgresql.psycopg",
)
"""Modules that the first cycle imports; as with the other programs, the clock starts later."""

STEPS: dict[str, frozenset[str]] = {
    "cycle": ALL_TOPICS,
    "fill": frozenset(("registrations", "attendances", "filtered_leads", "lead_payloads")),
    "drain": frozenset(("load_results", "sync_state")),
}


class _SqlSeconds:
    """The seconds of the ledger's statements; COPY, which goes past SQLAlchemy, is not in it."""

    def __init__(self, watched: Engine) -> None:
        self.seconds = 0.0
        self._begun = 0.0
        event.listen(watched, "before_cursor_execute", self._before)
        event.listen(watched, "after_cursor_execute", self._after)

    def _before(self, *_: object) -> None:
        self._begun = time.perf_counter()

    def _after(self, *_: object) -> None:
        self.seconds += time.perf_counter() - self._begun


def load(part: str) -> dict[str, Any]:
    """Runs the cycle, or the part of it."""
    collect_rarely()
    watch = _SqlSeconds(engine("pipeline"))
    report = sync_account(ACCOUNT_ID, run_id="benchmark", steps=STEPS[part])
    if report.state != "Complete":
        raise RuntimeError(f"The cycle ended {report.state}: {report.reason}")
    return {
        "route": report.route,
        "route_reason": report.route_reason,
        "sql_seconds": watch.seconds,
        "counts": asdict(report.counts) | {"topics": report.tally.by_topic},
    }


def plan() -> dict[str, Any]:
    """Plans the cycle, and looks at each record of the plan."""
    collect_rarely()
    with planned(ACCOUNT_ID, Planning(in_full=True), run_id="benchmark") as found:
        report = found.report
        if report.state != "Complete":
            raise RuntimeError(f"The plan ended {report.state}: {report.reason}")
        return {
            "api_calls_foreseen": report.counts.api_calls,
            "numbers": [each._asdict() for each in found.numbers()],
            "records": sum(1 for _ in found.records(None)),
        }


if __name__ == "__main__":
    for module in _WHEN_NEEDED:
        import_module(module)
    part = sys.argv[1]
    perform(plan if part == "plan" else lambda: load(part))
