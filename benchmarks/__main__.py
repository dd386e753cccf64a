"""`python -m benchmarks`: what can be measured."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from benchmarks.comparison import PROGRAMS, WARM_UP_ROWS, Comparison, Measurement
from benchmarks.processes import CHECKOUT, ProgramError
from benchmarks.report import draw, fastest, print_table, write_results

DATA = CHECKOUT / ".data" / "bench"
_FEWEST = 10
"""Registrations: fewer do not hold all kinds of people."""

_WIDE = 200
"""Columns of a table that goes to a file."""

HERE = Path(__file__).parent

app = typer.Typer(help=__doc__, no_args_is_help=True, pretty_exceptions_enable=False)


@app.callback()
def _measure() -> None:
    """Measures the pipeline beside other ways to do the same job."""


@app.command()
def load(
    *,
    rows: Annotated[
        list[int] | None,
        typer.Option(min=_FEWEST, help="Registrations of the job (1,000); may be given again."),
    ] = None,
    loop_rows: Annotated[
        int, typer.Option(min=_FEWEST, help="Most registrations for the loop, which is slow.")
    ] = 20,
    latency: Annotated[
        list[float] | None,
        typer.Option(min=0, help="Milliseconds a call takes; may be given again."),
    ] = None,
    program: Annotated[
        list[str] | None,
        typer.Option(help=f"One of {', '.join(PROGRAMS)}; may be given again; default: all."),
    ] = None,
    curve: Annotated[
        bool, typer.Option(help="Measure smaller jobs too, at one latency, for the plot.")
    ] = True,
    repeat: Annotated[
        int, typer.Option(min=1, help="Runs of each program at each latency; the fastest counts.")
    ] = 1,
    ledger: Annotated[
        int, typer.Option(min=0, help="Operations that our ledger has from former cycles.")
    ] = 0,
    results: Annotated[
        Path, typer.Option(help="Where the numbers go; the plot goes beside it.")
    ] = HERE / "results.json",
) -> None:
    """Load the same job into the same org by each program, and compare."""
    sizes = rows or [1_000]
    latencies = latency or [0.0, 20.0, 50.0, 100.0]
    programs = program or list(PROGRAMS)
    if unknown := set(programs) - set(PROGRAMS):
        raise typer.BadParameter(f"there is no program {', '.join(unknown)}")
    curve_latency = 50.0 if 50.0 in latencies else latencies[-1]
    plan = dict.fromkeys(sizes, latencies)
    if curve:
        smaller = [max(sizes) // 16, max(sizes) // 4]
        plan = {s: [curve_latency] for s in smaller if s >= WARM_UP_ROWS} | plan
    quick = [each for each in programs if each != "loop"]
    jobs = [(size, chosen, quick) for size, chosen in plan.items() if quick]
    if "loop" in programs:
        most = min(*sizes, loop_rows)
        if curve and most // 2 >= _FEWEST:
            jobs.append((most // 2, [curve_latency], ["loop"]))
        jobs.append((most, latencies, ["loop"]))
        jobs.sort(key=lambda job: job[0])
    load_before = os.getloadavg()[0]
    measurements: list[Measurement] = []
    console = _console()
    comparison = Comparison(DATA)
    try:
        with Progress(console=Console(stderr=True), transient=True) as bars:
            _warm_up(comparison, programs, bars)
            comparison.ledger = ledger
            for size, chosen, by in jobs:
                measurements += _job(comparison, size, chosen * repeat, by, bars)
    except ProgramError as failed:
        typer.echo(str(failed), err=True)
        raise typer.Exit(1) from None
    finally:
        comparison.close()
    measurements = fastest(measurements)
    print_table(measurements, console)
    _warn_of_others(console, load_before)
    write_results(measurements, results, repeat)
    console.print(f"Numbers: {results}")
    plot = results.with_suffix(".png")
    try:
        draw(measurements, curve_latency, plot)
    except ImportError:
        console.print("No plot: install the extra first (pip install -e '.[bench]')")
    else:
        console.print(f"Plot: {plot}")


@app.command()
def fleet(
    *,
    accounts: Annotated[int, typer.Option(min=1, help="Accounts in the table.")] = 1_000,
    few: Annotated[int, typer.Option(min=1, help="Accounts that are due first.")] = 10,
    many: Annotated[int, typer.Option(min=1, help="Accounts that are due after that.")] = 100,
    each: Annotated[int, typer.Option(min=1, help="Registrations of an account.")] = 10,
    latency: Annotated[float, typer.Option(min=0, help="Milliseconds a call takes.")] = 50,
    results: Annotated[Path, typer.Option(help="Where the numbers go.")] = HERE / "fleet.json",
) -> None:
    """Let the real daemon serve many accounts: none due, few due, many due."""
    from benchmarks.fleet import measure, report

    if max(few, many) > accounts:
        raise typer.BadParameter(f"only {accounts} accounts can be due")
    quiet, busy = measure(
        DATA, accounts=accounts, few=few, many=many, each=each, latency_ms=latency
    )
    report(quiet, busy, _console(), results)


@app.command()
def freshness(
    *,
    accounts: Annotated[int, typer.Option(min=1, help="Accounts that get rows.")] = 20,
    seconds: Annotated[float, typer.Option(min=1, help="How long rows trickle.")] = 60,
    per_second: Annotated[float, typer.Option(min=0.01, help="Rows a second, of all.")] = 1,
    latency: Annotated[float, typer.Option(min=0, help="Milliseconds a call takes.")] = 50,
    results: Annotated[Path, typer.Option(help="Where the numbers go.")] = HERE / "freshness.json",
) -> None:
    """Measure how long a row takes from the warehouse to the org, with the sensor on."""
    from benchmarks.freshness import measure, report

    found = measure(
        DATA, accounts=accounts, seconds=seconds, per_second=per_second, latency_ms=latency
    )
    report(found, _console(), results)


@app.command()
def records(
    *,
    rows: Annotated[int, typer.Option(min=10, help="Badges, each with two lines.")] = 300,
    latency: Annotated[float, typer.Option(min=0, help="Milliseconds a call takes.")] = 50,
    results: Annotated[Path, typer.Option(help="Where the numbers go.")] = HERE / "records.json",
) -> None:
    """Measure records of any object: new, unchanged, changed, read back, gone."""
    from benchmarks.records import measure, report

    report(measure(DATA, rows, latency), _console(), results)


@app.command()
def leads(
    *,
    rows: Annotated[int, typer.Option(min=10, help="Tracked leads.")] = 10_000,
    latency: Annotated[
        list[float] | None,
        typer.Option(min=0, help="Milliseconds a call takes; may be given again."),
    ] = None,
    results: Annotated[Path, typer.Option(help="Where the numbers go.")] = HERE / "leads.json",
) -> None:
    """Measure tracked leads in a mixed org, beside a hand-written glue for the same job."""
    from benchmarks.leads import measure, report

    load_before = os.getloadavg()[0]
    report(measure(DATA, rows, latency or [0.0, 50.0]), _console(), results)
    _warn_of_others(_console(), load_before)


@app.command()
def engagement(
    *,
    rows: Annotated[int, typer.Option(min=10, help="Prospects; six in ten are known.")] = 10_000,
    each: Annotated[int, typer.Option(min=1, help="Tags of each prospect, and scores.")] = 3,
    pages: Annotated[int, typer.Option(min=0, help="Pages of each; only ours keeps them.")] = 0,
    route: Annotated[str, typer.Option(help="How ours travels: composite, bulk or auto.")] = "auto",
    locks: Annotated[
        bool, typer.Option(help="Ours in an org that locks parents, beside one that does not.")
    ] = False,
    latency: Annotated[
        list[float] | None,
        typer.Option(min=0, help="Milliseconds a call takes; may be given again."),
    ] = None,
    results: Annotated[Path, typer.Option(help="Where the numbers go.")] = HERE / "engagement.json",
) -> None:
    """Bring prospects to an org by our cycles and by a hand-written glue.

    Exit status 1 for more calls, or more memory, than promised. Memory: --rows 100000 --pages 20.
    """
    from benchmarks.engagement import MOST_REPEATED, Size, measure, repeated, report

    load_before = os.getloadavg()[0]
    size = Size(rows, each, pages, route, contacts=locks)
    latencies = latency or ([20.0] if locks else [0.0, 50.0])
    found = measure(DATA, size, latencies, ["ours"] if pages or locks else ["glue", "ours"])
    few = report(found, size, _console(), results)
    if locks:
        locked = measure(DATA, replace(size, locks=True), latencies, ["ours"])
        report(locked, size, _console(), results.with_stem(f"{results.stem}-locks"))
        share = repeated(found, locked)
        _console().print(f"Calls made again since parents were locked: {share:.1%}")
        few = few and share <= MOST_REPEATED
    _warn_of_others(_console(), load_before)
    if not few:
        typer.echo("More API calls, or more memory, than promised.", err=True)
        raise typer.Exit(1)


@app.command()
def opportunities(
    *,
    rows: Annotated[int, typer.Option(min=10, help="Opportunities of the org.")] = 10_000,
    latency: Annotated[
        list[float] | None,
        typer.Option(min=0, help="Milliseconds a call takes; may be given again."),
    ] = None,
    results: Annotated[Path, typer.Option(help="Where the numbers go.")] = HERE
    / "opportunities.json",
) -> None:
    """Read opportunities back by our cycle and by a hand-written glue, in turn."""
    from benchmarks.opportunities import measure, report

    load_before = os.getloadavg()[0]
    report(measure(DATA, rows, latency or [0.0, 50.0]), _console(), results)
    _warn_of_others(_console(), load_before)


@app.command()
def page(
    *,
    partitions: Annotated[int, typer.Option(min=1, help="Accounts.")] = 10_000,
    results: Annotated[Path, typer.Option(help="Where the numbers go.")] = HERE / "page.json",
) -> None:
    """Ask Dagster's webserver for each asset's page, over many accounts."""
    from benchmarks.page import measure, report

    load_before = os.getloadavg()[0]
    report(measure(DATA, partitions), _console(), results)
    _warn_of_others(_console(), load_before)


@app.command()
def size(
    *,
    operations: Annotated[int, typer.Option(min=1, help="Activities that wait.")] = 400_000,
    members: Annotated[int, typer.Option(min=1, help="Members of campaigns.")] = 1_000_000,
    accounts: Annotated[int, typer.Option(min=1, help="Accounts with verdicts.")] = 9_000,
    results: Annotated[Path, typer.Option(help="Where the numbers go.")] = HERE / "size.json",
) -> None:
    """Ask a large ledger what ticks, cycles and checks ask of it, and purge a fleet's verdicts."""
    from benchmarks.size import measure, report

    load_before = os.getloadavg()[0]
    report(measure(DATA, operations, members, accounts), _console(), results)
    _warn_of_others(_console(), load_before)


