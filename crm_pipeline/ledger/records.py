"""Records of any object, wanted and held: by natural keys, with references to each other.

A flow wants a record to be so, or to be gone. `crm.record` holds the record that stands in the org
for a natural key. Each function works within the caller's transaction, on the connection that
holds the account's lock.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection

from crm_pipeline.database.rows import objects
from crm_pipeline.database.statements import statement
from crm_pipeline.ledger.intents import Intent

KIND = "record"

USUAL_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class About:
    """The record that an event is to change: it is held, and confirmed once it shows it.

    Attributes:
        sobject: its object.
        salesforce_id: its Id.
        shown: the fields that are to change, each with the field of the event for it.
    """

    sobject: str
    salesforce_id: str
    shown: Mapping[str, str]


@dataclass(slots=True)
class Target:
    """The record that an intent is about.

    By a key that we made (an external-id field and its value), or by its Salesforce Id; with
    neither it is a new one each time, which suits platform events only, `about` another record.
    """

    sobject: str
    key: tuple[str, str] | None = None
    salesforce_id: str | None = None
    about: About | None = None


@dataclass(slots=True)
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
        empties: whether other fields, which this account wrote there before, are emptied.
        because: why it is to be so, where that is not plain; kept with what was done.
    """

    natural_key: str
    topic: str
    as_of: datetime
    target: Target
    fields: Mapping[str, Any] | None
    refs: Mapping[str, str] = field(default_factory=dict)
    parent: str | None = None
    attempts: int = USUAL_ATTEMPTS
    empties: bool = False
    because: str | None = None


@dataclass(slots=True)
class ChildSet:
    """All children of a topic that a parent has; what the ledger knows beyond them is to be gone.

    `as_of` is when the source said so (UTC): a child that was wanted later stays.
    """

    parent: str
    topic: str
    natural_keys: frozenset[str]
    as_of: datetime


class Reference(NamedTuple):
    """The target of a field: a natural key, and the record that stands for it.

    `salesforce_id` is None where none does (yet); `sobject` is None of a reference by Id.
    """

    key: str
    salesforce_id: str | None
    sobject: str | None = None

    @property
    def is_ours(self) -> bool:
        """True for a record of the ledger: neither a person nor one named by its Id."""
        return not self.key.startswith((_PERSON, _ID))


_PERSON, _ID = "person:", "id:"


@dataclass(slots=True)
class DueRecord:
    """A record to be written or deleted, with what of it stands in the org.

    `held_…` and `last…` are None where nothing is held; of the arrays, those of one name belong
    together by their places. `references` are the targets that its fields are to refer to.
    """

    operation_id: int
    natural_key: str
    as_of: datetime
    intent: Mapping[str, Any]
    held_id: str | None
    held_sobject: str | None
    last: Mapping[str, Any] | None
    last_ref_fields: Sequence[str] | None
    last_ref_keys: Sequence[str] | None
    last_ref_ids: Sequence[str | None] | None
    references: Mapping[str, Reference] = field(default_factory=dict)

    @property
    def is_of_another_object(self) -> bool:
        """True if the record that is held is of another object than is wanted: it was renamed."""
        wanted = str(self.intent["sobject"]).lower()
        by_key = self.intent["key"] is not None
        return by_key and self.held_sobject is not None and self.held_sobject.lower() != wanted

    @property
    def topic(self) -> str:
        """The topic that it belongs to."""
        return str(self.intent["topic"])

    @property
    def last_references(self) -> dict[str, Reference]:
        """The targets that were found for its fields at the last write, by field."""
        found = map(Reference, self.last_ref_keys or (), self.last_ref_ids or ())
        return dict(zip(self.last_ref_fields or (), found, strict=True))

    @property
    def moved(self) -> dict[str, Reference]:
        """The references that lead elsewhere than at the last writing, by field."""
        last = self.last_references
        return {
            field: to
            for field, to in self.references.items()
            if to.salesforce_id is None
            or field not in last
            or last[field].salesforce_id != to.salesforce_id
        }


@dataclass(slots=True)
class Noted:
    """A record that stands in the org now, by the operation that wrote it.

    `last` are the values that it has from us; None: those that were wanted.
    """

    operation_id: int
    sobject: str
    salesforce_id: str
    last: Mapping[str, Any] | None
    ref_fields: Sequence[str]
    ref_keys: Sequence[str]
    ref_ids: Sequence[str | None]


def intents_of(
    connection: Connection,
    account_id: str,
    wants: Sequence[RecordWant | ChildSet],
    *,
    publishing: Collection[str] = (),
) -> list[Intent]:
    """Returns the intents of wants: one for each record, and one for each child that is to be gone.

    Args:
        connection: for the children that are known.
        account_id: whose.
        wants: of two for one natural key, the later by its place holds.
        publishing: the topics whose records are events, with neither key nor Id.

    Raises:
        ValueError: a record has neither, and is no event: a lost answer would make it twice; or
            it is an event, and has one.
    """
    records = {each.natural_key: each for each in wants if isinstance(each, RecordWant)}
    for want in records.values():
        is_event = want.target.key is None and want.target.salesforce_id is None
        if is_event is not (want.topic in publishing):
            has = "neither a key nor an Id" if is_event else "a key or an Id"
            raise ValueError(f"A record of the topic {want.topic} has {has}")
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
    if want.target.about is not None:
        said["about"] = asdict(want.target.about)
    if want.attempts != USUAL_ATTEMPTS:
        said["attempts"] = want.attempts
    if want.empties:
        said["empties"] = True
    if want.because:
        said["because"] = want.because
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


