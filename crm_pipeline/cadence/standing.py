"""How an account stands, of a row of `operations/states`."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from crm_pipeline.cadence.planner import wait_after
from crm_pipeline.salesforce.errors import named

INCIDENT_COLUMNS = ("code", "about", "operations", "since", "next try", "what to mend")
"""How people are told of incidents: see `incident_rows`."""


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


def incident_rows(found: Iterable[Row[Any]], account_id: str) -> list[tuple[object, ...]]:
    """Returns the rows of a table of an account's open incidents, by `INCIDENT_COLUMNS`. Pure."""
    return [
        (
            each.code,
            each.subject,
            each.operations,
            each.first_seen,
            each.next_try,
            named(each.message, account_id),
        )
        for each in found
    ]
