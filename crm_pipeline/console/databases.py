"""Where the console reads and writes: from a standby, where there is one, and in the primary."""

import logging
import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError

from crm_pipeline.database.engines import VARIABLES
from crm_pipeline.database.errors import in_words, tell_no_values
from crm_pipeline.database.sessions import DatabaseSession
from crm_pipeline.database.statements import statement
from crm_pipeline.postgresql_options import unless_said

log = logging.getLogger("crm_pipeline.console")

_AT_ONCE = 8
_WAIT_SECONDS = 5.0
_LOOK_SECONDS = {True: 5.0, False: 20.0}
"""So long it is believed whether a database answers: one that is away may cost seconds to ask."""


class ConsoleDatabases:
    """The pipeline's database, and perhaps a standby of it."""

    def __init__(self, pipeline: Engine, standby: URL | None) -> None:
        """Connects to nothing yet.

        Args:
            pipeline: the primary, in which decisions are written.
            standby: a copy to read from, which PostgreSQL keeps; None: the primary is read.
        """
        self.pipeline = pipeline
        self._primary = _pool(pipeline.url, VARIABLES["pipeline"])
        self._standby = standby and _pool(standby, "CONSOLE_DATABASE_URL")
        self._lock = threading.Lock()
        self._answers: dict[Engine, tuple[float, bool]] = {}

    @property
    def are_two(self) -> bool:
        """Whether there is a standby."""
        return self._standby is not None

    def primary_answers(self) -> bool:
        """Returns whether something can be written now, as of some seconds ago."""
        return self._is_there(self._primary)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that writes nothing; of the primary where no standby answers.

        Raises:
            OperationalError: neither answers.
        """
        source = self._primary
        if self._standby is not None and self._is_there(self._standby):
            source = self._standby
        with source.connect().execution_options(postgresql_readonly=True) as connection:
            yield connection

    def dispose(self) -> None:
        """Ends all connections."""
        self._primary.dispose()
        if self._standby is not None:
            self._standby.dispose()

    def _is_there(self, database: Engine) -> bool:
        with self._lock:
            looked_at, answered = self._answers.get(database, (-math.inf, False))
            if time.monotonic() - looked_at < _LOOK_SECONDS[answered]:
                return answered
            try:
                with database.connect() as connection:
                    connection.execute(statement("inbound/is_there"))
                answered = True
            except DBAPIError as error:
                log.warning("A database does not answer: %s", in_words(error))
                answered = False
            self._answers[database] = (time.monotonic(), answered)
            return answered


def _pool(url: URL, variable: str) -> Engine:
    """Connections of the console's own, which keep no page waiting for long."""
    made = create_engine(
        url.set(drivername="postgresql+psycopg"),
        pool_size=_AT_ONCE,
        max_overflow=0,
        pool_timeout=_WAIT_SECONDS,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args=unless_said(url, connect_timeout=3, application_name="crm_pipeline console"),
    )
    event.listen(made, "connect", DatabaseSession("UTC", variable).begin)
    event.listen(made, "connect", _limit)
    tell_no_values(made)
    return made


def _limit(connection: Any, _record: object) -> None:
    connection.execute(str(statement("console/begin")))
    connection.commit()
