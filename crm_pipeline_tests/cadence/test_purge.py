"""Dagster's log as a window of some days."""

from datetime import UTC, datetime

import dagster as dg
import pytest
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from crm_pipeline.cadence.partitions import ACCOUNTS
from crm_pipeline.cadence.purge import (
    purge,
    purge_console_log,
    purge_cycles,
    purge_history,
    purge_plans,
    purge_sendings,
)
from crm_pipeline.ledger.plans import KeptRow, keep_plan
from crm_pipeline.settings import settings
from crm_pipeline_tests.cadence.rows import an_account


@dg.asset(
    partitions_def=ACCOUNTS,
    check_specs=[dg.AssetCheckSpec("well", asset="thing", partitions_def=ACCOUNTS)],
)
def thing(context: dg.AssetExecutionContext):
    if context.partition_key == "broken":
        raise dg.Failure("broken")
    return dg.MaterializeResult(check_results=[dg.AssetCheckResult(passed=True)])


def a_run(instance: dg.DagsterInstance, connection: Connection, account: str, days: int) -> str:
    """A run about an account that ended so many days ago."""
    result = dg.materialize([thing], instance=instance, partition_key=account, raise_on_error=False)
    for table, column in {
        "runs": "update_timestamp",
        "event_logs": "timestamp",
        "asset_check_executions": "create_timestamp",
    }.items():
        connection.execute(
            text(
                f"UPDATE {table} SET {column} = now() - make_interval(days => :days)"
                " WHERE run_id = :run_id"
            ),
            {"days": days, "run_id": result.run_id},
        )
    connection.commit()
    return result.run_id


def runs(instance: dg.DagsterInstance) -> set[str]:
    return {run.run_id for run in instance.get_runs()}


@pytest.fixture
def accounts(instance: dg.DagsterInstance) -> None:
    instance.add_dynamic_partitions("account", ["busy", "idle", "broken"])


def test_old_runs_go_and_what_each_partition_shows_stays(pipeline, connection, instance, accounts):
    oldest = a_run(instance, connection, "busy", 40)
    old = a_run(instance, connection, "busy", 20)
    recent = a_run(instance, connection, "busy", 2)
    idle = a_run(instance, connection, "idle", 40)
    broken = a_run(instance, connection, "broken", 40)
    connection.execute(text("CREATE TABLE before AS SELECT run_id FROM event_logs"))
    connection.commit()

    deleted = purge(pipeline, days=14)

    assert deleted["runs"] == 2
    assert runs(instance) == {recent, idle, broken}
    gone = connection.scalars(
        text("SELECT DISTINCT run_id FROM before EXCEPT SELECT run_id FROM event_logs")
    )
    assert set(gone) == {oldest, old}
    assert deleted["verdicts"] == 2
    verdicts = connection.scalars(
        text("SELECT partition FROM asset_check_executions ORDER BY partition")
    )
    assert list(verdicts) == ["broken", "busy", "idle"]
    latest = instance.fetch_materializations(
        dg.AssetRecordsFilter(thing.key, asset_partitions=["idle"]), limit=1
    )
    assert latest.records[0].run_id == idle


def test_what_is_younger_stays(pipeline, connection, instance, accounts):
    run = a_run(instance, connection, "busy", 13)
    a_run(instance, connection, "busy", 1)
    assert purge(pipeline, days=14) == {"runs": 0, "events": 0, "verdicts": 0}
    assert run in runs(instance)


def test_an_account_that_is_gone_keeps_nothing(pipeline, connection, instance, accounts):
    a_run(instance, connection, "idle", 40)
    instance.delete_dynamic_partition("account", "idle")
    purge(pipeline, days=14)
    assert runs(instance) == set()


def test_a_run_that_has_not_ended_stays(pipeline, connection, instance, accounts):
    run = a_run(instance, connection, "busy", 40)
    a_run(instance, connection, "busy", 1)
    connection.execute(text("UPDATE runs SET status = 'STARTED' WHERE run_id = :run"), {"run": run})
    connection.commit()
    purge(pipeline, days=14)
    assert run in runs(instance)


def test_old_cycles_go_but_the_latest_of_each_account_stays(pipeline, connection):
    for account, days in (("busy", (40, 20, 2)), ("idle", (90, 40))):
        an_account(connection, account)
        for ago in days:
            connection.execute(
                text(
                    "INSERT INTO crm.cycle (account_id, run_id, state, counts, finished_at)"
                    " VALUES (:account, :run_id, 'Complete', '{\"registrations\": 1}',"
                    " now() - make_interval(days => :ago))"
                ),
                {"account": account, "run_id": str(ago), "ago": ago},
            )
    connection.commit()
    assert purge_cycles(pipeline, days=14) == 3
    left = connection.execute(text("SELECT account_id, run_id FROM crm.cycle ORDER BY 1"))
    assert [tuple(row) for row in left] == [("busy", "2"), ("idle", "40")]


def test_old_plans_go_also_where_no_other_one_is_made(pipeline, connection):
    an_account(connection, "acme")
    kept = [
        keep_plan(
            connection,
            "acme",
            [KeptRow("person:a@x.org", "a@x.org", "Lead", "create", None, [], b"", 1, b"")],
            start_at=None,
            of_some_people=False,
            org_time=datetime.now(UTC),
        )
        for _ in range(2)
    ]
    connection.execute(
        text("UPDATE crm.plan SET made_at = now() - interval '15 days' WHERE plan_id = :plan"),
        {"plan": kept[0]},
    )
    connection.commit()
    assert purge_plans(pipeline, days=14) == 1
    assert connection.scalars(text("SELECT plan_id FROM crm.plan_row")).all() == kept[1:]


