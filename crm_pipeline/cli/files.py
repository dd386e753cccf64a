"""Files that commands write for people."""

import csv
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkstemp
from typing import IO

from crm_pipeline.cli.mistakes import mistake
from crm_pipeline.cli.show import shown

_FORMULA = re.compile(r"[=@\t\r]|[+-](?![\d\s()./-]*\Z)")
"""What spreadsheets take for a formula and carry out; numbers and phone numbers are none."""


@contextmanager
def private_file(path: Path) -> Iterator[IO[str]]:
    """A file that only its owner may read; one that was there stays until this one is whole.

    Ends the command where something else has that name, which would be gone: a folder, a device, a
    link as /dev/stdout.
    """
    try:
        if path.is_symlink() or (path.exists() and not path.is_file()):
            mistake(f"{path} cannot be written: it is no file of its own.")
        descriptor, name = mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        mistake(f"{path} cannot be written: {error.strerror}.")
    new = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as opened:
            yield opened
        if new.stat().st_size:
            new.replace(path)
    finally:
        new.unlink(missing_ok=True)


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
