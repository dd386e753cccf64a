"""Stages: the history of an opportunity as moves from stage to stage, with their times. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple


class Meaning(NamedTuple):
    """The meaning of a stage: labels are renamed, what they mean is not."""

    is_closed: bool
    is_won: bool


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """A row of OpportunityHistory.

    Attributes:
        history_id: its Id.
        at: when it was written, UTC.
        stage: the label.
        probability: in percent.
        forecast_category: `Closed` of what is won, `Omitted` of what is lost.
    """

    history_id: str
    at: datetime
    stage: str
    probability: float | None
    forecast_category: str | None


@dataclass(frozen=True, slots=True)
class Move:
    """An opportunity came into a stage at a time (UTC); probability in percent."""

    stage: str
    at: datetime
    probability: float | None
    meaning: Meaning


def moves(rows: Iterable[HistoryRow], meanings: Mapping[str, Meaning]) -> list[Move]:
    """The moves that an opportunity made, the first one its beginning.

    Rows are also written when amount, probability or close date change alone: a stage counts once
    as long as it lasts.

    Args:
        rows: in any order.
        meanings: of the org's stages, by label. A label that is gone is known by its forecast
            category.
    """
    made: list[Move] = []
    for row in sorted(rows, key=lambda each: (each.at, each.history_id)):
        if not made or made[-1].stage != row.stage:
            meaning = meanings.get(row.stage) or _by_category(row.forecast_category)
            made.append(Move(row.stage, row.at, row.probability, meaning))
    return made


def _by_category(category: str | None) -> Meaning:
    return Meaning(is_closed=category in ("Closed", "Omitted"), is_won=category == "Closed")
