"""Tables as CSV, for people who open them in a spreadsheet."""

import csv
import re
from collections.abc import Iterable
from typing import IO

from crm_pipeline.text import shown

_FORMULA = re.compile(r"[=@＝＋－＠\t\r\n]|[+-](?![\d\s()./-]*\Z)")
"""What spreadsheets take for a formula and carry out; numbers and phone numbers are none."""


def write_csv(opened: IO[str], columns: Iterable[str], rows: Iterable[Iterable[object]]) -> int:
    """Writes a table of values as people read them; returns how many rows.

    Values come from strangers: before what a spreadsheet would carry out stands an apostrophe.
    """
    writer = csv.writer(opened)
    writer.writerow(columns)
    written = 0
    for row in rows:
        writer.writerow([_cell(value) for value in row])
        written += 1
    return written


def _cell(value: object) -> str:
    text = shown(value)
    return f"'{text}" if _FORMULA.match(text) else text
