"""Dagster's own storage in PostgreSQL, with a pool of connections.

dagster-postgres opens a connection for every statement: 231 in a run of five assets, two thirds
of what PostgreSQL spends on it (dagster-io/dagster#33935, #20325). `dagster.yaml` names the
class below as its `storage`; its address is that of `database_url("dagster")`, so a secret
stands neither in that file nor in the arguments by which Dagster starts its processes.
"""

import os
from collections.abc import Mapping
from typing import Any

from dagster._serdes import ConfigurableClassData
from dagster_postgres import DagsterPostgresStorage
from dagster_postgres.utils import create_pg_engine
from sqlalchemy import Engine

from crm_pipeline.database.engines import database_url

# SQLAlchemy 2.1 reads a bare postgresql:// as psycopg 3, for which dagster-postgres is not made
# (dagster-io/dagster#33958).
DRIVER = "postgresql+psycopg2"

_KEEPALIVE = {
    "connect_timeout": 10,
    "keepalives": 1,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
}


_pools: dict[str, Engine] = {}
# A child that was forked must not speak over its parent's connections.
os.register_at_fork(after_in_child=_pools.clear)


class PooledPostgresStorage(DagsterPostgresStorage):
    """Runs, events and schedules in one database, over one pool of connections per process.

    The pool outlives the instance, because a code server opens an instance for every tick.
    A connection is tried before it is used, so that a restart of PostgreSQL costs no run. The
    webserver replaces the pool by one with its own limits (`--db-pool-max-overflow`).
    """

    def __init__(self, postgres_url: str, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(
            postgres_url,
            should_autocreate_tables=postgres_url not in _pools,
            inst_data=inst_data,
        )
        if postgres_url not in _pools:
            _pools[postgres_url] = create_pg_engine(
                postgres_url,
                isolation_level="AUTOCOMMIT",
                pool_size=4,
                max_overflow=16,
                pool_recycle=900,
                pool_pre_ping=True,
                connect_args=_KEEPALIVE,
            )
        for storage in (self._run_storage, self._event_log_storage, self._schedule_storage):
            storage._engine = _pools[postgres_url]

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """No configuration of its own: the address is a setting of the installation."""
        return {}

    @classmethod
    def from_config_value(
        cls,
        inst_data: ConfigurableClassData | None,
        config_value: Mapping[str, Any],  # noqa: ARG003
    ) -> "PooledPostgresStorage":
        """The storage at DAGSTER_DATABASE_URL, or in the embedded PostgreSQL."""
        url = database_url("dagster").set(drivername=DRIVER)
        return cls(url.render_as_string(hide_password=False), inst_data=inst_data)
