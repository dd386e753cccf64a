"""`crm-pipeline cycle`: cycles of accounts now, without Dagster."""

import os
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from typing import TYPE_CHECKING, Annotated
from uuid import uuid4

import typer

from crm_pipeline.cli.databases import pipeline, transaction
from crm_pipeline.cli.mistakes import mistake
from crm_pipeline.cli.show import console, print_facts, print_table, say

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from crm_pipeline.accounts.account import Account
    from crm_pipeline.report import CycleReport

COLUMNS = (
    "account",
    "state",
    "registrations",
    "attendances",
    "known already",
    "rejected",
    "part of another visit",
    "leads created",
    "leads updated",
    "contacts updated",
    "activities",
    "waiting",
    "exhausted",
    "API calls",
    "seconds",
)


def cycle(
    account_ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ACCOUNT]...", help="Accounts, one by one.")
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="All accounts that are enabled.")] = False,
) -> None:
    """Run one cycle of an account now; exit status 1 unless it ends Complete."""
    from crm_pipeline.accounts.store import get_account, list_accounts

    if bool(account_ids) == all_:
        mistake("Name an account, or say --all; `crm-pipeline account list` shows them.")
    with transaction() as connection:
        for account_id in account_ids or ():
            _check_may_run(get_account(connection, account_id))
        enabled = [a.account_id for a in list_accounts(connection) if a.enabled]
    chosen = list(dict.fromkeys(account_ids or enabled))
    if not chosen:
        mistake("No account is enabled; `crm-pipeline account list` shows those that there are.")
    with stopped_by_ctrl_c() as stop:
        reports = _run(pipeline(), chosen, stop)
    print_reports(reports)
    if stop.is_set():
        _tell_without_cycle(chosen[len(reports) :])
        raise typer.Exit(128 + signal.SIGINT)
    if any(report.state != "Complete" for report in reports):
        raise typer.Exit(1)


def _check_may_run(account: "Account") -> None:
    """Refuses a cycle of an account that is to have none."""
    if (none := account.without_cycles) is not None:
        mistake(
            f"Account {account.account_id} is {none.is_a}; `{none.command}` lets its cycles "
            f"{none.verb}."
        )


@contextmanager
def stopped_by_ctrl_c() -> Iterator[Event]:
    """Yields what the first Ctrl-C sets, so that cycles end after the batch under way.

    The next one ends the process at once: that is as safe as any other death of it.
    """
    stop = Event()

    def heard(_number: int, _frame: object) -> None:
        # Python may be writing to stderr just now, and may not begin that again meanwhile.
        if stop.is_set():
            os.write(2, b"Stopped at once; the next cycle looks up what was under way.\n")
            os._exit(128 + signal.SIGINT)
        stop.set()
        os.write(2, b"Ctrl-C: ending after the batch that is under way; again ends at once.\n")

    before = signal.signal(signal.SIGINT, heard)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)


def _run(database: "Engine", account_ids: Sequence[str], stop: Event) -> "list[CycleReport]":
    """Runs the cycles one after the other, and shows how far they are on stderr."""
    from crm_pipeline.cli.progress import phase_bars, show_phases
    from crm_pipeline.cycle.cycle import collect_rarely, sync_account

    collect_rarely()
    run_id = f"cli-{uuid4()}"
    reports = []
    bars = phase_bars(console(stderr=True))
    with bars, ThreadPoolExecutor(1) as one_thread:
        accounts = bars.add_task("accounts", total=len(account_ids))
        for account_id in account_ids:
            if stop.is_set():
                break
            under_way = one_thread.submit(
                sync_account, account_id, run_id=run_id, stop_asked=stop.is_set
            )
            if not bars.disable:
                show_phases(database, account_id, under_way, bars)
            reports.append(under_way.result())
            bars.advance(accounts)
    return reports


def print_reports(reports: "Sequence[CycleReport]") -> None:
    """Prints what cycles did, one as facts, several as a table."""
    if len(reports) == 1:
        print_facts(zip(COLUMNS, _row(reports[0]), strict=True))
    else:
        print_table("", COLUMNS, map(_row, reports), empty="")
    for report in reports:
        for line in filter(None, (report.reason, report.notes)):
            say(f"{report.account_id}: {line}")


def _tell_without_cycle(account_ids: Sequence[str]) -> None:
    if account_ids:
        say(f"Stopped before the cycle of {', '.join(account_ids)}: nothing was changed there.")


def _row(report: "CycleReport") -> tuple[object, ...]:
    tally, counts = report.tally, report.counts
    return (
        report.account_id,
        report.state,
        tally["registrations", "rows"],
        tally["attendances", "rows"],
        tally.overall("known_already"),
        tally.overall("rejected"),
        tally.overall("part_of_another"),
        tally.overall("leads_created"),
        tally.overall("leads_updated"),
        tally.overall("contacts_updated"),
        tally.overall("activities_created") + tally.overall("activities_updated"),
        counts.waiting,
        counts.exhausted,
        counts.api_calls,
        report.seconds,
    )
