"""Pages of long tables, by the key of the last row: the last page costs what the first does."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import urlencode

from crm_pipeline.console.asked import PageQuestion
from crm_pipeline.console.errors import ConsoleError

PAGE_ROWS = 100
"""Rows of a page."""

_LONGEST = 18
"""Digits, as PostgreSQL's bigint takes them."""

R = TypeVar("R")


def first(asked: PageQuestion, rows: Sequence[R]) -> Sequence[R]:
    """The rows that are shown, of those that were asked for with one more; of a CSV all."""
    return rows if asked.csv else rows[:PAGE_ROWS]


def more(asked: PageQuestion, path: str, rows: Sequence[object], last: object) -> str | None:
    """The address of the next rows, behind the last that is shown; None: there are none."""
    if asked.csv or len(rows) <= PAGE_ROWS:
        return None
    chosen = {name: value for name, value in asked.query.items() if value and name != "after"}
    return f"{path}?{urlencode({**chosen, 'after': str(last)})}"


def number(text: str | None) -> int | None:
    """The number that a part of an address says; None: nothing.

    Raises:
        ConsoleError: it is no number.
    """
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= _LONGEST):
        raise ConsoleError(HTTPStatus.BAD_REQUEST, "The address has a number that is none.")
    return int(text)
