"""CSV as Bulk API takes it and gives it (Bulk API 2.0: Prepare CSV Files).

Nothing is trimmed; a quote may stand only at the ends of a value or doubled within one; the line
ending is the job's. A breach of the rules in one record is that record's error.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from crm_pipeline.local_org.errors import BulkError

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


class CsvRecord(NamedTuple):
    """One record of a file: its values, as many as the header has, or what is wrong with it."""

    values: list[str]
    error: str | None = None


@dataclass(frozen=True, slots=True)
class File:
    """A whole file. Its records stay text, which is cheaper to keep, until they are asked for."""

    header: list[str]
    lines: list[str]
    delimiter: str

    def records(self, start: int = 0, end: int | None = None) -> list[CsvRecord]:
        """The records from the `start`-th to the one before the `end`-th."""
        width = len(self.header)
        return [_record(each, self.delimiter, width) for each in self.lines[start:end]]


def read(body: bytes, delimiter: str = ",", line_ending: str | None = None) -> File:
    r"""Reads a file; an empty one has no header. `line_ending` is `\n`, `\r\n`, or None: either.

    Raises:
        BulkError: no UTF-8, too long a header, lines that end otherwise, or quotes that are
            never closed: nothing of the file is used.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise BulkError("ClientInputError", "The content is not UTF-8") from None
    lines = _raw_records(text, line_ending)
    head = next(lines, "")
    if not head:
        return File([], [], delimiter)
    if len(head) > MAX_HEADER:
        raise BulkError("InvalidBatch", f"The header is longer than {MAX_HEADER} characters")
    header, error = _record(head, delimiter)
    if error or len(header) > MAX_FIELDS:
        raise BulkError("InvalidBatch", error or "too many fields")
    return File(header, list(lines), delimiter)


def _raw_records(text: str, line_ending: str | None) -> Iterator[str]:
    place, is_crlf = 0, line_ending == "\r\n"
    while place < len(text):
        matched = _RAW_RECORD.match(text, place)
        if matched is None:
            raise BulkError("InvalidBatch", "A quoted value is not closed")
        place = matched.end()
        raw = matched[1]
        if line_ending and text[place - 1] == "\n" and raw.endswith("\r") != is_crlf:
            raise BulkError(
                "ClientInputError",
                "LineEnding is invalid on user data. Current LineEnding setting is "
                f"{'CRLF' if is_crlf else 'LF'}",
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


def _record(raw: str, delimiter: str, width: int | None = None) -> CsvRecord:
    values, error = raw.split(delimiter), None
    if '"' in raw:
        whole, value = _values(delimiter)
        if whole.fullmatch(raw):
            values = [quoted.replace('""', '"') or plain for quoted, plain in value.findall(raw)]
        else:
            error = "a quote must be at the ends of a value, or doubled"
    if width is not None and len(values) != width:
        error = f"the record has {len(values)} values, the header {width}"
        values = (values + [""] * width)[:width]
    elif len(raw) > MAX_RECORD:
        error = f"the record is longer than {MAX_RECORD} characters"
    elif len(raw) > MAX_VALUE and max(map(len, values)) > MAX_VALUE:
        error = f"a value is longer than {MAX_VALUE} characters"
    return CsvRecord(values, error)


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