FILL_VERDICTS = """
    INSERT INTO asset_check_executions (
        asset_key, check_name, partition, run_id, execution_status, create_timestamp
    )
    SELECT
        '["thing"]',
        'check ' || c,
        nullif('acct-' || a, 'acct-0'),
        'run ' || v,
        'SUCCEEDED',
        now() - make_interval(days => 40 - v)
    FROM
        generate_series(0, :accounts - 1) AS a,
        generate_series(1, :checks) AS c,
        generate_series(1, :versions) AS v
    """


def verdicts_left(connection: Connection) -> int:
    left: int = connection.execute(text("SELECT count(*) FROM asset_check_executions")).scalar_one()
    connection.rollback()
    return left


def fill_verdicts(connection: Connection, accounts: int, checks: int, versions: int) -> None:
    of = {"accounts": accounts, "checks": checks, "versions": versions}
    connection.execute(text(FILL_VERDICTS), of)
    connection.commit()


@pytest.mark.deep
def test_verdicts_of_a_fleet_are_purged_in_the_time_that_a_hash_takes(
    pipeline, connection, instance
):
    """A comparison of each with all later ones of its group took more than ten minutes."""
    fill_verdicts(connection, accounts=9_000, checks=8, versions=2)
    patient = create_engine(
        pipeline.url, connect_args={"options": "-c statement_timeout=20s"}, poolclass=NullPool
    )
    assert purge(patient, days=14)["verdicts"] == 72_000
    kept = connection.execute(
        text(
            "SELECT DISTINCT run_id, count(*) OVER (), count(*) FILTER (WHERE partition IS NULL)"
            " OVER () FROM asset_check_executions"
        )
    )
    assert [tuple(row) for row in kept] == [("run 2", 72_000, 8)]


def test_what_was_purged_before_a_failure_stays_purged(pipeline, connection, instance, monkeypatch):
    monkeypatch.setattr("crm_pipeline.cadence.purge.ROWS_AT_ONCE", 10)
    fill_verdicts(connection, accounts=5, checks=4, versions=2)
    connection.execute(
        text(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
            " 'BEGIN IF old.partition = ''acct-4'' THEN RAISE ''no''; END IF; RETURN old; END'"
        )
    )
    connection.execute(
        text(
            "CREATE TRIGGER refuse BEFORE DELETE ON asset_check_executions"
            " FOR EACH ROW EXECUTE FUNCTION refuse()"
        )
    )
    connection.commit()
    with pytest.raises(DBAPIError):
        purge(pipeline, days=14)
    assert verdicts_left(connection) == 40 - 10


def test_the_job_says_what_it_has_deleted(connection, instance, accounts):
    a_run(instance, connection, "busy", 40)
    a_run(instance, connection, "busy", 1)
    result = purge_history.execute_in_process(instance=instance)
    (output,) = [event for event in result.all_events if event.is_successful_output]
    deleted = output.step_output_data.metadata
    assert (deleted["runs"].value, deleted["cycles"].value) == (1, 0)


def test_what_find_tells_of_requests_is_kept_as_long_as_cycles(pipeline, connection):
    an_account(connection, "acme")
    for ago in (40, 2):
        connection.execute(
            text(
                "WITH s AS (INSERT INTO crm.sending (account_id, cycle_id, sobject, action,"
                " operation_ids, sent_at, ended_at) VALUES ('acme', 1, 'Lead', 'create', '{1}',"
                " now(), now() - make_interval(days => :ago))),"
                " c AS (INSERT INTO crm.candidate (account_id, operation_id, chosen, others,"
                " looked_at) VALUES ('acme', :ago, 'x', '{y}',"
                " now() - make_interval(days => :ago)))"
                " INSERT INTO crm.refusal (account_id, operation_id, cycle_id, error_code,"
                " refused_at) VALUES ('acme', 1, 1, 'E', now() - make_interval(days => :ago))"
            ),
            {"ago": ago},
        )
    connection.execute(
        text(
            "INSERT INTO crm.sending (account_id, cycle_id, sobject, action, operation_ids,"
            " sent_at) VALUES ('acme', 1, 'Lead', 'create', '{1}', '2020-01-01')"
        )
    )
    connection.commit()
    assert purge_sendings(pipeline, days=14) == 1
    assert connection.scalar(text("SELECT count(*) FROM crm.refusal")) == 1
    assert connection.scalar(text("SELECT operation_id FROM crm.candidate")) == 2
    assert connection.scalar(text("SELECT count(*) FROM crm.sending")) == 2, "one is under way"


def test_the_console_s_log_has_an_end_of_its_own(pipeline, connection):
    connection.execute(
        text(
            "INSERT INTO crm.console_log (noted_at, who, role, action, people, detail)"
            " SELECT now() - make_interval(days => ago), 'ann', 'support', 'look', '{1}', ''"
            " FROM unnest('{500,401,399,1}'::int[]) AS ago"
        )
    )
    connection.commit()
    assert purge_console_log(pipeline, settings().console_log_days) == 2
    assert connection.scalar(text("SELECT count(*) FROM crm.console_log")) == 2
