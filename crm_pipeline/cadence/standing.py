"""How an account stands, of a row of `operations/states`."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row

from crm_pipeline.cadence.planner import wait_after


def state_of(row: Row[Any]) -> str:
    """The state of an account; of one without cycles, why there are none."""
    if row.draft:
        return "Draft"
    return str(row.state) if row.enabled else "Disabled"


def waiting(row: Row[Any]) -> int:
    """How much is still to be sent, or to be heard of."""
    return int(row.pending + row.held + row.in_flight + row.failed)


def next_try(row: Row[Any]) -> datetime | None:
    """Returns when an account that failed or pauses is due again by itself, or None."""
    if not row.enabled or row.refused:
        return None
    if row.state == "Failed" and row.finished_at and row.failures_in_a_row:
        waits: datetime = row.finished_at + wait_after(row.failures_in_a_row)
        return max(waits, row.paused_until or waits)
    until: datetime | None = row.paused_until if row.state == "Paused" else None
    return until
