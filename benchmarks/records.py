"""Records of any object: calls and seconds of the small flow's badges, each with two lines."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.databases import Databases, settle
from benchmarks.installation import ACCOUNT_ID, benchmark_account, environment, in_force, register
from benchmarks.org import NAME, Org, OrgServer, org_config, query
from benchmarks.report import write_json
from crm_pipeline.cycle.cycle import sync_account
from crm_pipeline.database.engines import engine
from crm_pipeline.flows.registry import FLOWS
from crm_pipeline_tests.small_flow.badges import OBJECTS, TOPICS, Badge, badges_flow

_DATABASE = "benchmark_records"


@dataclass(frozen=True, slots=True)
class Step:
    """One cycle.

    Attributes:
        name: what the source says.
        records: that are wanted, unchanged ones among them.
        calls: API calls.
        seconds: from its start to its end.
        cpu_seconds: that this process computed meanwhile.
        written: what became of records, by topic and outcome.
    """

    name: str
    records: int
    calls: int
    seconds: float
    cpu_seconds: float
    written: dict[str, dict[str, int]]


def measure(folder: Path, rows: int, latency_ms: float) -> list[Step]:
    """Makes badges, says the same, changes a tenth, reads back, and has all of them gone.

    Raises:
        RuntimeError: a cycle did not end Complete, or the org does not have what is wanted.
    """
    server = OrgServer(folder / "orgs", [{**org_config(), "objects": OBJECTS}])
    databases = Databases(folder / "postgres")
    try:
        org, url = Org(server.url), databases.create(_DATABASE)
        register(url, [benchmark_account(org.url)])
        with in_force(environment(url)):
            engine.cache_clear()
            found = list(_steps(org, url, rows, latency_ms))
            engine("pipeline").dispose()
            engine.cache_clear()
        return found
    finally:
        server.stop()
        databases.drop(_DATABASE)
        databases.close()


def _steps(org: Org, url: str, rows: int, latency_ms: float) -> Iterator[Step]:
    badges = [Badge(number, lines={1: "first", 2: "second"}) for number in range(rows)]
    yield _step(org, "all are new", badges, latency_ms)
    _demand(org, {"Badge__c": rows, "Line__c": 2 * rows})
    settle(url)
    yield _step(org, "nothing is new", badges, latency_ms)
    tenth = [_changed(each) if each.number % 10 == 0 else each for each in badges]
    yield _step(org, "a tenth is changed", tenth, latency_ms)
    _demand(org, {"Badge__c": rows, "Line__c": 2 * rows})
    yield _step(org, "the org is read back", tenth, latency_ms, steps=frozenset(("badge_edits",)))
    gone = [replace(each, gone=True, at=2) for each in tenth]
    yield _step(org, "all are to be gone", gone, latency_ms)
    _demand(org, {"Badge__c": 0, "Line__c": 0})


def _changed(badge: Badge) -> Badge:
    return replace(badge, level=2, lines={2: "second", 3: "third"}, at=1)


def _step(
    org: Org,
    name: str,
    badges: Sequence[Badge],
    latency_ms: float,
    steps: frozenset[str] = TOPICS - {"badge_edits"},
) -> Step:
    org.count_from_here(latency_ms)
    begun, computed = time.perf_counter(), time.process_time()
    report = sync_account(
        ACCOUNT_ID, run_id="benchmark", steps=steps, flows=[*FLOWS, badges_flow(badges)]
    )
    seconds, cpu = time.perf_counter() - begun, time.process_time() - computed
    if report.state != "Complete":
        raise RuntimeError(f"{name}: {report.state}, {report.reason}")
    calls = org.statistics().api_calls
    return Step(name, 3 * len(badges), calls, seconds, cpu, report.tally.by_topic)


def _demand(org: Org, wanted: dict[str, int]) -> None:
    org.post("settings", latency_ms=0)
    there = {each: len(list(query(org.url, f"SELECT Id FROM {each}"))) for each in wanted}
    if there != wanted:
        raise RuntimeError(f"The org {NAME} has {there}, and not {wanted}")


def report(found: Sequence[Step], console: Console, file: Path) -> None:
    """Prints what was measured, and writes it."""
    table = Table("step", "records", "calls", "seconds", "CPU s", title="Records")
    for each in found:
        numbers: list[Any] = [f"{each.records:,}", each.calls]
        table.add_row(
            each.name, *map(str, numbers), f"{each.seconds:.2f}", f"{each.cpu_seconds:.2f}"
        )
    console.print(table)
    write_json({"steps": [asdict(each) for each in found]}, file)
    console.print(f"Numbers: {file}")
