"""One database for all tests of a module, emptied between them.

It matters where a Dagster instance stands on it, which takes a second to make.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine

from crm_pipeline.database.engines import engine
from crm_pipeline.settings import settings
from crm_pipeline_tests import kept_sessions
from crm_pipeline_tests.restoring import empty, used, with_rows

# These say how far the tables themselves are, and are the same in every test.
_KEPT = {
    "crm.migration",
    "public.alembic_version",
    "public.secondary_indexes",
    "public.instance_info",
    "public.snapshots",
}


@contextmanager
def emptied_afterwards(database: Engine) -> Iterator[Engine]:
    """Yields the database; afterwards no row and no changed setting is left of the test."""
    try:
        yield database
    finally:
        for which in ("pipeline", "warehouse"):
            if engine(which) is not database:
                kept_sessions.keep(engine(which), database.url)
        settings.cache_clear()
        engine.cache_clear()
        with database.connect() as connection:
            tables = with_rows(connection)
            empty(
                connection,
                {name: size for name, size in tables.items() if name not in _KEPT},
                {
                    name: last
                    for name, last in used(connection).items()
                    if name.removesuffix("_id_seq") in _KEPT
                },
            )