@app.command()
def growth(
    *,
    accounts: Annotated[int, typer.Option(min=1, help="Accounts, with default settings.")] = 20,
    rounds: Annotated[int, typer.Option(min=1, help="So often rows arrive for all.")] = 4,
    each: Annotated[int, typer.Option(min=1, help="Registrations an account gets.")] = 10,
    results: Annotated[Path, typer.Option(help="Where the numbers go.")] = HERE / "growth.json",
) -> None:
    """Measure what a cycle with news adds to each table, Dagster's and ours."""
    from benchmarks.growth import measure, report

    report(measure(DATA, accounts=accounts, rounds=rounds, each=each), _console(), results)


@app.command()
def listener(
    *,
    per_second: Annotated[
        list[int] | None, typer.Option(min=1, help="Requests a second; may be given again.")
    ] = None,
    seconds: Annotated[float, typer.Option(min=1, help="For so long, at each pace.")] = 60,
    processes: Annotated[int, typer.Option(min=1, help="Processes of the listener.")] = 1,
    removals: Annotated[
        int, typer.Option(min=0, max=40, help="Of a hundred requests, those that remove somebody.")
    ] = 5,
    repeated: Annotated[
        int, typer.Option(min=0, max=40, help="Of a hundred requests, those made before.")
    ] = 10,
    results: Annotated[Path, typer.Option(help="Where the numbers go.")] = HERE / "listener.json",
) -> None:
    """Ask the listener at a steady pace: how soon it answers, and that nothing is lost."""
    from benchmarks.listener import measure, report

    load_before = os.getloadavg()[0]
    loads = [
        measure(
            DATA,
            per_second=pace,
            seconds=seconds,
            processes=processes,
            removals=removals,
            repeated=repeated,
        )
        for pace in per_second or [100, 500]
    ]
    report(loads, _console(), results)
    _warn_of_others(_console(), load_before)
    if any(each.lost or each.doubled for each in loads):
        raise typer.Exit(1)


