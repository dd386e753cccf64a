"""Keeps an org's records in a file, so that they survive a restart.

Each line is a record as it was left by a write, `{"object": ..., "row": {...}}`, or the id of an
erased one, `{"object": ..., "erased": "..."}`. The last line about a record counts.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from crm_pipeline.local_org.config import OrgConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crm_pipeline.local_org.store import Org
    from crm_pipeline.local_org.transaction import Write


class Journal:
    """The file of one org."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file = path.open("ab")
        except OSError as error:
            raise OrgConfigError(f"file: {path} cannot be written: {error.strerror}") from None

    def append(self, writes: Iterable[Write]) -> None:
        """Writes down what these writes left behind."""
        rows = {}
        for write in writes:
            rows[write.record_id] = write.table
        lines = []
        for record_id, table in rows.items():
            row = table.rows.get(record_id)
            about = {"object": table.type.name}
            lines.append(
                orjson.dumps({**about, "row": row} if row else {**about, "erased": record_id})
            )
        if lines:
            self._file.write(b"\n".join(lines) + b"\n")
            self._file.flush()

    def load(self, org: Org) -> bool:
        """Reads the file into the org's tables; returns whether it held anything.

        The half line that a crash may have left at the end is dropped.
        """
        found = False
        for line in self.path.read_bytes().splitlines(keepends=True):
            if not line.endswith(b"\n"):
                break
            self._take(org, line)
            found = True
        if found:
            for table in org.tables.values():
                table.build_indexes()
                for record_id in table.rows:
                    table.ids.skip(record_id)
            self.rewrite(org)
        return found

    def _take(self, org: Org, line: bytes) -> None:
        try:
            entry: dict[str, Any] = orjson.loads(line)
            table = org.tables.get(entry["object"].lower())
            record_id: str = entry["row"]["Id"] if "row" in entry else entry["erased"]
        except (orjson.JSONDecodeError, KeyError, AttributeError, TypeError):
            raise OrgConfigError(f"file: {self.path} is no file of a local org") from None
        if table is None:
            return
        if "row" in entry:
            table.rows[record_id] = entry["row"]
        else:
            table.rows.pop(record_id, None)

    def rewrite(self, org: Org) -> None:
        """Writes the file anew, a line per record."""
        lines = [
            orjson.dumps({"object": table.type.name, "row": row}) + b"\n"
            for table in org.tables.values()
            for row in table.rows.values()
        ]
        self._file.close()
        fresh = self.path.with_name(f"{self.path.name}.new")
        fresh.write_bytes(b"".join(lines))
        fresh.replace(self.path)
        self._file = self.path.open("ab")

    def close(self) -> None:
        """Lets go of the file."""
        self._file.close()
