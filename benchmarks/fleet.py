"""Many accounts through the real daemon: none due, some due, very many due."""

import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from benchmarks.deployment import Deployment, Tick
from benchmarks.report import write_json

SENSOR = "new_data"

_ORGS = 100
_QUIET_TICKS = 4
_PATIENCE_SECONDS = 1_200.0


@dataclass(frozen=True, slots=True)
class Quiet:
    """Ticks that found nothing to do."""

    accounts: int
    tick_seconds: list[float]
    runs: int


@dataclass(frozen=True, slots=True)
class Busy:
    """A tick that found accounts to be due, and their cycles."""

    accounts: int
    due: int
    registrations: int
    runs: int
    tick_seconds: float
    seconds_from_tick: float
    """From the beginning of the tick to the end of the last account's cycle."""
    seconds_from_shipment: float
    activities: int


def measure(
    folder: Path, *, accounts: int, few: int, many: int, each: int, latency_ms: float
) -> tuple[Quiet, list[Busy]]:
    """Starts the daemon over a table of accounts and lets rows arrive.

    Args:
        folder: for data.
        accounts: how many accounts there are.
        few: how many of them get new rows at first.
        many: how many of them get new rows after that.
        each: how many registrations an account gets.
        latency_ms: how long an org takes to answer.
    """
    deployment = Deployment(folder, accounts, min(_ORGS, accounts), latency_ms)
    try:
        deployment.register_accounts()
        with deployment.daemon():
            quiet = _quiet(deployment)
            busy = [_busy(deployment, due, each) for due in (few, many)]
    finally:
        deployment.close()
    return quiet, busy


def _quiet(deployment: Deployment) -> Quiet:
    started = datetime.now(UTC)
    ticks: list[Tick] = []
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while len(ticks) < _QUIET_TICKS and time.monotonic() < deadline:
        time.sleep(1)
        ticks = [tick for tick in deployment.ticks(started) if tick.name == SENSOR]
    return Quiet(
        len(deployment.accounts), [tick.seconds for tick in ticks], sum(tick.runs for tick in ticks)
    )


def _busy(deployment: Deployment, due: int, each: int) -> Busy:
    before = deployment.records()["Event"]
    numbers = range(due)
    shipped = min(deployment.ship(numbers, each).values())
    last = deployment.await_cycles(numbers, shipped, _PATIENCE_SECONDS)
    asking = [tick for tick in deployment.ticks(shipped) if tick.runs]
    began = asking[0].began
    return Busy(
        accounts=len(deployment.accounts),
        due=due,
        registrations=due * each,
        runs=sum(tick.runs for tick in asking),
        tick_seconds=max(tick.seconds for tick in asking),
        seconds_from_tick=(last - began).total_seconds(),
        seconds_from_shipment=(last - shipped).total_seconds(),
        activities=deployment.records()["Event"] - before,
    )


def report(quiet: Quiet, busy: list[Busy], console: Console, file: Path) -> None:
    """Prints what was measured, and writes it."""
    table = Table(title=f"{quiet.accounts:,} accounts", title_justify="left")
    headings = ("due", "runs", "tick, s", "done after the tick, s", "after the shipment, s")
    for heading in (*headings, "activities"):
        table.add_column(heading, justify="right")
    table.add_row("0", str(quiet.runs), f"{median(quiet.tick_seconds):.2f}", "", "", "")
    for each in busy:
        table.add_row(
            f"{each.due:,}",
            f"{each.runs:,}",
            f"{each.tick_seconds:.2f}",
            f"{each.seconds_from_tick:.1f}",
            f"{each.seconds_from_shipment:.1f}",
            f"{each.activities:,} of {each.registrations:,}",
        )
    console.print(table)
    write_json({"quiet": asdict(quiet), "busy": [asdict(each) for each in busy]}, file)
    console.print(f"Numbers: {file}")
