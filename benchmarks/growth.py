"""What a cycle with news of one account leaves in each table: rows, bytes, and Dagster's events."""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.databases import connect
from benchmarks.deployment import Deployment
from benchmarks.report import write_json

_SQL = Path(__file__).with_name("sql")
_PATIENCE_SECONDS = 600.0
_SETTLED_SECONDS = 5.0
"""A run ends a moment after its last cycle, and PostgreSQL's counters come a second later."""


@dataclass(frozen=True, slots=True)
class Grown:
    """A table, or a kind of Dagster's events: what it grew by, for each cycle.

    Bytes of a table are those on the disk, with its indexes; of events, those of their text.
    """

    name: str
    rows: float
    bytes: float


@dataclass(frozen=True, slots=True)
class Growth:
    """What grew in so many cycles, those that grew most first."""

    cycles: int
    tables: list[Grown]
    events: list[Grown]


def measure(folder: Path, *, accounts: int, rounds: int, each: int) -> Growth:
    """Lets rows arrive for all accounts, again and again, while the real daemon runs.

    Args:
        folder: for data.
        accounts: so many, with the settings that an account has by default.
        rounds: so often; one before them is not counted.
        each: how many registrations an account gets in each round.
    """
    deployment = Deployment(folder, accounts, accounts, 0)
    try:
        deployment.register_accounts()
        with deployment.daemon():
            _round(deployment, each)
            tables, events = _read(deployment, "growth"), _read(deployment, "growth_of_events")
            for _ in range(rounds):
                _round(deployment, each)
            cycles = accounts * rounds
            return Growth(
                cycles,
                _grown(tables, _read(deployment, "growth"), cycles),
                _grown(events, _read(deployment, "growth_of_events"), cycles),
            )
    finally:
        deployment.close()


def _round(deployment: Deployment, each: int) -> None:
    numbers = range(len(deployment.accounts))
    shipped = min(deployment.ship(numbers, each).values())
    deployment.await_cycles(numbers, shipped, _PATIENCE_SECONDS)
    time.sleep(_SETTLED_SECONDS)


def _read(deployment: Deployment, name: str) -> dict[str, tuple[int, int]]:
    """Rows and bytes by name."""
    with connect(deployment.url, autocommit=True) as connection:
        rows = connection.execute((_SQL / f"{name}.sql").read_bytes())
        return {str(row[0]): (int(row[1]), int(row[2])) for row in rows}


def _grown(
    before: Mapping[str, tuple[int, int]], after: Mapping[str, tuple[int, int]], cycles: int
) -> list[Grown]:
    grown = []
    for name, (rows, size) in after.items():
        rows_before, size_before = before.get(name, (0, 0))
        if rows > rows_before or size > size_before:
            found = Grown(name, (rows - rows_before) / cycles, (size - size_before) / cycles)
            grown.append(found)
    return sorted(grown, key=lambda one: -one.bytes)


def report(growth: Growth, console: Console, file: Path) -> None:
    """Prints what was measured, and writes it."""
    for title, found in (("table", growth.tables), ("event", growth.events)):
        table = Table(title, title=f"Each of {growth.cycles} cycles", title_justify="left")
        for heading in ("rows", "kB"):
            table.add_column(heading, justify="right")
        for one in found:
            table.add_row(one.name, f"{one.rows:.2f}", f"{one.bytes / 1000:.2f}")
        console.print(table)
    write_json(asdict(growth), file)
    console.print(f"Numbers: {file}")
