"""The pipeline's own database, as commands use it; only some of them make tables there."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from crm_pipeline.cli.mistakes import mistake
from crm_pipeline.cli.show import counted, say
from crm_pipeline.cli.who import who

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine


def pipeline() -> "Engine":
    """The pipeline's database; the command ends where its tables are not those of this version."""
    from crm_pipeline.database.engines import engine
    from crm_pipeline.database.migrations import migrations, pending

    database = engine("pipeline")
    if missing := pending(database, "crm"):
        if len(missing) == len(migrations("crm")):
            mistake(
                f"{where(database)} is not set up: it has none of the pipeline's tables. "
                "`crm-pipeline migrate` makes them there, `crm-pipeline account add` does, too."
            )
        mistake(
            f"{where(database)} has the pipeline's tables of an older version: `crm-pipeline "
            f"migrate` brings them to this one ({missing[0].stem} comes first)."
        )
    return database


def migrated() -> "Engine":
    """The pipeline's database; what is pending of its migrations has run, and was told."""
    from crm_pipeline.database.engines import engine
    from crm_pipeline.database.migrations import migrate, migrations, pending

    database = engine("pipeline")
    missing = pending(database, "crm")
    is_new = len(missing) == len(migrations("crm"))
    if missing and not is_new:
        say(
            f"{where(database)} is brought to this version by {counted(len(missing), 'migration')};"
            " millions of operations take minutes.",
            err=True,
        )
    ran = migrate(database, "crm")
    if ran and is_new:
        say(f"{where(database)} has the pipeline's tables now.", err=True)
    for each in () if is_new else ran:
        say(f"Migrated the pipeline's tables: {each}", err=True)
    return database


def is_set_up() -> bool:
    """Returns whether the pipeline's database has the tables of this version."""
    from crm_pipeline.database.engines import engine
    from crm_pipeline.database.migrations import pending

    return not pending(engine("pipeline"), "crm")


def where(database: "Engine") -> str:
    """Returns which database it is, for people."""
    from crm_pipeline.settings import settings

    chosen = settings()
    if chosen.own_database_url is None:
        return f"The embedded PostgreSQL of {chosen.data_dir}"
    # An address may have several hosts.
    _, parameters = database.dialect.create_connect_args(database.url)
    at = f"{parameters.get('host')}:{parameters.get('port', 5432)}"
    return f"Database {database.url.database} of {at}"


@dataclass(frozen=True, slots=True)
class _Whole:
    """A transaction that several commands share.

    Attributes:
        connection: on which it is.
        locks: hold the accounts that they locked, until it has ended.
        locked: which accounts these are.
        done: what they did, as they say it.
    """

    connection: "Connection"
    locks: ExitStack
    locked: set[str] = field(default_factory=set)
    done: list[str] = field(default_factory=list)


_WHOLE: ContextVar[_Whole | None] = ContextVar("_WHOLE", default=None)


@contextmanager
def as_a_whole() -> Iterator["Connection"]:
    """Makes one transaction of all that commands do in the block: kept when it ends well.

    What they did is said only then.
    """
    with ExitStack() as locks, pipeline().begin() as connection:
        _say_who(connection)
        whole = _Whole(connection, locks)
        token = _WHOLE.set(whole)
        try:
            yield connection
        finally:
            _WHOLE.reset(token)
    for line in whole.done:
        say(line)


def say_done(line: str) -> None:
    """Says what a command did, once that is kept."""
    whole = _WHOLE.get()
    if whole is None:
        say(line)
    else:
        whole.done.append(line)


@contextmanager
def transaction() -> Iterator["Connection"]:
    """A transaction in the pipeline's database: kept when the block ends well."""
    whole = _WHOLE.get()
    if whole is not None:
        yield whole.connection
        return
    with pipeline().begin() as connection:
        _say_who(connection)
        yield connection


@contextmanager
def rehearsal() -> Iterator["Connection"]:
    """A transaction of which nothing is kept, which sees what `as_a_whole` has done so far."""
    whole = _WHOLE.get()
    if whole is None:
        with pipeline().connect() as connection:
            yield connection
            connection.rollback()
        return
    undone = whole.connection.begin_nested()
    try:
        yield whole.connection
    finally:
        undone.rollback()


@contextmanager
def locked(account_id: str) -> Iterator["Connection"]:
    """A transaction while no cycle of the account runs: kept when the block ends well."""
    whole = _WHOLE.get()
    if whole is not None:
        if account_id not in whole.locked:
            whole.locks.enter_context(_lock(account_id))
            whole.locked.add(account_id)
        yield whole.connection
        return
    with _lock(account_id) as connection:
        _say_who(connection)
        yield connection
        connection.commit()


@contextmanager
def _lock(account_id: str) -> Iterator["Connection"]:
    """The account's lock; the command ends where a cycle has it."""
    from crm_pipeline.ledger.lock import account_lock

    with account_lock(pipeline(), account_id) as connection:
        if connection is None:
            mistake(f"A cycle of account {account_id} is running; try again when it has ended.")
        yield connection


def _say_who(connection: "Connection") -> None:
    """Has what the transaction changes of accounts be noted as done by whoever types."""
    from crm_pipeline.database.statements import statement

    connection.execute(statement("accounts/set_who"), {"who": who()})
