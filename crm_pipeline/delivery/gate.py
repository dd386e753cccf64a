"""The gate of an account: no request goes out that names somebody who is not to be processed.

From its last look at the tombstones until a request has begun to go out the gate holds the
account's lock together with other requests; who sets a tombstone holds it alone
(`crm_pipeline.inbound.tombstones`). So none begins after a tombstone was committed that has
its address.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO

from sqlalchemy import Connection, Engine

from crm_pipeline.accounts.account import Account
from crm_pipeline.database.statements import statement
from crm_pipeline.inbound.tombstones import Tombstones, hasher_of
from crm_pipeline.salesforce.errors import Withheld

_CHARS = 1 << 20
_LONGEST_ADDRESS = 512


class TombstoneGate:
    """A gate over the account's tombstones; used by the threads that send.

    Where there are no tombstones it takes two short statements for each request.
    """

    def __init__(self, database: Engine, account: Account) -> None:
        """Opens no connection before the first request."""
        self._database = database
        self._account = account
        self._using = threading.Lock()
        self._connection: Connection | None = None
        self._tombstones: Tombstones | None = None
        self._seen = 0
        self._is_open_for_removal = False

    @contextmanager
    def passing(
        self, path: str, body: bytes | IO[bytes] | None
    ) -> Iterator[Callable[[], None] | None]:
        """Lets a request out, as `salesforce.connection.Gate`."""
        if self._is_open_for_removal:
            yield None
            return
        seen = self._hold()
        while seen:
            # Looking through a large file takes longer than anybody is to wait for the lock.
            self._release()
            self._refuse_named(path, body)
            newer = self._hold()
            if newer == seen:
                break
            seen = newer
        held = True

        def release() -> None:
            nonlocal held
            if held:
                held = False
                self._release()

        try:
            yield release
        finally:
            release()

    @contextmanager
    def open_for_removal(self) -> Iterator[None]:
        """Lets the requests of a removal out, which name whom they are about.

        Nothing else of the account may be sent within the block.
        """
        self._is_open_for_removal = True
        try:
            yield
        finally:
            self._is_open_for_removal = False

    def close(self) -> None:
        """Gives the connection back, if there is one."""
        with self._using:
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    def _hold(self) -> int:
        """Takes the lock together with others, and looks; returns the newest tombstone's number."""
        with self._using:
            connection = self._connected()
            rows = connection.execute(
                statement("inbound/hold_tombstones"),
                {"account_id": self._account.account_id, "after": self._seen},
            ).all()
            if rows:
                self._seen = rows[-1].seq
                hasher = hasher_of(connection, self._account)
                known = () if self._tombstones is None else self._tombstones.hashes
                self._tombstones = Tombstones(
                    hasher, frozenset((*known, *(bytes(row.digest) for row in rows)))
                )
            return self._seen

    def _refuse_named(self, path: str, body: bytes | IO[bytes] | None) -> None:
        tombstones = self._tombstones
        if tombstones is not None and any(map(tombstones.named_in, _texts(path, body))):
            raise Withheld

    def _release(self) -> None:
        with self._using:
            self._connected().execute(
                statement("inbound/release_tombstones"), {"account_id": self._account.account_id}
            )

    def _connected(self) -> Connection:
        if self._connection is None:
            self._connection = self._database.connect().execution_options(
                isolation_level="AUTOCOMMIT"
            )
        return self._connection


def _texts(path: str, body: bytes | IO[bytes] | None) -> Iterator[str]:
    """Yields all that a request says, in parts that overlap by an address; rewinds a file."""
    yield path
    if isinstance(body, bytes):
        yield body.decode(errors="replace")
    elif body is not None:
        end = ""
        while part := body.read(_CHARS):
            text = end + part.decode(errors="replace")
            yield text
            end = text[-_LONGEST_ADDRESS:]
        body.seek(0)
