"""`make fleet`: one worker is killed, one stands still and comes back, Redis loses all it knew."""

import signal
import time
from pathlib import Path

from sqlalchemy import Engine

from crm_pipeline_tests.fleet.processes import (
    Fleet,
    add_accounts,
    all_are_complete,
    fleet,
    interrupted,
    none_was_processed_twice_at_once,
    rows,
    until,
)

_PROCESSING = "SELECT run_id FROM crm.sync_state WHERE state = 'Processing' AND run_id = ANY(:runs)"

_RETRIED = """
SELECT first.run_id
FROM runs AS first
JOIN run_tags AS parent ON parent.key = 'dagster/parent_run_id' AND parent.value = first.run_id
JOIN runs AS second ON second.run_id = parent.run_id
WHERE first.run_id = ANY(:runs) AND first.status = 'FAILURE' AND second.status = 'SUCCESS'
"""


def test_each_account_ends_right_whatever_host_goes(pipeline: Engine, tmp_path: Path) -> None:
    with fleet(tmp_path) as hosts, pipeline.connect() as connection:
        add_accounts(hosts, connection, connection)
        hosts.begin("killed", "still", "whole")

        def runs_of(worker: str) -> list[str]:
            """Those of its runs that are in the middle of accounts."""
            runs = list(hosts.runs_of(worker))
            return [row.run_id for row in rows(connection, _PROCESSING, runs=runs)]

        lost = until("the first worker at accounts", lambda: runs_of("killed"))
        hosts.strike("killed", signal.SIGKILL)
        away = until("the second worker at accounts", lambda: runs_of("still"))
        hosts.strike("still", signal.SIGSTOP)
        redis_restarts(hosts)
        hosts.worker_starts("new")
        retried = {*lost, *away}
        until(
            "the runs of both tried once more",
            lambda: {row.run_id for row in rows(connection, _RETRIED, runs=[*retried])} == retried,
        )
        hosts.strike("still", signal.SIGCONT)
        until("all accounts complete", lambda: all_are_complete(connection))
        until("no run left", lambda: not hosts.live_runs())

        assert hosts.records("Lead") == hosts.records("Event") == dict.fromkeys(hosts.accounts, 1)
        none_was_processed_twice_at_once(connection)
        assert interrupted(connection, lost)
        assert not interrupted(connection, away), "it had the locks, and went on"


def redis_restarts(hosts: Fleet) -> None:
    hosts.redis_stops()
    time.sleep(5)
    hosts.redis_starts()
