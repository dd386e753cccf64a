"""Prospects: the first cycles of an org of which six in ten are known, beside a hand-written glue.

Each prospect has three tags and three scores, unless asked otherwise. Both programs bring the same
to the org; the glue keeps nothing for a next time. Further steps are ours alone: nothing is new,
scores that changed.
"""

import resource
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from sqlalchemy import create_engine, text

from benchmarks import job
from benchmarks.databases import Databases, settle
from benchmarks.installation import ACCOUNT_ID, benchmark_account, environment, in_force, register
from benchmarks.org import (
    CLIENT_ID,
    CLIENT_SECRET,
    NAME,
    PASSWORD,
    SECURITY_TOKEN,
    USERNAME,
    Org,
    OrgServer,
    org_config,
    query,
)
from benchmarks.programs.engagement_glue import load
from benchmarks.report import write_json
from benchmarks.task import Task
from crm_pipeline.accounts.engagement import EngagementSettings
from crm_pipeline.accounts.store import update_settings
from crm_pipeline.cycle.cycle import collect_rarely, sync_account
from crm_pipeline.database.engines import engine
from crm_pipeline.flows.engagement.following import SAID_IN_A_CYCLE
from crm_pipeline.report import CycleReport
from crm_pipeline.sample.org_objects import objects_of_org

_DATABASE = "benchmark_engagement"

CHANGED = 100
"""Prospects that change a score."""

MOST_REPEATED = 0.05
"""Share of the calls that may be repeated where parents are locked."""

MOST_CALLS = {"composite": 150, "bulk": 60}
"""API calls that 10,000 prospects may take the first time, by route."""

MOST_MB = 400
"""Memory that this process may take, with all that the benchmark itself takes of it."""

_ROWS = """
INSERT INTO warehouse.tag_definition (client_id, tag_id, name, shipped_at)
SELECT :client, 't' || n, 'Tag ' || n, :at FROM generate_series(1, :each) AS n;
INSERT INTO warehouse.score_definition (client_id, score_id, name, shipped_at)
SELECT :client, 's' || n, 'Score ' || n, :at FROM generate_series(1, :each) AS n;
INSERT INTO warehouse.prospect (
    client_id, prospect_id, email, first_name, last_name, company, phone, temperature, visits,
    life_cycle, shipped_at
)
SELECT
    :client, 'p' || n, 'p' || n || '@x.example', 'First', 'Last' || n, 'Acme', '+49 30 ' || n,
    n % 100, n % 7, 'Active', :at
FROM generate_series(1, :rows) AS n;
INSERT INTO warehouse.prospect_tag (client_id, prospect_id, tag_id, times, shipped_at)
SELECT :client, 'p' || n, 't' || t, 1, :at
FROM generate_series(1, :rows) AS n, generate_series(1, :each) AS t;
INSERT INTO warehouse.prospect_score (client_id, prospect_id, score_id, value, shipped_at)
SELECT :client, 'p' || n, 's' || s, n, :at
FROM generate_series(1, :rows) AS n, generate_series(1, :each) AS s;
INSERT INTO warehouse.prospect_page (
    client_id, page_id, prospect_id, kind, url, title, visited_at, shipped_at
)
SELECT
    :client, 'v' || n || '-' || v, 'p' || n, 'page visit', 'https://x.example/' || v, 'Page', :at,
    :at
FROM generate_series(1, :rows) AS n, generate_series(1, :pages) AS v
"""

_CHANGE = """
UPDATE warehouse.prospect_score SET value = -1, shipped_at = now()
WHERE score_id = 's1' AND CAST(substr(prospect_id, 2) AS integer) <= :changed
"""


