"""A whole deployment: databases, local orgs, many accounts, the real daemon."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests
from dagster import DagsterInstance
from dagster._core.scheduler.instigation import TickStatus

from benchmarks import installation, job
from benchmarks.databases import Databases, connect, copy, settle
from benchmarks.org import OrgServer, org_config
from benchmarks.processes import CHECKOUT
from crm_pipeline.accounts.account import Account, AccountSettings

_DATABASE = "benchmark_fleet"
_SQL = Path(__file__).with_name("sql")
_STOP_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Tick:
    """One evaluation of a sensor or a schedule."""

    name: str
    began: datetime
    seconds: float
    runs: int


class Deployment:
    """Accounts `a00000`, ..., each with a client and a session of the same number.

    The accounts share some orgs: an account knows nothing of the others, and a hundred orgs
    need less memory than thousands.
    """

    def __init__(self, folder: Path, accounts: int, orgs: int, latency_ms: float) -> None:
        self.accounts = [f"a{number:05d}" for number in range(accounts)]
        self._home = folder / "dagster"
        shutil.rmtree(self._home, ignore_errors=True)
        self._home.mkdir(parents=True)
        for file in ("dagster.yaml", "workspace.yaml"):
            shutil.copy(CHECKOUT / file, self._home)
        names = [f"org-{number:03d}" for number in range(orgs)]
        configs = [{**org_config(name), "latency_ms": latency_ms} for name in names]
        self._databases = Databases(folder / "postgres")
        self.url = self._databases.create(_DATABASE)
        self._server = OrgServer(folder / "orgs", configs)
        self._org_urls = [f"{self._server.url}/{name}" for name in names]
        self._people = 0

    def close(self) -> None:
        """Ends the orgs, drops the database."""
        self._server.stop()
        self._databases.drop(_DATABASE)
        self._databases.close()

    def org_url(self, number: int) -> str:
        """The org of an account, by the account's number."""
        return self._org_urls[number % len(self._org_urls)]

    def register_accounts(self) -> None:
        """Stores accounts, clients and sessions, as after a cycle that found nothing."""
        now = datetime.now(UTC)
        numbers = range(len(self.accounts))
        with connect(self.url) as connection:
            copy(connection, "client", ((each, each) for each in self.accounts))
            for table in ("event", "event_session"):
                copy(connection, table, (self._session(table, n, now) for n in numbers))
        made = (
            Account(each, each, f"Client {each}", self.org_url(n), True, AccountSettings())
            for n, each in enumerate(self.accounts)
        )
        installation.register(self.url, made)
        program = Path(sys.executable).with_name("crm-pipeline")
        command: list[str | Path] = [program, "cycle", self.accounts[0]]
        subprocess.run(
            command, env=self._environment(), cwd=self._home, check=True, capture_output=True
        )
        with connect(self.url) as connection:
            statement = (_SQL / "as_after_an_empty_cycle.sql").read_text(encoding="utf-8")
            connection.execute(statement.encode(), {"model": self.accounts[0]})
        settle(self.url)

    def ship(self, accounts: Iterable[int], each: int) -> dict[int, datetime]:
        """Lets rows arrive in the warehouse: registrations of new people.

        Args:
            accounts: numbers of accounts.
            each: how many registrations an account gets.

        Returns:
            When each person was shipped, by the person's number.
        """
        now = datetime.now(UTC)
        rows = []
        for account in accounts:
            for _ in range(each):
                rows.append((self._people, account))
                self._people += 1
        with connect(self.url) as connection:
            copy(
                connection,
                "person",
                (job.person_row(person, self.accounts[a], now) for person, a in rows),
            )
            copy(
                connection,
                "registration",
                (job.registration_row(person, self.accounts[a], a, now) for person, a in rows),
            )
        return {person: now for person, _ in rows}

    @contextmanager
    def daemon(self) -> Iterator[None]:
        """The daemon runs, with its code server, sensors and schedules, as long as the block."""
        program = Path(sys.executable).with_name("dagster-daemon")
        with (self._home / "daemon.log").open("wb") as log:
            process = subprocess.Popen(
                [program, "run", "-w", "workspace.yaml"],
                cwd=self._home,
                env=self._environment(),
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            yield
        finally:
            process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                process.wait(_STOP_SECONDS)
            # Its code server and the workers of unfinished runs are in its group.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def await_cycles(self, accounts: Sequence[int], since: datetime, seconds: float) -> datetime:
        """Waits until these accounts have ended a cycle that began after a moment.

        Returns:
            When the last of them ended.

        Raises:
            TimeoutError: they did not, within the seconds; it says how far they came.
        """
        wanted = {"accounts": [self.accounts[n] for n in accounts], "since": since}
        statement = (_SQL / "ended.sql").read_text(encoding="utf-8").encode()
        deadline = time.monotonic() + seconds
        with connect(self.url, autocommit=True) as connection:
            while True:
                ended = {row[0]: row[1:] for row in connection.execute(statement, wanted)}
                last: datetime
                complete, last = ended.get("Complete", (0, since))
                if complete == len(accounts):
                    return last
                if time.monotonic() > deadline:
                    raise TimeoutError(f"After {seconds:g} s: {ended} of {len(accounts)} accounts")
                time.sleep(0.5)

    def ticks(self, since: datetime) -> list[Tick]:
        """The evaluations that ended since then, oldest first."""
        with self._instance() as instance:
            found = [
                Tick(
                    state.instigator_name,
                    datetime.fromtimestamp(tick.timestamp, UTC),
                    (tick.end_timestamp or tick.timestamp) - tick.timestamp,
                    len(tick.run_ids),
                )
                for state in instance.all_instigator_state()
                for tick in instance.get_ticks(
                    state.instigator_origin_id,
                    state.selector_id,
                    after=since.timestamp(),
                    statuses=[TickStatus.SUCCESS, TickStatus.SKIPPED],
                )
            ]
        return sorted(found, key=lambda tick: tick.began)

    def records(self) -> dict[str, int]:
        """The number of records that all orgs hold together, by object."""
        total: dict[str, int] = {}
        for org in requests.get(f"{self._server.url}/_admin/orgs", timeout=60).json():
            for sobject, number in org["objects"].items():
                total[sobject] = total.get(sobject, 0) + number
        return total

    def _session(self, table: str, number: int, now: datetime) -> tuple[Any, ...]:
        client = self.accounts[number]
        if table == "event":
            return (number, client, "Benchmark", now, now, now)
        return (number, number, client, "Benchmark", now, now, now)

    @contextmanager
    def _instance(self) -> Iterator[DagsterInstance]:
        with (
            installation.in_force(installation.environment(self.url)),
            DagsterInstance.from_config(str(self._home)) as instance,
        ):
            yield instance

    def _environment(self) -> dict[str, str]:
        own = installation.environment(self.url)
        return {**os.environ, **own, "DAGSTER_HOME": str(self._home)}
