"""The time of a row from the warehouse to its activity in the org, sensor on, rows trickling."""

import random
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median, quantiles

from rich.console import Console

from benchmarks.deployment import Deployment
from benchmarks.job import person_of
from benchmarks.org import query
from benchmarks.report import write_json

_SETTLING_SECONDS = 60.0
_PATIENCE_SECONDS = 300.0
_CLOCK = timedelta(seconds=1)
"""Salesforce tells CreatedDate in whole seconds: the activity came up to one second later."""


@dataclass(frozen=True, slots=True)
class Freshness:
    """The ages of rows, in seconds, when their activities were in the org."""

    accounts: int
    rows: int
    arrived: int
    seconds: float
    median: float
    percentile_95: float
    worst: float


def measure(
    folder: Path, *, accounts: int, seconds: float, per_second: float, latency_ms: float
) -> Freshness:
    """Lets single registrations arrive for some accounts, and looks when they are in the orgs."""
    draw = random.Random(1)
    deployment = Deployment(folder, accounts, accounts, latency_ms)
    shipped: dict[int, datetime] = {}
    try:
        deployment.register_accounts()
        with deployment.daemon():
            _settle(deployment)
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                shipped |= deployment.ship([draw.randrange(accounts)], 1)
                time.sleep(draw.expovariate(per_second))
            arrived = _await(deployment, len(shipped))
    finally:
        deployment.close()
    ages = [(moment - shipped[person]).total_seconds() for person, moment in arrived.items()]
    return Freshness(
        accounts, len(shipped), len(arrived), seconds, median(ages), _percentile_95(ages), max(ages)
    )


def _settle(deployment: Deployment) -> None:
    """The daemon is up: its sensors have ticked once."""
    started = datetime.now(UTC)
    deadline = time.monotonic() + _SETTLING_SECONDS
    while not deployment.ticks(started) and time.monotonic() < deadline:
        time.sleep(0.5)


def _await(deployment: Deployment, rows: int) -> dict[int, datetime]:
    """The moment at which each person's activity was in its org, as soon as all are there."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while deployment.records()["Event"] < rows and time.monotonic() < deadline:
        time.sleep(1)
    return {
        person_of(event["Who"]["Email"]): datetime.fromisoformat(event["CreatedDate"]) + _CLOCK
        for number in range(len(deployment.accounts))
        for event in query(deployment.org_url(number), "SELECT CreatedDate, Who.Email FROM Event")
    }


def _percentile_95(ages: Sequence[float]) -> float:
    return quantiles(ages, n=20, method="inclusive")[-1]


def report(found: Freshness, console: Console, file: Path) -> None:
    """Prints what was measured, and writes it."""
    console.print(
        f"{found.accounts} accounts, {found.rows} rows in {found.seconds:g} s, "
        f"{found.arrived} activities; from shipping to the org: median {found.median:.1f} s, "
        f"95 % {found.percentile_95:.1f} s, worst {found.worst:.1f} s"
    )
    write_json(asdict(found), file)
    console.print(f"Numbers: {file}")
