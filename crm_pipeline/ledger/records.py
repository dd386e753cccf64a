"""Records of any object, wanted and held: by natural keys, with references to each other.

A flow wants a record to be so, or to be gone. What stands in the org for a natural key is held in
`crm.record`. Each function works within the caller's transaction, on the connection that holds
the account's lock.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection

from crm_pipeline.database.statements import statement
from crm_pipeline.ledger.intents import Intent

KIND = "record"

USUAL_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Target:
    """The record that an intent is about.

    By a key that we made (an external-id field and its value), or by its Salesforce Id; with
    neither it is a new one each time, which suits platform events only.
    """

    sobject: str
    key: tuple[str, str] | None = None
    salesforce_id: str | None = None


@dataclass(frozen=True, slots=True)
class RecordWant:
    """A record that is to be so, or to be gone.

    Attributes:
        natural_key: unique in the account: `prospect:42`.
        topic: the flow's topic that it belongs to.
        as_of: when the source said so, UTC; the later one wins.
        target: which record.
        fields: by API name; None: it is to be gone.
        refs: what further fields refer to: a natural key, `person:<number>`, or `id:<Salesforce
            Id>`. The record waits until all of them are held.
        parent: the natural key of what it is a child of; children of one parent travel together.
        attempts: tries in all.
    """

    natural_key: str
    topic: str
    as_of: datetime
    target: Target
    fields: Mapping[str, Any] | None
    refs: Mapping[str, str] = field(default_factory=dict)
    parent: str | None = None
    attempts: int = USUAL_ATTEMPTS


@dataclass(frozen=True, slots=True)
class ChildSet:
    """All children of a topic that a parent has; what the ledger knows beyond them is to be gone.

    `as_of` is when the source said so (UTC): a child that was wanted later stays.
    """

    parent: str
    topic: str
    natural_keys: frozenset[str]
    as_of: datetime


@dataclass(slots=True)
class DueRecord:
    """A record to be written or deleted, with what of it stands in the org.

    `held_…` and `last…` are None where nothing is held. `ref_ids` are the Ids for `ref_keys`, for
    the fields of `ref_fields`, in their order; None where a reference of one that is to be gone is
    not held.
    """

    operation_id: int
    natural_key: str
    as_of: datetime
    intent: Mapping[str, Any]
    held_sobject: str | None
    held_id: str | None
    last: Mapping[str, Any] | None
    last_ref_fields: Sequence[str] | None
    last_ref_ids: Sequence[str] | None
    ref_fields: Sequence[str]
    ref_keys: Sequence[str]
    ref_ids: Sequence[str | None]

    @property
    def topic(self) -> str:
        """The topic that it belongs to."""
        return str(self.intent["topic"])

    @property
    def references(self) -> dict[str, str | None]:
        """The Ids of what its fields refer to, by field."""
        return dict(zip(self.ref_fields, self.ref_ids, strict=True))

    @property
    def last_references(self) -> dict[str, str]:
        """The Ids that were written last, by field."""
        return dict(zip(self.last_ref_fields or (), self.last_ref_ids or (), strict=True))


@dataclass(frozen=True, slots=True)
class Noted:
    """A record that stands in the org now, by the operation that wrote it; `last` as written."""

    operation_id: int
    sobject: str
    salesforce_id: str
    last: Mapping[str, Any]
    ref_fields: Sequence[str]
    ref_keys: Sequence[str]
    ref_ids: Sequence[str | None]


def intents_of(
    connection: Connection, account_id: str, wants: Sequence[RecordWant | ChildSet]
) -> list[Intent]:
    """What wants come to: an intent for each record, and one for each child that is to be gone.

    Args:
        connection: for the children that are known.
        account_id: whose.
        wants: of two for one natural key, the later by its place holds.
    """
    records = {each.natural_key: each for each in wants if isinstance(each, RecordWant)}
    sets = [each for each in wants if isinstance(each, ChildSet)]
    intents = {key: _intent(each) for key, each in records.items()}
    for each in _absent(connection, account_id, sets):
        intents.setdefault(each.natural_key, each)
    return list(intents.values())


def _intent(want: RecordWant) -> Intent:
    said: dict[str, Any] = {
        "topic": want.topic,
        "sobject": want.target.sobject,
        "key": want.target.key,
        "id": want.target.salesforce_id,
        "fields": want.fields,
        "refs": want.refs,
        "parent": want.parent,
    }
    if want.attempts != USUAL_ATTEMPTS:
        said["attempts"] = want.attempts
    return Intent(want.natural_key, KIND, None, want.as_of, said)


def _absent(connection: Connection, account_id: str, sets: Sequence[ChildSet]) -> list[Intent]:
    if not sets:
        return []
    aligned = {(each.parent, each.topic): each for each in sets}
    rows = connection.execute(
        statement("records/children"),
        {
            "account_id": account_id,
            "parents": [parent for parent, _ in aligned],
            "topics": [topic for _, topic in aligned],
        },
    )
    gone = []
    for row in rows:
        each = aligned[row.intent["parent"], row.intent["topic"]]
        if row.natural_key not in each.natural_keys and row.as_of <= each.as_of:
            said = {**row.intent, "fields": None}
            gone.append(Intent(row.natural_key, KIND, None, each.as_of, said))
    return gone


def set_attempts(connection: Connection, account_id: str, cycle_id: int) -> None:
    """Gives what this cycle has read the tries of its topic, where these are others than usual."""
    parameters = {"account_id": account_id, "cycle_id": cycle_id}
    connection.execute(statement("records/set_attempts"), parameters)


def due_records(
    connection: Connection,
    account_id: str,
    topic: str,
    *,
    absent: bool,
    after: int = 0,
    limit: int,
) -> list[DueRecord]:
    """Pending records of a topic with an operation id above `after`, oldest first.

    Those that are to be so and of which every reference is held, or those to be gone.
    """
    rows = connection.execute(
        statement("records/due_records"),
        {
            "account_id": account_id,
            "topic": topic,
            "absent": absent,
            "after": after,
            "limit": limit,
        },
    )
    return [DueRecord(**row._mapping) for row in rows]


def due_record_volumes(connection: Connection, account_id: str) -> dict[tuple[str, str, bool], int]:
    """How many are pending, by topic, object and whether they are to be gone."""
    rows = connection.execute(statement("records/due_volumes"), {"account_id": account_id})
    return {(row.topic, row.sobject, row.absent): row.number for row in rows}


def note_records(connection: Connection, noted: Sequence[Noted]) -> None:
    """Notes that these records stand in the org."""
    if noted:
        rows = {"rows": orjson.dumps(noted).decode()}
        connection.execute(statement("records/note_records"), rows)


def forget_records(connection: Connection, operation_ids: Sequence[int]) -> None:
    """Notes that the records of these operations are not in the org any more."""
    if operation_ids:
        parameters = {"operation_ids": list(operation_ids)}
        connection.execute(statement("records/forget_records"), parameters)


def held_ids(connection: Connection, operation_ids: Sequence[int]) -> dict[int, str]:
    """The Salesforce Ids that are held for what these operations are about; others are absent."""
    parameters = {"operation_ids": list(operation_ids)}
    rows = connection.execute(statement("records/held_ids"), parameters)
    return {row.operation_id: row.salesforce_id for row in rows}


def doubt_records(connection: Connection, operation_ids: Sequence[int]) -> None:
    """Forgets the values that these operations may or may not have changed in the org."""
    if operation_ids:
        parameters = {"operation_ids": list(operation_ids)}
        connection.execute(statement("records/doubt_records"), parameters)


def reopen_records(
    connection: Connection, account_id: str, salesforce_ids: Collection[str]
) -> None:
    """Has records that people deleted written again, as they were wanted last."""
    parameters = {"account_id": account_id, "salesforce_ids": list(salesforce_ids)}
    connection.execute(statement("records/reopen_records"), parameters)


def reopen_moved_records(connection: Connection, account_id: str) -> None:
    """Has records looked at again of which a reference is another Id than at the last look."""
    connection.execute(statement("records/reopen_moved_records"), {"account_id": account_id})
