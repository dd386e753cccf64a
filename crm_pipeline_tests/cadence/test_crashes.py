"""The remains of a run that was killed or stopped."""

from typing import Any

import dagster as dg
from dagster._core.storage.partition_status_cache import get_and_update_asset_status_cache_value
from sqlalchemy import Connection, Engine, text

from crm_pipeline.cadence.cycle_runs import CYCLE_JOB, run_request
from crm_pipeline.cadence.due import claim
from crm_pipeline.cadence.partitions import ACCOUNTS
from crm_pipeline.database.statements import statement
from crm_pipeline.definitions import defs
from crm_pipeline.lineage.crashes import KILLED, close_abandoned
from crm_pipeline_tests.cadence.rows import an_account


def a_run(instance: dg.DagsterInstance, *account_ids: str, retries: int = 1) -> dg.DagsterRun:
    """A run about these accounts that Dagster has noticed to be dead, and may try again."""
    request = run_request(account_ids, "test")
    run = instance.create_run_for_job(
        defs.resolve_job_def(CYCLE_JOB),
        run_config=request.run_config,
        tags={**request.tags, "dagster/max_retries": str(retries)},
        status=dg.DagsterRunStatus.STARTED,
    )
    instance.report_run_failed(run)
    found = instance.get_run_by_id(run.run_id)
    assert found is not None
    return found


def start_cycle(connection: Connection, account: str, run: dg.DagsterRun) -> None:
    connection.execute(
        statement("ledger/start_cycle"),
        {"account_id": account, "run_id": run.run_id, "whole": True},
    )
    connection.commit()


def state(connection: Connection, account: str) -> Any:
    found = connection.execute(
        text("SELECT * FROM crm.sync_state WHERE account_id = :account"), {"account": account}
    ).one()
    connection.commit()
    return found


def test_an_account_left_in_the_middle_is_failed_with_a_reason_for_people(connection, instance):
    for account in ("left", "done", "waiting"):
        an_account(connection, account)
    connection.commit()
    claim(["left", "done", "waiting"])
    run = a_run(instance, "left", "done", "waiting", retries=0)
    start_cycle(connection, "left", run)
    start_cycle(connection, "done", run)
    connection.execute(
        text("UPDATE crm.sync_state SET state = 'Complete' WHERE account_id = 'done'")
    )
    connection.commit()

    assert close_abandoned(instance, run, KILLED) == ["left"]

    left = state(connection, "left")
    assert (left.state, left.failures_in_a_row, left.claimed_until) == ("Failed", 1, None)
    assert "The process ended in the middle" in left.reason
    assert run.run_id[:8] in left.reason
    cycles = connection.execute(
        text("SELECT account_id, state FROM crm.cycle WHERE finished_at IS NOT NULL")
    ).all()
    assert cycles == [("left", "Failed")]
    assert state(connection, "done").state == "Complete"
    assert state(connection, "waiting").claimed_until is None


def test_its_partition_shows_as_failed(connection, instance):
    for account in ("left", "waiting"):
        an_account(connection, account)
    connection.commit()
    instance.add_dynamic_partitions("account", ["left", "waiting"])
    run = a_run(instance, "left", "waiting")
    start_cycle(connection, "left", run)

    close_abandoned(instance, run, KILLED)

    cached = get_and_update_asset_status_cache_value(
        instance, dg.AssetKey("load_results"), ACCOUNTS
    )
    assert cached is not None
    with dg.partition_loading_context(dynamic_partitions_store=instance):
        failed = cached.deserialize_failed_partition_subsets(ACCOUNTS).get_partition_keys()
    assert list(failed) == ["left"]


def test_a_cycle_that_is_still_at_work_is_left_alone(connection, instance, pipeline: Engine):
    """Dagster gave the run up, but the process lives: its cycle comes to its own end."""
    an_account(connection, "a")
    connection.commit()
    run = a_run(instance, "a")
    start_cycle(connection, "a", run)
    with pipeline.connect() as holder:
        holder.execute(statement("ledger/lock_account"), {"account_id": "a"})
        assert close_abandoned(instance, run, KILLED) == []
        holder.execute(statement("ledger/unlock_account"), {"account_id": "a"})
    assert state(connection, "a").state == "Processing"


def test_an_account_that_another_run_has_taken_up_is_left_alone(connection, instance):
    an_account(connection, "a")
    connection.commit()
    dead, later = a_run(instance, "a"), a_run(instance, "a")
    start_cycle(connection, "a", dead)
    start_cycle(connection, "a", later)
    assert close_abandoned(instance, dead, KILLED) == []


def test_a_run_that_is_tried_again_keeps_its_claims(connection, instance):
    an_account(connection, "waiting")
    connection.commit()
    claim(["waiting"])
    run = a_run(instance, "waiting")
    close_abandoned(instance, run, KILLED)
    assert state(connection, "waiting").claimed_until is not None
