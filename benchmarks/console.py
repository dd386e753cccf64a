"""The console's pages over many accounts and operations: how soon each is there."""

import statistics
import time
from dataclasses import asdict, dataclass
from ipaddress import ip_network
from pathlib import Path

import requests
from rich.console import Console as Terminal
from rich.table import Table
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.pool import NullPool

from benchmarks.databases import Databases, settle
from benchmarks.installation import environment, in_force
from benchmarks.report import write_json
from crm_pipeline.cli.console_settings import CommandDesk
from crm_pipeline.console.logins import ProxyLogin
from crm_pipeline.console.roles import ConsoleRole
from crm_pipeline.console.server import Console

_DATABASE = "benchmark_console"
_FILLING = Path(__file__).parent / "sql" / "console.sql"
_PROXY = ProxyLogin(
    [ip_network("127.0.0.1")], "X-User", "X-Groups", {ConsoleRole.operator: ["benchmark"]}
)
_DAYS = 365
_PEOPLE = 10
"""Operations on each person."""


@dataclass(frozen=True, slots=True)
class PageTime:
    """How soon a page was there, and how large it is; seconds of the median and the slowest."""

    page: str
    median: float
    slowest: float
    kilobytes: float


def measure(folder: Path, *, accounts: int, operations: int, times: int) -> list[PageTime]:
    """Asks each page some times.

    Args:
        folder: where the database's server lives.
        accounts: that there are.
        operations: in the ledger; of a hundred three are open or failed, the last of them lately.
        times: so often each page is asked for.
    """
    databases = Databases(folder / "postgres")
    try:
        url = databases.create(_DATABASE)
        with create_engine(url, poolclass=NullPool).begin() as connection:
            _fill(connection, accounts, operations)
        settle(url)
        with in_force({**environment(url), "CRM_PIPELINE_DATA_DIR": str(folder / "console")}):
            database = create_engine(url, poolclass=NullPool)
            with Console(_PROXY, database, CommandDesk()) as console:
                return [_asked(console.url, page, times) for page in _pages(operations)]
    finally:
        databases.drop(_DATABASE)
        databases.close()


def _pages(operations: int) -> list[str]:
    return [
        "/",
        "/?after=a0500",
        "/?csv=accounts",
        "/accounts/a0001",
        "/accounts/a0001?days=365",
        "/accounts/a0001/people/1",
        "/numbers",
        "/numbers?period=last month",
        "/queue",
        "/queue?account=a0001",
        "/queue?code=A",
        "/queue?code=A&kind=campaign",
        "/queue?code=NONE",
        "/queue?kind=campaign",
        "/queue?state=pending",
        "/queue?state=done",
        f"/queue?state=done&after={operations // 2}",
        "/queue?account=a0001&state=rejected",
        "/queue?state=rejected&code=NONE",
        "/queue?state=rejected&kind=campaign",
        "/queue?state=done&code=NONE",
        "/queue?state=done&kind=campaign",
        f"/operations/{operations // 2}",
        "/alerts",
        "/log",
    ]


def _asked(url: str, page: str, times: int) -> PageTime:
    web = requests.Session()
    web.headers["X-User"] = "benchmark"
    seconds = []
    size = 0
    for _ in range(times + 1):
        begun = time.perf_counter()
        answer = web.get(url + page, timeout=60)
        seconds.append(time.perf_counter() - begun)
        answer.raise_for_status()
        size = len(answer.content)
    # The first of a kind connects, plans and compiles the template.
    warm = seconds[1:]
    return PageTime(page, statistics.median(warm), max(warm), size / 1000)


def _fill(connection: Connection, accounts: int, operations: int) -> None:
    """Makes the ledger at once, without the counting of days, which is filled by itself."""
    size = {"accounts": accounts, "operations": operations, "days": _DAYS, "people": _PEOPLE}
    for written in _FILLING.read_text(encoding="utf-8").rstrip().removesuffix(";").split(";\n"):
        connection.execute(text(written), size)


def report(pages: list[PageTime], terminal: Terminal, results: Path) -> None:
    """Prints the times, and writes them to a file."""
    table = Table("page", "median ms", "slowest ms", "kB")
    for each in pages:
        table.add_row(
            each.page,
            f"{each.median * 1000:.0f}",
            f"{each.slowest * 1000:.0f}",
            f"{each.kilobytes:.0f}",
        )
    terminal.print(table)
    write_json({"pages": [asdict(each) for each in pages]}, results)
