"""How far a cycle is: what is read or sent now, at what rate, and about how long it takes yet."""

from collections.abc import Mapping
from concurrent.futures import Future, wait
from typing import TYPE_CHECKING, Any

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Column
from rich.text import Text

from crm_pipeline.cli.show import counted

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import TaskID
    from sqlalchemy import Connection, Engine

_LOOK_EVERY_SECONDS = 0.5
_BAR_WIDTH = 10

_PHASES = {
    "person": "people",
    "activity": "activities",
    "campaign": "campaigns",
    "member": "campaign members",
    "record": "records",
    "message": "messages",
}
"""By kind of operation, in the order in which they are sent."""

_ROUTES = {"bulk": "by a bulk job", "composite": "by composite calls"}


class RateColumn(ProgressColumn):
    """How many a second."""

    def render(self, task: Task) -> Text:
        """Returns nothing until it is known."""
        return Text(f"{task.speed:,.0f}/s" if task.speed else "")


def phase_bars(stderr: "Console") -> Progress:
    """Returns bars with numbers, rate, time and estimate: where it is narrow, names wrap alone."""

    def whole() -> Column:
        return Column(no_wrap=True)

    return Progress(
        TextColumn("{task.description}", table_column=Column()),
        BarColumn(_BAR_WIDTH, table_column=whole()),
        MofNCompleteColumn(table_column=whole()),
        RateColumn(table_column=whole()),
        TimeElapsedColumn(table_column=whole()),
        TimeRemainingColumn(table_column=whole()),
        console=stderr,
        transient=True,
        disable=not stderr.is_terminal,
    )


def show_phases(
    database: "Engine", account_id: str, under_way: "Future[Any]", bars: Progress
) -> None:
    """Has a bar for each kind of operations until a cycle ends, and says what goes out now."""
    most: dict[str, int] = {}
    tasks: dict[str, TaskID] = {}
    now = bars.add_task(f"{account_id}: reading", total=None)
    while wait([under_way], timeout=_LOOK_EVERY_SECONDS).not_done:
        with database.connect() as connection:
            still_open = _still_open(connection, account_id)
            sending = _sending(connection, account_id)
        bars.update(now, description=f"{account_id}: {sending or 'reading and deciding'}")
        for kind, name in _PHASES.items():
            left = still_open.get(kind, 0)
            most[kind] = max(most.get(kind, 0), left)
            if most[kind] and kind not in tasks:
                tasks[kind] = bars.add_task(name, total=None)
            if kind in tasks:
                bars.update(tasks[kind], total=most[kind], completed=most[kind] - left)
    for task in (now, *tasks.values()):
        bars.remove_task(task)


def facts_of_progress(connection: "Connection", account_id: str) -> list[tuple[str, str]]:
    """Returns what a cycle that runs does now, its rate, and about how long it takes yet."""
    from crm_pipeline.database.statements import statement

    still_open = _still_open(connection, account_id)
    pace = connection.execute(statement("operations/pace"), {"account_id": account_id}).one()
    facts = [("now", _sending(connection, account_id) or "reading and deciding")]
    if still_open:
        each = (
            f"{still_open[kind]:,} {name}" for kind, name in _PHASES.items() if kind in still_open
        )
        facts.append(("to be sent", ", ".join(each)))
    if pace.records and pace.seconds:
        rate = float(pace.records) / float(pace.seconds)
        seconds = round(sum(still_open.values()) / rate)
        sent = f"{pace.records:,} records, {rate:,.0f} a second; about {seconds} s for the rest"
        facts.append(("sent in this cycle", sent))
    return facts


def _still_open(connection: "Connection", account_id: str) -> Mapping[str, int]:
    from crm_pipeline.database.statements import statement

    which = {"account_id": account_id}
    rows = connection.execute(statement("operations/open_operations"), which)
    return {row.kind: row.still_open for row in rows}


def _sending(connection: "Connection", account_id: str) -> str:
    """Returns what goes out now, in words; empty: nothing."""
    from crm_pipeline.database.statements import statement

    rows = connection.execute(statement("operations/under_way"), {"account_id": account_id})
    return "; ".join(
        f"sending {counted(int(row.records), row.sobject)} to {row.action} "
        f"{_ROUTES.get(row.route, '')} since {row.since:%H:%M:%S} UTC"
        for row in rows
    )
