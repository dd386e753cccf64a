"""Reading the warehouse: the registrations and attendances of one client since a time.

Each is defined by `sql/extract/registrations.sql` or `attendances.sql`; the names of their columns
are the contract.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache, partial
from operator import attrgetter
from typing import Any, ClassVar, Literal, Protocol

from sqlalchemy import Engine

from crm_pipeline.database.statements import statement
from crm_pipeline.database.warehouses import row_reader
from crm_pipeline.inbound.tombstones import REMOVED
from crm_pipeline.ledger.positions import Position
from crm_pipeline.sources.errors import explained
from crm_pipeline.sources.extracts import ExtractStatements, end_of, moment, read_extract
from crm_pipeline.sources.shipped import oldest_unread, with_news
from crm_pipeline.sources.source import Asked, Chunk, Start
from crm_pipeline.text import is_no_id, seen, written

ExtractName = Literal["registrations", "attendances"]

Rows = Mapping[ExtractName, Collection[int]]
"""Ids of rows by their extract."""

_NEVER_SHIPPED = datetime(9999, 12, 31, tzinfo=UTC)
"""Nothing is shipped after it."""

_ID = {"registrations": "registration_id", "attendances": "attendance_id"}
_HAPPENED_AT = {"registrations": "registered_at", "attendances": "attended_at"}
_ADDRESS = ("address_1", "address_2", "address_3")
_NEEDED = ("event_session_id", "person_id", "email", "changed_at")
_OF_NO_PERSON = frozenset(
    (*_ID.values(), *_HAPPENED_AT.values(), "event_session_id", "event_id", "changed_at", "parts")
)
"""Columns of a row that say nothing of whoever it is about."""


class RowOfPerson(Protocol):
    """A row of the warehouse about a person: `columns` has person_id and email."""

    @property
    def changed_at(self) -> datetime:
        """When it was shipped, UTC."""

    @property
    def columns(self) -> Mapping[str, Any]:
        """Every column, by name."""

    @property
    def flaw(self) -> str | None:
        """Why it cannot be sent, whatever the account chose."""


@dataclass(slots=True)
class Participation:
    """One registration or attendance, as the warehouse has it.

    Attributes:
        source: which extract it came from.
        participation_id: its id there.
        event_session_id: the session that it is for.
        happened_at: when the person registered or attended, UTC.
        changed_at: when the last part of it was shipped to the warehouse, UTC; never later than
            when it was read.
        columns: every column of the extract, by name, and `street`: its address lines.
        flaw: why it is not sent as it is, whatever the row says of its person, or None.
        early: how long before the planned start of the session an attendance began.
    """

    source: ExtractName
    participation_id: int
    event_session_id: int
    happened_at: datetime
    changed_at: datetime
    columns: Mapping[str, Any]
    flaw: str | None = None
    early: timedelta = timedelta()

    @property
    def spoilt(self) -> str | None:
        """The flaw because of which what the org has of the row stays, whatever the account chose.

        What was sent of somebody in another role goes as that of a filtered address does.
        """
        return None if (self.flaw or "").startswith(ROLE) else self.flaw


@dataclass(frozen=True, slots=True)
class RowSelection:
    """The part of a client's rows that is to be read.

    Attributes:
        warehouse: the platform's.
        client_id: the warehouse's client.
        sessions: the event sessions to push, or None for all of them.
        backfilled: those to be read whole, because they were added since the last cycle.
        overlap: how far below the watermark to read again, for rows that commit late.
        chunk_rows: participations at a time.
        timezone: the zone of timestamps that carry none.
        again: ids of rows to read whatever their time, by extract.
    """

    warehouse: Engine
    client_id: str
    sessions: Sequence[int] | None
    backfilled: Sequence[int]
    overlap: timedelta
    chunk_rows: int
    timezone: str = "UTC"
    again: Rows = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Extract:
    """A source of participations: `sql/extract/<name>.sql`."""

    name: ExtractName
    start: ClassVar[Start] = Start.HAPPENED

    def read(
        self, selection: RowSelection, position: Position | None, read_by: bytes | None = None
    ) -> Iterator[Chunk[Participation]]:
        """Reads the participations from a position on, oldest shipping first.

        The last chunk (which may be empty) carries a position with the number of rows seen, so
        that rows which become visible below the watermark later are noticed. Rows that are as they
        were are not read again, if `read_by` is as it was.

        Raises:
            ExtractError: the warehouse is down, or the statement does not fit it.
        """
        return read_extract(
            self._statements,
            selection,
            position,
            parameters={
                "sessions": None if selection.sessions is None else list(selection.sessions),
                "backfilled": list(selection.backfilled),
                "again": list(selection.again.get(self.name, ())),
            },
            row_of=partial(participation_of, self.name),
            changed_at=attrgetter("changed_at"),
            read_by=None if selection.backfilled or selection.again.get(self.name) else read_by,
        )

    def named(self, selection: RowSelection, ids: Collection[int]) -> list[Participation]:
        """Reads these rows whatever their time, as far as they are there.

        Raises:
            ExtractError: as `read`.
        """
        with explained(self.name), selection.warehouse.connect() as connection:
            _, now = end_of(self._statements, connection, selection)
            rows = connection.execute(
                statement(f"extract/{self.name}"),
                {
                    "client_id": selection.client_id,
                    "since": _NEVER_SHIPPED,
                    "sessions": None if selection.sessions is None else list(selection.sessions),
                    "backfilled": [],
                    "again": list(ids),
                },
            )
            columns_of = row_reader(
                selection.warehouse, self._statements.names(rows), selection.timezone
            )
            return [
                participation_of(self.name, columns_of(row), selection.timezone, now)
                for row in rows
            ]

    @property
    def needed(self) -> tuple[str, ...]:
        """The columns without which nothing can be said of a row."""
        return (*_NEEDED, _ID[self.name], _HAPPENED_AT[self.name])

    @property
    def _statements(self) -> ExtractStatements:
        return ExtractStatements(self.name, self.name, "end", "new_rows", self.needed)

    def news(self, asked: Sequence[Asked]) -> frozenset[str]:
        """Returns, as `Source`, the accounts with rows shipped after what they have seen."""
        return with_news(asked, self.name)

    def unread_since(self, asked: Sequence[Asked]) -> dict[str, datetime]:
        """Returns, as `Source`, when the oldest row above the watermark was shipped."""
        return oldest_unread(asked, self.name)


REGISTRATIONS, ATTENDANCES = Extract("registrations"), Extract("attendances")

EXTRACTS = (REGISTRATIONS, ATTENDANCES)

ROLE = "role "
"""Begins the flaw of a row in whose role the account wants nobody."""

EXTRACT_NAMES = tuple(extract.name for extract in EXTRACTS)


def tells_recordings(warehouse: Engine) -> bool:
    """Returns whether the warehouse tells who only saw the recording (`kind`).

    Raises:
        ExtractError: as `columns`.
    """
    return "kind" in columns(warehouse)


@lru_cache(8)
def columns(warehouse: Engine) -> frozenset[str]:
    """Returns the names that a mapping can use: the columns of all extracts, and `street`.

    Raises:
        ExtractError: the warehouse is down, or a statement does not fit it.
    """
    nobody = {
        "client_id": "",
        "since": datetime.now(UTC),
        "sessions": [],
        "backfilled": [],
        "again": [],
    }
    known = {"street"}
    with explained(EXTRACT_NAMES[0]), warehouse.connect() as connection:
        for name in EXTRACT_NAMES:
            with explained(name):
                known.update(connection.execute(statement(f"extract/{name}"), nobody).keys())
    return frozenset(known)


def participation_of(
    source: ExtractName, columns: dict[str, Any], timezone: str, now: datetime
) -> Participation:
    """A row as the flows take it; it never raises, whatever the row holds.

    Without a time of shipping it counts as shipped now, and so it does if that lies in the
    future: a later correction must not seem older.
    """
    tidy_person(columns)
    participation_id, session_id = columns[_ID[source]], columns["event_session_id"]
    changed_at = moment(columns["changed_at"], timezone)
    happened_at = moment(columns[_HAPPENED_AT[source]], timezone)
    flaw = None
    if happened_at is None or is_no_id(participation_id) or is_no_id(session_id):
        flaw = _flaw(source, columns)
    return Participation(
        source,
        participation_id,
        session_id,
        happened_at or now,
        now if changed_at is None or changed_at > now else changed_at,
        columns,
        flaw,
        _early(source, columns, happened_at, timezone),
    )


def _early(
    source: ExtractName, columns: Mapping[str, Any], came: datetime | None, timezone: str
) -> timedelta:
    if source == "registrations" or came is None:
        return timedelta()
    starts = moment(columns.get("session_starts_at"), timezone)
    return timedelta() if starts is None else max(timedelta(), starts - came)


def tidy_person(columns: dict[str, Any]) -> None:
    """Makes `street` of the address lines of a row, and text of its email address."""
    columns["street"] = "\n".join(
        [
            text
            for name in _ADDRESS
            if (line := columns.get(name))
            and (text := seen(line if type(line) is str else written(line)))
        ]
    )
    email = columns["email"]
    if email is not None and type(email) is not str:
        columns["email"] = written(email)


def without_person(participation: Participation) -> Participation:
    """Returns what may be known of a row whose person was removed: that it is there."""
    columns = {
        name: value if name in _OF_NO_PERSON else None
        for name, value in participation.columns.items()
    }
    return replace(participation, columns=columns, flaw=REMOVED)


def without_texts(participation: Participation, blotted: Callable[[str], str]) -> Participation:
    """Returns a row of which the texts beside the address have gone through `blotted`."""
    changed = {
        name: said
        for name, value in participation.columns.items()
        if name != "email"
        and isinstance(value, str)
        and "@" in value
        and (said := blotted(value)) != value
    }
    if not changed:
        return participation
    kept = {n: type(participation.columns[n])(said) for n, said in changed.items()}
    return replace(participation, columns={**participation.columns, **kept})


def _flaw(source: ExtractName, columns: Mapping[str, Any]) -> str:
    """Returns why a row that lacks one of these, or whose time is none, cannot be sent."""
    for name in (_ID[source], "event_session_id"):
        if is_no_id(columns[name]):
            return f"no {name}"
    if columns[_HAPPENED_AT[source]] is None:
        return f"no {_HAPPENED_AT[source]}"
    return f"{_HAPPENED_AT[source]} is no usable time"
