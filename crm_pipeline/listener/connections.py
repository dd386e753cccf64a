"""The listener's own connections: so many at once, each with the time that it may take.

What is asked of them is short: no connection is tried before it is used, as that would double what
goes over the line. One that turns out to be dead is told by its first statement.
"""

from typing import Any

from sqlalchemy import Engine, create_engine, event

from crm_pipeline.database.engines import VARIABLES
from crm_pipeline.database.errors import tell_no_values
from crm_pipeline.database.sessions import DatabaseSession
from crm_pipeline.database.statements import statement
from crm_pipeline.postgresql_options import unless_said

AT_ONCE = 12
"""Requests that are worked on at a time; more would only wait for each other."""

_WAIT_SECONDS = 3.0


def own_connections(database: Engine) -> Engine:
    """Returns a pool over the same database; dispose of it at the end."""
    made = create_engine(
        database.url,
        pool_size=AT_ONCE,
        max_overflow=0,
        pool_timeout=_WAIT_SECONDS,
        hide_parameters=True,
        connect_args=unless_said(
            database.url, connect_timeout=10, application_name="crm_pipeline listener"
        ),
    )
    event.listen(made, "connect", DatabaseSession("UTC", VARIABLES["pipeline"]).begin)
    event.listen(made, "connect", _limit)
    tell_no_values(made)
    return made


def _limit(connection: Any, _record: object) -> None:
    """Has nothing take longer than whoever asks waits; the lock of tombstones has its own limit."""
    connection.execute(str(statement("inbound/listener_begins")))
    connection.commit()
