"""A database as it was before a test: its rows go, which takes a fiftieth of a fresh database.

A database whose tables were changed, grew large, or are known to the planner is not worth it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, text

LARGE_BYTES = 1_000_000
"""Of one table: beyond this, what was deleted slows down who comes after."""

# Objects of ours have numbers from 16384 on; of each catalogue, how many rows, and by which
# transactions they were written. What PostgreSQL writes by itself leaves both as they are.
_CATALOGUE = """
SELECT
    (SELECT (count(*), sum(xmin::text::bigint)) FROM pg_class WHERE oid >= 16384)::text,
    (SELECT (count(*), sum(xmin::text::bigint)) FROM pg_attribute WHERE attrelid >= 16384)::text,
    (SELECT (count(*), sum(xmin::text::bigint)) FROM pg_attrdef WHERE adrelid >= 16384)::text,
    (SELECT (count(*), sum(xmin::text::bigint)) FROM pg_constraint WHERE oid >= 16384)::text,
    (SELECT (count(*), sum(xmin::text::bigint)) FROM pg_index WHERE indexrelid >= 16384)::text,
    (SELECT (count(*), sum(xmin::text::bigint)) FROM pg_proc WHERE oid >= 16384)::text,
    (SELECT (count(*), sum(xmin::text::bigint)) FROM pg_rewrite WHERE oid >= 16384)::text,
    (SELECT (count(*), sum(xmin::text::bigint)) FROM pg_sequence)::text,
    (SELECT (count(*), sum(xmin::text::bigint)) FROM pg_trigger)::text,
    (SELECT (count(*), sum(xmin::text::bigint)) FROM pg_type WHERE oid >= 16384)::text,
    (
        SELECT (count(*), sum(xmin::text::bigint)) FROM pg_namespace
        WHERE nspname !~ '^pg_(toast_)?temp_'
    )::text,
    (SELECT count(*) FROM pg_extension)::text,
    (
        SELECT count(*) FROM pg_db_role_setting AS s JOIN pg_database AS d ON d.oid = s.setdatabase
        WHERE d.datname = current_database()
    )::text
"""

_TABLES = """
SELECT
    format('%I.%I', n.nspname, c.relname) AS name,
    pg_relation_size(c.oid) AS bytes,
    c.reltuples >= 0 AS is_known
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.oid >= 16384 AND c.relkind = 'r' AND (pg_relation_size(c.oid) > 0 OR c.reltuples >= 0)
"""

_SEQUENCES = """
SELECT format('%I.%I', schemaname, sequencename) AS name, last_value FROM pg_sequences
WHERE last_value IS NOT NULL
"""

_END_OTHERS = """
SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND pid <> ALL(:kept)
"""


@dataclass(frozen=True)
class Origin:
    """The state of the tests' databases before any test.

    Attributes:
        catalogue: what its catalogues say of its tables, functions and settings.
        rows: what is in the tables that are not empty, by name.
        sequences: where those stand that were used already, by name.
    """

    catalogue: tuple[str, ...]
    rows: dict[str, str]
    sequences: dict[str, int]


def origin_of(connection: Connection) -> Origin:
    """The state of a database that no test has used."""
    return Origin(
        _catalogue(connection), _rows(connection, with_rows(connection)), used(connection)
    )


def with_rows(connection: Connection) -> dict[str, int]:
    """The bytes of those tables that are not empty, or once were not."""
    return {row.name: row.bytes for row in connection.execute(text(_TABLES)) if row.bytes}


def used(connection: Connection) -> dict[str, int]:
    """The values of the sequences that were used, by name."""
    return {row.name: row.last_value for row in connection.execute(text(_SEQUENCES))}


def restored(connection: Connection, origin: Origin, kept: list[int]) -> bool:
    """Brings a database back to how it was before a test; who is still in it is thrown out.

    Args:
        connection: to the database.
        origin: how it was.
        kept: server processes in it that may stay.

    Returns:
        False if it cannot be brought back so: it is to be thrown away.
    """
    connection.execute(text(_END_OTHERS), {"kept": kept})
    tables = [row for row in connection.execute(text(_TABLES)) if row.name not in origin.rows]
    if any(row.is_known or row.bytes > LARGE_BYTES for row in tables):
        return False
    if _catalogue(connection) != origin.catalogue:
        return False
    if _rows(connection, origin.rows) != origin.rows:
        return False
    empty(connection, {row.name: row.bytes for row in tables}, origin.sequences)
    return True


def empty(connection: Connection, tables: Mapping[str, int], kept: Mapping[str, int]) -> None:
    """Deletes all rows of the tables, and has sequences begin anew; commits.

    Args:
        connection: to the database.
        tables: their names, and how many bytes they have.
        kept: sequences that go on behind a number instead.
    """
    small = [table for table, size in tables.items() if size <= LARGE_BYTES]
    large = [table for table in tables if table not in small]
    statements = [
        "SET LOCAL session_replication_role = replica",
        *(f"DELETE FROM {table}" for table in small),
        *([f"TRUNCATE {', '.join(large)} CASCADE"] if large else ()),
        *(
            f"SELECT setval('{name}', {kept[name]})"
            if name in kept
            else f"SELECT setval('{name}', seqstart, false) FROM pg_sequence"
            f" WHERE seqrelid = '{name}'::regclass"
            for name, last in used(connection).items()
            if kept.get(name) != last
        ),
    ]
    connection.exec_driver_sql("; ".join(statements))
    connection.commit()


def _catalogue(connection: Connection) -> tuple[str, ...]:
    return tuple(connection.execute(text(_CATALOGUE)).one())


def _rows(connection: Connection, tables: Iterable[str]) -> dict[str, str]:
    return {
        table: connection.scalar(
            text(f"SELECT md5(string_agg(t::text, '' ORDER BY t::text)) FROM {table} AS t")
        )
        for table in tables
    }
