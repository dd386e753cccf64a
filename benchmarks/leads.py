"""Tracked leads: the first cycle of a mixed org, beside a hand-written glue for the same job.

Both know callers by their number in whatever spelling; the glue keeps nothing for a next time.
"""

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
from benchmarks.programs.leads_glue import load
from benchmarks.report import write_json
from benchmarks.task import Task
from crm_pipeline.accounts.store import update_settings
from crm_pipeline.cycle.cycle import collect_rarely, sync_account
from crm_pipeline.database.engines import engine

_DATABASE = "benchmark_leads"

FIELDS = ("Tracker_Id__c", "First_Source__c", "First_Gclid__c", "Last_Source__c", "Last_Gclid__c")

ATTRIBUTION = {
    "id_field": "Tracker_Id__c",
    "first_touch": {"source": "First_Source__c", "gclid": "First_Gclid__c"},
    "last_touch": {"source": "Last_Source__c", "gclid": "Last_Gclid__c"},
    "phone_region": "DE",
    "triggers": [],
}

_LEADS = """
INSERT INTO warehouse.tracked_lead (
    lead_id, client_id, kind, happened_at, contact_name, company_name, email, phone, source,
    gclid, shipped_at
)
SELECT
    n, :client, CASE WHEN n % 5 = 0 THEN 'call' ELSE 'form' END, now() - interval '1 day',
    'First Last' || n, 'Acme', CASE WHEN n % 5 > 0 THEN 'p' || n || '@example.com' END,
    '+49 30 ' || 1000000 + n, 'google', 'g' || n, now() - interval '1 hour'
FROM generate_series(1, :rows) AS n
"""


@dataclass(frozen=True, slots=True)
class Job:
    """One program's first reading of so many leads."""

    program: str
    rows: int
    latency_ms: float
    calls: int
    seconds: float
    cpu_seconds: float


def measure(folder: Path, rows: int, latencies: Sequence[float]) -> list[Job]:
    """Has both programs do the job, each from the beginning, at each latency.

    Raises:
        RuntimeError: the org does not have in the end what is wanted.
    """
    collect_rarely()
    fields = {"fields": {name: {"type": "string", "length": 255} for name in FIELDS}}
    config = {**org_config(), "objects": {"Lead": fields, "Contact": fields}}
    server = OrgServer(folder / "orgs", [config])
    databases = Databases(folder / "postgres")
    try:
        org = Org(server.url)
        _measured(org, databases, folder, 20, 0)
        return [
            each
            for latency in latencies
            for each in _measured(org, databases, folder, rows, latency)
        ]
    finally:
        server.stop()
        databases.drop(_DATABASE)
        databases.close()


def _measured(
    org: Org, databases: Databases, folder: Path, rows: int, latency_ms: float
) -> list[Job]:
    return list(_programs(org, databases, folder, rows, latency_ms))


def _programs(
    org: Org, databases: Databases, folder: Path, rows: int, latency_ms: float
) -> Iterator[Job]:
    for name in ("glue", "ours"):
        url = databases.create(_DATABASE)
        register(url, [benchmark_account(org.url)])
        _fill(org, url, rows)
        org.count_from_here(latency_ms)
        with in_force(environment(url)):
            engine.cache_clear()
            work = _ours if name == "ours" else _glue(org, url, folder, rows)
            begun, computed = time.perf_counter(), _computed(databases)
            work()
            seconds, cpu = time.perf_counter() - begun, _computed(databases) - computed
            for which in ("pipeline", "warehouse"):
                engine(which).dispose()
            engine.cache_clear()
        calls = org.statistics().api_calls
        _examine(org, rows)
        yield Job(name, rows, latency_ms, calls, seconds, cpu)


def _computed(databases: Databases) -> float:
    """The CPU seconds of this process and of PostgreSQL."""
    return time.process_time() + databases.cpu_seconds()


def _ours() -> None:
    report = sync_account(ACCOUNT_ID, run_id="benchmark")
    if report.state != "Complete":
        raise RuntimeError(f"{report.state}: {report.reason}")


def _glue(org: Org, url: str, folder: Path, rows: int) -> Callable[[], None]:
    secrets = (USERNAME, PASSWORD, SECURITY_TOKEN, CLIENT_ID, CLIENT_SECRET)
    task = Task(rows, url, org.url, *secrets, str(folder))
    return lambda: load(task)


def _fill(org: Org, url: str, rows: int) -> None:
    """Six in ten are in the org: by their address, or callers by their number."""
    org.post("reset")
    known = [n for n in range(1, rows + 1) if n % 10 < 6]
    people = [
        {"LastName": "Old", "Phone": f"(030) {1_000_000 + n}"}
        | ({"Email": f"p{n}@example.com"} if n % 5 else {})
        for n in known
    ]
    org.post("seed", Lead=[{**each, "Company": "Old"} for each in people[::2]])
    org.post("seed", Contact=people[1::2])
    database = create_engine(url)
    with database.begin() as connection:
        update_settings(connection, ACCOUNT_ID, {"attribution": ATTRIBUTION})
        connection.execute(text(_LEADS), {"client": job.CLIENT, "rows": rows})
    database.dispose()
    settle(url)


def _examine(org: Org, rows: int) -> None:
    """Raises `RuntimeError` unless everybody is there once, with the own touch."""
    org.post("settings", latency_ms=0)
    told = [
        (each["Tracker_Id__c"], each["First_Gclid__c"], each["Last_Gclid__c"])
        for sobject in ("Lead", "Contact")
        for each in query(org.url, f"SELECT {', '.join(FIELDS)} FROM {sobject}")
    ]
    wanted = [(str(n), f"g{n}", f"g{n}") for n in range(1, rows + 1)]
    if sorted(told, key=repr) != sorted(wanted, key=repr):
        raise RuntimeError(f"The org {NAME} has {len(told)} people, not {rows} with their touches")


def report(found: Sequence[Job], console: Console, file: Path) -> None:
    """Prints what was measured, and writes it."""
    table = Table("program", "leads", "latency, ms", "calls", "seconds", "CPU s", title="Leads")
    for each in found:
        table.add_row(
            each.program,
            f"{each.rows:,}",
            f"{each.latency_ms:g}",
            str(each.calls),
            f"{each.seconds:.2f}",
            f"{each.cpu_seconds:.2f}",
        )
    console.print(table)
    numbers: dict[str, Any] = {"jobs": [asdict(each) for each in found]}
    write_json(numbers, file)
    console.print(f"Numbers: {file}")
