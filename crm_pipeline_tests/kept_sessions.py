"""Sessions with a test's database go on to the next test that has it.

A new session has to read what the tables are, and to plan each statement, which takes PostgreSQL
longer than the test itself. A test finds nothing in one but that: no setting, no lock, no
temporary table.
"""

import os
from collections import defaultdict
from threading import Lock
from typing import Any

import psycopg
from sqlalchemy import URL, Engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool

_CLEANED = (
    "CLOSE ALL; RESET SESSION AUTHORIZATION; RESET ALL; UNLISTEN *;"
    " SELECT pg_advisory_unlock_all(); DISCARD TEMP; DISCARD SEQUENCES"
)
"""All that DISCARD ALL does, but for plans."""

_Key = tuple[int, int, str, str]

_kept: defaultdict[_Key, list[psycopg.Connection[Any]]] = defaultdict(list)
_lock = Lock()


def keep(engine: Engine, address: URL) -> None:
    """Disposes of an engine, and keeps the sessions with the database that nobody uses."""
    assert isinstance(engine.pool, QueuePool)
    try:
        for _ in range(engine.pool.checkedin() if engine.url.database == address.database else 0):
            pooled = engine.raw_connection()
            session = pooled.driver_connection
            pooled.detach()
            assert isinstance(session, psycopg.Connection)
            session.autocommit = True
            session.execute(_CLEANED)
            session.autocommit = False
            with _lock:
                _kept[_key(session.info.get_parameters(), session.info.port)].append(session)
    except (DBAPIError, psycopg.Error):
        # The test has ended them, or their database.
        end(address)
    engine.dispose()


def processes_of(address: URL) -> list[int]:
    """The server processes of the sessions that are kept with a database."""
    return [session.info.backend_pid for key in _keys_of(address) for session in _kept.get(key, [])]


def end(address: URL) -> None:
    """Ends the sessions that are kept with a database."""
    for key in _keys_of(address):
        for session in _kept.pop(key, []):
            session.close()


def _keys_of(address: URL) -> list[_Key]:
    with _lock:
        return [key for key in _kept if key[:3] == (os.getpid(), address.port, address.database)]


@event.listens_for(Engine, "do_connect")
def _hand_out(
    _dialect: object, _record: object, _arguments: object, parameters: dict[str, Any]
) -> psycopg.Connection[Any] | None:
    # An address of several hosts has several ports.
    if "application_name" not in parameters or not str(parameters.get("port")).isdecimal():
        return None
    with _lock:
        sessions = _kept.get(_key(parameters, int(parameters["port"])), [])
        while sessions:
            session = sessions.pop()
            if _is_alive(session):
                return session
            session.close()
    return None


def _is_alive(session: psycopg.Connection[Any]) -> bool:
    """A test may have ended it, or its server."""
    try:
        session.autocommit = True
        session.execute("")
        session.autocommit = False
    except psycopg.Error:
        return False
    return True


def _key(parameters: dict[str, Any], port: int) -> _Key:
    """A process that was forked uses none of its parent's sessions."""
    return os.getpid(), port, str(parameters["dbname"]), str(parameters["application_name"])
