"""Holds: cycles that would do far more than usual, and what a person decided about them.

Each function works within the caller's transaction, on the connection that holds the account's
lock.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any, Literal, NamedTuple

import orjson
from sqlalchemy import Connection

from crm_pipeline.database.rows import objects, the_object
from crm_pipeline.database.statements import statement
from crm_pipeline.ledger.codes import OwnCode

Limit = Literal["changed people", "new people", "deletions", "rejections"]
Verdict = Literal["approved", "rejected", "lapsed"]

_SHOWN = 10
"""Holds that are told of an account."""


@dataclass(frozen=True, slots=True)
class Exceeded:
    """A limit that a cycle would exceed.

    Attributes:
        number: so many would be changed, new, deleted or rejected.
        of: all that there are of these; None: that is no measure.
        most: so many may.
        kind: of operations, of those that would be deleted.
        before: so many of the number were let through already, by cycles that read on in this one.
    """

    limit: Limit
    number: int
    of: int | None
    most: int
    kind: str | None = None
    before: int = 0


@dataclass(frozen=True, slots=True)
class Pile:
    """What cycles let through one after another, each of which read on in the next one.

    Attributes:
        days: in which nothing was read before the first of them; at least 1.
        changed: known people who changed, those of few who may have.
        new: people of whom no record was known.
        deleted: what was deleted, by kind.
        rows_read: new rows.
        rows_rejected: those of them that were rejected.
    """

    days: float = 1
    changed: int = 0
    new: int = 0
    deleted: Mapping[str, int] = field(default_factory=dict)
    rows_read: int = 0
    rows_rejected: int = 0


class Brake(NamedTuple):
    """How far an account's operations are let through.

    Attributes:
        passed_operation: all up to this one are.
        load_approved: a person has approved a load; no limit holds while it lasts.
        pile: what the last cycles let through, where there is more of it to be read; else None.
        exceeded: the limits for which it is held now; None: it is not.
        has_unjudged: something is to be sent that was not held to the limits yet.
        has_left_out: people are left out, as the account made nobody.
    """

    passed_operation: int
    load_approved: bool
    pile: Pile | None
    exceeded: Sequence[Exceeded] | None
    has_unjudged: bool
    has_left_out: bool


class Unjudged(NamedTuple):
    """What of one kind was not held to the limits yet; `first_cycle` read the first of it."""

    kind: str
    new_people: int
    known_people: int
    deletions: int
    last_operation: int
    first_cycle: int | None


class NewRows(NamedTuple):
    """New rows that cycles have read, and those of them that were rejected."""

    read: int
    rejected: int


class Usual(NamedTuple):
    """What is usual of an account.

    Attributes:
        known_people: all that are known in the org.
        new_people_a_day: the mean of the 30 days before it was Complete last.
        days_since_read: since a cycle has read what was new; at least 1.
        row_count: new rows of these 30 days.
        rejected: those of them that were rejected.
    """

    known_people: int
    new_people_a_day: float
    days_since_read: float
    row_count: int
    rejected: int


@dataclass(frozen=True, slots=True)
class Hold:
    """A cycle that was held, about which nobody has decided; `held_at` is UTC."""

    hold_id: int
    held_at: datetime
    exceeded: Sequence[Exceeded]


class PastHold(NamedTuple):
    """A hold of an account and what came of it. Times are UTC."""

    hold_id: int
    held_at: datetime
    exceeded: Sequence[Exceeded]
    decision: Verdict | None
    decided_at: datetime | None
    decided_by: str | None
    why: str | None


def brake_of(connection: Connection, account_id: str) -> Brake:
    """How far the account's operations are let through."""
    row = connection.execute(statement("holds/brake"), {"account_id": account_id})
    brake = the_object(row, Brake)
    return brake._replace(
        pile=brake.pile and Pile(**brake.pile),  # type: ignore[arg-type]
        exceeded=brake.exceeded and _exceeded(brake.exceeded),
    )


def unjudged(connection: Connection, account_id: str, after: int) -> list[Unjudged]:
    """Counts what is to be sent behind an operation, by kind."""
    asked = {"account_id": account_id, "after": after}
    return objects(connection.execute(statement("holds/unjudged"), asked), Unjudged)


def take_left_out(connection: Connection, account_id: str) -> None:
    """Has people wait who were left out, as the account made nobody.

    They and what is behind them are not let through yet.
    """
    connection.execute(statement("holds/take_left_out"), {"account_id": account_id})


def rows_of_cycles(connection: Connection, account_id: str, first: int, before: int) -> NewRows:
    """The new rows of an account's cycles from one on, and before another one."""
    asked = {"account_id": account_id, "first": first, "before": before}
    return the_object(connection.execute(statement("holds/rows_of_cycles"), asked), NewRows)


