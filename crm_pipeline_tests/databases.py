"""Databases for tests: copies of one that has been migrated, each for one test after the other."""

import fcntl
import os
import secrets
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from unittest.mock import patch

from cryptography.fernet import Fernet
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool

from crm_pipeline.database.embedded import EmbeddedPostgres
from crm_pipeline.database.engines import engine, engine_at
from crm_pipeline.database.migrations import migrate
from crm_pipeline.settings import settings
from crm_pipeline_tests import kept_sessions
from crm_pipeline_tests.restoring import Origin, origin_of, restored

MIGRATED = "migrated"

TESTS_OF_A_DATABASE = 200
"""After so many it is replaced: what was deleted slows it down."""

RAM_DISK = Path("/dev/shm")

ROOM_BYTES = 4_000_000_000
"""A container often has 64 MB of it only."""

# The databases of this process that the next test can have, and how many tests each had.
_unused: defaultdict[URL, list[tuple[URL, int]]] = defaultdict(list)
_origins: dict[URL, Origin] = {}
_restorers: dict[URL, Engine] = {}


def server_in(folder: Path) -> EmbeddedPostgres:
    """The tests' server: no power cut happens in them, so it need not wait for the disk.

    What the planner knows does not change beneath a test.
    """
    return EmbeddedPostgres(folder, {"fsync": "off", "max_connections": "400", "autovacuum": "off"})


def new_server_folder() -> Path:
    """Makes a folder for a server, in memory where there is room: a disk would slow it down.

    Not below `tmp_path`: each session of pytest takes from all but root the right to pass
    through /tmp/pytest-of-root, and PostgreSQL does not run as root.
    """
    has_room = RAM_DISK.is_dir() and shutil.disk_usage(RAM_DISK).free > ROOM_BYTES
    return Path(tempfile.mkdtemp(prefix="crm-pipeline-tests-", dir=RAM_DISK if has_room else None))


def make_migrated(server: EmbeddedPostgres, folder: Path) -> None:
    """Makes the database that all others are copies of, once for all workers of a session."""
    done = folder / "migrated"
    with (folder / "migrated.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            migrated = create_engine(server.url(MIGRATED), poolclass=NullPool)
            migrate(migrated, "crm")
            migrate(migrated, "warehouse")
            done.touch()


@contextmanager
def folder_of_a_server() -> Iterator[Path]:
    """A folder for a server of a test's own, which is removed afterwards."""
    folder = new_server_folder()
    yield folder
    shutil.rmtree(folder)


@contextmanager
def fresh_pipeline(server: EmbeddedPostgres, data_dir: Path) -> Iterator[Engine]:
    """A database for warehouse, pipeline and Dagster without a row, which the settings point at.

    Processes that a test starts find it as well, by the environment.
    """
    administration = _administration(server)
    unused = _unused[administration]
    address, tests = unused.pop() if unused else (_copy(administration), 0)
    url = address.render_as_string(hide_password=False)
    environment = {
        "CRM_PIPELINE_DATA_DIR": str(data_dir),
        "WAREHOUSE_URL": url,
        "PIPELINE_DATABASE_URL": url,
        "DAGSTER_DATABASE_URL": url,
        "CRM_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
    }
    with settings_of(**environment):
        try:
            yield engine("pipeline")
        finally:
            kept_sessions.keep(engine("pipeline"), address)
            kept_sessions.keep(engine("warehouse"), address)
    with _restorer(address).connect() as connection:
        kept = kept_sessions.processes_of(address)
        is_as_before = restored(connection, _origins[administration], kept)
    if is_as_before and tests + 1 < TESTS_OF_A_DATABASE:
        unused.append((address, tests + 1))
    else:
        _restorers.pop(address).dispose()
        kept_sessions.end(address)
        engine_at.cache_clear()
        _administer(administration, f"DROP DATABASE {address.database} WITH (FORCE)")


@contextmanager
def settings_of(**environment: str) -> Iterator[None]:
    """Settings for what is done meanwhile, in this process and those that are started."""
    with patch.dict(os.environ, environment):
        _forget_settings()
        try:
            yield
        finally:
            _forget_settings()


@cache
def _administration(server: EmbeddedPostgres) -> URL:
    return server.url("postgres")


def _copy(administration: URL) -> URL:
    address = administration.set(database=f"test_{secrets.token_hex(6)}")
    _administer(
        administration,
        f"CREATE DATABASE {address.database} TEMPLATE {MIGRATED} STRATEGY FILE_COPY",
    )
    if administration not in _origins:
        with _connected(address) as connection:
            _origins[administration] = origin_of(connection)
    return address


def _restorer(address: URL) -> Engine:
    """What empties a database has a session of its own there, which no test uses."""
    if address not in _restorers:
        _restorers[address] = create_engine(
            address,
            pool_size=1,
            pool_pre_ping=True,
            connect_args={"application_name": "crm_pipeline tests"},
        )
    return _restorers[address]


def _administer(administration: URL, command: str) -> None:
    with _connected(administration) as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text(command))


def _connected(address: URL) -> Connection:
    return create_engine(address, poolclass=NullPool).connect()


def _forget_settings() -> None:
    settings.cache_clear()
    engine.cache_clear()
