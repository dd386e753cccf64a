"""The same job by each program, at each latency, against the same org."""

import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import foreign, installation
from benchmarks.databases import Databases, fill, fill_attendances, fill_ledger
from benchmarks.examination import Verdict
from benchmarks.org import (
    CLIENT_ID,
    CLIENT_SECRET,
    PASSWORD,
    SECURITY_TOKEN,
    USERNAME,
    Org,
    OrgServer,
)
from benchmarks.processes import ProgramError, Run, run
from benchmarks.task import Task

REGISTRATION, ATTENDANCE = "Webinar Registration", "Webinar Attendance"

WARM_UP_ROWS = 20

_TEMPLATE, _COPY = "benchmark_job", "benchmark_run"


@dataclass(frozen=True, slots=True)
class Measurement:
    """The result of one program with one job."""

    program: str
    rows: int
    latency_ms: float
    seconds: float
    cpu_seconds: float
    process_seconds: float
    peak_mb: float
    api_calls: int
    logins: int
    calls_by_kind: dict[str, int]
    rows_written: dict[str, dict[str, int]]
    verdict: Verdict | None
    """None where the org is not meant to hold the answer yet."""
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def right(self) -> bool | None:
        """Returns whether the org holds the right answer; None where there is none yet."""
        return None if self.verdict is None else self.verdict.right


class Comparison:
    """The org, the databases and the environments that all programs are measured in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ledger = 0
        """So many operations our ledger has from former cycles."""
        self._databases = Databases(folder / "postgres")
        self._server = OrgServer(folder / "org")
        self._org = Org(self._server.url)
        self._rows = 0

    def close(self) -> None:
        """Ends the org and leaves the databases."""
        self._server.stop()
        self._databases.drop(_TEMPLATE)
        self._databases.close()

    def prepare(self, rows: int) -> None:
        """Fills the warehouse with the job and the org with what it knows before."""
        self._rows = rows
        url = self._databases.create(_TEMPLATE)
        fill(url, rows)
        self._org.fill(rows)

    def measure(self, program: str, latency_ms: float) -> Iterator[Measurement]:
        """Lets a program do the prepared job, from the beginning.

        Args:
            program: one of `PROGRAMS`.
            latency_ms: how long the org takes to answer, beside the work itself.

        Yields:
            One measurement for each part of the program.

        Raises:
            ProgramError: the program ended with an error.
        """
        with self._databases.copy_of(_TEMPLATE, _COPY) as url:
            # Not in the template: a ledger that was copied is compared with the org, for a call.
            installation.register(url, [installation.benchmark_account(self._org.url)])
            if self.ledger:
                fill_ledger(url, installation.ACCOUNT_ID, self.ledger)
            self._org.make_ready(latency_ms)
            yield from PROGRAMS[program](self, self._task(program, url), latency_ms)

    @contextmanager
    def counted(
        self, program: str, latency_ms: float, subjects: Sequence[str] | None = (REGISTRATION,)
    ) -> Iterator["_Counted"]:
        """Counts what the org is asked for in the block, then examines the org."""
        self._org.count_from_here(latency_ms)
        counted = _Counted()
        databases, org = self._databases.cpu_seconds(), self._server.cpu_seconds()
        yield counted
        others = {
            "org_cpu_seconds": self._server.cpu_seconds() - org,
            "database_cpu_seconds": self._databases.cpu_seconds() - databases,
        }
        did, statistics = counted.did, self._org.statistics()
        counted.measurement = Measurement(
            program,
            self._rows,
            latency_ms,
            did.seconds,
            did.cpu_seconds,
            did.process_seconds,
            did.peak_mb,
            statistics.api_calls,
            statistics.logins,
            statistics.by_kind,
            statistics.rows_written,
            None if subjects is None else self._org.verdict(self._rows, list(subjects)),
            did.facts | others,
        )

    def _task(self, program: str, url: str) -> Task:
        folder = self.folder / "runs" / program
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return Task(
            self._rows,
            url,
            self._org.url,
            USERNAME,
            PASSWORD,
            SECURITY_TOKEN,
            CLIENT_ID,
            CLIENT_SECRET,
            str(folder),
        )


class _Counted:
    did: Run
    measurement: Measurement


def _simple(name: str) -> Callable[[Comparison, Task, float], Iterator[Measurement]]:
    def program(comparison: Comparison, task: Task, latency_ms: float) -> Iterator[Measurement]:
        with comparison.counted(name, latency_ms) as counted:
            counted.did = run(name, [sys.executable, "-m", f"benchmarks.programs.{name}"], task)
        yield counted.measurement

    return program


def _foreign(
    name: str, label: str, write_project: Callable[[Task], dict[str, str]]
) -> Callable[[Comparison, Task, float], Iterator[Measurement]]:
    def program(comparison: Comparison, task: Task, latency_ms: float) -> Iterator[Measurement]:
        python = foreign.environment(comparison.folder, name)
        variables = write_project(task)
        with comparison.counted(label, latency_ms) as counted:
            command: list[str | Path] = [python, "-m", f"benchmarks.programs.in_{name}"]
            counted.did = run(name, command, task, variables)
        yield counted.measurement

    return program


def _our_cycles(comparison: Comparison, task: Task, latency_ms: float) -> Iterator[Measurement]:
    """A first cycle; then everybody attended; then nothing is new."""
    for what, subjects in (
        ("whole cycle", (REGISTRATION,)),
        ("the same people again", (REGISTRATION, ATTENDANCE)),
        ("nothing new", (REGISTRATION, ATTENDANCE)),
    ):
        if what == "the same people again":
            fill_attendances(task.database_url, task.rows)
        with comparison.counted(f"ours: {what}", latency_ms, subjects) as counted:
            counted.did = _ours(task, "cycle")
        yield counted.measurement


def _our_loader(comparison: Comparison, task: Task, latency_ms: float) -> Iterator[Measurement]:
    """The ledger is filled, then drained: what the loader alone takes."""
    with comparison.counted("ours: warehouse to ledger", latency_ms, None) as filling:
        filling.did = _ours(task, "fill")
    yield filling.measurement
    with comparison.counted("ours: loader alone", latency_ms) as draining:
        draining.did = _ours(task, "drain")
    yield draining.measurement
    if filling.measurement.api_calls or not draining.measurement.api_calls:
        raise ProgramError("The halves of a cycle are none: the first one sent what it recorded")


def _our_plan(comparison: Comparison, task: Task, latency_ms: float) -> Iterator[Measurement]:
    """A plan of the first cycle, every record of it compared and written down."""
    with comparison.counted("ours: plan in full", latency_ms, None) as counted:
        counted.did = _ours(task, "plan")
    yield counted.measurement


def _ours(task: Task, part: str) -> Run:
    command = [sys.executable, "-m", "benchmarks.programs.ours", part]
    return run("ours", command, task, installation.environment(task.database_url))


PROGRAMS: dict[str, Callable[[Comparison, Task, float], Iterator[Measurement]]] = {
    "ours": _our_cycles,
    "loader": _our_loader,
    "plan": _our_plan,
    "glue": _simple("glue"),
    "cumulusci": _foreign("cumulusci", "CumulusCI", foreign.write_cumulusci_project),
    "drt": _foreign("drt", "drt-core", foreign.write_drt_project),
    "loop": _simple("loop"),
}
"""The programs by the name that the command line takes."""
