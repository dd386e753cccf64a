"""Columns of members that all of a person's rows of an event make: sums, the first, the last. Pure.

Each row has its part, which is remembered, so that one that is read again counts once.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from crm_pipeline.flows.campaigns import stages
from crm_pipeline.salesforce.values import number
from crm_pipeline.sources import computed
from crm_pipeline.sources.minutes import Interval, minutes_of, minutes_together
from crm_pipeline.sources.participations import Participation
from crm_pipeline.text import salesforce_time

Parts = Mapping[str, Mapping[str, Any]]
"""By column, the part of each row: `99` is an attendance, `r4711` a registration."""

MINUTES = ("minutes_attended", "minutes_live", "minutes_on_demand")
"""Columns whose sum counts each minute of a session once."""

COUNTS = (
    "questions_answered",
    "questions_asked",
    "surveys_answered",
    "resources_downloaded",
    "links_clicked",
)

_OF_ALL_ROWS: Mapping[str, Callable[[Participation, str], Any]] = {
    "minutes_attended": lambda row, _: minutes_of(row.columns),
    "minutes_live": lambda row, _: computed.minutes_live(row.columns),
    "minutes_on_demand": lambda row, _: computed.minutes_on_demand(row.columns),
    **{
        name: lambda row, _, name=name: number(row.columns.get(name))  # type: ignore[misc]
        for name in COUNTS
    },
    "registered_at": lambda row, _: _time(row.happened_at if _registers(row) else None),
    "first_attended_at": lambda row, _: _time(row.happened_at if _attends(row) else None),
    "last_left_at": lambda row, zone: (
        _time(computed.last_left_at(row.columns, zone)) if _attends(row) else None
    ),
}
"""The part of a row in each such column but percent_attended; None: it has none."""

PERCENT = "percent_attended"

SUMMED = frozenset((*_OF_ALL_ROWS, PERCENT))
"""Columns that all rows make; of others the newest row counts."""

SINCE_LONG = frozenset(("minutes_attended", "questions_answered"))
"""Those of them that members have been made of from the beginning."""


def nothing_of(attendance: Participation) -> Participation:
    """Returns an attendance that is none, as it is added up: without a minute."""
    return replace(attendance, columns={**attendance.columns, "minutes_attended": 0})


def parts_of(
    rows: Sequence[Participation], columns: Collection[str], known: Parts, timezone: str
) -> dict[str, dict[str, Any]]:
    """Returns the parts of all rows of a member, some of which were just read.

    Args:
        rows: as the source has them now.
        columns: those that are mapped.
        known: parts that were known.
        timezone: of times of the warehouse that carry none.
    """
    parts = {}
    for column in SUMMED.intersection(columns):
        part_of = _of_planned if column == PERCENT else _OF_ALL_ROWS[column]
        read = {_key(row): part_of(row, timezone) for row in rows}
        kept = {key: part for key, part in known.get(column, {}).items() if key not in read}
        summands = kept | {key: part for key, part in read.items() if part is not None}
        if summands or column in known:
            parts[column] = summands
    return parts


def without(parts: Parts, lost: Collection[str]) -> Parts:
    """Returns the parts without those of rows that are lost, named as stages name them."""
    return {
        column: {
            key: part
            for key, part in summands.items()
            if (key if key.startswith("r") else f"a{key}") not in lost
        }
        for column, summands in parts.items()
    }


def value_of(column: str, summands: Mapping[str, Any], told: stages.Told) -> Any:
    """Returns the value of a column; None where no row has a part in it."""
    if column in MINUTES:
        return _minutes(summands, told)
    if column in COUNTS:
        return _whole(sum(summands.values()))
    if not summands:
        return None
    if column == PERCENT:
        return _percent(summands, told)
    chosen = max(summands.values()) if column == "last_left_at" else min(summands.values())
    return salesforce_time(datetime.fromisoformat(chosen))


def _key(row: Participation) -> str:
    return f"{'r' if _registers(row) else ''}{row.participation_id}"


def _registers(row: Participation) -> bool:
    return row.source == "registrations"


def _attends(row: Participation) -> bool:
    return not _registers(row) and minutes_of(row.columns) != 0


def _time(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat()


def _of_planned(row: Participation, timezone: str) -> list[float] | None:
    """The minutes of an attendance, and of its session as planned."""
    if _registers(row) or (minutes := computed.minutes_live(row.columns)) is None:
        return None
    planned = computed.planned_minutes(row.columns, timezone)
    return None if planned < 1 else [minutes, planned]


def _minutes(summands: Mapping[str, float], told: stages.Told) -> float:
    by_session, rest = _by_session(summands, told)
    return _whole(rest + sum(minutes_together(each) for each in by_session.values()))


def _percent(summands: Mapping[str, list[float]], told: stages.Told) -> int | None:
    """The share of the sessions that somebody was at: of two of an hour, an hour is a half."""
    by_session, _ = _by_session({row: part[0] for row, part in summands.items()}, told)
    planned: dict[int, float] = {}
    for row, part in summands.items():
        if (word := told.words.get(f"a{row}")) is not None:
            planned[word.session] = max(part[1], planned.get(word.session, 0))
    if not planned:
        return None
    there = sum(min(minutes_together(by_session[each]), planned[each]) for each in planned)
    return computed.percent(there, sum(planned.values()))


def _by_session(
    summands: Mapping[str, float], told: stages.Told
) -> tuple[Mapping[int, list[Interval]], float]:
    """Intervals by session; and the minutes of rows whose session nobody remembers."""
    visits: defaultdict[int, list[Interval]] = defaultdict(list)
    rest = 0.0
    for row, minutes in summands.items():
        if (word := told.words.get(f"a{row}")) is None:
            # Read before words were remembered, or no attendance by now.
            rest += minutes
        else:
            visits[word.session].append((datetime.fromisoformat(word.at), minutes))
    return visits, rest


def _whole(total: float) -> float:
    return int(total) if float(total).is_integer() else total
