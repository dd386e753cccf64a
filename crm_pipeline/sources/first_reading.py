"""What the first reading of a client will take, before it is begun: counted, and sampled."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from time import monotonic

from sqlalchemy import Engine

from crm_pipeline.database.statements import statement
from crm_pipeline.ledger.positions import Position
from crm_pipeline.salesforce.budget import choose_route, forecast_calls, seconds_to_write
from crm_pipeline.salesforce.emails import email_key
from crm_pipeline.sources.errors import explained
from crm_pipeline.sources.extracts import UNFINISHED
from crm_pipeline.sources.participations import EXTRACTS, Extract, RowSelection
from crm_pipeline.sources.row_counts import Day, days_of_warehouse
from crm_pipeline.sources.shipped import NEVER
from crm_pipeline.text import written

SAMPLE_ROWS = 5_000
"""The newest days that have so many rows are read, to see how fast that goes."""

MOST_SAMPLE_ROWS = 100_000
"""A day may have millions, as the one of a full refresh: no more are read."""


@dataclass(frozen=True, slots=True)
class FirstReading:
    """What reading all rows of a source for the first time takes.

    Attributes:
        source: registrations or attendances.
        rows: how many will be read.
        to_send: those of them that were shipped since the start: at most so many are sent.
        incomplete: those that cannot be read, as their person, session or event is not there.
        late: rows that came while these were read, with a time of shipping from before that.
        sampled: how many were read to see how fast that goes.
        seconds: how long all will take, at that pace.
    """

    source: str
    rows: int
    to_send: int
    incomplete: int
    late: int
    sampled: int
    seconds: float


@dataclass(frozen=True, slots=True)
class FirstSending:
    """What sending all of it takes, at most: each address as a new lead, each row as an activity.

    Attributes:
        people: addresses of the client's people, each once.
        activities: rows that are sent.
        calls: API requests.
        seconds: of writing, as a guess without the org's own automation.
    """

    people: int
    activities: int
    calls: int
    seconds: float


def first_readings(
    warehouse: Engine, client_id: str, timezone: str, start_at: datetime | None = None
) -> Iterator[FirstReading]:
    """Counts the rows of each source, reads a sample as a cycle would, and counts them again.

    Args:
        warehouse: the platform's.
        client_id: one of its clients.
        timezone: of its timestamps that carry none.
        start_at: the account's; what happened before is read, but not sent. None: all is sent.

    Raises:
        ExtractError: the warehouse is down, or an extract does not fit it.
    """
    for extract in EXTRACTS:
        until = datetime.now(UTC)
        days = _counted(warehouse, client_id, extract, until)
        rows = _rows(days)
        sampled, seconds = _sampled(warehouse, client_id, extract, timezone, _since(days))
        yield FirstReading(
            extract.name,
            rows,
            _rows({day: of for day, of in days.items() if _is_since(day, start_at)}),
            sum(len(of.incomplete) for of in days.values()),
            max(0, _rows(_counted(warehouse, client_id, extract, until)) - rows),
            sampled,
            seconds * rows / sampled if sampled else 0,
        )


def first_sending(warehouse: Engine, client_id: str, activities: int) -> FirstSending:
    """Counts the client's addresses, and forecasts what sending all takes.

    Args:
        warehouse: the platform's.
        client_id: one of its clients.
        activities: rows that are sent.

    Raises:
        ExtractError: the warehouse is down, or an extract does not fit it.
    """
    with explained("people"), warehouse.connect() as connection:
        streamed = connection.execution_options(stream_results=True, max_row_buffer=SAMPLE_ROWS)
        found = streamed.scalars(statement("extract/people"), {"client_id": client_id})
        keys = {email_key(written(email)) for email in found if email is not None}
    people = min(len(keys - {None}), activities)
    volumes = {("Lead", "create"): people, ("Event", "create"): activities}
    route = choose_route(volumes, latency=None, calls_left=None)
    jobs = len(volumes) if route.name == "bulk" else 0
    calls = forecast_calls(people, volumes, route.name) if activities else 0
    return FirstSending(people, activities, calls, seconds_to_write(calls, jobs=jobs))


def _counted(
    warehouse: Engine, client_id: str, extract: Extract, until: datetime
) -> Mapping[date, Day]:
    with explained("row_counts"), warehouse.connect() as connection:
        return days_of_warehouse(connection, client_id, extract.name, sessions=None, until=until)


def _rows(days: Mapping[date, Day]) -> int:
    return sum(int(of.sums[0]) for of in days.values())


def _is_since(day: date, start_at: datetime | None) -> bool:
    """Whether what happened since may have been shipped on a day (UTC)."""
    return start_at is None or day >= start_at.astimezone(UTC).date()


def _since(days: Mapping[date, Day]) -> datetime:
    """Before the newest days that have enough rows together."""
    rows = 0
    for day in sorted(days, reverse=True):
        rows += int(days[day].sums[0])
        if rows >= SAMPLE_ROWS:
            first = datetime.combine(day, time(), UTC)
            return max(first - timedelta(microseconds=1), NEVER)
    return NEVER


def _sampled(
    warehouse: Engine, client_id: str, extract: Extract, timezone: str, since: datetime
) -> tuple[int, float]:
    """How many rows were read from a moment on, and in how many seconds."""
    selection = RowSelection(warehouse, client_id, None, (), timedelta(), SAMPLE_ROWS, timezone)
    position = Position(extract.name, since, since, UNFINISHED, Decimal())
    rows, begun = 0, monotonic()
    for chunk in extract.read(selection, position):
        rows += len(chunk.rows)
        if rows >= MOST_SAMPLE_ROWS:
            break
    return rows, monotonic() - begun
