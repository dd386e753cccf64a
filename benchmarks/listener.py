"""The listener under load: how soon it answers, and that nothing is lost or doubled.

PostgreSQL waits for the disk as in service (fsync on), and so does the file of tombstones.
"""

import json
import statistics
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil
import requests
from rich.console import Console
from rich.table import Table
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.pool import NullPool

from benchmarks.asking import Errand, Heard
from benchmarks.databases import Databases
from benchmarks.installation import ACCOUNT_ID, benchmark_account, environment, in_force, register
from benchmarks.report import write_json
from crm_pipeline.accounts.store import get_account, update_settings
from crm_pipeline.database.embedded import free_port
from crm_pipeline.inbound.keys import make_key
from crm_pipeline.inbound.tombstones import hasher_of

_DATABASE = "benchmark_listener"
_COMMAND = Path(sysconfig.get_path("scripts")) / "crm-pipeline"

_INBOUND: dict[str, Any] = {
    "requests_per_minute": 1_000_000,
    "macros": {"forget": {"does": "erase"}},
    "listeners": {"gdpr": {"macro": "forget"}},
    "external_sources": {
        "bugs": {
            "project": "Beta",
            "feedback_type": "Bug",
            "form": {"title": {"required": True}, "details": {}},
            "mapping": {"Subject": "title", "Details": "details"},
            "default_submitter": "1",
        }
    },
}


@dataclass(frozen=True, slots=True)
class Load:
    """A listener under load.

    Attributes:
        asked: requests, repetitions among them.
        asked_a_second: as they were meant to come.
        answered_a_second: as they were accepted.
        milliseconds: of the median, 95 %, 99 % and the slowest, from when each was due.
        statuses: how often each was answered, refusals that were asked again among them.
        lost: things that were asked and are not in the queue, or had no answer at all.
        doubled: things that are there more than once, or had two different answers.
        listener_cpu: CPU seconds of the listener's processes.
        database_cpu: of PostgreSQL.
        asking_cpu: of whoever asked.
        memory_mb: that a listener's process held at the end.
    """

    asked: int
    asked_a_second: int
    answered_a_second: float
    milliseconds: dict[str, float]
    statuses: dict[str, int]
    lost: int
    doubled: int
    listener_cpu: float
    database_cpu: float
    asking_cpu: float
    memory_mb: float


def measure(
    folder: Path, *, per_second: int, seconds: float, processes: int, removals: int, repeated: int
) -> Load:
    """Asks a listener for feedback and removals at a steady pace.

    Args:
        folder: where the database's server lives.
        per_second: requests.
        seconds: for so long.
        processes: of the listener.
        removals: so many of a hundred requests.
        repeated: so many of a hundred repeat an earlier one.

    Raises:
        RuntimeError: whoever asks failed.
    """
    databases = Databases(folder / "postgres")
    try:
        url = databases.create(_DATABASE)
        register(url, [benchmark_account("https://benchmark.my.salesforce.com")])
        with in_force({**environment(url), "CRM_PIPELINE_DATA_DIR": str(folder / "listener")}):
            database = create_engine(url, poolclass=NullPool)
            people = round(per_second * seconds / 100 + 1) * removals
            with database.begin() as connection:
                key, addresses = _prepare(connection, people)
            with _listening(folder, processes) as started:
                errand = Errand(
                    "127.0.0.1",
                    [port for port, _ in started],
                    key,
                    per_second,
                    seconds,
                    addresses,
                    removals,
                    repeated,
                )
                before = databases.cpu_seconds(), _cpu(started)
                heard = _ask(errand)
                cpu = databases.cpu_seconds() - before[0], _cpu(started) - before[1]
                memory = max(process.memory_info().rss for _, process in started) / 1e6
            with database.connect() as connection:
                lost, doubled = _examined(connection, heard)
        return _load(errand, heard, lost=lost, doubled=doubled, cpu=cpu, memory=memory)
    finally:
        databases.drop(_DATABASE)
        databases.close()


