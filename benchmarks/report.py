"""Shows measurements: a table for people, JSON for programs, a plot."""

import json
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.comparison import Measurement
from benchmarks.processes import CHECKOUT

_BESIDE_THE_GLUE = ("ours: whole cycle", "ours: loader alone")
_MANY = 10_000
_DRAWN = {
    "loop": "tab:gray",
    "glue": "tab:orange",
    "CumulusCI": "tab:purple",
    "drt-core": "tab:brown",
    "ours: whole cycle": "tab:blue",
    "ours: loader alone": "tab:cyan",
    "ours: the same people again": "tab:green",
}
_RIGHT = {True: "yes", False: "[red]no[/red]", None: ""}


def fastest(measurements: Sequence[Measurement]) -> list[Measurement]:
    """Of several runs of the same, the fastest: whatever else runs on the machine only slows.

    A wrong answer counts, however fast the others were.
    """
    chosen: dict[tuple[str, int, float], Measurement] = {}
    for each in measurements:
        what = each.program, each.rows, each.latency_ms
        rival = chosen.get(what, each)
        chosen[what] = min(rival, each, key=lambda run: (run.right is not False, run.seconds))
    return list(chosen.values())


def print_table(measurements: Sequence[Measurement], console: Console) -> None:
    """Prints a table for each size: a line for each program, seconds by latency."""
    for rows in dict.fromkeys(each.rows for each in measurements):
        of_this_size = [each for each in measurements if each.rows == rows]
        latencies = sorted({each.latency_ms for each in of_this_size})
        table = Table(title=f"{rows:,} registrations", title_justify="left")
        table.add_column("program", no_wrap=True)
        table.add_column("API calls", justify="right")
        for latency in latencies:
            table.add_column(f"s, {latency:g} ms", justify="right", no_wrap=True)
        for heading in ("CPU s", "peak MB", "rows written", "second persons"):
            table.add_column(heading, justify="right")
        for heading in ("activities", "right?", "calls by kind"):
            table.add_column(heading)
        for program in dict.fromkeys(each.program for each in of_this_size):
            table.add_row(*_line([m for m in of_this_size if m.program == program], latencies))
        console.print(table)
    for line in findings(measurements):
        console.print(line)


def _line(found: Sequence[Measurement], latencies: Sequence[float]) -> tuple[str, ...]:
    seconds = {each.latency_ms: f"{each.seconds:,.2f}" for each in found}
    calls = sorted({each.api_calls for each in found})
    worst = min(found, key=lambda each: each.right is not False)
    kinds = sorted(worst.calls_by_kind.items(), key=lambda kind: -kind[1])
    return (
        worst.program,
        f"{calls[0]:,}" if len(calls) == 1 else f"{calls[0]:,}-{calls[-1]:,}",
        *(seconds.get(latency, "") for latency in latencies),
        f"{median(each.cpu_seconds for each in found):,.2f}",
        f"{max(each.peak_mb for each in found):,.0f}",
        f"{sum(sum(done.values()) for done in worst.rows_written.values()):,}",
        f"{worst.verdict.second_persons:,}" if worst.verdict else "",
        worst.verdict.activities_in_words() if worst.verdict else "",
        _RIGHT[worst.right],
        ", ".join(f"{kind} {count:,}" for kind, count in kinds),
    )


def findings(measurements: Sequence[Measurement]) -> list[str]:
    """In words: how much faster than the glue, what the ledger costs, seconds per 10,000 rows."""
    seconds = {(m.program, m.rows, m.latency_ms): m.seconds for m in measurements}
    lines = []
    for each in measurements:
        where = f"{each.rows:,} rows, {each.latency_ms:g} ms:"
        glue = seconds.get(("glue", each.rows, each.latency_ms))
        if glue is not None and each.program in _BESIDE_THE_GLUE:
            speed = glue / each.seconds
            lines.append(f"{where} {each.program} has {speed:.1f} times the speed of the glue")
        if each.program == "ours: loader alone":
            spent = each.facts["sql_seconds"]
            lines.append(
                f"{where} of the loader's {each.seconds:.2f} s the ledger took {spent:.2f}"
            )
        if each.program == "ours: whole cycle" and each.rows >= _MANY:
            by_many = each.seconds / each.rows * _MANY
            lines.append(f"{where} {by_many:.2f} s per {_MANY:,} rows")
    return lines


def write_results(measurements: Sequence[Measurement], file: Path, repeat: int) -> None:
    """Writes all that was measured of the comparison: of so many runs each, the fastest."""
    found = [{**asdict(each), "right": each.right} for each in measurements]
    write_json({"fastest_of": repeat, "measurements": found}, file)


def write_json(measured: Mapping[str, Any], file: Path) -> None:
    """Writes what was measured, and on what."""
    content = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
        "python": platform.python_version(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}",
        "load_average": os.getloadavg()[2],
        **measured,
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _commit() -> str:
    described = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    return described.stdout.strip()


def draw(measurements: Sequence[Measurement], latency_ms: float, file: Path) -> None:
    """Draws calls and seconds against rows, at one latency, all axes logarithmic.

    Raises:
        ImportError: matplotlib, of the extra `bench`, is not installed.
    """
    import_module("matplotlib").use("Agg")
    plt = import_module("matplotlib.pyplot")
    figure, axes = plt.subplots(1, 2, figsize=(12, 5.5), layout="constrained")
    drawn = [m for m in measurements if m.latency_ms == latency_ms and m.program in _DRAWN]
    for program, colour in _DRAWN.items():
        points = sorted((m.rows, m.api_calls, m.seconds) for m in drawn if m.program == program)
        style = "o-" if program.startswith("ours") else "s--"
        for place, axis in enumerate(axes, 1):
            xs, ys = [point[0] for point in points], [point[place] for point in points]
            axis.plot(xs, ys, style, color=colour, label=program)
    for axis, what in zip(axes, ("API calls", f"seconds, {latency_ms:g} ms a call"), strict=True):
        axis.set(xscale="log", yscale="log", xlabel="registrations", title=what)
        axis.grid(visible=True, which="major", alpha=0.4)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
    figure.savefig(file, dpi=120)
    plt.close(figure)
