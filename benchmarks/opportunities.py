"""Opportunities that come back: our cycle and a hand-written glue, one after the other."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from sqlalchemy import Connection

from benchmarks.databases import Databases, connect, settle
from benchmarks.installation import ACCOUNT_ID, benchmark_account, environment, in_force, register
from benchmarks.org import PASSWORD, SECURITY_TOKEN, USERNAME, Org, OrgServer, org_config
from benchmarks.programs.plainly import log_in
from benchmarks.programs.values_glue import REGION, TABLES, tell
from benchmarks.report import write_json
from benchmarks.task import Task
from crm_pipeline.accounts.account import AccountSettings
from crm_pipeline.accounts.attribution import AttributionSettings
from crm_pipeline.cycle.cycle import collect_rarely, sync_account
from crm_pipeline.database.engines import engine
from crm_pipeline.flows.attribution import rules
from crm_pipeline.ledger.tracked_leads import note_judged, note_said

_DATABASE = "benchmark_opportunities"
_TOLD = {
    "ours": "SELECT body FROM platform_inbox.current",
    "glue": "SELECT body FROM glue_value",
}
_SEED_AT_ONCE = 10_000
_STAGE = "Qualification"
_STAGES = ("Prospecting", "Needs Analysis")
_CHOICES = AttributionSettings(currency="EUR", phone_region=REGION)
_TRACKED = """
WITH people AS (
    INSERT INTO crm.person (account_id, address, as_of)
    SELECT
        %(account)s,
        CASE WHEN n %% 5 = 0 THEN 'tel:+4930' || 1000000 + n ELSE 'p' || n || '@example.com' END,
        now()
    FROM generate_series(1, %(rows)s) AS n
    RETURNING person_key, address
)

INSERT INTO crm.tracked_lead (
    account_id, lead_id, happened_at, as_of, email, phone, address, person_key, columns
)
SELECT
    %(account)s,
    person_key,
    '2026-01-01',
    now(),
    CASE WHEN address NOT LIKE 'tel:%%' THEN address END,
    CASE WHEN address LIKE 'tel:%%' THEN address END,
    address,
    person_key,
    CASE
        WHEN address LIKE 'tel:%%'
            THEN jsonb_build_object('kind', 'call', 'phone', substr(address, 5))
        ELSE jsonb_build_object('kind', 'form', 'email', address)
    END
