"""Outcomes of operations: decided, noted, sent, done or failed.

Each function writes within the caller's transaction, on the connection that holds the
account's lock. The states: `pending` → `done` | `failed` (tried again while attempts are left)
| `exhausted` (kept for support) | `in_flight` (sent, and the answer is lost: to be looked up);
`superseded` by a newer version before it went out; `rejected` by a rule of the flow; `left_out`
with whom or what it names (`ledger.left_out`); `dropped` by an operator; `held` while others are
sent alone.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from crm_pipeline.database.statements import statement
from crm_pipeline.ledger.account_ledger import AccountLedger
from crm_pipeline.salesforce.budget import RouteName
from crm_pipeline.settings import settings
from crm_pipeline.text import storable_json

RETRIES_PER_CYCLE = 50
"""Failed operations taken up at the start of a cycle, oldest first (spec 1)."""

LEFT_DELETED = "deleted in the org"
"""Why nothing was written: people deleted the record, and it is left so."""

FOUND_AFTER_LOST_ANSWER = "found after a lost answer"
"""Why a record is taken for ours that we asked for without hearing of it."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A write about to be sent: `sent` are the fields where they are not the intent's own."""

    operation_id: int
    sobject: str
    action: str
    salesforce_id: str | None = None
    sent: Mapping[str, Any] | None = None
    reason: str | None = None


@dataclass(slots=True)
class Done:
    """An operation that succeeded; `action` is create, update or `none` (nothing differed).

    `sent` are the fields that went out, where the ledger does not have them yet; `filled` those of
    what had been left behind that the record turned out to have.
    """

    operation_id: int
    sobject: str
    action: str
    salesforce_id: str
    reason: str | None = None
    attempts: int = 1
    sent: Mapping[str, Any] | None = None
    filled: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Emptied:
    """The fields that an update of a person, or a removal (None), emptied in the org."""

    operation_id: int | None
    salesforce_id: str
    fields: Sequence[str]


@dataclass(frozen=True, slots=True)
class Failed:
    """An attempt that failed; `attempts` is what it costs (0: no fault of the record; None: all).

    `sobject` and `action` are those of the attempt, where the ledger does not have them yet.
    """

    operation_id: int
    error_code: str
    error_message: str
    attempts: int | None = 1
    sobject: str | None = None
    action: str | None = None


@dataclass(frozen=True, slots=True)
class Moved:
    """The present record of an operation's person."""

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


def has_unfinished(connection: Connection, account_id: str) -> bool:
    """Returns whether an earlier cycle has left anything to look up or to try again."""
    found: bool = connection.execute(
        statement("ledger/unfinished"), {"account_id": account_id}
    ).scalar_one()
    return found


def take_retries(connection: Connection, account_id: str, *, limit: int) -> dict[int, str]:
    """Makes due failed operations pending again, the oldest of each flow in turn.

    Returns:
        The error code of each, by its id.
    """
    rows = connection.execute(
        statement("ledger/take_retries"), {"account_id": account_id, "limit": limit}
    )
    return {row.operation_id: row.error_code or "" for row in rows}


def decide_updates(connection: Connection, planned: Sequence[Planned]) -> None:
    """Stores which fields of which person's record are to change; they stay pending until sent.

    The records stand for their people from now on.
    """
    connection.execute(statement("ledger/decide_updates"), {"rows": _rows(planned)})


def decide_anew(connection: Connection, operation_ids: Sequence[int]) -> None:
    """Has people matched again whose records turned out converted, merged or deleted."""
    connection.execute(statement("ledger/decide_anew"), {"operation_ids": list(operation_ids)})


def move_identities(connection: Connection, moved: Sequence[Moved]) -> None:
    """Other records stand for these operations' people now; the operations are undecided."""
    connection.execute(statement("ledger/move_identities"), {"rows": _rows(moved)})


def mark_in_flight(connection: Connection, cycle_id: int, planned: Sequence[Planned]) -> None:
    """Notes what is about to be sent by itself; commit this before sending."""
    rows = {"cycle_id": cycle_id, "rows": _rows(planned)}
    connection.execute(statement("ledger/mark_in_flight"), rows)


def note_sending(
    connection: Connection,
    account_id: str,
    cycle_id: int,
    operation_ids: Mapping[tuple[str, str], Sequence[int]],
    route: RouteName,
) -> None:
    """Notes what is about to be sent, by (sObject, action); commit this before sending."""
    rows = [
        {"sobject": sobject, "action": action, "operation_ids": ids}
        for (sobject, action), ids in operation_ids.items()
    ]
    if rows:
        connection.execute(
            statement("ledger/note_sending"),
            {
                "account_id": account_id,
                "cycle_id": cycle_id,
                "route": route,
                "rows": _rows(rows),
            },
        )