@dataclass(frozen=True, slots=True)
class Work:
    """One program's step.

    Attributes:
        program: ours, or the glue.
        step: what there is to do.
        rows: records that are written.
        latency_ms: of a call.
        calls: API calls.
        seconds: from start to end.
        cpu_seconds: that the process computed meanwhile.
        database_cpu_seconds: that PostgreSQL did.
        org_cpu_seconds: that the local org did.
        peak_mb: of this process until then, the benchmark's own among it.
    """

    program: str
    step: str
    rows: int
    latency_ms: float
    calls: int
    seconds: float
    cpu_seconds: float
    database_cpu_seconds: float
    org_cpu_seconds: float
    peak_mb: float

    @property
    def per_ten_thousand(self) -> float:
        """Seconds for 10,000 records."""
        return self.seconds * 10_000 / self.rows if self.rows else 0.0


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is, and how ours is to travel.

    Attributes:
        prospects: six in ten are known to the org.
        each: tags of each, and as many scores.
        pages: of each.
        route: by which ours travels.
        contacts: whether each other one of these is a Contact; else all are Leads.
        locks: whether writing a child locks its parent in the org.
    """

    prospects: int
    each: int = 3
    pages: int = 0
    route: str = "auto"
    contacts: bool = False
    locks: bool = False


@dataclass(frozen=True, slots=True)
class Stage:
    """The parts that all work shares."""

    org: Org
    server: OrgServer
    databases: Databases
    folder: Path
    size: Size


def measure(
    folder: Path, size: Size, latencies: Sequence[float], programs: Sequence[str]
) -> list[Work]:
    """Has the programs do the job, each from the beginning, at each latency.

    Raises:
        RuntimeError: the org does not have in the end what is wanted.
    """
    collect_rarely()
    needed = EngagementSettings(pages=True).org_objects
    objects = objects_of_org(needed, locking=size.contacts)
    server = OrgServer(folder / "orgs", [{**org_config(), "objects": objects}])
    databases = Databases(folder / "postgres")
    try:
        stage = Stage(Org(server.url), server, databases, folder, size)
        return [
            each
            for latency in latencies
            for program in programs
            for each in _measured(stage, latency, program)
        ]
    finally:
        server.stop()
        databases.drop(_DATABASE)
        databases.close()


def _measured(stage: Stage, latency_ms: float, program: str) -> list[Work]:
    url = stage.databases.create(_DATABASE)
    register(url, [benchmark_account(stage.org.url)])
    _fill(stage.org, url, stage.size)
    with in_force(environment(url)):
        engine.cache_clear()
        try:
            steps = _ours(url, stage.size) if program == "ours" else _glue(stage, url)
            return [_timed(stage, latency_ms, program, step) for step in steps]
        finally:
            for which in ("pipeline", "warehouse"):
                engine(which).dispose()
            engine.cache_clear()


def _timed(stage: Stage, latency_ms: float, program: str, step: "_Step") -> Work:
    name, rows, work = step
    stage.org.count_from_here(latency_ms)
    stage.org.post("settings", lock_parents=stage.size.locks)
    begun, computed = time.perf_counter(), _computed(stage)
    work()
    seconds = time.perf_counter() - begun
    ours, database, org = (
        after - before for before, after in zip(computed, _computed(stage), strict=True)
    )
    calls = stage.org.statistics().api_calls
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    _examine(stage.org, stage.size)
    return Work(program, name, rows, latency_ms, calls, seconds, ours, database, org, peak)


def _computed(stage: Stage) -> tuple[float, float, float]:
    """The CPU seconds of this process, of PostgreSQL, and of the local org."""
    return time.process_time(), stage.databases.cpu_seconds(), stage.server.cpu_seconds()


_Step = tuple[str, int, Callable[[], object]]


def _ours(url: str, size: Size) -> Iterator[_Step]:
    def twice() -> None:
        _cycle()
        _cycle()  # Says at the prospects that their Leads have all of it.

    def until_all_is_there() -> None:
        twice()
        if size.prospects > SAID_IN_A_CYCLE:
            while _cycle().tally.overall("create"):
                pass
            _cycle()

    yield "all are new", _written(size), until_all_is_there
    settle(url)
    yield "nothing is new", 0, _cycle
    database = create_engine(url)
    with database.begin() as connection:
        connection.execute(text(_CHANGE), {"changed": min(CHANGED, size.prospects * 6 // 10)})
    database.dispose()
    yield "scores changed", 2 * min(CHANGED, size.prospects * 6 // 10), twice


def _cycle() -> CycleReport:
    report = sync_account(ACCOUNT_ID, run_id="benchmark")
    if report.state != "Complete":
        raise RuntimeError(f"{report.state}: {report.reason}")
    if report.counts.exhausted:
        raise RuntimeError(f"{report.counts.exhausted} operations are exhausted")
    return report


def _glue(stage: Stage, url: str) -> Iterator[_Step]:
    secrets = (USERNAME, PASSWORD, SECURITY_TOKEN, CLIENT_ID, CLIENT_SECRET)
    task = Task(stage.size.prospects, url, stage.org.url, *secrets, str(stage.folder))
    yield "all are new", _written(stage.size), lambda: load(task)


def _written(size: Size) -> int:
    """Records of prospects, of what they have, and of the same at six in ten of them."""
    given = 2 * size.each + size.pages
    matched = size.prospects * 6 // 10
    return size.prospects * (1 + given) + matched * (1 + given) + matched


def _fill(org: Org, url: str, size: Size) -> None:
    """Six in ten are known to the org."""
    org.post("reset")
    matched = size.prospects * 6 // 10
    for start in range(1, matched + 1, 5_000):
        numbers = range(start, min(start + 5_000, matched + 1))
        people = [{"LastName": "L", "Email": f"p{n}@x.example"} for n in numbers]
        contacts = people[1::2] if size.contacts else []
        leads = [{**each, "Company": "C"} for each in (people[::2] if contacts else people)]
        org.post("seed", Lead=leads, Contact=contacts)
    database = create_engine(url)
    with database.begin() as connection:
        chosen = {"pages": size.pages > 0}
        settings = {"engagement": chosen, "route": size.route, "read_back_minutes": 0}
        update_settings(connection, ACCOUNT_ID, settings)
        shipped = {
            "client": job.CLIENT,
            "rows": size.prospects,
            "each": size.each,
            "pages": size.pages,
        }
        for each in _ROWS.split(";"):
            connection.execute(text(each.replace(":at", "now() - interval '1 hour'")), shipped)
    database.dispose()
    settle(url)


def _examine(org: Org, size: Size) -> None:
    """Raises `RuntimeError` unless all is there, once."""
    org.post("settings", latency_ms=0, lock_parents=False)
    matched = size.prospects * 6 // 10
    contacts = matched // 2 if size.contacts else 0
    for sobject, number in (
        ("Prospect__c", size.prospects),
        ("SW_Prospect_Tag__c", size.prospects * size.each),
        ("Prospect_Score__c", size.prospects * size.each),
        ("SW_Tag_Segment_Trigger__c", matched * size.each),
        ("Prospect_Score_Instance__c", matched * size.each),
        ("Lead WHERE Prospect_Id__c != null", matched - contacts),
        ("Contact WHERE Prospect_Id__c != null", contacts),
    ):
        [counted] = query(org.url, f"SELECT COUNT(Id) n FROM {sobject}")
        there = counted["n"]
        if there != number:
            raise RuntimeError(f"The org {NAME} has {there} {sobject}, and not {number}")


def report(found: Sequence[Work], size: Size, console: Console, file: Path) -> bool:
    """Prints what was measured, and writes it.

    Returns:
        Whether calls are as few, and memory is as little, as promised.
    """
    columns = ("program", "step", "records", "latency, ms", "calls", "seconds", "CPU s")
    further = ("PostgreSQL CPU s", "org CPU s", "s / 10,000", "peak MB")
    table = Table(*columns, *further, title=f"{size.prospects:,} prospects")
    for each in found:
        table.add_row(
            each.program,
            each.step,
            f"{each.rows:,}",
            f"{each.latency_ms:g}",
            str(each.calls),
            f"{each.seconds:.2f}",
            f"{each.cpu_seconds:.2f}",
            f"{each.database_cpu_seconds:.2f}",
            f"{each.org_cpu_seconds:.2f}",
            f"{each.per_ten_thousand:.2f}",
            f"{each.peak_mb:.0f}",
        )
    console.print(table)
    numbers: dict[str, Any] = {"work": [asdict(each) for each in found], "size": asdict(size)}
    write_json(numbers, file)
    console.print(f"Numbers: {file}")
    ours = [each.calls for each in found if (each.program, each.step) == ("ours", "all are new")]
    allowed = MOST_CALLS.get(size.route, MOST_CALLS["composite"]) * max(1, size.prospects // 10_000)
    is_promised = size.each == 3 and not size.pages
    is_small = all(each.peak_mb <= MOST_MB for each in found if each.program == "ours")
    return is_small and (not is_promised or all(calls <= allowed for calls in ours))


def repeated(free: Sequence[Work], locked: Sequence[Work]) -> float:
    """Returns the share of calls that were made again since parents were locked."""
    numbers = [
        sum(each.calls for each in found if each.step == "all are new") for found in (free, locked)
    ]
    return max(0.0, numbers[1] / numbers[0] - 1)
