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
from dagster import DagsterInstance
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

    assert instance.get_dynamic_partitions("account") == ["a", "before", "after"]


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


@pytest.fixture
def fleet_of_partitions(instance: DagsterInstance) -> Iterator[list[str]]:
    names = [f"fleet-{number}" for number in range(2_000)]
    instance.add_dynamic_partitions("fleet", names)
    yield names
    for name in instance.get_dynamic_partitions("fleet"):
        instance.delete_dynamic_partition("fleet", name)


@contextmanager
def counted_statements(instance: Any) -> Iterator[list[str]]:
    statements: list[str] = []

    def note(*of_cursor: Any) -> None:
        statements.append(of_cursor[2])

    event.listen(instance.event_log_storage._engine, "before_cursor_execute", note)
    yield statements
    event.remove(instance.event_log_storage._engine, "before_cursor_execute", note)


def test_whether_partitions_exist_is_asked_once_for_a_whole_page(instance, fleet_of_partitions):
    """For an asset's page Dagster asks of each partition of each check: 40,000 statements."""
    with counted_statements(instance) as statements:
        assert all(instance.has_dynamic_partition("fleet", name) for name in fleet_of_partitions)
    assert len(statements) <= 4


def test_a_partition_that_another_process_has_added_is_there_at_once(
    instance, fleet_of_partitions, module_pipeline
):
    assert not instance.has_dynamic_partition("fleet", "new")
    with module_pipeline.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO dynamic_partitions (partitions_def_name, partition)"
                " VALUES ('fleet', 'new')"
            )
        )
    assert instance.has_dynamic_partition("fleet", "new")


def test_a_partition_that_was_deleted_is_gone(
    instance, fleet_of_partitions, module_pipeline, monkeypatch
):
    first, second = fleet_of_partitions[:2]
    assert instance.has_dynamic_partition("fleet", first)
    instance.delete_dynamic_partition("fleet", first)
    assert not instance.has_dynamic_partition("fleet", first)
    with module_pipeline.begin() as connection:
        connection.execute(
            text("DELETE FROM dynamic_partitions WHERE partition = :name"), {"name": second}
        )
    monkeypatch.setattr("crm_pipeline.dagster_storage.PARTITIONS_SECONDS", 0.0)
    assert not instance.has_dynamic_partition("fleet", second)
