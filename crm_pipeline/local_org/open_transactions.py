"""Transactions that stay open: their rows are stamped and locked, and nobody sees them yet.

A long transaction is what loses records for a reader that goes by SystemModstamp: its rows appear
later than others that have a later stamp. Salesforce tells how far it is safe to read: getUpdated's
`latestDateCovered` is the start of the oldest transaction that is still open.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from crm_pipeline.local_org.errors import refuse
from crm_pipeline.local_org.event_bus import commit
from crm_pipeline.local_org.per_org import PerOrg
from crm_pipeline.local_org.schema import Row
from crm_pipeline.local_org.store import Org
from crm_pipeline.local_org.tables import Table, Write, timestamp, undo

_LOOK_SECONDS = 0.005


@dataclass(eq=False, slots=True)
class OpenTransaction:
    """The writes of a transaction, shown when it ends.

    `started` is the stamp of its rows, as the API writes it; `ends_at` is in the org's time (UTC).
    """

    started: str
    ends_at: datetime
    writes: list[Write]
    rows: dict[tuple[Table, str], Row | None] = field(default_factory=dict)
    """By table and id: the row as it will be, None for one that will be gone."""
    unique_values: set[tuple[Table, str, Any]] = field(default_factory=set)
    """By table and unique field: the values that its rows will have."""
    is_open: bool = True

    def __post_init__(self) -> None:
        for write in self.writes:
            row = write.table.rows.get(write.record_id)
            self.rows[write.table, write.record_id] = row
            self.unique_values.update(_unique_values(write.table, row))


OPEN: PerOrg[list[OpenTransaction]] = PerOrg(list)
"""Those that are not committed yet, in the order in which they began."""


def _unique_values(table: Table, row: Row | None) -> set[tuple[Table, str, Any]]:
    if row is None:
        return set()
    return {
        (table, each.name, each.folded(row[each.name]))
        for each in table.type.fields.values()
        if each.unique and row.get(each.name) is not None
    }


def hold(org: Org, writes: list[Write], started: str, seconds: float) -> OpenTransaction:
    """Takes the writes back from everybody's sight until so many seconds of the org have passed."""
    transaction = OpenTransaction(started, org.now() + timedelta(seconds=seconds), writes.copy())
    undo(writes)
    OPEN[org].append(transaction)
    return transaction


def end(org: Org, transaction: OpenTransaction) -> None:
    """Shows what the transaction wrote: it is committed."""
    OPEN[org].remove(transaction)
    transaction.is_open = False
    for (table, record_id), row in transaction.rows.items():
        if row is not None:
            table.put(record_id, row)
        elif record_id in table.rows:
            table.drop(record_id)
    commit(org, transaction.writes)


def end_due(org: Org) -> None:
    """Ends the transactions whose time has come."""
    for each in [each for each in OPEN[org] if each.ends_at <= org.now()]:
        end(org, each)


def end_all(org: Org) -> int:
    """Ends all transactions now. Returns how many there were."""
    count = len(OPEN[org])
    for each in OPEN[org].copy():
        end(org, each)
    return count


def abandon_all(org: Org) -> None:
    """Forgets all open transactions with what they wrote."""
    for each in OPEN[org]:
        each.is_open = False
    OPEN[org].clear()


async def ended(org: Org, transaction: OpenTransaction) -> None:
    """Waits until the transaction has ended, by time, by a shifted clock or by hand."""
    while transaction.is_open:
        await asyncio.sleep(_LOOK_SECONDS)
        end_due(org)


def covered_until(org: Org, moment: str) -> str:
    """The moment up to which nothing can appear any more: that, or an open transaction's start."""
    return min([moment, *(each.started for each in OPEN[org])])


def refuse_if_held(
    held: list[OpenTransaction], table: Table, record_id: str, row: Row | None
) -> None:
    """Raises UNABLE_TO_LOCK_ROW for a row, or a unique value, that an open transaction writes."""
    for each in held:
        if (table, record_id) in each.rows or each.unique_values & _unique_values(table, row):
            raise refuse(
                "UNABLE_TO_LOCK_ROW",
                f"unable to obtain exclusive access to this record or 1 records: {record_id}",
            )


def told(transaction: OpenTransaction) -> dict[str, Any]:
    """An open transaction as the admin path shows it."""
    return {
        "started": transaction.started,
        "ends_at": timestamp(transaction.ends_at),
        "ids": [record_id for _, record_id in transaction.rows],
    }
