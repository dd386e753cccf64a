"""Keeps an org's records in a file (SQLite), so that they survive a restart."""

import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path

import orjson

from crm_pipeline.local_org.config import OrgConfigError
from crm_pipeline.local_org.tables import Table, Write

# A changed record keeps its place: records are read back in the order in which they were created.
_PUT = """INSERT INTO record (id, object, fields) VALUES (?, ?, ?)
          ON CONFLICT (id) DO UPDATE SET fields = excluded.fields"""


class Journal:
    """The file of one org: its records, and of those that were erased when they were deleted."""

    def __init__(self, path: Path) -> None:
        try:
            # The server's thread goes on with what another has opened.
            self._file = sqlite3.connect(path, check_same_thread=False)
            tables = self._file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            if tables.fetchall() not in ([], [("record",)]):
                raise OrgConfigError(f"file: {path} is no file of a local org")
            self._file.execute("PRAGMA synchronous = OFF")  # a killed process loses nothing by it
            self._file.execute(
                "CREATE TABLE IF NOT EXISTS record (id TEXT PRIMARY KEY, object TEXT, fields BLOB)"
            )
        except sqlite3.Error as error:
            raise OrgConfigError(f"file: {path} cannot be used: {error}") from None

    def append(self, writes: Iterable[Write]) -> None:
        """Writes down what these writes left behind."""
        with self._file:
            for write in {each.record_id: each for each in writes}.values():
                row = write.table.rows.get(write.record_id)
                moment = write.table.erased.get(write.record_id)
                if row is None and moment is None:
                    self._file.execute("DELETE FROM record WHERE id = ?", [write.record_id])
                else:
                    fields = orjson.dumps(moment if row is None else row)
                    self._file.execute(_PUT, [write.record_id, write.table.type.name, fields])

    @property
    def org_id(self) -> str | None:
        """The id of the org whose records it holds, which changes when that is refreshed."""
        found = self._file.execute("SELECT id FROM record WHERE object = 'Organization'")
        row = found.fetchone()
        return None if row is None else str(row[0])

    def load(self, tables: Mapping[str, Table]) -> bool:
        """Reads the file into the tables (by lower-case name); returns whether it held anything."""
        found = self._file.execute("SELECT id, object, fields FROM record ORDER BY rowid")
        records = found.fetchall()
        for record_id, sobject, fields in records:
            table = tables.get(sobject.lower())
            if table is not None:
                row = orjson.loads(fields)
                if isinstance(row, str):
                    table.erased[record_id] = row
                else:
                    table.rows[record_id] = row
                table.ids.skip(record_id)
        for table in tables.values():
            table.build_indexes()
        return bool(records)

    def rewrite(self, tables: Mapping[str, Table]) -> None:
        """Writes the file anew, from the tables."""
        records = (
            [record_id, table.type.name, orjson.dumps(row)]
            for table in tables.values()
            for record_id, row in [*table.erased.items(), *table.rows.items()]
        )
        with self._file:
            self._file.execute("DELETE FROM record")
            self._file.executemany(_PUT, records)

    def erase(self) -> None:
        """Forgets all records, and lets go of the file."""
        with self._file:
            self._file.execute("DELETE FROM record")
        self._file.close()
