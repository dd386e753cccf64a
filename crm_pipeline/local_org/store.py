"""Where the records of the orgs are kept: tables with indexes, and the org around them."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from crm_pipeline.local_org.config import OrgConfig, UserConfig
from crm_pipeline.local_org.ids import IdCounter, long_id
from crm_pipeline.local_org.schema import Field, Row, SObjectType

if TYPE_CHECKING:
    from crm_pipeline.local_org.dml import Writer
    from crm_pipeline.local_org.journal import Journal
    from crm_pipeline.local_org.limits import Meter
    from crm_pipeline.local_org.rules import Check
    from crm_pipeline.local_org.weather import Weather

_UNINDEXED_REFERENCES = frozenset({"OwnerId", "CreatedById", "LastModifiedById"})


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
    `deleted` counts the deleted ones.
    """

    def __init__(self, of: SObjectType, ids: IdCounter) -> None:
        self.type = of
        self.ids = ids
        self.rows: dict[str, Row] = {}
        self._indexes: dict[str, Index] = {}
        self._wanted: set[str] = set()
        self.deleted = 0
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
        """Whether `lookup` answers for this field (API name in its own case)."""
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


class User(UserConfig):
    """Somebody who may log in; his record is the row of the same id in the table User."""

    id: str


@dataclass(slots=True)
class Session:
    """A login that still holds. `expires_at` is in UTC; None: until it is revoked."""

    token: str = field(repr=False)
    user_id: str
    expires_at: datetime | None


@dataclass(eq=False, repr=False)
class Org:
    """One Salesforce org: its tables, users, sessions, settings and clock."""

    name: str
    id: str
    tables: dict[str, Table]
    blueprint: OrgConfig
    """What the org's file says; `config` is a copy that may change while the org runs."""
    config: OrgConfig
    meter: Meter
    weather: Weather
    users: dict[str, User] = field(default_factory=dict)
    """Users by their user name in lower case."""
    sessions: dict[str, Session] = field(default_factory=dict)
    hidden_fields: dict[str, frozenset[str]] = field(default_factory=dict)
    """Object name to fields (both in lower case) that field-level security hides."""
    clock_shift: timedelta = timedelta(0)
    rows_written: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Rows kept, by (object, `create` | `update` | `delete` | `cascade` | `erase`)."""
    writers: dict[str, Writer] = field(default_factory=dict)
    rules: dict[str, list[Check]] = field(default_factory=dict)
    """By object; seeding passes them by."""
    journal: Journal | None = None

    def __repr__(self) -> str:
        return f"<Org {self.name}>"

    def now(self) -> datetime:
        """The org's own time, in UTC; tests may shift it."""
        return datetime.now(UTC) + self.clock_shift

    def table(self, name: str) -> Table:
        """The table of an object, whatever the case of its name. Raises KeyError."""
        return self.tables[name.lower()]

    def types(self) -> Iterable[SObjectType]:
        """All objects of the org."""
        return (table.type for table in self.tables.values())

    def table_of_id(self, record_id: str) -> Table | None:
        """The table whose key prefix an id has."""
        prefix = record_id[:3]
        return next((t for t in self.tables.values() if t.type.key_prefix == prefix), None)

    def visible(self, of: SObjectType, name: str) -> Field | None:
        """The field of that name, in any case, unless there is none or it is hidden."""
        lowered = name.lower()
        if lowered in self.hidden_fields.get(of.name.lower(), ()):
            return None
        return of.fields.get(lowered)

    def visible_fields(self, of: SObjectType) -> list[Field]:
        """The fields of an object that field-level security shows."""
        hidden = self.hidden_fields.get(of.name.lower(), ())
        return [each for key, each in of.fields.items() if key not in hidden]

    def hide_fields(self, names: Iterable[str]) -> None:
        """Hides fields, given as `Lead.Phone`, and shows all others. Raises LookupError."""
        hidden: dict[str, set[str]] = {}
        for name in names:
            object_name, _, field_name = name.lower().partition(".")
            table = self.tables.get(object_name)
            if table is None or field_name not in table.type.fields:
                raise LookupError(f"there is no field {name}")
            hidden.setdefault(object_name, set()).add(field_name)
        self.hidden_fields = {name: frozenset(fields) for name, fields in hidden.items()}
        self.config.hidden_fields = list(names)
        self.writers.clear()

    def open_session(self, user_id: str, lifetime: timedelta | None) -> Session:
        """Logs a user in; the token starts with the org's id, as Salesforce's do."""
        token = f"{self.id[:15]}!{secrets.token_urlsafe(72)}"
        expires_at = self.now() + lifetime if lifetime is not None else None
        session = Session(token, user_id, expires_at)
        self.sessions[token] = session
        return session

    def session(self, token: str) -> Session | None:
        """The session of a token, or None if it is unknown, revoked or over."""
        held = self.sessions.get(token)
        if held and held.expires_at is not None and held.expires_at <= self.now():
            del self.sessions[token]
            return None
        return held
