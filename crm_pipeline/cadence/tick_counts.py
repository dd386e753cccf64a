"""Counts ticks, so that whoever watches from outside sees one that has stopped, or fails."""

from collections.abc import Iterator
from contextlib import contextmanager

from crm_pipeline.cadence.due import pipeline
from crm_pipeline.database.statements import statement


@contextmanager
def counted_tick(name: str) -> Iterator[None]:
    """Counts a tick of a schedule or a sensor at its end, and whether it failed."""
    failed = True
    try:
        yield
        failed = False
    finally:
        with pipeline().begin() as connection:
            connection.execute(statement("cadence/count_tick"), {"name": name, "failed": failed})
