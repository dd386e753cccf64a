"""dagster.yaml as it is, against a real database."""

import logging
import subprocess
import sys
import threading
from collections.abc import Iterator

import dagster as dg
import pytest
from dagster import DagsterInstance
from sqlalchemy import Engine, text
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
