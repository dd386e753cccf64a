"""`make fleet`: the primary ends while workers are at accounts, and its standby takes over."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from crm_pipeline.database.engines import engine
from crm_pipeline.database.migrations import migrate
from crm_pipeline_tests.cli.conftest import Run, run
from crm_pipeline_tests.databases import settings_of
from crm_pipeline_tests.fleet.postgres_pair import PostgresPair
from crm_pipeline_tests.fleet.processes import (
    ACCOUNTS,
    LATENCY_SECONDS,
    add_accounts,
    all_are_complete,
    fleet,
    interrupted,
    none_was_processed_twice_at_once,
    rows,
    until,
)
from crm_pipeline_tests.flows.webinars.warehouse import register

__all__ = ["run"]

_ENDED = "SELECT account_id, cycle_id FROM crm.cycle WHERE state = 'Complete'"
_HALFWAY = """
SELECT run_id FROM crm.sync_state
WHERE account_id = :slow AND state = 'Processing'
AND EXISTS (SELECT FROM crm.cycle WHERE state = 'Complete')
"""
_UNDER_WAY = "SELECT account_id FROM crm.sync_state WHERE state = 'Processing'"
_PAUSE_IS_OVER = """
UPDATE crm.sync_state SET finished_at = finished_at - interval '15 minutes' WHERE state = 'Failed'
RETURNING account_id
"""
_STOPPED = """
SELECT account_id FROM crm.sync_state WHERE state = 'Failed' AND reason LIKE '%account adopt%'
"""
_NOT_DONE = "SELECT account_id FROM crm.operation WHERE state NOT IN ('done', 'superseded')"


@pytest.fixture
def pair(pipeline: Engine, server_folder: Path) -> Iterator[PostgresPair]:
    """The pipeline's and Dagster's databases are on the pair; the warehouse stays where it is."""
    made = PostgresPair(server_folder)
    try:
        addresses = {
            "PIPELINE_DATABASE_URL": made.url("pipeline"),
            "DAGSTER_DATABASE_URL": made.url("dagster"),
        }
        with settings_of(**addresses):
            migrate(engine("pipeline"), "crm")
            yield made
            engine("pipeline").dispose()
    finally:
        made.close()


def test_nothing_is_lost_where_commits_wait_for_the_standby(
    pair: PostgresPair, pipeline: Engine, tmp_path: Path
) -> None:
    pair.commits_wait_for_the_standby()
    with fleet(tmp_path) as hosts:
        with engine("pipeline").connect() as ledger, pipeline.connect() as warehouse:
            add_accounts(hosts, ledger, warehouse)
            slow = hosts.accounts[0]
            hosts.orgs.org(slow).weather.latency_seconds = 5
            hosts.begin("first", "second")
            struck = until("some done, one not", lambda: rows(ledger, _HALFWAY, slow=slow))
            ended = {*rows(ledger, _ENDED)}
            pair.fails_over()
            hosts.orgs.org(slow).weather.latency_seconds = LATENCY_SECONDS
            ledger.invalidate()
        with engine("pipeline").connect() as ledger:
            assert ended <= {*rows(ledger, _ENDED)}
            until("none in the middle", lambda: not rows(ledger, _UNDER_WAY))
            until("no run left", lambda: not hosts.live_runs())
            assert ledger.execute(text(_PAUSE_IS_OVER)).all()
            ledger.commit()
            until("all accounts complete", lambda: all_are_complete(ledger))
            until("no run left", lambda: not hosts.live_runs())
            none_was_processed_twice_at_once(ledger)
            assert interrupted(ledger, [row.run_id for row in struck])
            assert not rows(ledger, _NOT_DONE)
        assert hosts.records("Lead") == hosts.records("Event") == dict.fromkeys(hosts.accounts, 1)


def test_accounts_stop_where_the_standby_lacks_transactions_and_people_have_them_go_on(
    pair: PostgresPair, pipeline: Engine, tmp_path: Path, run: Run
) -> None:
    with fleet(tmp_path) as hosts:
        twice = dict.fromkeys(hosts.accounts, 2)
        with engine("pipeline").connect() as ledger, pipeline.connect() as warehouse:
            add_accounts(hosts, ledger, warehouse)
            hosts.begin("first", "second")
            until("all accounts complete", lambda: all_are_complete(ledger))
            until("no run left", lambda: not hosts.live_runs())
            pair.the_standby_hears_no_more()
            for number, name in enumerate(hosts.accounts, start=1):
                client = f"client-{name}"
                register(warehouse, ACCOUNTS + number, number, number, client=client, minute=30)
            warehouse.commit()
            until("what was sent last", lambda: hosts.records("Event") == twice)
            pair.fails_over()
            ledger.invalidate()
        with engine("pipeline").connect() as ledger:
            until("all stopped", lambda: len(rows(ledger, _STOPPED)) == len(hosts.accounts))
            assert hosts.records("Event") == twice
            for name in hosts.accounts:
                run("account", "adopt", name, "--yes")
            until("all accounts complete", lambda: all_are_complete(ledger))
            until("no run left", lambda: not hosts.live_runs())
            none_was_processed_twice_at_once(ledger)
            assert not rows(ledger, _NOT_DONE)
        assert hosts.records("Event") == twice
        assert hosts.records("Lead") == dict.fromkeys(hosts.accounts, 1)
