"""What becomes of operations: decided, marked, sent, done or failed.

Each function writes within the caller's transaction, on the connection that holds the
account's lock. The states: `pending` → `in_flight` → `done` | `failed` (tried again while
attempts are left) | `exhausted` (kept for support); `superseded` by a newer version before it
went out; `rejected` by a rule of the flow; `dropped` by an operator.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection

from crm_pipeline.database.statements import statement

RETRIES_PER_CYCLE = 50
"""Failed operations taken up at the start of a cycle, oldest first (spec 1)."""


@dataclass(frozen=True, slots=True)
class Planned:
    """What is about to be sent: `sent` are the fields where they are not the intent's own."""

    operation_id: int
    sobject: str
    action: str
    salesforce_id: str | None = None
    sent: Mapping[str, Any] | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """An operation that succeeded; `action` is create, update or `none` (nothing differed)."""

    operation_id: int
    sobject: str
    action: str
    salesforce_id: str
    reason: str | None = None
    attempts: int = 1


@dataclass(frozen=True, slots=True)
class Failed:
    """An attempt that failed; `attempts` is what it costs (0: no fault of the record)."""

    operation_id: int
    error_code: str
    error_message: str
    attempts: int = 1


@dataclass(frozen=True, slots=True)
class Moved:
    """Where the record of an operation's person is now."""

    operation_id: int
    sobject: str
    salesforce_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class NotedChange:
    """One value of one operation that was changed to fit the org."""

    operation_id: int
    field: str
    why: str
    old_value: str | None
    new_value: str | None


def take_retries(connection: Connection, account_id: str, *, limit: int) -> list[int]:
    """Makes the oldest due failed operations pending again and returns their ids."""
    parameters = {"account_id": account_id, "limit": limit}
    return list(connection.scalars(statement("ledger/take_retries"), parameters))


def decide_updates(connection: Connection, planned: Sequence[Planned]) -> None:
    """Stores which fields of which record are to change; they stay pending until sent."""
    connection.execute(
        statement("ledger/decide_updates"),
        {
            "operation_ids": [p.operation_id for p in planned],
            "sobjects": [p.sobject for p in planned],
            "salesforce_ids": [p.salesforce_id for p in planned],
            "sents": [orjson.dumps(p.sent).decode() for p in planned],
            "reasons": [p.reason for p in planned],
        },
    )


def decide_anew(connection: Connection, operation_ids: Sequence[int]) -> None:
    """For records that turned out converted, merged or deleted: their people are matched again."""
    connection.execute(statement("ledger/decide_anew"), {"operation_ids": list(operation_ids)})


def move_identities(connection: Connection, moved: Sequence[Moved]) -> None:
    """Other records stand for these operations' people now; the operations are undecided."""
    connection.execute(
        statement("ledger/move_identities"),
        {
            "operation_ids": [m.operation_id for m in moved],
            "sobjects": [m.sobject for m in moved],
            "salesforce_ids": [m.salesforce_id for m in moved],
            "reasons": [m.reason for m in moved],
        },
    )


def identify_people(connection: Connection, operation_ids: Sequence[int]) -> None:
    """Makes the records of these person operations, decided or done, stand for their people."""
    connection.execute(statement("ledger/identify_people"), {"operation_ids": list(operation_ids)})


def mark_in_flight(connection: Connection, cycle_id: int, planned: Sequence[Planned]) -> None:
    """Notes what is about to be sent; commit this before sending."""
    connection.execute(
        statement("ledger/mark_in_flight"),
        {
            "cycle_id": cycle_id,
            "operation_ids": [m.operation_id for m in planned],
            "sobjects": [m.sobject for m in planned],
            "actions": [m.action for m in planned],
            "salesforce_ids": [m.salesforce_id for m in planned],
            "sents": [None if m.sent is None else orjson.dumps(m.sent).decode() for m in planned],
            "reasons": [m.reason for m in planned],
        },
    )


def note_field_changes(
    connection: Connection, account_id: str, changes: Sequence[NotedChange]
) -> None:
    """Keeps values that an org would not take, as they were and as they went out."""
    connection.execute(
        statement("ledger/note_field_changes"),
        {
            "account_id": account_id,
            "operation_ids": [c.operation_id for c in changes],
            "fields": [c.field for c in changes],
            "whys": [c.why for c in changes],
            "old_values": [c.old_value for c in changes],
            "new_values": [c.new_value for c in changes],
        },
    )


def record_done(connection: Connection, cycle_id: int, done: Sequence[Done]) -> None:
    """Records successes."""
    connection.execute(
        statement("ledger/record_done"),
        {
            "cycle_id": cycle_id,
            "operation_ids": [d.operation_id for d in done],
            "sobjects": [d.sobject for d in done],
            "actions": [d.action for d in done],
            "salesforce_ids": [d.salesforce_id for d in done],
            "reasons": [d.reason for d in done],
            "attempts": [d.attempts for d in done],
        },
    )


def record_failed(
    connection: Connection, cycle_id: int, failed: Sequence[Failed], *, backoff_seconds: float
) -> tuple[int, int]:
    """Records failures; the next try is due after a growing, jittered pause.

    Returns:
        How many wait for another try, and how many are exhausted.
    """
    rows = connection.execute(
        statement("ledger/record_failed"),
        {
            "cycle_id": cycle_id,
            "backoff_seconds": backoff_seconds,
            "operation_ids": [f.operation_id for f in failed],
            "error_codes": [f.error_code for f in failed],
            "error_messages": [f.error_message[:1000] for f in failed],
            "attempts": [f.attempts for f in failed],
        },
    )
    exhausted = sum(row.state == "exhausted" for row in rows)
    return len(failed) - exhausted, exhausted


def back_to_pending(connection: Connection, operation_ids: Sequence[int]) -> None:
    """For what was not sent after all, or is to be sent anew: costs no attempt."""
    connection.execute(statement("ledger/back_to_pending"), {"operation_ids": list(operation_ids)})
