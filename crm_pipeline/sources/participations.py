"""Reading the warehouse: the registrations and attendances of one client since a time.

Each is defined by `sql/extract/registrations.sql` or `attendances.sql`; the names of their columns
are the contract.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any, Literal
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, CursorResult, Engine, Row

from crm_pipeline.database.statements import statement
from crm_pipeline.inbound.tombstones import REMOVED
from crm_pipeline.ledger.positions import Position
from crm_pipeline.salesforce.limits import SALESFORCE_YEARS
from crm_pipeline.sources.errors import ExtractError, explained
from crm_pipeline.sources.shipped import NEVER, oldest_unread, with_news
from crm_pipeline.sources.source import Asked, Chunk
from crm_pipeline.text import seen, written

ExtractName = Literal["registrations", "attendances"]

Rows = Mapping[ExtractName, Collection[int]]
"""Ids of rows by their extract."""

UNFINISHED = -1
"""Rows seen of a source that is being read: no count equals it, so the account stays due."""

_NEVER_SHIPPED = datetime(9999, 12, 31, tzinfo=UTC)
"""Nothing is shipped after it."""

_ID = {"registrations": "registration_id", "attendances": "attendance_id"}
_HAPPENED_AT = {"registrations": "registered_at", "attendances": "attended_at"}
_ADDRESS = ("address_1", "address_2", "address_3")
_FIRST_YEAR, _LAST_YEAR = SALESFORCE_YEARS
_NEEDED = ("event_session_id", "person_id", "email", "changed_at")
_OF_NO_PERSON = frozenset(
    (*_ID.values(), *_HAPPENED_AT.values(), "event_session_id", "event_id", "changed_at", "parts")
)
"""Columns of a row that say nothing of whoever it is about."""


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
        flaw: why it cannot be sent as it is, whatever the account chose, or None.
    """

    source: ExtractName
    participation_id: int
    event_session_id: int
    happened_at: datetime
    changed_at: datetime
    columns: Mapping[str, Any]
    flaw: str | None = None


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

    def read(
        self, selection: RowSelection, position: Position | None
    ) -> Iterator[Chunk[Participation]]:
        """Reads the participations from a position on, oldest shipping first.

        The last chunk (which may be empty) carries a position with the number of rows seen, so
        that rows which become visible below the watermark later are noticed.

        Raises:
            ExtractError: the warehouse is down, or the statement does not fit it.
        """
        with explained(self.name), selection.warehouse.connect() as connection:
            connection.execute(statement("extract/one_snapshot"))
            end, now = _end(connection, selection, self.name)
            # Lower than the watermark where the warehouse's clock or its newest row lies behind
            # it: a clock set back, a warehouse restored to an older state.
            start = NEVER if position is None else min(position.watermark, end)
            # By a clock that was set back, what was read before lies in no future, nor is it
            # newer than what is said of it now.
            now = now if position is None else max(now, position.watermark)
            rows = connection.execution_options(
                stream_results=True, max_row_buffer=selection.chunk_rows
            ).execute(
                statement(f"extract/{self.name}"),
                {
                    "client_id": selection.client_id,
                    "since": max(start - selection.overlap, NEVER),
                    "sessions": None if selection.sessions is None else list(selection.sessions),
                    "backfilled": list(selection.backfilled),
                    "again": list(selection.again.get(self.name, ())),
                },
            )
            names = _names(self.name, rows)
            for partition in rows.partitions(selection.chunk_rows):
                participations = self._participations(names, partition, selection, now)
                reached = max(start, min(participations[-1].changed_at, end))
                yield Chunk(
                    participations,
                    Position(self.name, reached, reached, UNFINISHED, Decimal()),
                )
            seen_since = max(end - selection.overlap, NEVER)
            seen = _rows_since(connection, selection, self.name, seen_since)
            yield Chunk((), Position(self.name, end, seen_since, seen.rows, seen.seconds))

    def named(self, selection: RowSelection, ids: Collection[int]) -> list[Participation]:
        """Reads these rows whatever their time, as far as they are there.

        Raises:
            ExtractError: as `read`.
        """
        with explained(self.name), selection.warehouse.connect() as connection:
            _, now = _end(connection, selection, self.name)
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
            return self._participations(_names(self.name, rows), rows.all(), selection, now)

    def _participations(
        self,
        names: Sequence[str],
        rows: Iterable[Row[Any]],
        selection: RowSelection,
        now: datetime,
    ) -> list[Participation]:
        return [
            participation_of(self.name, dict(zip(names, row, strict=True)), selection.timezone, now)
            for row in rows
        ]

    def news(self, asked: Sequence[Asked]) -> frozenset[str]:
        """Returns, as `Source`, the accounts with rows shipped after what they have seen."""
        return with_news(asked, self.name)

    def unread_since(self, asked: Sequence[Asked]) -> dict[str, datetime]:
        """Returns, as `Source`, when the oldest row above the watermark was shipped."""
        return oldest_unread(asked, self.name)


