"""dagster.yaml as it is, against a real database."""

import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import dagster as dg
import pytest
from dagster import DagsterEvent, DagsterEventType, DagsterInstance
from dagster._core.definitions.asset_checks.asset_check_evaluation import (
    AssetCheckEvaluationPlanned,
    AssetCheckEvaluationTargetMaterializationData,
)
from dagster._core.definitions.partitions.context import partition_loading_context
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionResolvedStatus
from dagster._core.storage.event_log.base import EventLogStorage
from sqlalchemy import Engine, event, text
from sqlalchemy.pool import QueuePool

from crm_pipeline.dagster_storage import DRIVER, _pools
from crm_pipeline.settings import PROJECT
from crm_pipeline_tests.dagster_instances import instance_at


@pytest.fixture(scope="module")
def instance(
    module_pipeline: Engine, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[DagsterInstance]:
    with instance_at(tmp_path_factory.mktemp("dagster") / "home") as instance:
        yield instance


def test_runs_events_and_schedules_share_one_pool_over_psycopg2(instance):
    engines = {
        instance.run_storage._engine,
        instance.event_log_storage._engine,
        instance.schedule_storage._engine,
    }

    (engine,) = engines
    assert isinstance(engine.pool, QueuePool)
    assert engine.url.drivername == DRIVER == "postgresql+psycopg2"


def test_a_statement_opens_no_connection_of_its_own(instance, module_pipeline):
    def used() -> list[int]:
        instance.add_dynamic_partitions("account", ["a"])
        with module_pipeline.connect() as connection:
            return list(
                connection.scalars(
                    text(
                        "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
                        " AND application_name NOT LIKE 'crm_pipeline%' ORDER BY pid"
                    )
                )
            )

    first = used()
    assert first
    assert used() == first


def test_an_instance_opened_again_finds_the_pool_of_the_process(instance):
    """A code server opens an instance for each tick."""
    before = len(_pools)
    with DagsterInstance.from_ref(instance.get_ref()) as again:
        again.get_dynamic_partitions("account")
    assert len(_pools) == before


def test_a_lost_connection_is_replaced_before_it_is_used(instance, module_pipeline):
    instance.add_dynamic_partitions("account", ["before"])
    with module_pipeline.begin() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )

    instance.add_dynamic_partitions("account", ["after"])

    assert instance.get_dynamic_partitions("account")[-2:] == ["before", "after"]


def test_no_secret_stands_in_what_dagster_hands_to_its_processes(instance, postgres):
    password = postgres.url("postgres").password
    assert password
    assert password not in str(instance.get_ref())


def test_nothing_is_collected_and_no_logs_pile_up(instance):
    assert instance.telemetry_enabled is False
    assert instance.nux_enabled is False
    assert type(instance.compute_log_manager).__name__ == "NoOpComputeLogManager"


def test_only_a_crash_is_tried_again(instance):
    assert instance.run_retries_enabled
    assert instance.run_retries_max_retries == 1
    assert instance.run_retries_retry_on_asset_or_op_failure is False


