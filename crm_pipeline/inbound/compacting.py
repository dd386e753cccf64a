"""Rewriting tables, so that nothing of what was deleted remains in their files."""

from collections.abc import Iterator

from sqlalchemy import Engine

from crm_pipeline.database.statements import statement
from crm_pipeline.inbound.erasing import ERASED


def compact(database: Engine) -> Iterator[str]:
    """Rewrites every table that may tell of people, and makes its statistics anew.

    Each is locked for as long as that takes. Where our user may, the planner's statistics are
    rewritten, and the write-ahead log is ended and its old files go, too; backups and archives of
    it stay.

    Yields:
        What was done, for people.
    """
    tables = list(dict.fromkeys(table for table, _ in ERASED.values()))
    with database.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for table in tables:
            connection.exec_driver_sql(f"VACUUM (FULL, ANALYZE) {table}")
            yield f"Rewrote {table}"
        if not connection.scalar(statement("compact/may_end_log")):
            yield (
                "The planner's statistics and the write-ahead log are their server's: what is old "
                "in their files goes by itself in time"
            )
            return
        connection.exec_driver_sql("VACUUM (FULL) pg_catalog.pg_statistic")
        yield "Rewrote the planner's statistics"
        recycles = connection.exec_driver_sql("SHOW wal_recycle").scalar_one()
        connection.exec_driver_sql("ALTER SYSTEM SET wal_recycle = off")
        connection.exec_driver_sql("SELECT pg_reload_conf()")
        try:
            for _ in range(3):
                connection.execute(statement("compact/switch_log"))
                connection.exec_driver_sql("CHECKPOINT")
        finally:
            connection.exec_driver_sql(f"ALTER SYSTEM SET wal_recycle = {recycles}")
            connection.exec_driver_sql("SELECT pg_reload_conf()")
        yield "Ended the write-ahead log, and removed its old files"
