"""Stages: the history of an opportunity as moves from stage to stage, with their times. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from operator import itemgetter
from typing import Any, NamedTuple

HistoryRow = Mapping[str, Any]
"""A row of OpportunityHistory by API name.

ForecastCategory is `Closed` of what is won, and `Omitted` of what is lost.
"""


class Meaning(NamedTuple):
    """The meaning of a stage: labels are renamed, what they mean is not."""

    is_closed: bool
    is_won: bool


class Move(NamedTuple):
    """An opportunity came into a stage at a time (UTC); probability in percent."""

    stage: str
    at: datetime
    probability: float | None
    meaning: Meaning


def in_order(rows: Iterable[HistoryRow]) -> list[HistoryRow]:
    """The rows of a history, oldest first; those of one second by their Ids."""
    return sorted(rows, key=itemgetter("CreatedDate", "Id"))


def moves(rows: Iterable[HistoryRow], meanings: Mapping[str, Meaning]) -> list[Move]:
    """The moves that an opportunity made, the first one its beginning.

    Rows are also written when amount, probability or close date change alone: a stage counts once
    as long as it lasts.

    Args:
        rows: `in_order`.
        meanings: of the org's stages, by label. A label that is gone is known by its forecast
            category.
    """
    made: list[Move] = []
    stage = None
    for row in rows:
        if row["StageName"] != stage:
            stage = row["StageName"]
            meaning = meanings.get(stage) or _by_category(row["ForecastCategory"])
            at = datetime.fromisoformat(row["CreatedDate"])
            made.append(Move(stage, at, row["Probability"], meaning))
    return made


def _by_category(category: str | None) -> Meaning:
    return Meaning(is_closed=category in ("Closed", "Omitted"), is_won=category == "Closed")
