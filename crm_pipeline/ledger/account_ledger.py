"""The ledger as one cycle of one account works with it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection


@dataclass(frozen=True, slots=True)
class AccountLedger:
    """One account's part of the ledger; the caller holds the account's lock on `connection`.

    Attributes:
        keeps: whether what is written stays. If not, rows that other accounts write, too, are not
            written: they would be locked for the others until all is undone.
    """

    connection: Connection
    account_id: str
    cycle_id: int
    keeps: bool = True

    @contextmanager
    def step(self) -> Iterator[Connection]:
        """A step that is committed as a whole at the end of the block, or not at all.

        Reads and writes made before in the same transaction belong to it.
        """
        try:
            yield self.connection
        except BaseException:
            self.connection.rollback()
            raise
        self.connection.commit()
