"""Reading the warehouse: events, which are what campaigns are about."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, Row

from crm_pipeline.accounts.store import FieldMapping
from crm_pipeline.database.statements import extract_shown, statement
from crm_pipeline.database.warehouses import as_list, row_reader
from crm_pipeline.sources.errors import ExtractError, explained
from crm_pipeline.sources.extracts import moment
from crm_pipeline.text import written


@dataclass(frozen=True, slots=True)
class Event:
    """An event: its name, its days in the warehouse's time zone, and its sessions.

    Where the warehouse has no time that Salesforce takes, its text is in the place of the day.
    `series_starts_on` and `series_ends_on` are of all events of its series, where that is known.
    `columns` are all columns of the extract, by name.
    """

    event_id: int
    name: str
    starts_on: date | str | None
    ends_on: date | str | None
    sessions: tuple[int, ...]
    columns: Mapping[str, Any] = field(default_factory=dict)
    series_starts_on: date | str | None = None
    series_ends_on: date | str | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """A session of an event, as `Event`."""

    session_id: int
    event_id: int
    title: str
    starts_on: date | str | None
    ends_on: date | str | None
    columns: Mapping[str, Any] = field(default_factory=dict)


def events(
    warehouse: Engine, client_id: str, event_ids: Collection[int], timezone: str = "UTC"
) -> list[Event]:
    """These of the client's events.

    Raises:
        ExtractError: the warehouse is down, or `sql/extract/events.sql` does not fit it.
    """
    with explained("events"), warehouse.connect() as connection:
        rows = connection.execute(
            statement("extract/events"), {"client_id": client_id, "event_ids": list(event_ids)}
        )
        columns_of = row_reader(warehouse, list(rows.keys()), timezone)
        return [
            Event(
                columns["event_id"],
                written(columns["name"]),
                _day(columns["starts_at"], timezone),
                _day(columns["ends_at"], timezone),
                tuple(as_list(columns["sessions"])),
                columns,
                _day(columns.get("series_starts_at"), timezone),
                _day(columns.get("series_ends_at"), timezone),
            )
            for columns in map(columns_of, rows)
        ]


def sessions_of_events(
    warehouse: Engine, client_id: str, session_ids: Collection[int], timezone: str = "UTC"
) -> list[Session]:
    """These of the client's event sessions.

    Raises:
        ExtractError: the warehouse is down, or `sql/extract/event_sessions.sql` does not fit it.
    """
    with explained("event_sessions"), warehouse.connect() as connection:
        rows = connection.execute(
            statement("extract/event_sessions"),
            {"client_id": client_id, "session_ids": list(session_ids)},
        )
        columns_of = row_reader(warehouse, list(rows.keys()), timezone)
        return [
            Session(
                columns["event_session_id"],
                columns["event_id"],
                written(columns["session_title"]),
                _day(columns["session_starts_at"], timezone),
                _day(columns["session_ends_at"], timezone),
                columns,
            )
            for columns in map(columns_of, rows)
        ]


@lru_cache(8)
def event_columns(warehouse: Engine) -> frozenset[str]:
    """Returns the names of columns that fields of Campaign can be filled from.

    Raises:
        ExtractError: as `events`.
    """
    with explained("events"), warehouse.connect() as connection:
        nothing = {"client_id": "", "event_ids": []}
        return frozenset(connection.execute(statement("extract/events"), nothing).keys())


def check_event_columns(
    warehouse: Engine, overrides: Sequence[FieldMapping], series_parent: str | None
) -> None:
    """Refuses a mapping to Campaign, or a series, of a column that events.sql does not give.

    Raises:
        ExtractError: it names the field or the setting, and the column.
    """
    if series_parent is not None and series_parent not in event_columns(warehouse):
        raise ExtractError(
            f"series_parent of the account's campaigns names {series_parent!r}, a column that "
            f"{extract_shown('events')} does not give; add it there, or mend series_parent"
        )
    sources = {
        column: each.field
        for each in overrides
        if each.sobject == "Campaign"
        for column in each.columns
    }
    for source, name in sources.items():
        if source not in event_columns(warehouse):
            raise ExtractError(
                f"The mapping fills Campaign.{name} from {source!r}, a column that "
                f"{extract_shown('events')} does not give; add it there, or mend "
                f"Campaign.{name} with `crm-pipeline account mapping`"
            )


def _day(value: Any, timezone: str) -> date | str | None:
    at = moment(value, timezone)
    return written(value) or None if at is None else at.astimezone(ZoneInfo(timezone)).date()


def event_volumes(
    warehouse: Engine, client_id: str, event_ids: Collection[int] | None = None
) -> dict[int, int]:
    """Counts registrations and attendances of each of these events; by default of all events.

    Raises:
        ExtractError: the warehouse is down, or `sql/extract/event_volumes.sql` does not fit it.
    """
    return {row.event_id: row.rows for row in _volumes(warehouse, client_id, event_ids)}


def attendances_of(warehouse: Engine, client_id: str, event_ids: Collection[int]) -> int | None:
    """Counts the attendances of these events; None: the extract does not say.

    Raises:
        ExtractError: as `event_volumes`.
    """
    rows = _volumes(warehouse, client_id, event_ids)
    if any("attendances" not in row._mapping for row in rows):
        return None
    return sum(int(row.attendances) for row in rows)


def _volumes(
    warehouse: Engine, client_id: str, event_ids: Collection[int] | None
) -> Sequence[Row[Any]]:
    only = None if event_ids is None else list(event_ids)
    with explained("event_volumes"), warehouse.connect() as connection:
        return connection.execute(
            statement("extract/event_volumes"), {"client_id": client_id, "event_ids": only}
        ).all()
