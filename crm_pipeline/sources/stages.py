"""The stage that a row of the warehouse gives a participant, whichever flow goes by it. Pure."""

from collections.abc import Mapping
from datetime import timedelta
from functools import lru_cache
from typing import Any, Literal

from crm_pipeline.accounts.stages import Stage, Words, plain, status_word
from crm_pipeline.sources.minutes import Interval, minutes_of
from crm_pipeline.sources.participations import Participation

_ON_DEMAND = ("on demand", "ondemand", "replay", "recording")
"""Kinds of attendances that are views of a recording; all others were there."""


def word_of(participation: Participation, words: Words) -> Stage | Literal["unknown", "absent"]:
    """The stage that a row gives.

    Returns:
        `unknown`: nobody has said what the status word means. `absent`: nobody attended; a visit
        of no minutes is none, nor is one that is over when the session begins.
    """
    columns = participation.columns
    if participation.source == "registrations":
        if columns.get("replaced_by") is not None:
            return "substituted"
        return words.stage(columns.get("status")) or "unknown"
    there = visit(participation, words)
    if there is not None and there[1] == 0:
        return "absent"
    return "attended_on_demand" if is_on_demand(columns) else "attended"


NO_MINUTES = "a visit of no minutes"

BEFORE_START = "a visit that was over before the session began (early_visits_count)"


def why_absent(attendance: Participation) -> str:
    """Returns why a visit is no attendance."""
    return BEFORE_START if minutes_of(attendance.columns) else NO_MINUTES


def visit(attendance: Participation, words: Words) -> Interval | None:
    """Returns from when on somebody attended, and for how many minutes; None: nobody knows.

    What is before the planned start counts only where the account has it count; of a view of the
    recording all counts.
    """
    came, minutes = attendance.happened_at, minutes_of(attendance.columns)
    if minutes is None:
        return None
    early = attendance.early
    if not early or words.early_visits_count or is_on_demand(attendance.columns):
        return came, minutes
    return came + early, max(0, minutes - early / timedelta(minutes=1))


def is_too_short(row: Participation, words: Words) -> bool:
    """Returns whether an attendance took fewer minutes than count as one."""
    if row.source != "attendances" or is_on_demand(row.columns):
        return False
    there = visit(row, words)
    return there is not None and there[1] < words.least_minutes


def is_on_demand(columns: Mapping[str, Any]) -> bool:
    """Returns whether an attendance is a view of the recording."""
    kind = columns.get("kind")
    if type(kind) is str:
        return _means_a_recording(kind)
    return kind is not None and plain(kind) in _ON_DEMAND


@lru_cache(256)
def _means_a_recording(kind: str) -> bool:
    return plain(kind) in _ON_DEMAND


def role_of(columns: Mapping[str, Any]) -> str:
    """The role in which somebody registered or came: without one, as an attendee."""
    said = columns.get("role")
    return (said is not None and status_word(said)) or "attendee"
