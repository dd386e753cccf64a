"""The history of cycles and each account's state."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import orjson
from sqlalchemy import Connection, CursorResult

from crm_pipeline.database.rows import objects, the_object
from crm_pipeline.database.statements import statement


@dataclass(frozen=True, slots=True)
class StartedCycle:
    """A cycle that has begun, with what the one before left. Times are UTC."""

    cycle_id: int
    watermark: datetime | None
    api_used: int | None
    api_limit: int | None
    api_seen_at: datetime | None
    latency_seconds: float | None
    state_before: str | None


@dataclass(frozen=True, slots=True)
class FinishedCycle:
    """The state of an account at the end of its cycle. Times are UTC.

    Attributes:
        state: of its last whole cycle, or of a later one of some steps that did not end Complete.
        reason: why it is not Complete, for people.
        watermark: the time of the last record read.
        since: when it first ended a cycle in this state, with no other state between.
        complete_at: when a cycle of it last ended Complete.
        refused: Salesforce has refused its credentials, which are still the same.
    """

    state: Literal["New", "Processing", "Complete", "Failed", "Paused", "Held"]
    reason: str
    watermark: datetime | None
    finished_at: datetime | None
    since: datetime | None
    complete_at: datetime | None
    failures_in_a_row: int
    paused_until: datetime | None
    refused: bool


def start_cycle(
    connection: Connection, account_id: str, run_id: str, *, whole: bool
) -> StartedCycle:
    """Opens a cycle, and closes an abandoned one; a whole one sets the state to Processing."""
    row = connection.execute(
        statement("ledger/start_cycle"),
        {"account_id": account_id, "run_id": run_id, "whole": whole},
    )
    return the_object(row, StartedCycle)


def begin_plan(connection: Connection, account_id: str, run_id: str) -> StartedCycle:
    """Opens a cycle that only plans, within a transaction that is not to be kept.

    The account's state is left alone: nobody who looks at it or claims it has to wait.
    """
    row = connection.execute(statement("plans/begin"), {"account_id": account_id, "run_id": run_id})
    return the_object(row, StartedCycle)


def finish_cycle(
    connection: Connection,
    account_id: str,
    cycle_id: int,
    *,
    state: str,
    reason: str,
    notes: str,
    counts: Mapping[str, Any],
    waits: bool,
    succeeded: int,
    failed: int,
    paused_until: datetime | None,
    api_used: int | None,
    api_limit: int | None,
    latency_seconds: float | None,
) -> FinishedCycle:
    """Closes the cycle and sets the account's state; gives the claim on it back.

    One that is not whole and went well says nothing about the account: its state stays. `waits`:
    something is pending, perhaps.
    """
    connection.execute(
        statement("ledger/finish_cycle"),
        {
            "account_id": account_id,
            "cycle_id": cycle_id,
            "state": state,
            "reason": reason,
            "notes": notes,
            "counts": orjson.dumps(counts).decode(),
            "waits": waits,
            "succeeded": succeeded,
            "failed": failed,
            "api_used": api_used,
            "api_limit": api_limit,
            "latency_seconds": latency_seconds,
        },
    )
    ended = {"account_id": account_id, "cycle_id": cycle_id, "paused_until": paused_until}
    connection.execute(statement("ledger/set_state"), ended)
    return the_object(_standing(connection, account_id), FinishedCycle)


def made_since_asked(connection: Connection, account_id: str) -> int:
    """How many records the account has made since its org was asked for how many it has room."""
    asked = {"account_id": account_id}
    return connection.scalar(statement("ledger/made_since_asked"), asked) or 0


def count_made(connection: Connection, account_id: str, made: int, *, asked: bool) -> None:
    """Counts the records that a cycle has made, which may have asked for how many there is room."""
    said = {"account_id": account_id, "made": made, "asked": asked}
    connection.execute(statement("ledger/count_made"), said)


def standing_of(connection: Connection, account_id: str) -> FinishedCycle | None:
    """Returns how the account stands; None before its first cycle, and in the middle of one."""
    standing = next(iter(objects(_standing(connection, account_id), FinishedCycle)), None)
    return standing if standing and standing.finished_at else None


def _standing(connection: Connection, account_id: str) -> CursorResult[Any]:
    return connection.execute(statement("ledger/standing"), {"account_id": account_id})
