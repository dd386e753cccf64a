"""How soon things start: the definitions beside Dagster's own modules, and each command's help."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table
from typer.main import get_command

from benchmarks.processes import CHECKOUT, ProgramError
from benchmarks.report import write_json

_DAGSTER = "import dagster, dagster_postgres"
"""What each process of Dagster's imports that loads a code location and has its storage."""

_OURS = "import dagster, dagster_postgres, crm_pipeline.definitions"


@dataclass(frozen=True, slots=True)
class Start:
    """The quickest of some starts of a process, from its start to its end."""

    what: str
    seconds: float
    cpu_seconds: float
    """Of the process itself."""


def measure(times: int, commands: Sequence[str]) -> list[Start]:
    """Starts Dagster's modules alone, then with the definitions, then asks commands for their help.

    Args:
        times: so often each; the quickest counts.
        commands: those that are asked, the empty one for the whole command line.

    Raises:
        ProgramError: one of them ended with an error.
    """
    program = Path(sys.executable).with_name("crm-pipeline")
    started = [
        _quickest(name, [sys.executable, "-c", code], times)
        for name, code in (("Dagster", _DAGSTER), ("definitions", _OURS))
    ]
    for name in commands:
        command = [str(program), *name.split(), "--help"]
        started.append(_quickest(f"crm-pipeline {name} --help".replace("  ", " "), command, times))
    return started


def commands() -> list[str]:
    """Returns the whole command line, as an empty name, and each command of its first level."""
    from crm_pipeline.cli.app import app

    command = get_command(app)
    return ["", *sorted(getattr(command, "commands", {}))]


def report(started: Sequence[Start], console: Console, file: Path) -> None:
    """Prints what was measured, and writes it."""
    dagster, ours, *asked = started
    table = Table("process", "s", "CPU s")
    slowest = max(asked, key=lambda each: each.seconds)
    for each in (dagster, ours, asked[0], slowest):
        table.add_row(each.what, f"{each.seconds:.2f}", f"{each.cpu_seconds:.2f}")
    console.print(table)
    adds = ours.seconds - dagster.seconds
    of_it = ours.cpu_seconds - dagster.cpu_seconds
    console.print(
        f"The definitions add {adds:.2f} s (CPU {of_it:.2f}) to the {dagster.seconds:.2f} s of "
        f"`{_DAGSTER}`; of {len(asked)} commands, {slowest.what!r} takes longest."
    )
    write_json({"starts": [asdict(each) for each in started]}, file)
    console.print(f"Numbers: {file}")


def _quickest(what: str, command: Sequence[str], times: int) -> Start:
    # The modules are compiled once, as they are where they are installed.
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
    _start(what, command, environment)
    starts = [_start(what, command, environment) for _ in range(times)]
    return min(starts, key=lambda each: each.seconds)


def _start(what: str, command: Sequence[str], environment: dict[str, str]) -> Start:
    begun = time.perf_counter()
    process = subprocess.Popen(
        command,
        cwd=CHECKOUT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begun
    if status:
        raise ProgramError(f"{what} failed (status {status})")
    process.returncode = 0
    return Start(what, seconds, usage.ru_utime + usage.ru_stime)
