"""The sample warehouse as a file of DuckDB: a warehouse that needs no server."""

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, cast

from psycopg import sql
from sqlalchemy import Engine

from crm_pipeline.database.statements import SQL, statement
from crm_pipeline.sample.warehouse import NULL, SampleError

if TYPE_CHECKING:
    from psycopg import Cursor

TABLES = SQL / "warehouse/duckdb.sql"


def export(engine: Engine, file: Path) -> int:
    """Writes the sample warehouse to a new file of DuckDB, with the tables of `TABLES`.

    Args:
        engine: the sample warehouse.
        file: where to.

    Returns:
        How many rows it has.

    Raises:
        SampleError: the file is there already, or the package `duckdb` is not.
    """
    try:
        import duckdb
    except ImportError:
        raise SampleError("DuckDB is not there: pip install 'crm-pipeline[duckdb]'") from None
    if file.stem == "warehouse":
        raise SampleError(
            "Name it otherwise: DuckDB takes a file's name for a schema's, as ours is"
        )
    if file.exists():
        raise SampleError(f"{file} is there already: name another file, or remove it")
    rows = 0
    with engine.connect() as connection, TemporaryDirectory() as folder:
        if not connection.scalar(statement("sample/has_rows")):
            raise SampleError("The warehouse is empty: `crm-pipeline sample create` fills it")
        cursor = cast("Cursor[Any]", connection.connection.cursor())
        whole, between = Path(folder, "whole.duckdb"), Path(folder, "rows.csv")
        made = duckdb.connect(whole)
        made.execute(TABLES.read_text(encoding="utf-8"))
        for (table,) in made.execute("SELECT table_name FROM duckdb_tables()").fetchall():
            _write_csv(cursor, table, between)
            values = made.read_csv(
                str(between),
                header=True,
                all_varchar=True,
                na_values=NULL,
                delimiter=",",
                quotechar='"',
                escapechar='"',
            )
            values.insert_into(f"warehouse.{table}")
            rows += len(values)
        made.close()
        shutil.move(whole, file)
    return rows


def _write_csv(cursor: "Cursor[Any]", table: str, file: Path) -> None:
    command = sql.SQL("COPY {} TO STDOUT (FORMAT csv, HEADER, NULL {})").format(
        sql.Identifier("warehouse", table), NULL
    )
    with file.open("wb") as written, cursor.copy(command) as copy:
        for block in copy:
            written.write(block)