def test_a_forked_child_opens_its_own_connections(instance):
    """Otherwise parent and child would speak over one socket."""
    program = (
        "import os\n"
        "from crm_pipeline import dagster_storage as storage\n"
        "storage._pools['x'] = 1\n"
        "child = os.fork()\n"
        "if child == 0: os._exit(len(storage._pools))\n"
        "print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), len(storage._pools))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["0", "1"]


@dg.op
def warns_from_a_thread() -> None:
    def cycle() -> None:
        log = logging.getLogger("crm_pipeline.cycle")
        log.warning("look here")
        log.info("not here")

    thread = threading.Thread(target=cycle)
    thread.start()
    thread.join()


@dg.job(executor_def=dg.in_process_executor)
def warning_job() -> None:
    warns_from_a_thread()


def test_what_the_product_warns_of_stands_in_the_runs_log_also_from_a_cycles_thread(instance):
    result = warning_job.execute_in_process(instance=instance)
    messages = [
        record.event_log_entry.user_message
        for record in instance.get_records_for_run(result.run_id).records
    ]
    assert "look here" in messages
    assert "not here" not in messages


@contextmanager
def counted_statements(instance: Any) -> Iterator[list[str]]:
    statements: list[str] = []

    def note(*of_cursor: Any) -> None:
        statements.append(of_cursor[2])

    event.listen(instance.event_log_storage._engine, "before_cursor_execute", note)
    yield statements
    event.remove(instance.event_log_storage._engine, "before_cursor_execute", note)


FLEET = dg.DynamicPartitionsDefinition(name="fleet")
CHECK = dg.AssetCheckKey(dg.AssetKey("of_a_fleet"), "holds")


@dg.job
def judging_job() -> None:
    """A job whose runs plan verdicts."""


def judge(instance: DagsterInstance, partition: str, *, passed: bool) -> None:
    materialization = dg.AssetMaterialization(CHECK.asset_key, partition=partition)
    instance.report_runless_asset_event(materialization)
    materialized = instance.get_latest_storage_id_by_partition(
        CHECK.asset_key, DagsterEventType.ASSET_MATERIALIZATION, {partition}
    )
    target = AssetCheckEvaluationTargetMaterializationData(
        storage_id=materialized[partition], run_id="", timestamp=0.0
    )
    verdict = dg.AssetCheckEvaluation(
        asset_key=CHECK.asset_key,
        check_name=CHECK.name,
        passed=passed,
        partition=partition,
        target_materialization_data=target,
    )
    instance.report_runless_asset_event(verdict)


def plan(instance: DagsterInstance, partition: str, status: dg.DagsterRunStatus) -> str:
    run = instance.create_run_for_job(judging_job, status=status)
    planned = AssetCheckEvaluationPlanned(
        asset_key=CHECK.asset_key,
        check_name=CHECK.name,
        partitions_subset=FLEET.subset_with_partition_keys([partition]),
    )
    of_the_run = DagsterEvent(
        DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED.value,
        run.job_name,
        event_specific_data=planned,
    )
    instance.report_dagster_event(of_the_run, run.run_id)
    return run.run_id


def test_verdicts_of_a_fleet_are_read_as_by_dagster_itself_but_by_few_statements(instance):
    """Dagster asks of each partition whether it exists, and copies the set of all for each."""
    good = [f"good-{number}" for number in range(20)]
    others = ["bad", "in progress", "crashed", "cancelled", "judged anew", "out of date"]
    instance.add_dynamic_partitions("fleet", [*good, *others])
    for partition in [*good, "removed"]:
        judge(instance, partition, passed=True)
    for partition in ("bad", "judged anew", "out of date"):
        judge(instance, partition, passed=False)
    judge(instance, "judged anew", passed=True)
    instance.report_runless_asset_event(
        dg.AssetMaterialization(CHECK.asset_key, partition="out of date")
    )
    running = plan(instance, "in progress", dg.DagsterRunStatus.STARTED)
    plan(instance, "crashed", dg.DagsterRunStatus.FAILURE)
    plan(instance, "cancelled", dg.DagsterRunStatus.CANCELED)
    keys = [(CHECK, FLEET), (dg.AssetCheckKey(CHECK.asset_key, "unpartitioned"), None)]
    storage = instance.event_log_storage

    with partition_loading_context(dynamic_partitions_store=instance):
        of_dagster = EventLogStorage.get_asset_check_state(storage, keys)
        with counted_statements(instance) as statements:
            ours = storage.get_asset_check_state(keys)

    assert ours == of_dagster
    found = {status: each.subset_value for status, each in ours[CHECK].subsets.items()}
    assert {status: set(each.get_partition_keys()) for status, each in found.items()} == {
        AssetCheckExecutionResolvedStatus.SUCCEEDED: {*good, "judged anew"},
        AssetCheckExecutionResolvedStatus.FAILED: {"bad"},
        AssetCheckExecutionResolvedStatus.IN_PROGRESS: {"in progress"},
        AssetCheckExecutionResolvedStatus.EXECUTION_FAILED: {"crashed"},
        AssetCheckExecutionResolvedStatus.SKIPPED: {"cancelled"},
    }
    assert set(ours[CHECK].in_progress_runs) == {running}
    assert len(statements) < len(good)
