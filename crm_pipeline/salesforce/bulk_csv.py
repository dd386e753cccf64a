"""The CSV of Bulk API 2.0: what is uploaded, and which result belongs to which write.

Results come in any order, and only columns that are fields are echoed, so no key of our own can
travel along. A result is known by its record's id or external id, or, for a create, by its
content; creates with the same content are as good as each other.

simple-salesforce splits results at every newline, also within quotes, and guesses their
encoding; here they are read by a CSV reader, as UTF-8.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from hashlib import blake2b
from itertools import islice
from tempfile import TemporaryFile
from typing import IO, Any, NamedTuple

from crm_pipeline.salesforce.answers import known_as_code
from crm_pipeline.salesforce.limits import BULK_UPLOAD_BYTES
from crm_pipeline.salesforce.outcomes import RowError, Write
from crm_pipeline.salesforce.soql import datetime_literal

NULL = "#N/A"
_DELETES = frozenset(("delete", "hardDelete"))
BY_ID = _DELETES | {"update"}
"""Operations whose rows name their records by Id."""
_ROWS_AT_ONCE = 200
_ID_CHARS = 15


class JobKind(NamedTuple):
    """The operation of one job, in Bulk's own names."""

    sobject: str
    operation: str
    external_id_field: str | None = None


class Upload:
    """Up to 100 MB of rows in a temporary file, and the writes that they are."""

    def __init__(self, kind: JobKind, columns: Sequence[str]) -> None:
        self.kind = kind
        self.columns = columns
        self.writes: list[Write] = []
        self.file: IO[bytes] = TemporaryFile()  # noqa: SIM115 - outlives this function
        self.size = self.file.write(_text([columns]))

    def add(self, writes: Sequence[Write], rows: bytes) -> None:
        """Adds writes, whose rows are already text."""
        self.writes += writes
        self.size += self.file.write(rows)

    def close(self) -> None:
        """Removes the file."""
        self.file.close()


class Attribution:
    """Finds the write that a result row belongs to; each is found once."""

    def __init__(self, upload: Upload, header: Sequence[str]) -> None:
        self._kind = upload.kind
        self._header = list(header)
        self._echoed = [name for name in self._header if name in upload.columns and name != "Id"]
        self._waiting: dict[bytes, list[Write]] = {}
        upload.file.seek(0)
        rows = reader(upload.file)
        columns = next(rows)
        for write, row in zip(upload.writes, rows, strict=True):
            key = self._key(dict(zip(columns, row, strict=True)))
            self._waiting.setdefault(key, []).append(write)

    def take(self, row: Sequence[str]) -> Write | None:
        """The write that a result row, with the header's columns, belongs to."""
        writes = self._waiting.get(self._key(dict(zip(self._header, row, strict=True))))
        return writes.pop(0) if writes else None

    def _key(self, row: Mapping[str, str]) -> bytes:
        """Returns the key of a row of the upload or of a result: the same for both."""
        external_id = self._kind.external_id_field
        if self._kind.operation in BY_ID:
            return (row.get("Id") or row["sf__Id"])[:_ID_CHARS].encode()
        if external_id in self._echoed:
            return row[str(external_id)].encode()
        content = "\x1f".join(row[name] for name in self._echoed)
        return blake2b(content.encode(), digest_size=16).digest()


def uploads_of(
    kind: JobKind, writes: Sequence[Write], *, limit: int = BULK_UPLOAD_BYTES
) -> Iterator[Upload]:
    """The writes of one kind as uploads, each built when it is asked for."""
    columns = _columns(kind, writes)
    row_of = _row_of(kind, columns)
    upload = Upload(kind, columns)
    remaining = iter(writes)
    while chunk := list(islice(remaining, _ROWS_AT_ONCE)):
        rows = _text(map(row_of, chunk))
        if upload.writes and upload.size + len(rows) > limit:
            yield upload
            upload = Upload(kind, columns)
        upload.add(chunk, rows)
    yield upload


def reader(file: IO[bytes]) -> Iterator[list[str]]:
    """The rows of a CSV in a file, from where it stands, the header among them.

    Raises:
        csv.Error: it is cut off within a value.
    """
    return csv.reader((line.decode() for line in file), strict=True)


def count_rows(file: IO[bytes]) -> int | None:
    """Counts the rows below the header; None if the file is cut off."""
    file.seek(0)
    rows = reader(file)
    try:
        width = len(next(rows, []))
        widths = [len(row) == width for row in rows]
    except (csv.Error, UnicodeDecodeError):
        return None
    return len(widths) if all(widths) else None


def row_error(text: str) -> RowError:
    """Reads sf__Error: `CODE:message:Field1 Field2 --`."""
    said, _, rest = text.partition(":")
    code = known_as_code(said)
    message, _, fields = rest.rpartition(":")
    if not fields.rstrip().endswith("--"):
        return RowError(code, rest)
    return RowError(code, message, tuple(fields.rstrip().removesuffix("--").split()))


def _columns(kind: JobKind, writes: Iterable[Write]) -> list[str]:
    names = dict.fromkeys(name for write in writes for name in write.fields)
    if kind.operation in _DELETES:
        return ["Id"]
    return ["Id", *names] if kind.operation == "update" else list(names)


def _row_of(kind: JobKind, columns: Sequence[str]) -> Any:
    """Makes a write's row: what is missing is ignored, and None clears the field."""
    null = "" if kind.operation == "insert" else NULL

    def row(write: Write) -> list[str]:
        fields = write.fields
        cells = [_cell(fields[name], null) if name in fields else "" for name in columns]
        if columns[0] == "Id":
            cells[0] = write.salesforce_id or ""
        return cells

    return row


def _cell(value: Any, null: str) -> str:
    if isinstance(value, str):
        return value.replace("\r\n", "\n").replace("\r", "\n") or null
    if value is None:
        return null
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return datetime_literal(value)
    return value.isoformat() if isinstance(value, date) else str(value)


def _text(rows: Iterable[Sequence[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()