def changed_people(connection: Connection, account_id: str, after: int) -> int:
    """Counts the known people who would change, by operations behind one."""
    asked = {"account_id": account_id, "after": after}
    number: int = connection.execute(statement("holds/changed_people"), asked).scalar_one()
    return number


def usual_of(connection: Connection, account_id: str) -> Usual:
    """What is usual of an account; reads its history."""
    asked = {"account_id": account_id}
    return the_object(connection.execute(statement("holds/usual"), asked), Usual)


def made_of_kinds(connection: Connection, account_id: str, kinds: Sequence[str]) -> dict[str, int]:
    """How much of these kinds of operations stands in the org by our hand; reads the history."""
    asked = {"account_id": account_id, "kinds": list(kinds)}
    return {row.kind: row.made for row in connection.execute(statement("holds/made"), asked)}


def let_all_through(connection: Connection, account_id: str) -> None:
    """Lets everything through that is to be sent now."""
    last = connection.scalar(statement("holds/last_pending"), {"account_id": account_id})
    if last is not None:
        let_through(connection, account_id, last)


def let_through(
    connection: Connection, account_id: str, last_operation: int, pile: Pile | None = None
) -> None:
    """Lets all operations up to this one through; `pile`: with these, of what is still read."""
    said = {
        "account_id": account_id,
        "last_operation": last_operation,
        "pile": pile and orjson.dumps(pile).decode(),
    }
    connection.execute(statement("holds/let_through"), said)


def approve_load(connection: Connection, account_id: str) -> None:
    """Lets everything through, as a person said, until a whole cycle has read and sent all."""
    connection.execute(statement("holds/approve_load"), {"account_id": account_id})


def load_ended(connection: Connection, account_id: str) -> None:
    """Holds the account to its limits from now on."""
    connection.execute(statement("holds/load_ended"), {"account_id": account_id})


def open_hold(connection: Connection, account_id: str) -> Hold | None:
    """The hold of an account about which nobody has decided, or None."""
    rows = connection.execute(statement("holds/open"), {"account_id": account_id})
    found = next(iter(objects(rows, Hold)), None)
    return found and replace(found, exceeded=_exceeded(found.exceeded))


def lapse(connection: Connection, account_id: str) -> bool:
    """Ends the account's hold where nothing of it waits any more; returns whether that is so."""
    lapsed = connection.scalar(statement("holds/lapse"), {"account_id": account_id})
    return lapsed is not None


def hold(
    connection: Connection,
    account_id: str,
    cycle_id: int,
    *,
    after: int,
    last_operation: int,
    exceeded: Sequence[Exceeded],
) -> None:
    """Holds what is to be sent behind `after`, up to `last_operation`, until a person decides."""
    said = {
        "account_id": account_id,
        "cycle_id": cycle_id,
        "after": after,
        "last_operation": last_operation,
        "exceeded": orjson.dumps([asdict(each) for each in exceeded]).decode(),
    }
    connection.execute(statement("holds/hold"), said)


def approve(connection: Connection, held: Hold, *, decided_by: str, why: str | None) -> None:
    """Lets through what is held."""
    _decide(connection, held, "approved", decided_by, why)


def reject(connection: Connection, held: Hold, *, decided_by: str, why: str) -> int:
    """Drops what exceeded a limit, and lets the rest through; returns how many were dropped.

    Where too many rows were rejected, nothing is left to be trusted, and all is dropped.
    """
    said = {
        "hold_id": held.hold_id,
        "reason": f"rejected by {decided_by}: {why}",
        "reason_code": OwnCode.HOLD_REJECTED,
    }
    rejected = connection.execute(statement("holds/reject"), said)
    _decide(connection, held, "rejected", decided_by, why)
    return rejected.rowcount


def last_holds(connection: Connection, account_id: str) -> list[PastHold]:
    """The last holds of an account, the newest first."""
    asked = {"account_id": account_id, "limit": _SHOWN}
    found = objects(connection.execute(statement("holds/history"), asked), PastHold)
    return [each._replace(exceeded=_exceeded(each.exceeded)) for each in found]


def _decide(
    connection: Connection, held: Hold, decision: Verdict, decided_by: str, why: str | None
) -> None:
    said = {
        "hold_id": held.hold_id,
        "decision": decision,
        "decided_by": decided_by,
        "why": why,
    }
    connection.execute(statement("holds/decide"), said)


def _exceeded(stored: Sequence[Any]) -> list[Exceeded]:
    return [Exceeded(**each) for each in stored]
