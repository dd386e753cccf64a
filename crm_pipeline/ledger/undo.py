"""What a cycle wrote, wanted to be as it was before: operations of the kind `undo`.

Each function works within the caller's transaction, on the connection that holds the account's
lock.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection

from crm_pipeline.database.rows import objects
from crm_pipeline.database.statements import statement
from crm_pipeline.ledger.account_ledger import AccountLedger

_WHY_NOT = {
    "not_kept": "what stood there before was not kept; the setting keep_replaced_values keeps it",
    "deleted": "the cycle deleted it: it is in the org's recycle bin for 15 days",
    "no_answer": "no answer came so far; the next cycle looks it up",
    "found": "whether the cycle made it is not known: no answer came, or it was looked up since",
    "removed": "the person was removed on request; nothing of what was written is kept",
    "told": "the source platform was told, and stays told",
}


@dataclass(frozen=True, slots=True)
class DueUndo:
    """A record that is to be as it was.

    Attributes:
        operation_id: of the operation that takes it back.
        sobject: the object.
        salesforce_id: the record.
        fields: the values that it had; None: it is to be gone.
        written: by the same fields, what we wrote over them.
        again: by those of them that we may have written over a person's edit later, the cycle.
        made_from: of what is to be gone, when it was made, at the earliest; by the org's clock
            (UTC), as `left_at`; None: unknown.
        left_at: when we wrote to it last, at the latest; None: unknown.
        hidden_by: the cycle that wrote to it later, over what a person may have done; None: none.
        was_touched: whether that one saw that somebody had.
        because: why, for whoever asks.
    """

    operation_id: int
    sobject: str
    salesforce_id: str
    fields: Mapping[str, Any] | None
    written: Mapping[str, Any]
    again: Mapping[str, int]
    made_from: datetime | None
    left_at: datetime | None
    hidden_by: int | None
    was_touched: bool
    because: str


class UndoneRecord(NamedTuple):
    """What becomes of a record of a cycle that is taken back.

    Attributes:
        about: the address of the person whom it is about.
        outcome: restore, delete, left, waiting, or refused.
        fields: of what is restored, the values that stand there then.
        written: what we had written over them.
        reason: why; of what is left, why it is.
    """

    sobject: str
    salesforce_id: str
    about: str | None
    outcome: str
    fields: Mapping[str, Any] | None
    written: Mapping[str, Any] | None
    reason: str | None


class NotUndone(NamedTuple):
    """What a cycle did of which nothing can be taken back.

    Attributes:
        code: not_kept (the values before), deleted (by the cycle), no_answer (so far), found (in
            the org after a lost answer), removed (a person on request), told (to the platform).
        fields: of `not_kept`.
    """

    sobject: str
    salesforce_id: str
    about: str | None
    code: str
    fields: Sequence[str]

    @property
    def why(self) -> str:
        """The reason in words."""
        return _WHY_NOT[self.code]


def wrote_at(connection: Connection, account_id: str, cycle_id: int) -> datetime | None:
    """Returns when a cycle began to write, UTC; None: it is none of the account's that is known."""
    asked = {"account_id": account_id, "cycle_id": cycle_id}
    found: datetime | None = connection.execute(statement("undo/cycle"), asked).scalar()
    return found


def values_kept_since(connection: Connection, account_id: str) -> datetime | None:
    """Returns since when values that were replaced are known, UTC; None: none of the account's."""
    asked = {"account_id": account_id}
    found: datetime | None = connection.scalar(statement("undo/values_kept_since"), asked)
    return found


def want_undone(
    connection: Connection,
    account_id: str,
    cycle_id: int,
    *,
    field: str | None,
    because: str,
    only: Sequence[str] | None = None,
) -> list[int]:
    """Wants what a cycle wrote to be as it was; returns all operations that wait to do so.

    Args:
        connection: the caller's.
        account_id: the account.
        cycle_id: the cycle that is taken back.
        field: of this one alone; None: all, and what was made is to be gone.
        because: why, for whoever asks later.
        only: the Ids of the records that it is about; None: all.
    """
    wanted = {
        "account_id": account_id,
        "cycle_id": cycle_id,
        "field": field,
        "because": because,
        "only": None if only is None else list(only),
    }
    connection.execute(statement("undo/nested_loops"), {"allowed": "off"})
    connection.execute(statement("undo/want"), wanted)
    connection.execute(statement("undo/nested_loops"), {"allowed": "on"})
    asked = {"account_id": account_id, "cycle_id": cycle_id}
    return list(connection.scalars(statement("undo/wanted"), asked))


def due_stages(connection: Connection, account_id: str) -> Sequence[int]:
    """The stages of which something is to be taken back, in their order.

    Values are restored first; then goes what was made, what belongs to others before these.
    """
    return connection.scalars(statement("undo/stages"), {"account_id": account_id}).all()


def due_undos(
    connection: Connection, account_id: str, stage: int, *, after: int = 0, limit: int
) -> list[DueUndo]:
    """What is to be taken back of one stage, above an operation id, oldest first."""
    window = {"account_id": account_id, "stage": stage, "after": after, "limit": limit}
    return [
        DueUndo(
            row.operation_id,
            row.intent["sobject"],
            row.intent["id"],
            row.intent["fields"],
            row.intent["written"],
            row.intent.get("again") or {},
            _time(row.intent.get("made_from")),
            _time(row.intent["left_at"]),
            row.intent.get("hidden_by"),
            bool(row.intent.get("was_touched")),
            row.intent["because"],
        )
        for row in connection.execute(statement("undo/due"), window)
    ]


def _time(noted: str | None) -> datetime | None:
    return None if noted is None else datetime.fromisoformat(noted)


def going(ledger: AccountLedger, salesforce_ids: Collection[str]) -> dict[str, bool]:
    """Those of some records that are to be gone with what is taken back; whether each is gone."""
    asked = {
        "account_id": ledger.account_id,
        "cycle_id": ledger.cycle_id,
        "salesforce_ids": list(salesforce_ids),
    }
    rows = ledger.connection.execute(statement("undo/going"), asked)
    return {row.salesforce_id: row.is_gone for row in rows}


def take_for_ours(connection: Connection, operation_ids: Sequence[int]) -> None:
    """Notes that values which were restored are ours, as the policies of fields see them."""
    connection.execute(statement("undo/doubt"), {"operation_ids": list(operation_ids)})


def forget_undone_members(connection: Connection, operation_ids: Sequence[int]) -> None:
    """Notes that memberships which these operations deleted are none of ours any more."""
    connection.execute(statement("undo/forget_members"), {"operation_ids": list(operation_ids)})


def outcomes_of_undo(connection: Connection, operation_ids: Sequence[int]) -> list[UndoneRecord]:
    """What became of operations that take something back."""
    asked = {"operation_ids": list(operation_ids)}
    return objects(connection.execute(statement("undo/outcomes"), asked), UndoneRecord)


def not_undone(
    connection: Connection, account_id: str, cycle_id: int, field: str | None
) -> list[NotUndone]:
    """What a cycle did of which nothing can be taken back."""
    asked = {"account_id": account_id, "cycle_id": cycle_id, "field": field}
    return objects(connection.execute(statement("undo/left"), asked), NotUndone)
