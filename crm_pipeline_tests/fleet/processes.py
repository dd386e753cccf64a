"""Redis, the daemon and workers, each a process of its own as on hosts of their own."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from dagster import DagsterInstance
from dagster_celery.tags import DAGSTER_CELERY_TASK_ID_TAG
from sqlalchemy import Connection, Row, text

from crm_pipeline.cadence.cycle_runs import LIVE
from crm_pipeline.fleet.launcher import WatchedCeleryRunLauncher
from crm_pipeline.local_org.server import LocalOrgServer
from crm_pipeline.settings import PROJECT
from crm_pipeline_tests.cycle.conftest import ORG, account_of
from crm_pipeline_tests.dagster_instances import make_home
from crm_pipeline_tests.databases import settings_of
from crm_pipeline_tests.flows.webinars.warehouse import add_person, add_sessions, register
from crm_pipeline_tests.test_deployment import VENV, free_port, running

ACCOUNTS = int(os.environ.get("FLEET_ACCOUNTS", "24"))

PATIENCE_SECONDS = 600 + 3 * ACCOUNTS
"""A lost run is taken over after minutes, and an account takes a second or two of one core."""

LATENCY_SECONDS = 0.5
"""Of each answer of the orgs, so that whoever is struck is in the middle of accounts."""

# An account's cycles one after the other; the second of two that overlap.
_AT_ONCE = """
SELECT c.account_id, c.started_at, c.before
FROM (
    SELECT
        account_id,
        started_at,
        lag(coalesce(finished_at, 'infinity')) OVER (
            PARTITION BY account_id ORDER BY cycle_id
        ) AS before
    FROM crm.cycle
) AS c
WHERE c.before > c.started_at
"""

_INTERRUPTED = """
SELECT account_id FROM crm.cycle
WHERE run_id = ANY(:runs) AND reason LIKE 'The process ended in the middle%'
"""

_NOT_COMPLETE = """
SELECT a.account_id, s.state, s.reason
FROM crm.account AS a
LEFT JOIN crm.sync_state AS s USING (account_id)
WHERE s.state IS DISTINCT FROM 'Complete'
"""


def until(what: str, look: Callable[[], Any]) -> Any:
    """The first finding of `look`; waits for it."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(1)
    pytest.fail(f"Not seen within {PATIENCE_SECONDS} seconds: {what}")


