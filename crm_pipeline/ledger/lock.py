"""The account's lock: two cycles of one account exclude each other, on whatever machine."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from crm_pipeline.database.statements import statement
from crm_pipeline.ledger.outcomes import end_sending
from crm_pipeline.ledger.plans import release_held


@contextmanager
def account_lock(engine: Engine, account_id: str) -> Iterator[Connection | None]:
    """Holds the account's advisory lock for the block, or yields None where another has it.

    The connection that is yielded holds the lock, and a cycle does all its writing on it: were
    the lock lost with the connection (PostgreSQL restarted, network gone), the next write fails
    before anything more is sent. A holder that dies gives the lock back as its connection ends.
    The operations it was sending are in flight from then on, until they are looked up; what it
    held back is pending again.
    """
    with engine.connect() as connection:
        if not connection.scalar(statement("ledger/lock_account"), {"account_id": account_id}):
            connection.commit()
            yield None
            return
        try:
            end_sending(connection, account_id)
            release_held(connection, account_id)
            connection.commit()
            yield connection
        finally:
            try:
                connection.rollback()
                connection.execute(statement("ledger/unlock_account"), {"account_id": account_id})
                connection.commit()
            except DBAPIError:
                connection.invalidate()
