"""Reading an extract of a client from a position on: what all sources of the warehouse share."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, CursorResult, Engine

from crm_pipeline.database.statements import extract_shown, statement
from crm_pipeline.database.warehouses import as_time, row_reader
from crm_pipeline.ledger.positions import Position
from crm_pipeline.salesforce.limits import SALESFORCE_YEARS
from crm_pipeline.sources.errors import ExtractError, explained
from crm_pipeline.sources.shipped import NEVER, Shipped, shipped_of
from crm_pipeline.sources.source import Chunk

UNFINISHED = -1
"""Rows seen of a source that is being read: no count equals it, so the account stays due."""

_FIRST_YEAR, _LAST_YEAR = SALESFORCE_YEARS

RowT = TypeVar("RowT")


class ClientRows(Protocol):
    """The part of a client's rows that is to be read."""

    @property
    def warehouse(self) -> Engine:
        """The platform's."""

    @property
    def client_id(self) -> str:
        """The warehouse's client."""

    @property
    def overlap(self) -> timedelta:
        """How far below the watermark to read again, for rows that commit late."""

    @property
    def chunk_rows(self) -> int:
        """Rows at a time."""

    @property
    def timezone(self) -> str:
        """The zone of timestamps that carry none."""


@dataclass(frozen=True, slots=True)
class ExtractStatements:
    """The statements of a source below `sql/extract/`, and the columns that it cannot do without.

    Attributes:
        source: the source's name, as its position has it.
        rows: gives the rows, oldest shipping first.
        end: gives the warehouse's time, and when the newest row was shipped.
        new_rows: counts what was shipped after a moment, and sums the times.
        needed: the columns without which nothing can be said.
        is_whole: whether each reading is about all rows, so that one that is taken away is noticed.
    """

    source: str
    rows: str
    end: str
    new_rows: str
    needed: Sequence[str]
    is_whole: bool = False

    def names(self, rows: CursorResult[Any]) -> list[str]:
        """The extract's columns. Raises `ExtractError` where one of the needed is not there."""
        names = list(rows.keys())
        for name in self.needed:
            if name not in names:
                raise ExtractError(
                    f"{extract_shown(self.rows)} lacks the column {name}: add it under this name"
                )
        return names


def read_extract(
    statements: ExtractStatements,
    selection: ClientRows,
    position: Position | None,
    *,
    parameters: Mapping[str, Any],
    row_of: Callable[[dict[str, Any], str, datetime], RowT],
    changed_at: Callable[[RowT], datetime],
    read_by: bytes | None = None,
) -> Iterator[Chunk[RowT]]:
    """Reads the rows of a client from a position on, oldest shipping first.

    The last chunk (which may be empty) carries a position with the number of rows seen, so that
    rows which become visible below the watermark later are noticed. Where the rows that were seen
    are as they were, and nothing is above them, none is read.

    Args:
        statements: the source's.
        selection: what to read.
        position: of the last reading; None: from the start.
        parameters: of the statement that gives the rows, beside the client and the time.
        row_of: makes a row of its columns, the zone and the time of the reading (UTC).
        changed_at: when a row was shipped (UTC).
        read_by: digest of all that says what becomes of a row; None: read them in any case.

    Raises:
        ExtractError: the warehouse is down, or a statement does not fit it.
    """
    source = statements.source
    # Committed, as psycopg forgets at a rollback what it prepared.
    with explained(statements.rows), selection.warehouse.begin() as connection:
        connection.execute(statement("extract/one_snapshot"))
        if position is not None and position.read_by is not None and position.read_by == read_by:
            unread = _seen(statements, connection, selection, position.seen_since)
            if not unread.has_news(position):
                yield Chunk((), position)
                return
        end, now = end_of(statements, connection, selection)
        # Lower than the watermark where the warehouse's clock or its newest row lies behind
        # it: a clock set back, a warehouse restored to an older state.
        start = NEVER if position is None else min(position.watermark, end)
        # By a clock that was set back, what was read before lies in no future, nor is it
        # newer than what is said of it now.
        now = now if position is None else max(now, position.watermark)
        # Before the rows: what a warehouse without snapshots ships meanwhile was not counted, and
        # so is news to the next reading.
        seen_since = NEVER if statements.is_whole else max(end - selection.overlap, NEVER)
        seen = _seen(statements, connection, selection, seen_since)
        rows = connection.execution_options(
            stream_results=True, max_row_buffer=selection.chunk_rows
        ).execute(
            statement(f"extract/{statements.rows}"),
            {
                "client_id": selection.client_id,
                "since": max(start - selection.overlap, NEVER),
                **parameters,
            },
        )
        columns_of = row_reader(selection.warehouse, statements.names(rows), selection.timezone)
        for partition in rows.partitions(selection.chunk_rows):
            found = [row_of(columns_of(row), selection.timezone, now) for row in partition]
            reached = max(start, min(changed_at(found[-1]), end))
            yield Chunk(found, Position(source, reached, reached, UNFINISHED, Decimal(), read_by))
        yield Chunk((), Position(source, end, seen_since, seen.rows, seen.seconds, read_by))


def _seen(
    statements: ExtractStatements, connection: Connection, selection: ClientRows, since: datetime
) -> Shipped:
    asked = {
        "keys": [""],
        "client_ids": [selection.client_id],
        "sources": [statements.source],
        "sinces": [since],
    }
    row = connection.execute(statement(f"extract/{statements.new_rows}"), asked).one()
    return shipped_of(row, selection.timezone)


def end_of(
    statements: ExtractStatements, connection: Connection, selection: ClientRows
) -> tuple[datetime, datetime]:
    """Up to when the source can be read: its newest row, but not beyond the warehouse's clock.

    Returns:
        That, and what the clock says.

    Raises:
        ExtractError: the clock says nothing.
    """
    row = connection.execute(
        statement(f"extract/{statements.end}"),
        {"client_id": selection.client_id, "source": statements.source},
    ).one()
    now = as_time(row.now, selection.timezone)
    if now is None:
        raise ExtractError(f"{extract_shown(statements.end)} gives no time as `now`: mend it")
    if row.newest is None:
        return NEVER, now
    return min(moment(row.newest, selection.timezone) or now, now), now


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
