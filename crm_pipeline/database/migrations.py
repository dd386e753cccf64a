"""Numbered migrations, run forward once each, in one transaction per file.

Each begins with a comment that says what it is for. Databases know those that ran by their names:
a file keeps its name for ever, also the two whose numbers stand twice (0003, 0006).
"""

import logging
from itertools import takewhile
from pathlib import Path

from sqlalchemy import Engine, text

from crm_pipeline.database.statements import SQL, statement

log = logging.getLogger(__name__)


def pending(engine: Engine, folder: str) -> list[Path]:
    """The migrations of `sql/<folder>/` (`0001_what.sql` …) that have not run yet, in order.

    Only looks, and makes nothing.
    """
    with engine.connect() as connection:
        has_log = connection.scalar(statement("migrations/has_log"))
        done = (
            set(connection.scalars(statement("migrations/done"), {"folder": folder}))
            if has_log
            else set()
        )
    return [file for file in migrations(folder) if file.stem not in done]


def migrations(folder: str) -> list[Path]:
    """All migrations of `sql/<folder>/`, in order."""
    return sorted((SQL / folder).glob("[0-9]*.sql"))


def migrate(engine: Engine, folder: str) -> list[str]:
    """Runs what is pending of `sql/<folder>/` and says so in the log.

    Safe when several processes start at once: the others wait, then find nothing to do.

    Returns:
        Those that ran: the name of each, and what it says that it is for.
    """
    ran = []
    for file in pending(engine, folder):
        with engine.begin() as connection:
            connection.execute(statement("migrations/lock"))
            connection.execute(statement("migrations/create_log"))
            name = {"folder": folder, "name": file.stem}
            if connection.scalar(statement("migrations/is_done"), name):
                continue
            connection.execute(text(file.read_text(encoding="utf-8")))
            connection.execute(statement("migrations/note"), name)
        ran.append(f"{file.stem}: {purpose(file)}")
        log.info("Migrated %s: %s", folder, ran[-1])
    return ran


def purpose(file: Path) -> str:
    """Returns the purpose of a migration, in one line: the comment that it begins with."""
    lines = takewhile(lambda line: line.startswith("--"), file.read_text("utf-8").splitlines())
    return " ".join(line.removeprefix("--").strip() for line in lines)