FROM people
"""


@dataclass(frozen=True, slots=True)
class Turn:
    """One program's turn at one latency.

    Attributes:
        program: `ours` or `glue`.
        latency_ms: that each call takes.
        step: what there was to do.
        calls: API calls.
        seconds: from its start to its end.
        cpu_seconds: that this process and PostgreSQL computed meanwhile.
        values: how many are known at the platform then.
    """

    program: str
    latency_ms: float
    step: str
    calls: int
    seconds: float
    cpu_seconds: float
    values: int


def measure(folder: Path, rows: int, latencies: Sequence[float]) -> list[Turn]:
    """Lets both read so many opportunities, at each latency in turn.

    Each has 1.5 roles, three rows of history and a tracked contact, one in five of them a caller
    without an address; then nothing has changed. Both are examined: everything is told, and alike.

    Raises:
        RuntimeError: a cycle did not end Complete, or somebody told too little, or otherwise.
    """
    collect_rarely()
    server = OrgServer(folder / "orgs", [org_config()])
    databases = Databases(folder / "postgres")
    try:
        bench = _Bench(Org(server.url), databases, rows)
        # What was made within the minute is read again.
        bench.org.post("settings", clock_shift_seconds=-3600)
        _fill(bench.org, rows)
        bench.org.post("settings", clock_shift_seconds=0)
        return [
            turn
            for number, latency in enumerate(latencies)
            for program in (("ours", "glue"), ("glue", "ours"))[number % 2]
            for turn in bench.turns(program, latency)
        ]
    finally:
        server.stop()
        databases.drop(_DATABASE)
        databases.close()


@dataclass(frozen=True, slots=True)
class _Bench:
    """The org, the databases, and how many opportunities there are."""

    org: Org
    databases: Databases
    rows: int

    def turns(self, program: str, latency: float) -> Iterator[Turn]:
        url = self._installed()
        with in_force(environment(url)):
            engine.cache_clear()
            with engine("pipeline").begin() as ledger:
                _leads_are_judged(ledger)
            for step in ("all are new", "nothing is new"):
                yield self._turn(url, program, latency, step)
            engine("pipeline").dispose()
            engine.cache_clear()

    def _installed(self) -> str:
        url = self.databases.create(_DATABASE)
        choices = {"attribution": _CHOICES.model_dump(mode="json"), "read_back_minutes": 0}
        settings = AccountSettings.parse(ACCOUNT_ID, choices)
        register(url, [replace(benchmark_account(self.org.url), settings=settings)])
        with connect(url) as database:
            database.execute(_TRACKED, {"account": ACCOUNT_ID, "rows": self.rows})
            database.execute(TABLES)
        settle(url)
        return url

    def _turn(self, url: str, program: str, latency: float, step: str) -> Turn:
        self.org.count_from_here(latency)
        begun, computed = time.perf_counter(), self._computed()
        if program == "ours":
            _ours()
        else:
            _glue(self.org, url)
        seconds, cpu = time.perf_counter() - begun, self._computed() - computed
        calls = self.org.statistics().api_calls
        self.org.post("settings", latency_ms=0)
        with connect(url) as database:
            told = [row[0] for row in database.execute(_TOLD[program])]
        if (right := sum(map(_is_right, told))) != self.rows or len(told) != self.rows:
            raise RuntimeError(f"{program}, {step}: {right} of {self.rows} values are right")
        return Turn(program, latency, step, calls, seconds, cpu, right)

    def _computed(self) -> float:
        return time.process_time() + self.databases.cpu_seconds()


def _is_right(body: Mapping[str, Any]) -> bool:
    """Returns whether the value of a deal, whose number its name has, is told as it is.

    A caller is known by the number where no other contact of the deal is known by an address.
    """
    number = int(body["name"].removeprefix("Deal "))
    caller = (number + 1) % 5 == 0 and number % 2 == 1
    return (
        Decimal(body["amount"]) == Decimal(number) / 4
        and body["standing"] == "open"
        and body["currency"] == "EUR"
        and body["match"]["rule"] == ("phone" if caller else "email")
        and {each["stage"] for each in body["history"]} == {*_STAGES, _STAGE}
    )


def _leads_are_judged(ledger: Connection) -> None:
    """Notes that the tracked leads were judged when they came: the glue judges none either."""
    note_said(ledger, ACCOUNT_ID, rules.fingerprint(_CHOICES))
    note_judged(ledger, ACCOUNT_ID, rules.LeadChoices(_CHOICES, (), None).digest)


def _ours() -> None:
    report = sync_account(ACCOUNT_ID, run_id="benchmark")
    if report.state != "Complete":
        raise RuntimeError(f"{report.state}: {report.reason}")


def _glue(org: Org, url: str) -> None:
    task = Task(0, url, org.url, USERNAME, PASSWORD, SECURITY_TOKEN, "", "", "")
    with connect(url) as database:
        tell(log_in(task), database)


def _fill(org: Org, rows: int) -> None:
    contacts = _seeded(
        org,
        "Contact",
        [
            {"LastName": f"Last {n}", "Phone": f"(030) {1_000_000 + n}"}
            if n % 5 == 0
            else {"LastName": f"Last {n}", "Email": f"p{n}@example.com"}
            for n in range(1, rows + 1)
        ],
    )
    known = {"StageName": _STAGE, "CloseDate": "2026-12-31"}
    opportunities = _seeded(
        org, "Opportunity", [{**known, "Name": f"Deal {n}", "Amount": n / 4} for n in range(rows)]
    )
    history = [
        {**known, "OpportunityId": each, "StageName": stage, "Amount": 1}
        for each in opportunities
        for stage in _STAGES
    ]
    _seeded(org, "OpportunityHistory", history)
    roles = [
        {"OpportunityId": each, "ContactId": contact, "IsPrimary": True}
        for each, contact in zip(opportunities, contacts, strict=True)
    ]
    roles += [
        {"OpportunityId": each, "ContactId": contact, "IsPrimary": False}
        for each, contact in zip(opportunities[::2], contacts[1::2], strict=True)
    ]
    _seeded(org, "OpportunityContactRole", roles)


def _seeded(org: Org, sobject: str, records: Sequence[dict[str, Any]]) -> list[str]:
    ids: list[str] = []
    for start in range(0, len(records), _SEED_AT_ONCE):
        ids += org.post("seed", **{sobject: records[start : start + _SEED_AT_ONCE]})[sobject]
    return ids


def report(found: Sequence[Turn], console: Console, file: Path) -> None:
    """Prints what was measured, and writes it."""
    table = Table("program", "ms", "step", "calls", "seconds", "CPU s", title="Opportunities")
    for each in found:
        table.add_row(
            each.program,
            f"{each.latency_ms:g}",
            each.step,
            str(each.calls),
            f"{each.seconds:.2f}",
            f"{each.cpu_seconds:.2f}",
        )
    console.print(table)
    write_json({"turns": [asdict(each) for each in found]}, file)
    console.print(f"Numbers: {file}")
