"""The pipeline's own database, as commands use it: migrated before anything is read."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from crm_pipeline.cli.mistakes import mistake
from crm_pipeline.cli.show import say

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine


def pipeline() -> "Engine":
    """The pipeline's database; what is pending of its migrations has run, and was told."""
    from sqlalchemy.exc import ArgumentError

    from crm_pipeline.database.engines import engine
    from crm_pipeline.database.migrations import migrate
    from crm_pipeline.settings import settings

    settings()  # Beforehand: an impossible one is a ValueError as well.
    try:
        database = engine("pipeline")
    except ArgumentError:
        mistake(
            "PIPELINE_DATABASE_URL (or WAREHOUSE_URL, which it defaults to) is no address; it "
            "looks like postgresql://user:password@host:5432/database."
        )
    except ValueError as error:
        mistake(f"{error}.")
    for name in migrate(database, "crm"):
        say(f"Migrated the pipeline's tables: {name}", err=True)
    return database


@contextmanager
def transaction() -> Iterator["Connection"]:
    """A transaction in the pipeline's database: kept when the block ends well."""
    with pipeline().begin() as connection:
        yield connection


@contextmanager
def locked(account_id: str) -> Iterator["Connection"]:
    """A transaction while no cycle of the account runs: kept when the block ends well."""
    from crm_pipeline.ledger.lock import account_lock

    with account_lock(pipeline(), account_id) as connection:
        if connection is None:
            mistake(f"A cycle of account {account_id} is running; try again when it has ended.")
        yield connection
        connection.commit()
