"""Tables of records, one for each object, with its indexes and what was written to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from crm_pipeline.local_org.ids import IdCounter, long_id
from crm_pipeline.local_org.schema import Field, Row, SObjectType

_UNINDEXED_REFERENCES = frozenset(
    {"OwnerId", "CreatedById", "LastModifiedById", "DandbCompanyId", "IndividualId"}
)


def timestamp(moment: datetime) -> str:
    """Writes a moment as the API returns it: `2022-03-17T16:21:26.000+0000`."""
    return f"{moment.astimezone(UTC).isoformat()[:19]}.000+0000"


class Index:
    """Finds the ids of the rows that hold a value. Rows without a value are not in it."""

    __slots__ = ("field", "fold", "ids")

    def __init__(self, indexed: Field) -> None:
        self.field = indexed.name
        self.fold = indexed.is_text and not indexed.case_sensitive
        # One id as it is, several as a dict: most values of most indexes belong to one row.
        self.ids: dict[Any, str | dict[str, None]] = {}

    def add(self, value: Any, record_id: str) -> None:
        """Notes that a row holds a value (never None)."""
        key = value.lower() if self.fold else value
        held = self.ids.get(key)
        if held is None:
            self.ids[key] = record_id
        elif isinstance(held, str):
            self.ids[key] = {held: None, record_id: None}
        else:
            held[record_id] = None

    def remove(self, value: Any, record_id: str) -> None:
        """Forgets that a row holds a value."""
        key = value.lower() if self.fold else value
        held = self.ids.get(key)
        if isinstance(held, dict):
            held.pop(record_id, None)
            if not held:
                del self.ids[key]
        elif held == record_id:
            del self.ids[key]

    def find(self, value: Any) -> list[str]:
        """Returns the ids of the rows that hold a value."""
        key = value.lower() if self.fold and isinstance(value, str) else value
        held = self.ids.get(key)
        if held is None:
            return []
        return [held] if isinstance(held, str) else list(held)


class Table:
    """The records of one object.

    `rows` maps ids of 18 characters to rows, in the order in which they were created. Deleted
    records stay, with `IsDeleted` true. A row is never changed in place: an update puts a new
    dict under its id, so whoever holds an old one (a cursor, a rollback) holds what was.
    `deleted` counts the deleted ones; `erased` tells of those that are gone for good when they
    were deleted, as the API writes it.
    """

    def __init__(self, of: SObjectType, ids: IdCounter) -> None:
        self.type = of
        self.ids = ids
        self.rows: dict[str, Row] = {}
        self._indexes: dict[str, Index] = {}
        self._wanted: set[str] = set()
        self.deleted = 0
        self.erased: dict[str, str] = {}
        self.build_indexes()

    def build_indexes(self) -> None:
        """Indexes external ids, id lookups (Email), unique fields, names and lookups."""
        self._indexes = {
            each.name: Index(each)
            for each in self.type.fields.values()
            if each.name in self._wanted
            or (_is_indexed(each) and each.name not in self.type.computed)
        }
        self.deleted = 0
        for record_id, row in self.rows.items():
            self.deleted += row["IsDeleted"]
            self._index(record_id, row)

    def index(self, name: str) -> None:
        """Sees to it that `lookup` answers for a stored field (API name in its own case)."""
        if not self.is_indexed(name):
            self._wanted.add(name)
            self.build_indexes()

    def is_indexed(self, name: str) -> bool:
        """Returns whether `lookup` answers for this field (API name in its own case)."""
        return name == "Id" or name in self._indexes

    def lookup(self, name: str, value: Any) -> list[str]:
        """Ids of the rows, deleted ones too, whose field holds this value (never None).

        Texts are compared without case unless the field is case sensitive; ids may have 15
        characters. Raises KeyError for a field that is not indexed.
        """
        if name == "Id":
            found = long_id(value)
            return [found] if found in self.rows else []
        index = self._indexes[name]
        if self.type.fields[name.lower()].is_reference:
            value = long_id(value)
        return index.find(value)

    def children_of(self, name: str, parent_id: str) -> Iterator[Row]:
        """The rows, not deleted, whose lookup leads to a parent; none if it is not indexed."""
        for record_id in self.lookup(name, parent_id) if self.is_indexed(name) else ():
            row = self.rows[record_id]
            if not row["IsDeleted"]:
                yield row

    def live(self, record_id: str) -> Row | None:
        """The row of that id, unless it is deleted or was never there."""
        row = self.rows.get(record_id)
        return None if row is None or row["IsDeleted"] else row

    def put(self, record_id: str, row: Row) -> Row | None:
        """Stores a row, new or changed, and returns the one that it replaces."""
        old = self.rows.get(record_id)
        self.rows[record_id] = row
        self.deleted += row["IsDeleted"]
        if old is None:
            self._index(record_id, row)
            return None
        self.deleted -= old["IsDeleted"]
        for name, index in self._indexes.items():
            before, after = old.get(name), row.get(name)
            if before != after:
                if before is not None:
                    index.remove(before, record_id)
                if after is not None:
                    index.add(after, record_id)
        return old

    def drop(self, record_id: str) -> None:
        """Forgets a row altogether, as if it had never been (rollback)."""
        row = self.rows.pop(record_id)
        self.deleted -= row["IsDeleted"]
        for name, index in self._indexes.items():
            if row.get(name) is not None:
                index.remove(row[name], record_id)

    def _index(self, record_id: str, row: Row) -> None:
        for name, index in self._indexes.items():
            value = row.get(name)
            if value is not None:
                index.add(value, record_id)


def _is_indexed(each: Field) -> bool:
    if each.type == "id":
        return False
    if each.is_reference:
        return each.name not in _UNINDEXED_REFERENCES
    return each.external_id or each.id_lookup or each.unique or each.name_field


@dataclass(slots=True)
class Write:
    """One row written: `before` is what stood there, None for a new row."""

    table: Table
    record_id: str
    before: Row | None
    operation: str


def undo(writes: list[Write], down_to: int = 0) -> None:
    """Takes back the writes from that place on; ids that were handed out stay used."""
    while len(writes) > down_to:
        write = writes.pop()
        if write.before is None:
            write.table.drop(write.record_id)
        else:
            write.table.put(write.record_id, write.before)


Locker = Callable[[Table, Row, Row | None], None]
"""Raises UNABLE_TO_LOCK_ROW, as a row's failure, for a row that cannot be written now."""
