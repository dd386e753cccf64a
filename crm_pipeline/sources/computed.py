"""Columns that no extract gives and that are computed of others, where they are mapped. Pure."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from crm_pipeline.accounts.stages import plain
from crm_pipeline.salesforce.values import READERS
from crm_pipeline.sources.extracts import moment
from crm_pipeline.sources.minutes import minutes_of
from crm_pipeline.sources.stages import is_on_demand
from crm_pipeline.text import JsonText

ANSWERS = "answers."
"""Begins the name of an answer in `answers`: `answers.budget`."""

_CONSENT = {
    **dict.fromkeys(("granted", "given", "opt in", "opted in"), True),
    **dict.fromkeys(("denied", "refused", "withdrawn", "revoked", "opt out", "opted out"), False),
}
"""Words for consent, beside yes and no."""

Columns = Mapping[str, Any]


def computed(source: str, timezone: str = "UTC") -> Callable[[Columns], Any] | None:
    """Returns the function that computes a column of a row's others; None: an extract gives it.

    Args:
        source: the column's name.
        timezone: of times of the warehouse that carry none.
    """
    if source.startswith(ANSWERS):
        key = source.removeprefix(ANSWERS)
        return lambda columns: answers_in(columns).get(key)
    of_columns = _COMPUTED.get(source)
    return None if of_columns is None else lambda columns: of_columns(columns, timezone)


def answers_in(columns: Columns) -> Mapping[str, Any]:
    """Returns the answers to the questions of a registration's form, by the question's key."""
    said = columns.get("answers")
    inner = said.parsed() if isinstance(said, JsonText) else said
    return inner if isinstance(inner, Mapping) else {}


def consents(columns: Columns) -> bool | None:
    """Returns whether somebody consents to emails; None: they did not clearly say."""
    said = columns.get("consent")
    given: bool | None = None if said is None else _CONSENT.get(plain(said))
    return READERS["boolean"](said) if given is None else given


def needed_for(source: str) -> str:
    """Returns the column of the extracts without which a column cannot be computed."""
    return "answers" if source.startswith(ANSWERS) else _NEEDED.get(source, source)


def _opted_out(columns: Columns, _: str) -> bool | None:
    given = consents(columns)
    return None if given is None else not given


def _first_attended_at(columns: Columns, timezone: str) -> datetime | None:
    return moment(columns.get("attended_at"), timezone)


def last_left_at(columns: Columns, timezone: str = "UTC") -> datetime | None:
    """Returns when somebody left: as the warehouse says, else by how long they stayed."""
    if (left := moment(columns.get("left_at"), timezone)) is not None:
        return left
    came, minutes = _first_attended_at(columns, timezone), minutes_of(columns)
    return None if came is None or minutes is None else came + timedelta(minutes=minutes)


def _percent_attended(columns: Columns, timezone: str) -> int | None:
    minutes, planned = minutes_live(columns), planned_minutes(columns, timezone)
    return None if minutes is None or planned < 1 else percent(minutes, planned)


def percent(minutes: float, planned: float) -> int:
    """Returns the share of a session's minutes that somebody was there, at most 100."""
    return min(100, round(100 * minutes / planned))


def planned_minutes(columns: Columns, timezone: str) -> float:
    """Returns the length of a row's session as planned, in minutes; 0 where it is not known."""
    begins = moment(columns.get("session_starts_at"), timezone)
    over = moment(columns.get("session_ends_at"), timezone)
    if begins is None or over is None:
        return 0
    return max(0, (over - begins) / timedelta(minutes=1))


def minutes_live(columns: Columns) -> float | None:
    """Returns the minutes of an attendance that is no view of the recording."""
    return None if is_on_demand(columns) else minutes_of(columns)


def minutes_on_demand(columns: Columns) -> float | None:
    """Returns the minutes of a view of the recording."""
    return minutes_of(columns) if is_on_demand(columns) else None


_COMPUTED: Mapping[str, Callable[[Columns, str], Any]] = {
    "first_attended_at": _first_attended_at,
    "last_left_at": last_left_at,
    "minutes_live": lambda columns, _: minutes_live(columns),
    "minutes_on_demand": lambda columns, _: minutes_on_demand(columns),
    "opted_out": _opted_out,
    "percent_attended": _percent_attended,
}

FIGURES = frozenset(
    ("webinars_registered", "webinars_attended", "last_attended_at", "minutes_total")
)
"""Figures of a person over all webinars, for fields of Lead and Contact: the flow counts them."""

COMPUTED = frozenset((*_COMPUTED, *FIGURES))

_NEEDED = {
    **dict.fromkeys(FIGURES, "person_id"),
    "first_attended_at": "attended_at",
    "last_left_at": "minutes_attended",
    "minutes_live": "minutes_attended",
    "minutes_on_demand": "kind",
    "opted_out": "consent",
    "percent_attended": "session_ends_at",
}
