"""Dagster's own storage in PostgreSQL, with a pool of connections.

dagster-postgres opens a connection for every statement: 231 in a run of five assets, two thirds
of what PostgreSQL spends on it (dagster-io/dagster#33935, #20325). `dagster.yaml` names the
class below as its `storage`; its address is that of `database_url("dagster")`, so a secret
stands neither in that file nor in the arguments by which Dagster starts its processes.
"""

import os
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dagster import (
    AssetCheckEvaluation,
    AssetCheckKey,
    DagsterEventType,
    DagsterRunStatus,
    DynamicPartitionsDefinition,
    EventLogEntry,
    PartitionsDefinition,
    RunsFilter,
)
from dagster._core.asset_graph_view.serializable_entity_subset import SerializableEntitySubset
from dagster._core.storage.asset_check_execution_record import (
    AssetCheckExecutionRecordStatus,
    AssetCheckExecutionResolvedStatus,
    AssetCheckPartitionInfo,
)
from dagster._core.storage.asset_check_state import AssetCheckState
from dagster._core.storage.dagster_run import FINISHED_STATUSES
from dagster._core.storage.event_log.schema import (
    AssetCheckExecutionsTable,
    SqlEventLogStorageTable,
)
from dagster._serdes import ConfigurableClassData, serialize_value
from dagster_postgres import DagsterPostgresStorage, PostgresEventLogStorage
from dagster_postgres.utils import create_pg_engine
from sqlalchemy import Engine, delete, make_url
from sqlalchemy.dialects.postgresql import insert

from crm_pipeline.database.engines import VARIABLES, database_url
from crm_pipeline.database.sessions import refuse_lent_connections
from crm_pipeline.postgresql_options import unless_said

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


class BatchingEventLogStorage(PostgresEventLogStorage):
    """The event log, for fleets: verdicts are stored in batches, and read as whole sets.

    Dagster stores batches of materializations so, but each verdict by six statements: for a run
    of 25 accounts that took longer than their cycles. And for an asset's page it asks of each
    partition of each check whether there is such a partition, by two statements, and makes a new
    set of all partitions for each: at 10,000 accounts that took half a minute.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Args: as Dagster's."""
        super().__init__(*args, **kwargs)
        self._tables: set[str] = set()

    def get_asset_check_state(
        self, keys: Sequence[tuple[AssetCheckKey, PartitionsDefinition | None]]
    ) -> Mapping[AssetCheckKey, AssetCheckState]:
        """Returns which partitions of each check passed, failed or are in progress."""
        partitioned = {
            key: definition
            for key, definition in keys
            if isinstance(definition, DynamicPartitionsDefinition)
        }
        states = dict(
            super().get_asset_check_state([each for each in keys if each[0] not in partitioned])
        )
        verdicts: dict[AssetCheckKey, list[AssetCheckPartitionInfo]] = defaultdict(list)
        for verdict in self.get_asset_check_partition_info(list(partitioned)):
            verdicts[verdict.check_key].append(verdict)
        existing = {
            name: frozenset(self.get_dynamic_partitions(name))
            for name in {str(definition.name) for definition in partitioned.values()}
        }
        for key, definition in partitioned.items():
            there = existing[str(definition.name)]
            of_it = [each for each in verdicts[key] if each.partition_key in there]
            state = _state(key, definition, of_it)
            ended = self._ended(list(state.in_progress_runs))
            states[key] = state.with_updates(key, definition, [], ended)
        return states

    def _ended(self, run_ids: list[str]) -> dict[str, DagsterRunStatus]:
        if not run_ids:
            return {}
        filters = RunsFilter(run_ids=run_ids, statuses=FINISHED_STATUSES)
        return {run.run_id: run.status for run in self._instance.get_runs(filters)}

    def has_table(self, table_name: str) -> bool:
        """Returns whether there is such a table; one that is there stays."""
        if table_name not in self._tables and super().has_table(table_name):
            self._tables.add(table_name)
        return table_name in self._tables

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """Stores events, in one statement for each table where all are verdicts."""
        types = {event.get_dagster_event().event_type for event in events}
        if types == {DagsterEventType.ASSET_CHECK_EVALUATION}:
            self._store_verdicts(events)
        else:
            super().store_event_batch(events)

    def _store_runless_asset_check_evaluation(
        self, event: EventLogEntry, event_id: int | None
    ) -> None:
        """Stores a verdict without a run; Dagster's own refuses a partition's second one."""
        verdict: AssetCheckEvaluation = event.get_dagster_event().asset_check_evaluation_data
        table = AssetCheckExecutionsTable.c
        former = delete(AssetCheckExecutionsTable).where(
            table.asset_key == verdict.asset_key.to_string(),
            table.check_name == verdict.check_name,
            table.run_id == event.run_id,
            table.partition.is_not_distinct_from(verdict.partition),
        )
        with self.index_connection() as connection:
            connection.execute(former)
        super()._store_runless_asset_check_evaluation(event, event_id)

    def _store_verdicts(self, events: Sequence[EventLogEntry]) -> None:
        stored = self.prepare_insert_event_batch(events).returning(SqlEventLogStorageTable.c.id)
        with self.index_transaction() as connection:
            ids = connection.execute(stored).scalars().all()
            rows = [
                self._verdict(event, storage_id)
                for event, storage_id in zip(events, ids, strict=True)
            ]
            verdicts = insert(AssetCheckExecutionsTable).values(rows)
            # A run that has planned the check has a row for it already.
            keys = ("asset_key", "check_name", "run_id", "partition")
            changed = {name: verdicts.excluded[name] for name in rows[0] if name not in keys}
            connection.execute(verdicts.on_conflict_do_update(index_elements=keys, set_=changed))

    def _verdict(self, event: EventLogEntry, storage_id: int) -> dict[str, Any]:
        evaluation: AssetCheckEvaluation = event.get_dagster_event().asset_check_evaluation_data
        target = evaluation.target_materialization_data
        status = AssetCheckExecutionRecordStatus
        return {
            "asset_key": evaluation.asset_key.to_string(),
            "check_name": evaluation.check_name,
            "partition": evaluation.partition,
            "run_id": event.run_id,
            "execution_status": (status.SUCCEEDED if evaluation.passed else status.FAILED).value,
            "evaluation_event": serialize_value(event),
            "evaluation_event_timestamp": self._event_insert_timestamp(event),  # type: ignore[no-untyped-call]
            "evaluation_event_storage_id": storage_id,
            "materialization_event_storage_id": target.storage_id if target else None,
        }


