"""One database for all tests of a module, emptied between them: faster than a fresh one each.

It matters where Dagster's tables are in it, which take a second to make.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, text

from crm_pipeline.database.engines import engine
from crm_pipeline.settings import settings

# What says how far the tables themselves are, and is the same in every test.
_KEPT = ("migration", "alembic_version", "secondary_indexes", "instance_info", "snapshots")


@contextmanager
def emptied_afterwards(database: Engine) -> Iterator[Engine]:
    """Yields the database; afterwards no row and no changed setting is left of the test."""
    try:
        yield database
    finally:
        for which in ("pipeline", "warehouse"):
            if engine(which) is not database:
                engine(which).dispose()
        settings.cache_clear()
        engine.cache_clear()
        with database.begin() as connection:
            tables = connection.scalars(
                text(
                    "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables"
                    " WHERE schemaname IN ('crm', 'warehouse', 'public')"
                    " AND tablename <> ALL (:kept)"
                ),
                {"kept": list(_KEPT)},
            )
            connection.execute(text(f"TRUNCATE {', '.join(tables)} RESTART IDENTITY CASCADE"))
