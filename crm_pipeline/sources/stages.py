"""The stage that a row of the warehouse gives a participant, whichever flow goes by it. Pure."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal

from crm_pipeline.accounts.stages import Stage, Words, plain, status_word
from crm_pipeline.sources.minutes import minutes_of
from crm_pipeline.sources.participations import Participation

_ON_DEMAND = ("on demand", "ondemand", "replay", "recording")
"""Kinds of attendances that are views of a recording; all others were there."""


def word_of(participation: Participation, words: Words) -> Stage | Literal["unknown", "absent"]:
    """The stage that a row gives.

    Returns:
        `unknown`: nobody has said what the status word means. `absent`: nobody attended; a visit
        of no minutes is none.
    """
    columns = participation.columns
    if participation.source == "registrations":
        if columns.get("replaced_by") is not None:
            return "substituted"
        return words.stage(columns.get("status")) or "unknown"
    if minutes_of(columns) == 0:
        return "absent"
    return "attended_on_demand" if is_on_demand(columns) else "attended"


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
