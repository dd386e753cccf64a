"""Visits: which rows of attendances are one attendance, and whose activity it is. Pure (spec 1)."""

from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from crm_pipeline.ledger.visits import Place, Visit
from crm_pipeline.salesforce.values import number
from crm_pipeline.sources.computed import last_left_at
from crm_pipeline.sources.minutes import minutes_of, minutes_together
from crm_pipeline.sources.participations import Participation
from crm_pipeline.text import JsonText

MOST: Mapping[str, int] = {
    "polls": 10,
    "chats": 5,
    "questions": 10,
    "surveys": 10,
    "resources": 10,
    "links": 10,
}
"""Of what was done in an attendance, the last so many are told in its activity (spec 1)."""

COUNTED = (
    "questions_answered",
    "questions_asked",
    "surveys_answered",
    "resources_downloaded",
    "links_clicked",
)
"""Columns that add up over the visits of one attendance."""


@dataclass(frozen=True, slots=True)
class Joined:
    """Attendances, each of one or of several rows.

    Attributes:
        first_of: the row that has the activity, by each row's id.
        undone: rows that had an activity, which another one has in their place now.
        visits: all rows, as the ledger is to know them.
        forgotten: rows that the ledger knew, and that are none any more.
    """

    first_of: Mapping[int, int] = field(default_factory=dict)
    undone: Set[int] = frozenset()
    visits: Sequence[Visit] = ()
    forgotten: Set[int] = frozenset()


NOT_JOINED = Joined()
"""Of rows that are no attendances."""


def joined(
    places: Mapping[int, Place | None],
    at: Mapping[int, datetime],
    known: Mapping[int, Visit],
    gone: Set[int] = frozenset(),
) -> Joined:
    """Says which row of each attendance has the activity: one that has it already, else the first.

    Args:
        places: where each row was, by its id; None where it is no attendance.
        at: when each came (UTC).
        known: what the ledger knew of these rows, and of those that are gone.
        gone: rows of these places that the source has no more.
    """
    rows_at: defaultdict[Place, list[int]] = defaultdict(list)
    for row, place in places.items():
        if place is not None:
            rows_at[place].append(row)
    first_of: dict[int, int] = {}
    undone: set[int] = set()
    for place, rows in rows_at.items():
        first = min((_rank(known.get(row), place), at[row], row) for row in rows)[-1]
        first_of |= dict.fromkeys(rows, first)
        undone.update(row for row in rows if row != first and _has_activity(known.get(row)))
    away = {row for row, place in places.items() if place is None}.union(gone)
    for row in away & known.keys():
        # Another row of the attendance is left, and has the activity from now on.
        if known[row].part_of is None and known[row].place in rows_at:
            undone.add(row)
    visits = [
        Visit(row, *place, None if first_of[row] == row else first_of[row])
        for row, place in places.items()
        if place is not None
    ]
    return Joined(first_of, undone, visits, away & known.keys())


def _has_activity(visit: Visit | None) -> bool:
    return visit is not None and visit.part_of is None


def _rank(visit: Visit | None, place: Place) -> int:
    """The person with the activity of this attendance keeps it; then one that has another's."""
    if visit is None or visit.part_of is not None:
        return 2
    return 0 if visit.place == place else 1


def one_of_many(rows: Sequence[Participation], first: Participation) -> Participation:
    """One row out of all rows of an attendance: when it began, all minutes, all that was said.

    Args:
        rows: of one person and session, all of them.
        first: the one that has the activity; what cannot be put together is as it says.
    """
    if len(rows) == 1:
        return first
    in_order = sorted(rows, key=lambda row: (row.happened_at, row.participation_id))
    columns = dict(first.columns)
    minutes = [
        (row.happened_at, known)
        for row in in_order
        if (known := minutes_of(row.columns)) is not None
    ]
    if minutes:
        columns["minutes_attended"] = minutes_together(minutes)
    for name in COUNTED:
        counts = [n for row in in_order if (n := number(row.columns.get(name))) is not None]
        if counts:
            columns[name] = sum(counts)
    for name, most in MOST.items():
        said = [each for row in in_order for each in several(row.columns.get(name))]
        columns[name] = said[-most:] or None
    columns["attended_at"] = in_order[0].happened_at
    left = [
        at
        for row in in_order
        if (at := last_left_at({**row.columns, "attended_at": row.happened_at})) is not None
    ]
    if left:
        columns["left_at"] = max(left)
    for name in ("rating", "certificate_at"):
        given = [each for row in in_order if (each := row.columns.get(name)) is not None]
        columns[name] = given[-1] if given else None
    came, early = in_order[0].happened_at, in_order[0].early
    return replace(first, happened_at=came, columns=columns, early=early)


def several(value: Any) -> Sequence[Any]:
    """The values in one of JSON, be it one or many."""
    if value is None:
        return ()
    inner = value.parsed() if type(value) is JsonText else value
    return inner if type(inner) is list else (inner,)
