"""One Salesforce org: its tables, users, sessions, settings and clock."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from crm_pipeline.local_org.config import OrgConfig, UserConfig
from crm_pipeline.local_org.journal import Journal
from crm_pipeline.local_org.meter import Meter
from crm_pipeline.local_org.schema import Field, SObjectType
from crm_pipeline.local_org.tables import Table, Write
from crm_pipeline.local_org.weather import Weather


class User(UserConfig):
    """Somebody who may log in; his record is the row of the same id in the table User."""

    id: str


@dataclass(slots=True)
class Session:
    """A login that still holds. `expires_at` is in UTC; None: until it is revoked."""

    token: str = field(repr=False)
    user_id: str
    expires_at: datetime | None
    scopes: tuple[str, ...] = ()


@dataclass(eq=False, repr=False)
class Org:
    """One Salesforce org: its tables, users, sessions, settings and clock."""

    name: str
    id: str
    tables: dict[str, Table]
    blueprint: OrgConfig
    """The settings of the org's file; `config` is a copy that may change while the org runs."""
    config: OrgConfig
    meter: Meter
    weather: Weather
    users: dict[str, User] = field(default_factory=dict)
    """Users by their user name in lower case."""
    sessions: dict[str, Session] = field(default_factory=dict)
    hidden_fields: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Object name to fields (both in lower case) that field-level security hides; never changed
    in place."""
    clock_shift: timedelta = timedelta(0)
    rows_written: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Rows kept, by (object, `create` | `update` | `delete` | `cascade` | `erase`)."""
    journal: Journal | None = None
    rooms: dict[object, Any] = field(default_factory=dict)
    """State that single rooms keep for this org: see per_org.py."""

    def __repr__(self) -> str:
        return f"<Org {self.name}>"

    def keep(self, writes: Iterable[Write]) -> None:
        """Counts and, where the org has a file, records what was written."""
        for write in writes:
            self.rows_written[write.table.type.name, write.operation] += 1
            if write.operation == "erase" and write.before is not None:
                write.table.erased[write.record_id] = write.before["SystemModstamp"]
        if self.journal is not None:
            self.journal.append(writes)

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
        """The table whose key prefix an id has; of several, the one that holds it."""
        prefix = record_id[:3]
        found = [t for t in self.tables.values() if t.type.key_prefix == prefix]
        return next((t for t in found if t.lookup("Id", record_id)), found[0] if found else None)

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

    def open_session(
        self, user_id: str, lifetime: timedelta | None, scopes: tuple[str, ...] = ()
    ) -> Session:
        """Logs a user in; the token starts with the org's id, as Salesforce's do."""
        token = f"{self.id[:15]}!{secrets.token_urlsafe(72)}"
        expires_at = self.now() + lifetime if lifetime is not None else None
        session = Session(token, user_id, expires_at, scopes)
        self.sessions[token] = session
        return session

    def session(self, token: str) -> Session | None:
        """The session of a token, or None if it is unknown, revoked or over."""
        held = self.sessions.get(token)
        if held and held.expires_at is not None and held.expires_at <= self.now():
            del self.sessions[token]
            return None
        return held
