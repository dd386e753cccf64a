"""Sessions with PostgreSQL: how they begin, and whether a pooler keeps them together.

An account's lock belongs to the session that took it. A pooler that hands out its connections
for a transaction at a time leaves the lock with one that serves somebody else next, so the
account would be busy for ever (PgBouncer: `pool_mode = transaction`, its usual one).
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from socket import SHUT_RDWR, socket
from threading import Timer
from typing import TYPE_CHECKING, Any, NamedTuple

from crm_pipeline.database.statements import statement
from crm_pipeline.exceptions import PicklableError

if TYPE_CHECKING:
    from psycopg import Connection
    from sqlalchemy import URL

_LOOKS = 3
"""Another client of the pooler may come between the steps of a look."""

_PATIENCE_SECONDS = 20.0
"""A pooler without a free connection has its clients wait for minutes, without a word."""


class PoolerError(PicklableError):
    """A pooler stands before a database that nobody can work through: which setting, and advice."""


class LendingPoolerError(PoolerError):
    """It does not keep sessions."""

    def __init__(self, variable: str) -> None:
        super().__init__(
            f"{variable} leads to a pooler that lends its connections for one transaction at a "
            "time, where the accounts' locks are lost: use one that keeps sessions (PgBouncer: "
            "pool_mode = session), or PostgreSQL's own port."
        )


class FullPoolerError(PoolerError):
    """It has too few connections."""

    def __init__(self, variable: str) -> None:
        super().__init__(
            f"{variable} leads to a pooler that has no second connection free within "
            f"{_PATIENCE_SECONDS:.0f} seconds: let it have more (PgBouncer: default_pool_size), or "
            "use PostgreSQL's own port."
        )


class Look(NamedTuple):
    """The server processes that served a client, then another one, then the first again.

    The last is None where the other was served by the first's: it has that one until it ends.
    """

    first: int
    other: int
    first_again: int | None


@dataclass
class DatabaseSession:
    """The beginning of a database's sessions.

    Attributes:
        timezone: the zone they speak.
        variable: the setting with the database's address, for people.
    """

    timezone: str
    variable: str
    _is_checked: bool = field(default=False, init=False)

    def begin(self, connection: "Connection[Any]", _record: object) -> None:
        """Begins the session of a connection that was just made.

        Raises:
            PoolerError: it goes through a pooler that does not keep sessions, or has too few.
        """
        connection.autocommit = True
        begun = connection.execute(plain("sessions/begin"), {"timezone": self.timezone}).fetchone()
        # PostgreSQL tells its process as a connection is made; a pooler tells a number of its own.
        if begun and begun[-1] != connection.info.backend_pid:
            self._take_over(connection)
        connection.autocommit = False

    def _take_over(self, connection: "Connection[Any]") -> None:
        """Makes a pooler's session ours: not all poolers clear it (`server_reset_query`)."""
        if not self._is_checked:
            try:
                _be_sure_of_pooler(connection, self.variable)
            except PoolerError:
                connection.close()
                raise
            self._is_checked = True
        connection.execute(plain("sessions/discard"))
        connection.execute(plain("sessions/begin"), {"timezone": self.timezone})


def refuse_lent_connections(url: "URL", variable: str) -> None:
    """Looks at a database to which others make the connections.

    Raises:
        PoolerError: it is reached through a pooler that does not keep sessions, or has too few.
    """
    import psycopg

    # SQLAlchemy's forms of addresses are more than libpq's: of several hosts, for one.
    address = url.set(drivername="postgresql+psycopg")
    _, parameters = address.get_dialect()().create_connect_args(address)
    with closing(psycopg.connect(**parameters)) as connection:
        DatabaseSession("UTC", variable).begin(connection, None)


def keeps_sessions(looks: Iterable[Look]) -> bool:
    """Returns whether each client has a server process of its own, as long as it is there."""
    return all(look.first == look.first_again != look.other for look in looks)


def _be_sure_of_pooler(connection: "Connection[Any]", variable: str) -> None:
    from psycopg import OperationalError
    from psycopg.errors import ProtocolViolation

    try:
        is_kept = keeps_sessions(_looks(connection))
    except OperationalError as error:
        # One that lends its connections for a statement refuses transactions.
        is_refused = isinstance(error, ProtocolViolation) and "pooling mode" in str(error)
        if not is_refused:
            raise FullPoolerError(variable) from None
        is_kept = False
    if not is_kept:
        raise LendingPoolerError(variable)


def _looks(connection: "Connection[Any]") -> Iterator[Look]:
    import psycopg

    info = connection.info
    for _ in range(_LOOKS):
        first = _server_process(connection)
        with closing(psycopg.connect(info.dsn, password=info.password)) as other:
            # Its transaction stays open, so its server process serves nobody else. One line at a
            # time is hung up: what the first one has is free for the other as soon as it ends.
            with _hung_up_in_time(other):
                served_other = _server_process(other)
            if served_other == first:
                yield Look(first, served_other, None)
                continue
            with _hung_up_in_time(connection):
                first_again = _server_process(connection)
            yield Look(first, served_other, first_again)


@contextmanager
def _hung_up_in_time(connection: "Connection[Any]") -> Iterator[None]:
    """Ends the waiting for an answer that does not come: libpq would wait as long as it takes."""
    with socket(fileno=os.dup(connection.fileno())) as line:
        timer = Timer(_PATIENCE_SECONDS, line.shutdown, [SHUT_RDWR])
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()


def _server_process(connection: "Connection[Any]") -> int:
    [process] = connection.execute(plain("sessions/server_process")).fetchone() or [0]
    return int(process)


def plain(name: str) -> str:
    """A statement as psycopg takes it: with parameters written `%(name)s`."""
    from sqlalchemy.dialects.postgresql.psycopg import dialect

    return str(statement(name).compile(dialect=dialect()))  # type: ignore[no-untyped-call]
