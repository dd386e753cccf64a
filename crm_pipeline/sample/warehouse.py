"""Filling the sample warehouse: at first, and with later traffic; by COPY, in bounded memory."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, cast

import numpy as np
import pandas as pd
from psycopg import Cursor, sql
from sqlalchemy import Connection, Engine

from crm_pipeline.database.migrations import migrate
from crm_pipeline.database.statements import statement
from crm_pipeline.sample.draws import Draws
from crm_pipeline.sample.history import history
from crm_pipeline.sample.platform import SamplePlatform, moment, shared_out

CHUNK_ROWS = 25_000
NULL = "\\N"

Progress = Callable[[int, int], None]
"""Told how many of how many registrations are written."""


class SampleError(RuntimeError):
    """The sample data can't be made as asked; one line that says what to do."""


def create(
    engine: Engine,
    clients: Mapping[str, str],
    registrations: int,
    *,
    seed: int = 1,
    until: datetime | None = None,
    replace: bool = False,
    progress: Progress | None = None,
) -> None:
    """Fills the warehouse with the last months of a platform; all of it, or nothing.

    Args:
        engine: the warehouse; its schema is made when missing.
        clients: name of each client by its `client_id`, the busiest first.
        registrations: of all clients together.
        seed: the same seed, sizes and `until` give the same rows.
        until: the time up to which all has been shipped; now, by default.
        replace: first remove what is there.
        progress: told after each chunk.

    Raises:
        SampleError: there are rows already, or too few registrations for the clients.
    """
    try:
        sizes = shared_out(registrations, len(clients))
    except ValueError as error:
        raise SampleError(f"{error}: ask for more, or for fewer clients.") from error
    until = until or datetime.now(UTC)
    platform = SamplePlatform(list(clients), sizes, moment(until), Draws(seed))
    migrate(engine, "warehouse")
    with engine.begin() as connection:
        if connection.scalar(statement("sample/has_rows")):
            if not replace:
                raise SampleError(
                    "The warehouse holds rows already: add to them with "
                    "`crm-pipeline sample more`, or use --replace to start anew."
                )
            connection.execute(statement("sample/remove_all"))
        names = pd.DataFrame({"client_id": list(clients), "name": list(clients.values())})
        write(connection, {"client": names})
        done = 0
        for tables in history(platform, CHUNK_ROWS):
            write(connection, tables)
            done += len(tables.get("registration", ()))
            if progress:
                progress(done, registrations)
        connection.execute(statement("sample/submit_feedback"))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(statement("sample/analyze"))


def write(connection: Connection, tables: Mapping[str, pd.DataFrame]) -> None:
    """Adds rows to tables of the warehouse, named without their schema."""
    cursor = cast("Cursor[Any]", connection.connection.cursor())
    for table, rows in tables.items():
        command = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv, NULL {})").format(
            sql.Identifier("warehouse", table),
            sql.SQL(", ").join(map(sql.Identifier, rows.columns)),
            NULL,
        )
        with cursor.copy(command) as copy:
            copy.write(_csv(rows))


def _csv(rows: pd.DataFrame) -> str:
    texts = rows.assign(
        **{
            name: np.char.add(np.datetime_as_string(rows[name].to_numpy(), unit="s"), "Z")
            for name in rows.columns
            if rows[name].dtype.kind == "M"
        }
    )
    # With \r\n between the rows, values that hold either of the two are quoted.
    return texts.to_csv(index=False, header=False, na_rep=NULL, lineterminator="\r\n")
