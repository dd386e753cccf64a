"""Sessions with PostgreSQL that keep their prepared statements from one transaction to the next.

psycopg forgets what it prepared at each ROLLBACK, as whatever a statement names might be gone with
it. Every block that only reads ends by one, and PostgreSQL would parse and plan anew all day long.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy import Connection

from crm_pipeline.database.sessions import plain
from crm_pipeline.database.statements import statement

MOST_PREPARED = 1000
"""More than there are in `sql/`: a cycle that needs one more than are kept would find none."""

_WROTE_NOTHING = plain("sessions/wrote_nothing")
_SAVEPOINT = plain("sessions/savepoint")
_RELEASE_SAVEPOINT = plain("sessions/release_savepoint")
_BACK_TO_SAVEPOINT = plain("sessions/back_to_savepoint")


class PreparingSession(psycopg.Connection[Any]):
    """A session that ends a transaction that wrote nothing by COMMIT, which is the same to all."""

    _undoes = False

    @contextmanager
    def undone(self) -> Iterator[None]:
        """Undoes at the end of the block all that was written in it, committed or not.

        Within it a commit keeps what was written up to there, for this session alone.
        """
        super().rollback()
        self.execute(_SAVEPOINT)
        self._undoes = True
        try:
            yield
        finally:
            self._undoes = False
            try:
                super().rollback()
            except psycopg.OperationalError:
                # Of a session that is lost the server has undone it.
                if not self.closed:
                    raise

    def commit(self) -> None:
        """Keeps what the open transaction wrote.

        Raises:
            psycopg.OperationalError: the session is lost.
        """
        if not self._undoes:
            super().commit()
            return
        self.execute(_RELEASE_SAVEPOINT)
        self.execute(_SAVEPOINT)

    def rollback(self) -> None:
        """Ends the transaction that is open, if any; nothing that it wrote stays.

        Raises:
            psycopg.OperationalError: the session is lost.
        """
        if self._undoes:
            self.execute(_BACK_TO_SAVEPOINT)
            return
        is_open = self.info.transaction_status == TransactionStatus.INTRANS
        if is_open and self.execute(_WROTE_NOTHING, prepare=True).fetchone() == (True,):
            self.commit()
        else:
            super().rollback()


def connect(
    _dialect: object, _record: object, positional: list[Any], named: dict[str, Any]
) -> PreparingSession:
    """Connects, where SQLAlchemy is about to (its event `do_connect`)."""
    session = PreparingSession.connect(*positional, **named)
    session.prepared_max = MOST_PREPARED
    return session


@contextmanager
def undone(connection: Connection) -> Iterator[None]:
    """Undoes at the end of the block all that was written in it on this connection of the pipeline.

    Commits and rollbacks in it work as ever, but nobody else sees what they kept. Rows that it
    wrote stay locked until its end; where it would have to wait for another session, it fails.

    Raises:
        DBAPIError: another session holds a row that it needs.
    """
    session = connection.connection.driver_connection
    if not isinstance(session, PreparingSession):
        raise TypeError(f"Nothing of {connection.engine.url.database} can be undone")
    connection.rollback()
    with session.undone():
        connection.execute(statement("sessions/wait_briefly"))
        connection.commit()
        try:
            yield
        finally:
            connection.rollback()