@app.command()
def console(
    *,
    accounts: Annotated[int, typer.Option(min=501, help="Accounts.")] = 1_000,
    operations: Annotated[int, typer.Option(min=10_000, help="In the ledger.")] = 1_000_000,
    times: Annotated[int, typer.Option(min=1, help="So often each page is asked for.")] = 10,
    results: Annotated[Path, typer.Option(help="Where the numbers go.")] = HERE / "console.json",
) -> None:
    """Ask for each page of the console, over many accounts and operations."""
    from benchmarks.console import measure, report

    load_before = os.getloadavg()[0]
    pages = measure(DATA, accounts=accounts, operations=operations, times=times)
    report(pages, _console(), results)
    _warn_of_others(_console(), load_before)


@app.command()
def startup(
    *,
    times: Annotated[int, typer.Option(min=1, help="So often each; the quickest counts.")] = 5,
    results: Annotated[Path, typer.Option(help="Where the numbers go.")] = HERE / "startup.json",
) -> None:
    """Start the definitions beside Dagster's own modules, and each command's help."""
    from benchmarks.startup import commands, measure, report

    load_before = os.getloadavg()[0]
    report(measure(times, commands()), _console(), results)
    _warn_of_others(_console(), load_before)


def _warn_of_others(console: Console, load: float) -> None:
    if load > (os.cpu_count() or 1) / 2:
        console.print(
            f"Other programs were busy (load average {load:.1f} before): the seconds are too high."
        )


def _console() -> Console:
    console = Console()
    return console if console.is_terminal else Console(width=_WIDE)


def _warm_up(comparison: Comparison, programs: list[str], bars: Progress) -> None:
    """Lets each program run once unmeasured: installed, compiled, in the disk's cache."""
    bar = bars.add_task("warming up", total=len(programs))
    comparison.prepare(WARM_UP_ROWS)
    for each in programs:
        for _ in comparison.measure(each, 0):
            pass
        bars.advance(bar)


def _job(
    comparison: Comparison, rows: int, latencies: list[float], programs: list[str], bars: Progress
) -> list[Measurement]:
    bar = bars.add_task(f"{rows:,} registrations", total=len(latencies) * len(programs))
    comparison.prepare(rows)
    found: list[Measurement] = []
    for turn, latency in enumerate(latencies):
        # The order alternates, so that none always comes first.
        for each in programs if turn % 2 == 0 else reversed(programs):
            bars.update(bar, description=f"{rows:,} registrations, {latency:g} ms: {each}")
            found += comparison.measure(each, latency)
            bars.advance(bar)
    bars.remove_task(bar)
    return found


if __name__ == "__main__":
    app()