def due_records(
    connection: Connection,
    account_id: str,
    topic: str,
    *,
    absent: bool,
    along: Collection[str] = (),
    after: int = 0,
    limit: int,
) -> list[DueRecord]:
    """Pending records of a topic with an operation id above `after`, oldest first.

    Those that are to be so and of which every reference is held or among `along` (natural keys
    that go out before them), or those to be gone.
    """
    parameters = {"account_id": account_id, "topic": topic, "absent": absent, "limit": limit}
    while True:
        rows = connection.execute(statement("records/due_records"), {**parameters, "after": after})
        read = objects(rows, DueRecord)
        _refer(connection, account_id, read)
        ready = [each for each in read if absent or _may_go(each, along)]
        if ready or len(read) < limit:
            return ready
        after = read[-1].operation_id


def _refer(connection: Connection, account_id: str, due: Sequence[DueRecord]) -> None:
    """Finds what the fields of records are to refer to."""
    wanted = {key for each in due for key in each.intent["refs"].values()}
    people = [int(key.removeprefix(_PERSON)) for key in wanted if key.startswith(_PERSON)]
    ours = [key for key in wanted if not key.startswith((_PERSON, _ID))]
    found = {
        key: Reference(key, key.removeprefix(_ID) if key.startswith(_ID) else None)
        for key in wanted
    }
    if ours or people:
        parameters = {"account_id": account_id, "natural_keys": ours, "person_keys": people}
        rows = connection.execute(statement("records/references"), parameters)
        found |= {row.key: Reference(*row) for row in rows}
    for each in due:
        refs = each.intent["refs"]
        each.references = {name: found[refs[name]] for name in sorted(refs)}


def _may_go(due: DueRecord, along: Collection[str]) -> bool:
    return all(to.salesforce_id is not None or to.key in along for to in due.references.values())


class Holder(NamedTuple):
    """Another record that has a key; `other_account` is None where it is the same account's."""

    operation_id: int
    natural_key: str
    other_account: str | None


def whose_keys(
    connection: Connection,
    account_id: str,
    operation_ids: Collection[int],
    told_apart: Collection[int],
) -> dict[int, Holder]:
    """Others that have the key by which these are to be made, where any has, by operation.

    They may be of another account that has the same org. `told_apart` are those of the operations
    whose key is another one with other capitals.
    """
    parameters = {
        "account_id": account_id,
        "operation_ids": list(operation_ids),
        "told_apart": list(told_apart),
    }
    rows = connection.execute(statement("records/whose_keys"), parameters)
    return {each.operation_id: each for each in objects(rows, Holder)}


class Filler(NamedTuple):
    """Another account of the same org, and the fields of a record that it fills."""

    operation_id: int
    account_id: str
    fields: Sequence[str]


def filled_by_others(
    connection: Connection, account_id: str, operation_ids: Collection[int]
) -> dict[int, Filler]:
    """Other accounts that fill fields of the records of these operations, by operation.

    Of those that are named by their Ids, or that events are about, in an org that several have.
    """
    parameters = {"account_id": account_id, "operation_ids": list(operation_ids)}
    rows = connection.execute(statement("records/filled_by_others"), parameters)
    return {each.operation_id: each for each in objects(rows, Filler)}


def due_record_volumes(connection: Connection, account_id: str) -> dict[tuple[str, str, bool], int]:
    """Counts pending ones, by topic, object and whether they are to be gone."""
    rows = connection.execute(statement("records/due_volumes"), {"account_id": account_id})
    return {(row.topic, row.sobject, row.absent): row.number for row in rows}


def number_of_new(connection: Connection, account_id: str, topics: Collection[str]) -> int:
    """Counts the pending records of some topics that are to be made."""
    parameters = {"account_id": account_id, "topics": list(topics)}
    return int(connection.scalar(statement("records/number_of_new"), parameters) or 0)


def number_held(connection: Connection, account_id: str) -> int:
    """Counts the records that an account holds."""
    whose = {"account_id": account_id}
    return int(connection.scalar(statement("records/number_held"), whose) or 0)


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


def resolve_references(
    connection: Connection, account_id: str, natural_keys: Collection[str]
) -> None:
    """Notes the Ids of what these records refer to by key, where it is held by now."""
    parameters = {"account_id": account_id, "natural_keys": list(natural_keys)}
    connection.execute(statement("records/resolve_references"), parameters)


def which_held(connection: Connection, account_id: str, natural_keys: Collection[str]) -> set[str]:
    """Those of these natural keys for which a record stands in the org."""
    parameters = {"account_id": account_id, "natural_keys": list(natural_keys)}
    return set(connection.scalars(statement("records/which_held"), parameters))


def ids_to_go(connection: Connection, account_id: str, among: Collection[str]) -> set[str]:
    """Those of some Salesforce Ids whose records are to be gone and are pending."""
    parameters = {"account_id": account_id, "salesforce_ids": list(among)}
    return set(connection.scalars(statement("records/ids_to_go"), parameters))


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


def reopen_moved_records(connection: Connection, account_id: str) -> int:
    """Has records looked at again of which a reference is another Id than at the last look.

    Returns how many.
    """
    whose = {"account_id": account_id}
    return connection.execute(statement("records/reopen_moved_records"), whose).rowcount