def _prepare(connection: Connection, people: int) -> tuple[str, list[str]]:
    update_settings(connection, ACCOUNT_ID, {"inbound": _INBOUND})
    hasher = hasher_of(connection, get_account(connection, ACCOUNT_ID))
    addresses = [f"p{number}@example.com" for number in range(people)]
    users = [
        {"account": ACCOUNT_ID, "id": str(number), "digest": hasher.digest(address)}
        for number, address in enumerate(addresses)
    ]
    if users:
        connection.execute(
            text(
                "INSERT INTO crm.platform_user (account_id, user_id, digest, shipped_at)"
                " VALUES (:account, :id, :digest, now())"
            ),
            users,
        )
    return make_key(connection, ACCOUNT_ID), addresses


@contextmanager
def _listening(folder: Path, processes: int) -> Iterator[list[tuple[int, psutil.Process]]]:
    """The listener's processes with their ports, once they answer."""
    started: list[tuple[int, psutil.Process]] = []
    with (folder / "listener.log").open("wb") as log:
        try:
            for number in range(processes):
                port = free_port(8450 + 10 * number)
                command = [str(_COMMAND), "listen", "--port", str(port)]
                started.append((port, psutil.Popen(command, stdout=log, stderr=log)))
            for port, _ in started:
                _await(port)
            yield started
        finally:
            for _, process in started:
                process.terminate()
            psutil.wait_procs([process for _, process in started], timeout=20)


def _await(port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with suppress(requests.RequestException):
            if requests.get(f"http://127.0.0.1:{port}/health", timeout=5).ok:
                return
        time.sleep(0.1)
    raise RuntimeError(f"the listener does not answer at port {port}")


def _cpu(started: list[tuple[int, psutil.Process]]) -> float:
    return float(sum(sum(process.cpu_times()[:2]) for _, process in started))


def _ask(errand: Errand) -> Heard:
    asked = subprocess.run(
        [sys.executable, "-m", "benchmarks.asking"],
        input=json.dumps(asdict(errand)),
        capture_output=True,
        text=True,
        check=False,
    )
    if asked.returncode:
        raise RuntimeError(asked.stderr[-1_000:])
    return Heard(**json.loads(asked.stdout))


def _examined(connection: Connection, heard: Heard) -> tuple[int, int]:
    """Returns how many things are lost, and how many doubled."""
    stored = set(map(str, connection.scalars(text("SELECT request_id FROM crm.request"))))
    told = {one for ids in heard.ids.values() for one in ids}
    doubled = sum(len(set(ids)) > 1 for ids in heard.ids.values()) + len(stored - told)
    return len(told - stored) + heard.unanswered, doubled


def _load(
    errand: Errand,
    heard: Heard,
    *,
    lost: int,
    doubled: int,
    cpu: tuple[float, float],
    memory: float,
) -> Load:
    shares = statistics.quantiles(heard.milliseconds, n=100)
    found = {"50 %": shares[49], "95 %": shares[94], "99 %": shares[98]}
    found["all"] = max(heard.milliseconds)
    return Load(
        round(errand.per_second * errand.seconds),
        errand.per_second,
        round(len(heard.milliseconds) / heard.seconds, 1),
        {name: round(value, 1) for name, value in found.items()},
        {str(status): times for status, times in sorted(heard.statuses.items())},
        lost,
        doubled,
        round(cpu[1], 1),
        round(cpu[0], 1),
        round(heard.cpu_seconds, 1),
        round(memory, 1),
    )


def report(loads: list[Load], console: Console, results: Path) -> None:
    """Shows what was measured, and writes it down."""
    table = Table(
        "asked a second", "answered", "50 %", "95 %", "99 %", "slowest", "lost", "doubled"
    )
    for name in ("CPU listener", "CPU PostgreSQL", "CPU asking", "answers"):
        table.add_column(name)
    for each in loads:
        latency = [f"{value:.1f} ms" for value in each.milliseconds.values()]
        answers = ", ".join(f"{status}: {times}" for status, times in each.statuses.items())
        cpu = [f"{s:.1f} s" for s in (each.listener_cpu, each.database_cpu, each.asking_cpu)]
        table.add_row(
            str(each.asked_a_second),
            f"{each.answered_a_second:.1f}",
            *latency,
            str(each.lost),
            str(each.doubled),
            *cpu,
            answers,
        )
    console.print(table)
    write_json({"loads": [asdict(each) for each in loads]}, results)
    console.print(f"Numbers: {results}")