REGISTRATIONS, ATTENDANCES = Extract("registrations"), Extract("attendances")

EXTRACTS = (REGISTRATIONS, ATTENDANCES)

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
    with warehouse.connect() as connection:
        for name in EXTRACT_NAMES:
            with explained(name):
                known.update(connection.execute(statement(f"extract/{name}"), nobody).keys())
    return frozenset(known)


def _end(
    connection: Connection, selection: RowSelection, source: ExtractName
) -> tuple[datetime, datetime]:
    """Up to when the source can be read: its newest row, but not beyond the warehouse's clock.

    Returns:
        That, and what the clock says.
    """
    row = connection.execute(
        statement("extract/end"), {"client_id": selection.client_id, "source": source}
    ).one()
    now: datetime = row.now
    if row.newest is None:
        return NEVER, now
    return min(moment(row.newest, selection.timezone) or now, now), now


def _rows_since(
    connection: Connection, selection: RowSelection, source: ExtractName, since: datetime
) -> Row[Any]:
    """Counts the source's rows shipped after `since`, and sums their times."""
    only = {"keys": [""], "client_ids": [selection.client_id], "sources": [source]}
    return connection.execute(statement("extract/new_rows"), {**only, "sinces": [since]}).one()


def _names(source: ExtractName, rows: CursorResult[Any]) -> list[str]:
    """The extract's columns. Raises `ExtractError` where one of the contract's is not there."""
    names = list(rows.keys())
    for name in (*_NEEDED, _ID[source], _HAPPENED_AT[source]):
        if name not in names:
            raise ExtractError(
                f"sql/extract/{source}.sql lacks the column {name}: add it under this name"
            )
    return names


def participation_of(
    source: ExtractName, columns: dict[str, Any], timezone: str, now: datetime
) -> Participation:
    """A row as the flows take it; it never raises, whatever the row holds.

    Without a time of shipping it counts as shipped now, and so it does if that lies in the
    future: a later correction must not seem older.
    """
    columns["street"] = "\n".join(
        text
        for name in _ADDRESS
        if (line := columns.get(name))
        and (text := seen(line if type(line) is str else written(line)))
    )
    email = columns["email"]
    if email is not None and type(email) is not str:
        columns["email"] = written(email)
    participation_id, session_id = columns[_ID[source]], columns["event_session_id"]
    changed_at = moment(columns["changed_at"], timezone)
    happened_at = moment(columns[_HAPPENED_AT[source]], timezone)
    flaw = None
    if happened_at is None or participation_id is None or session_id is None:
        flaw = _flaw(source, columns)
    return Participation(
        source,
        participation_id,
        session_id,
        happened_at or now,
        now if changed_at is None or changed_at > now else changed_at,
        columns,
        flaw,
    )


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
    for name in (_ID[source], "event_session_id", _HAPPENED_AT[source]):
        if columns[name] is None:
            return f"no {name}"
    return f"{_HAPPENED_AT[source]} is no usable time"


def moment(value: Any, timezone: str) -> datetime | None:
    """A time of the warehouse with its zone: `timezone` where it carries none.

    Returns:
        None where it is none that Salesforce takes: null, infinite, of another age.
    """
    at = value if type(value) is datetime else _as_datetime(value)
    if at is None or not _FIRST_YEAR <= at.year <= _LAST_YEAR:
        return None
    return at if at.tzinfo else at.replace(tzinfo=ZoneInfo(timezone))


def _as_datetime(value: Any) -> datetime | None:
    """Returns the time that a column of another type means: a day (its beginning), or text."""
    try:
        return datetime.fromisoformat(value.isoformat() if isinstance(value, date) else str(value))
    except ValueError:
        return None
