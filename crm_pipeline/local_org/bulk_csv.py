"""CSV as Bulk API takes it and gives it (Bulk API 2.0: Prepare CSV Files).

Nothing is trimmed; a quote may stand only at the ends of a value or doubled within one; the line
ending is the job's. What breaks the rules for one record is that record's error.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

DELIMITERS = {
    "BACKQUOTE": "`",
    "CARET": "^",
    "COMMA": ",",
    "PIPE": "|",
    "SEMICOLON": ";",
    "TAB": "\t",
}
LINE_ENDINGS = {"LF": "\n", "CRLF": "\r\n"}
MAX_HEADER = 32_000
MAX_VALUE = 131_072
MAX_RECORD = 400_000
MAX_FIELDS = 5_000
_RAW_RECORD = re.compile(r'((?:"[^"]*+"|[^"\n]++)*+)(?:\n|\Z)')


class CsvError(Exception):
    """The whole file is unusable; the text is the job's error message."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a file: its values, or what is wrong with it."""

    values: list[str]
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A file: its header and, one by one, its records."""

    header: list[str]
    records: Iterator[Record]


def read(body: bytes, delimiter: str = ",", line_ending: str | None = None) -> Table:
    r"""Reads a file. `line_ending` is `\n`, `\r\n`, or None to take either.

    Raises:
        CsvError: no UTF-8, no header, too long a header, or, while the records are read, lines
            that end otherwise and quotes that are never closed.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise CsvError("ClientInputError : The content is not UTF-8") from None
    lines = _raw_records(text, line_ending)
    head = next(lines, "")
    if not head:
        raise CsvError("InvalidBatch : Records not found")
    if len(head) > MAX_HEADER:
        raise CsvError(f"InvalidBatch : The header is longer than {MAX_HEADER} characters")
    header = _record(head, delimiter)
    if header.error or len(header.values) > MAX_FIELDS:
        raise CsvError(f"InvalidBatch : {header.error or 'too many fields'}")
    width = len(header.values)
    return Table(header.values, (_checked(_record(raw, delimiter), width) for raw in lines))


def _raw_records(text: str, line_ending: str | None) -> Iterator[str]:
    place, is_crlf = 0, line_ending == "\r\n"
    while place < len(text):
        matched = _RAW_RECORD.match(text, place)
        if matched is None:
            raise CsvError("InvalidBatch : A quoted value is not closed")
        place = matched.end()
        raw = matched[1]
        if line_ending and text[place - 1] == "\n" and raw.endswith("\r") != is_crlf:
            raise CsvError(
                "ClientInputError : LineEnding is invalid on user data. Current LineEnding "
                f"setting is {'CRLF' if is_crlf else 'LF'}"
            )
        raw = raw.removesuffix("\r")
        if raw:
            yield raw


@cache
def _values(delimiter: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Matches a record whose quotes are where they may be; finds its values."""
    mark = re.escape(delimiter)
    value = rf'(?:"((?:[^"]|"")*+)"|([^"{mark}]*+))'
    return re.compile(rf"{value}(?:{mark}{value})*+"), re.compile(rf"(?:^|{mark}){value}")


def _record(raw: str, delimiter: str) -> Record:
    if '"' not in raw:
        return Record(raw.split(delimiter))
    whole, value = _values(delimiter)
    if not whole.fullmatch(raw):
        return Record(raw.split(delimiter), "a quote must be at the ends of a value, or doubled")
    return Record([quoted.replace('""', '"') or plain for quoted, plain in value.findall(raw)])


def _checked(record: Record, width: int) -> Record:
    error = record.error
    if len(record.values) != width:
        error = f"the record has {len(record.values)} values, the header {width}"
    elif sum(map(len, record.values)) > MAX_RECORD:
        error = f"the record is longer than {MAX_RECORD} characters"
    elif max(map(len, record.values)) > MAX_VALUE:
        error = f"a value is longer than {MAX_VALUE} characters"
    if error is None:
        return record
    values = (record.values + [""] * width)[:width]
    return Record(values, error)


def line(values: Iterable[Any], delimiter: str = ",", line_ending: str = "\n") -> str:
    """A record as Salesforce writes it: every value in quotes, nothing for null."""
    quote = '"'
    return (
        delimiter.join([f'"{text(value).replace(quote, quote * 2)}"' for value in values])
        + line_ending
    )


def text(value: Any) -> str:
    """A value as CSV shows it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