class Fleet:
    """The processes, and the accounts with an org and a registered person each.

    Attributes:
        accounts: their names.
        orgs: the orgs of the same names.
    """

    def __init__(self, stack: ExitStack, folder: Path, accounts: Sequence[str]) -> None:
        self._stack = stack
        self._folder = folder
        self._redis_port = free_port()
        self._redis: subprocess.Popen[bytes] | None = None
        self._workers: dict[str, subprocess.Popen[bytes]] = {}
        self.accounts = accounts
        self.orgs = stack.enter_context(LocalOrgServer(*({"name": n, **ORG} for n in accounts)))
        for name in accounts:
            self.orgs.org(name).weather.latency_seconds = LATENCY_SECONDS
        redis = f"redis://127.0.0.1:{self._redis_port}"
        stack.enter_context(
            settings_of(
                DAGSTER_HOME=str(_home(folder)),
                CELERY_BROKER_URL=f"{redis}/0",
                CELERY_RESULT_BACKEND=f"{redis}/1",
                CYCLE_MINUTES="1",
                SENSOR_SECONDS="5",
                CLAIM_MINUTES="4",
                ACCOUNTS_PER_RUN=str(max(3, len(accounts) // 20)),
                LOST_ANSWER_GRACE_SECONDS="0",
                RETRY_BACKOFF_SECONDS="0",
            )
        )

    def begin(self, *workers: str) -> None:
        """Starts Redis, the workers of these names and the daemon."""
        self.redis_starts()
        for name in workers:
            self.worker_starts(name)
        workspace = str(PROJECT / "workspace.yaml")
        log = self._folder / "daemon.log"
        self._stack.enter_context(running(log, "dagster-daemon", "run", "-w", workspace))

    def redis_starts(self) -> None:
        """Starts Redis, which knows nothing of what one before it knew."""
        options = ("--port", str(self._redis_port), "--save", "", "--dir", str(self._folder))
        self._redis = self._process("redis", Path("redis-server"), *options)
        self._stack.callback(_ends, self._redis)

    def redis_stops(self) -> None:
        """Stops Redis, with all that it knows."""
        assert self._redis is not None
        _ends(self._redis)

    def worker_starts(self, name: str) -> None:
        """Starts a worker that does two runs at once."""
        options = ("worker", "--concurrency", "2", "-n", f"{name}@host", "--loglevel", "INFO")
        app = ("-A", "crm_pipeline.fleet.worker")
        self._workers[name] = self._process(name, VENV / "celery", *app, *options)
        self._stack.callback(_ends, self._workers[name])

    def strike(self, worker: str, how: signal.Signals) -> None:
        """A signal to the worker and all its children, as if its host had it."""
        os.killpg(self._workers[worker].pid, how)

    def runs_of(self, worker: str) -> set[str]:
        """The runs that the worker says it is at."""
        with DagsterInstance.get() as instance:
            launcher = instance.run_launcher
            assert isinstance(launcher, WatchedCeleryRunLauncher)
            answers = launcher.celery.control.inspect(timeout=2).active() or {}
            tasks = {task["id"] for task in answers.get(f"{worker}@host", ())}
            return {
                run.run_id
                for run in instance.get_runs()
                if run.tags.get(DAGSTER_CELERY_TASK_ID_TAG) in tasks
            }

    def live_runs(self) -> list[str]:
        """The runs that Dagster takes for waiting or under way."""
        with DagsterInstance.get() as instance:
            return [run.run_id for run in instance.get_runs() if run.status in LIVE]

    def records(self, sobject: str) -> dict[str, int]:
        """How many records each org has."""
        return {name: len(self.orgs.org(name).table(sobject).rows) for name in self.accounts}

    def _process(self, name: str, program: Path, *arguments: str) -> "subprocess.Popen[bytes]":
        with (self._folder / f"{name}.log").open("ab") as output:
            return subprocess.Popen(
                [str(program), *arguments],
                cwd=self._folder,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )


@contextmanager
def fleet(folder: Path) -> Iterator[Fleet]:
    """A fleet of which nothing has begun; in the end all its processes are ended."""
    if shutil.which("redis-server") is None:
        pytest.exit("redis-server is needed (Debian: apt install redis-server).", returncode=1)
    with ExitStack() as stack:
        yield Fleet(stack, folder, [f"a{number}" for number in range(1, ACCOUNTS + 1)])


def add_accounts(fleet: Fleet, ledger: Connection, warehouse: Connection) -> None:
    """Adds the accounts, and for each a person who has registered; commits."""
    for number, name in enumerate(fleet.accounts, start=1):
        client = f"client-{name}"
        add_sessions(warehouse, number, client=client)
        add_person(warehouse, number, client=client)
        register(warehouse, number, number, number, client=client)
        account_of(ledger, fleet.orgs, name, client)
    warehouse.commit()


def rows(connection: Connection, sql: str, **values: Any) -> Sequence[Row[Any]]:
    """What a query finds, in a transaction of its own."""
    found = connection.execute(text(sql), values).all()
    connection.rollback()
    return found


def none_was_processed_twice_at_once(ledger: Connection) -> None:
    """By the ledger: no cycle of an account begins before the one before it has ended."""
    assert not rows(ledger, _AT_ONCE)


def interrupted(ledger: Connection, runs: Collection[str]) -> bool:
    """Whether a run's process ended, by the ledger, in the middle of an account."""
    return bool(rows(ledger, _INTERRUPTED, runs=[*runs]))


def all_are_complete(ledger: Connection) -> bool:
    """Whether each account is *Complete*."""
    return not rows(ledger, _NOT_COMPLETE)


def _home(folder: Path) -> Path:
    home = make_home(folder / "home")
    with (home / "dagster.yaml").open("a", encoding="utf-8") as file:
        file.write((PROJECT / "deploy/celery.yaml").read_text(encoding="utf-8"))
    return home


def _ends(process: "subprocess.Popen[bytes]") -> None:
    """Kills a process with all its children, unless it has ended."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