def _state(
    key: AssetCheckKey,
    definition: DynamicPartitionsDefinition,
    verdicts: Iterable[AssetCheckPartitionInfo],
) -> AssetCheckState:
    """The state of a check by the latest verdict or plan on each of its partitions."""
    found: dict[AssetCheckExecutionResolvedStatus, set[str]] = defaultdict(set)
    in_runs: dict[str, set[str]] = defaultdict(set)
    latest = 0
    resolved, recorded = AssetCheckExecutionResolvedStatus, AssetCheckExecutionRecordStatus
    for each in verdicts:
        partition = str(each.partition_key)
        materialized = each.latest_materialization_storage_id or 0
        latest = max(latest, each.latest_check_event_storage_id, materialized)
        if each.latest_execution_status == recorded.PLANNED:
            found[resolved.IN_PROGRESS].add(partition)
            in_runs[each.latest_planned_run_id].add(partition)
        elif each.is_current:
            passed = each.latest_execution_status == recorded.SUCCEEDED
            found[resolved.SUCCEEDED if passed else resolved.FAILED].add(partition)

    def subset(partitions: set[str]) -> SerializableEntitySubset[AssetCheckKey]:
        return SerializableEntitySubset(key, definition.subset_with_partition_keys(partitions))

    return AssetCheckState(
        latest_storage_id=latest,
        subsets={status: subset(found[status]) for status in resolved},
        in_progress_runs={run: subset(partitions) for run, partitions in in_runs.items()},
    )


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
                connect_args=unless_said(make_url(postgres_url), **_KEEPALIVE),
            )
        self._event_log_storage = BatchingEventLogStorage(
            postgres_url, should_autocreate_tables=False
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
        """The storage at DAGSTER_DATABASE_URL, or in the embedded PostgreSQL.

        Raises:
            PoolerError: a pooler stands before it that does not keep sessions.
        """
        url = database_url("dagster").set(drivername=DRIVER)
        if url.render_as_string(hide_password=False) not in _pools:
            refuse_lent_connections(url, VARIABLES["dagster"])
        return cls(url.render_as_string(hide_password=False), inst_data=inst_data)