def end_sending(
    connection: Connection,
    account_id: str,
    unanswered: Sequence[int] | None = None,
    *,
    org_time: datetime | None = None,
) -> None:
    """Ends the sending: operations without an answer are in flight until they are looked up.

    Args:
        connection: the account's lock is held on it.
        account_id: the account.
        unanswered: operations whose answer was lost; None: all that have no outcome, for the
            process that was sending them is gone.
        org_time: the time now by the org's clock (UTC), if it is known.
    """
    ids = None if unanswered is None else list(unanswered)
    connection.execute(
        statement("ledger/end_sending"),
        {"account_id": account_id, "unanswered": ids, "org_time": org_time},
    )


def doubt_people(connection: Connection, operation_ids: Sequence[int]) -> None:
    """Keeps that these updates may or may not have brought their values to the org.

    Whatever the source says next is sent, also what was there before. Does not commit.
    """
    connection.execute(statement("ledger/doubt_people"), {"operation_ids": list(operation_ids)})


def note_field_changes(
    connection: Connection, account_id: str, changes: Sequence[NotedChange]
) -> None:
    """Keeps values that an org would not take, as they were and as they went out."""
    rows = {"account_id": account_id, "rows": _rows(changes)}
    connection.execute(statement("ledger/note_field_changes"), rows)


def record_done(connection: Connection, cycle_id: int, done: Sequence[Done]) -> int:
    """Records successes; a person's record stands for the person from now on.

    They are counted in `daily.delivery`, late ones by the promise (FRESHNESS_MINUTES).

    Returns:
        How many people are decided anew: meanwhile, others emptied fields of their records.
    """
    if not done:
        return 0
    rows = _rows(done)
    people = connection.scalars(
        statement("ledger/record_done"),
        {
            "cycle_id": cycle_id,
            "rows": rows,
            "promised_minutes": settings().freshness_minutes,
        },
    ).all()
    if not people:
        return 0
    left = {"rows": rows, "person_keys": list(people)}
    return connection.execute(statement("ledger/settle_left_behind"), left).rowcount


def let_others_fill(
    ledger: AccountLedger,
    emptied: Sequence[Emptied],
    together: Sequence[Collection[str]],
    removed: Collection[str] = (),
) -> int:
    """Has others fill what was emptied of records that stand for them as well.

    For people of other accounts that work in the org it is noted only, and their next cycle takes
    it up: no row of theirs is locked. Where nothing is kept, it is not.

    Args:
        ledger: the account's; the caller commits.
        emptied: by updates that are recorded already, or by a removal.
        together: the names of fields that go together: nothing of others comes between them.
        removed: addresses that were removed; whoever has one fills nothing, in whatever account.

    Returns:
        How many people of the account are decided anew.
    """
    names = [[name.lower() for name in each] for each in together]
    parameters = {
        "account_id": ledger.account_id,
        "rows": _rows(emptied),
        "together": storable_json(names),
        "removed": list(removed),
        "keeps": ledger.keeps,
    }
    noted = ledger.connection.execute(statement("ledger/let_others_fill"), parameters).rowcount
    return fill_emptied(ledger.connection, ledger.account_id) if noted else 0


def fill_emptied(connection: Connection, account_id: str) -> int:
    """Decides the account's people anew of whose records others emptied fields; returns how many.

    The caller commits.
    """
    return connection.execute(statement("ledger/fill_emptied"), {"account_id": account_id}).rowcount


def record_failed(
    connection: Connection, cycle_id: int, failed: Sequence[Failed], *, backoff_seconds: float
) -> None:
    """Records failures; the next try is due after a growing, jittered pause."""
    rows = {"cycle_id": cycle_id, "backoff_seconds": backoff_seconds, "rows": _rows(failed)}
    connection.execute(statement("ledger/record_failed"), rows)


def forget_moved_activities(connection: Connection, operation_ids: Sequence[int]) -> set[int]:
    """Forgets the records, which are gone, of activities that are somebody else's now.

    Args:
        connection: the pipeline's own database.
        operation_ids: operations of any kind, whose record is not in the org any more.

    Returns:
        Those that are to be made anew: nobody took them away from the person whose they are now.
    """
    parameters = {"operation_ids": list(operation_ids)}
    return set(connection.scalars(statement("ledger/forget_moved_activities"), parameters))


def back_to_pending(connection: Connection, operation_ids: Sequence[int]) -> None:
    """Makes operations pending that were not sent, or are to be sent anew: costs no attempt."""
    connection.execute(statement("ledger/back_to_pending"), {"operation_ids": list(operation_ids)})


def _rows(outcomes: Sequence[Any]) -> str:
    """A JSON array: PostgreSQL takes that apart faster than we write arrays."""
    return storable_json(outcomes)
