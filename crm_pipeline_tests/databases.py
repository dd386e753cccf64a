"""Fresh databases for tests: copies of one that has been migrated, each in a few milliseconds."""

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from cryptography.fernet import Fernet
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.pool import NullPool

from crm_pipeline.database.embedded import EmbeddedPostgres
from crm_pipeline.database.engines import engine
from crm_pipeline.database.migrations import migrate
from crm_pipeline.settings import settings

MIGRATED = "migrated"


def server_in(folder: Path) -> EmbeddedPostgres:
    """The tests' server: no power cut happens in them, so it need not wait for the disk."""
    return EmbeddedPostgres(folder, {"fsync": "off", "max_connections": "400"})


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
def fresh_pipeline(server: EmbeddedPostgres, data_dir: Path) -> Iterator[Engine]:
    """A fresh database for warehouse, pipeline and Dagster, which the settings point at.

    Processes that a test starts find it as well, by the environment.
    """
    name = f"test_{secrets.token_hex(6)}"
    administration = create_engine(
        server.url("postgres"), poolclass=NullPool, isolation_level="AUTOCOMMIT"
    )
    with administration.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {MIGRATED}"))
    url = server.url(name).render_as_string(hide_password=False)
    environment = {
        "CRM_PIPELINE_DATA_DIR": str(data_dir),
        "WAREHOUSE_URL": url,
        "PIPELINE_DATABASE_URL": url,
        "DAGSTER_DATABASE_URL": url,
        "CRM_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
    }
    with patch.dict(os.environ, environment):
        _forget_settings()
        try:
            yield engine("pipeline")
        finally:
            engine("pipeline").dispose()
            engine("warehouse").dispose()
    _forget_settings()
    with administration.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


def _forget_settings() -> None:
    settings.cache_clear()
    engine.cache_clear()
