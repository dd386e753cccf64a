"""Connections to the three databases: the warehouse, the pipeline's own, Dagster's."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Literal

import orjson
from pydantic import SecretStr
from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool

from crm_pipeline.database.errors import tell_no_values
from crm_pipeline.database.sessions import DatabaseSession
from crm_pipeline.database.warehouses import warehouse_at
from crm_pipeline.postgresql_options import unless_said
from crm_pipeline.settings import settings

Database = Literal["warehouse", "pipeline", "dagster"]

VARIABLES: dict[Database, str] = {
    "warehouse": "WAREHOUSE_URL",
    "pipeline": "PIPELINE_DATABASE_URL",
    "dagster": "DAGSTER_DATABASE_URL",
}

_KEEPALIVE = {
    "keepalives": 1,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "connect_timeout": 10,
}


def database_url(which: Database) -> URL:
    """Address of one of the databases; those not set live in the embedded PostgreSQL.

    The pipeline's own tables default to the warehouse's database (schema `crm`), if PostgreSQL.
    """
    chosen = settings()
    configured: dict[str, SecretStr | None] = {
        "warehouse": chosen.warehouse_url,
        "pipeline": chosen.own_database_url,
        "dagster": chosen.dagster_database_url,
    }
    secret = configured[which]
    if secret is None:
        from crm_pipeline.database.embedded import embedded_url

        return embedded_url("dagster" if which == "dagster" else "crm_pipeline")
    return make_url(secret.get_secret_value())


@cache
def engine(which: Literal["warehouse", "pipeline"]) -> Engine:
    """The pooled engine of a database; sessions speak UTC (the warehouse: its declared zone).

    Connecting raises `PoolerError` where a pooler stands before the database that does not keep
    a session together.
    """
    timezone = settings().warehouse_timezone if which == "warehouse" else "UTC"
    if which == "warehouse" and settings().warehouse_dialect != "postgresql":
        return warehouse_at(database_url(which), settings().accounts_at_once, timezone)
    return engine_at(which, database_url(which), settings().accounts_at_once, timezone)


@cache
def engine_at(
    which: Literal["warehouse", "pipeline"], url: URL, accounts_at_once: int, timezone: str
) -> Engine:
    """As `engine`, by what it is made of, so that settings that are read anew find it as it is."""
    from psycopg.types.json import set_json_loads

    from crm_pipeline.database.dumpers import writing_adapters
    from crm_pipeline.database.loaders import reading_adapters, take_arrays_apart
    from crm_pipeline.database.prepared import connect

    # The ledger's JSON is read in bulk, and psycopg reads JSON several times slower.
    set_json_loads(orjson.loads)
    made = create_engine(
        url.set(drivername="postgresql+psycopg"),
        pool_size=accounts_at_once + 2,
        max_overflow=accounts_at_once,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args={
            **unless_said(url, **_KEEPALIVE, application_name=f"crm_pipeline {which}"),
            "context": reading_adapters() if which == "warehouse" else writing_adapters(),
        },
    )
    session = DatabaseSession(timezone, VARIABLES[which])
    if which == "pipeline":
        event.listen(made, "do_connect", connect)
    # Before SQLAlchemy looks at the server, which a pooler may refuse in words of its own.
    event.listen(made, "connect", session.begin, insert=True)
    if which == "warehouse":
        event.listen(made, "connect", take_arrays_apart)
    tell_no_values(made)
    return made


@contextmanager
def dagster_storage() -> Iterator[Engine]:
    """Dagster's own database, for the length of a `with` block; no connection is kept."""
    url = database_url("dagster").set(drivername="postgresql+psycopg")
    made = create_engine(url, poolclass=NullPool, hide_parameters=True)
    tell_no_values(made)
    try:
        yield made
    finally:
        made.dispose()
