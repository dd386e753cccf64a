"""Ticks of the schedule and the sensors, as the daemon evaluates them, on a real instance."""

from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from pydantic import ValidationError
from sqlalchemy import text

from crm_pipeline.cadence.cycle_runs import (
    CYCLE_JOB,
    CYCLE_OP,
    LIVE,
    accounts_in_runs,
    run_request,
)
from crm_pipeline.cadence.partitions import account_partitions, partition_changes
from crm_pipeline.cadence.ticks import _cron, ask, schedule_of_accounts, sensor_of_news
from crm_pipeline.definitions import defs
from crm_pipeline.settings import Settings, settings
from crm_pipeline_tests.cadence.rows import (
    LONG_AGO,
    a_shipped_person,
    a_state,
    an_account,
    an_idle_account,
    an_operation,
)


def asked_for(requests: list[dg.RunRequest]) -> list[list[str]]:
    """The accounts of each run, sorted."""
    found = []
    for request in requests:
        if request.partition_key:
            found.append([request.partition_key])
        else:
            found.append(sorted(request.run_config["ops"][CYCLE_OP]["config"]["account_ids"]))
    return sorted(found)


def the_schedule(instance: dg.DagsterInstance) -> list[dg.RunRequest] | None:
    """The runs of a tick; None where it is skipped with a reason."""
    context = dg.build_schedule_context(
        instance=instance,
        scheduled_execution_time=datetime.now(UTC),
        repository_def=defs.get_repository_def(),
    )
    with dg.partition_loading_context(dynamic_partitions_store=instance):
        tick = schedule_of_accounts(15).evaluate_tick(context)
    return None if tick.skip_message else list(tick.run_requests or ())


def the_sensor(instance: dg.DagsterInstance) -> list[dg.RunRequest] | None:
    """The runs of a tick; None where it is skipped with a reason."""
    context = dg.build_sensor_context(instance=instance, repository_def=defs.get_repository_def())
    with dg.partition_loading_context(dynamic_partitions_store=instance):
        tick = sensor_of_news(20).evaluate_tick(context)
    return None if tick.skip_message else list(tick.run_requests or ())


def test_the_schedule_asks_for_all_that_have_something_to_do(connection, instance):
    an_account(connection, "new")
    an_idle_account(connection, "idle")
    an_idle_account(connection, "retrying")
    an_operation(connection, "retrying", "person:1", state="failed")
    an_account(connection, "broken")
    a_state(connection, "broken", "Failed", failures_in_a_row=1)
    connection.commit()

    requests = the_schedule(instance)

    assert requests is not None
    assert asked_for(requests) == [["broken"], ["new", "retrying"]]
    assert the_schedule(instance) is None


def test_the_sensor_asks_only_for_what_cannot_wait(connection, instance):
    an_idle_account(connection, "retrying")
    an_operation(connection, "retrying", "person:1", state="failed")
    an_idle_account(connection, "newsy")
    a_shipped_person(connection, "newsy", 1, LONG_AGO + timedelta(seconds=1))
    connection.commit()

    requests = the_sensor(instance)

    assert requests is not None
    assert asked_for(requests) == [["newsy"]]
    assert the_sensor(instance) is None


def test_many_accounts_go_out_in_chunks(connection, instance, monkeypatch):
    monkeypatch.setenv("ACCOUNTS_PER_RUN", "4")
    settings.cache_clear()
    for number in range(10):
        an_account(connection, f"a{number}")
    connection.commit()

    requests = ask(instance, "test", only_urgent=False)

    assert sorted(len(chunk) for chunk in asked_for(requests)) == [3, 3, 4]


def test_the_partition_of_a_new_account_is_made_before_it_is_asked_for(connection, instance):
    an_account(connection, "a")
    connection.commit()
    (request,) = ask(instance, "test", only_urgent=False)
    assert request.partition_key == "a"
    assert instance.get_dynamic_partitions("account") == ["a"]


def test_what_waits_in_the_queue_is_not_asked_for_again_even_when_its_claim_ends(
    connection, instance
):
    for account in ("one", "two", "three"):
        an_account(connection, account)
    connection.commit()
    job = defs.resolve_job_def(CYCLE_JOB)
    for accounts in (["one"], ["two", "three"]):
        request = run_request(accounts, "test")
        partition = {"dagster/partition": request.partition_key} if request.partition_key else {}
        instance.create_run_for_job(
            job,
            run_config=request.run_config,
            tags={**request.tags, **partition},
            status=dg.DagsterRunStatus.NOT_STARTED,
        )
    assert accounts_in_runs(instance, LIVE) == frozenset(("one", "two", "three"))

    assert ask(instance, "test", only_urgent=False) == []


@pytest.mark.parametrize(
    ("minutes", "cron"), [(15, "*/15 * * * *"), (1, "*/1 * * * *"), (60, "0 * * * *")]
)
def test_the_pace_of_the_schedule(minutes, cron):
    assert _cron(minutes) == cron


@pytest.mark.parametrize(
    ("enabled", "existing", "in_flight", "add", "remove"),
    [
        (["a"], [], set(), ["a"], []),
        ([], ["a"], set(), [], ["a"]),
        ([], ["a", "b"], {"a"}, [], ["b"]),
        (["b"], ["a"], None, ["b"], []),
        (["a"], ["a"], {"a"}, [], []),
    ],
)
def test_how_partitions_follow_the_accounts(enabled, existing, in_flight, add, remove):
    assert partition_changes(enabled, existing, in_flight) == (add, remove)


def step_partitions(instance: dg.DagsterInstance) -> None:
    """A tick of the sensor, with what the daemon does of it."""
    context = dg.build_sensor_context(instance=instance, repository_def=defs.get_repository_def())
    result = account_partitions(context)
    if isinstance(result, dg.SensorResult):
        for request in result.dynamic_partitions_requests or ():
            name = request.partitions_def_name
            if isinstance(request, dg.AddDynamicPartitionsRequest):
                instance.add_dynamic_partitions(name, request.partition_keys)
            else:
                for key in request.partition_keys:
                    instance.delete_dynamic_partition(name, key)


def test_an_account_that_is_disabled_leaves_when_no_run_is_about_it(connection, instance):
    for account in ("a", "b"):
        an_account(connection, account)
    connection.commit()
    step_partitions(instance)
    assert instance.get_dynamic_partitions("account") == ["a", "b"]

    run = instance.create_run_for_job(
        defs.resolve_job_def(CYCLE_JOB), tags={"dagster/partition": "a"}, status=LIVE[-1]
    )
    connection.execute(text("UPDATE crm.account SET enabled = false"))
    connection.commit()
    step_partitions(instance)
    assert instance.get_dynamic_partitions("account") == ["a"]

    instance.delete_run(run.run_id)
    step_partitions(instance)
    assert instance.get_dynamic_partitions("account") == []


def test_when_the_accounts_cannot_be_read_no_partition_is_removed(connection, instance):
    an_account(connection, "a")
    connection.commit()
    step_partitions(instance)
    connection.execute(text("ALTER TABLE crm.account RENAME TO lost"))
    connection.commit()

    with pytest.raises(Exception, match=r"crm\.account"):
        step_partitions(instance)

    assert instance.get_dynamic_partitions("account") == ["a"]


def test_a_pace_that_does_not_divide_the_hour_is_refused():
    assert Settings(cycle_minutes=20).cycle_minutes == 20
    with pytest.raises(ValidationError, match="must divide 60"):
        Settings(cycle_minutes=25)
