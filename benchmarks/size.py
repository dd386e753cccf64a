"""A ledger at the size of a fleet: what ticks, cycles, checks and purges ask of PostgreSQL."""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from dagster import DagsterInstance
from rich.console import Console
from rich.table import Table
from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.pool import NullPool

from benchmarks import installation
from benchmarks.databases import Databases, connect, settle
from benchmarks.processes import CHECKOUT
from benchmarks.report import write_json
from crm_pipeline.accounts.account import Account, AccountSettings
from crm_pipeline.accounts.store import add_account
from crm_pipeline.cadence.purge import purge
from crm_pipeline.database.statements import statement
from crm_pipeline.ledger.cycles import start_cycle

_DATABASE = "benchmark_size"
_ACCOUNT = "big"
_SQL = Path(__file__).with_name("sql")
_TRIES = 5
_DAYS = 14

_ASKED: dict[str, tuple[str, Mapping[str, Any]]] = {
    "the planner's tick": ("cadence/standings", {"grace_seconds": 600}),
    "memberships of who moved": ("campaigns/reopen_moved", {"account_id": _ACCOUNT}),
    "members twice": ("checks/nobody_is_a_member_twice", {"account_ids": [_ACCOUNT]}),
    "conversions since": (
        "campaigns/conversions_since",
        {"account_id": _ACCOUNT, "pause_seconds": 60},
    ),
}


@dataclass(frozen=True, slots=True)
class Answered:
    """A question, and the seconds until its answer: of several tries the one in the middle."""

    question: str
    seconds: float


def measure(folder: Path, operations: int, members: int, accounts: int) -> list[Answered]:
    """Fills a ledger and Dagster's storage, and asks of them what is asked all the time.

    Args:
        folder: for data.
        operations: activities of one account that wait for people who never come.
        members: memberships of it, all of contacts, none moved.
        accounts: in Dagster's storage, with two verdicts of eight checks each.
    """
    databases = Databases(folder / "postgres")
    home = folder / "size"
    home.mkdir(parents=True, exist_ok=True)
    try:
        url = databases.create(_DATABASE)
        (home / "dagster.yaml").write_bytes((CHECKOUT / "dagster.yaml").read_bytes())
        with (
            installation.in_force(installation.environment(url)),
            DagsterInstance.from_config(str(home)),
        ):
            pass  # Its tables are there now.
        database = create_engine(url, poolclass=NullPool)
        _fill(database, url, {"operations": operations, "members": members, "accounts": accounts})
        with database.connect() as connection:
            asked = [
                Answered(question, _median_seconds(connection, *asked))
                for question, asked in _ASKED.items()
            ]
        return [*asked, Answered("the purge", _seconds(lambda: purge(database, _DAYS)))]
    finally:
        databases.drop(_DATABASE)
        databases.close()


def report(found: list[Answered], console: Console, file: Path) -> None:
    """Prints what was measured, and writes it."""
    table = Table("question", "seconds")
    for each in found:
        table.add_row(each.question, f"{each.seconds:.4f}")
    console.print(table)
    write_json({"questions": [asdict(each) for each in found]}, file)
    console.print(f"Numbers: {file}")


def _fill(database: Engine, url: str, sizes: Mapping[str, int]) -> None:
    chosen = AccountSettings.parse(_ACCOUNT, {"campaigns": {}})
    login_url = "https://big.my.salesforce.com"
    with database.begin() as connection:
        account = Account(_ACCOUNT, _ACCOUNT, "Big", login_url, True, chosen)
        add_account(connection, account)
        start_cycle(connection, _ACCOUNT, "", whole=True)
    with connect(url) as connection:
        for file in (*sorted(_SQL.glob("size/*.sql")), _SQL / "verdicts_of_a_fleet.sql"):
            connection.execute(file.read_text("utf-8").encode(), {**sizes, "account": _ACCOUNT})
    settle(url)


def _median_seconds(connection: Connection, name: str, values: Mapping[str, Any]) -> float:
    def ask() -> None:
        connection.execute(statement(name), values)
        connection.rollback()

    return median(_seconds(ask) for _ in range(_TRIES))


def _seconds(do: Callable[[], Any]) -> float:
    began = time.perf_counter()
    do()
    return time.perf_counter() - began
