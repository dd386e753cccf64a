"""Sessions with PostgreSQL that keep their prepared statements from one transaction to the next.

psycopg forgets what it prepared at each ROLLBACK, as whatever a statement names might be gone with
it. Every block that only reads ends by one, and PostgreSQL would parse and plan anew all day long.
"""

from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

from crm_pipeline.database.sessions import plain

MOST_PREPARED = 1000
"""More than there are in `sql/`: a cycle that needs one more than are kept would find none."""

_WROTE_NOTHING = plain("sessions/wrote_nothing")


class PreparingSession(psycopg.Connection[Any]):
    """A session that ends a transaction that wrote nothing by COMMIT, which is the same to all."""

    def rollback(self) -> None:
        """Ends the transaction that is open, if any; nothing that it wrote stays.

        Raises:
            psycopg.OperationalError: the session is lost.
        """
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
