"""`crm-pipeline state`: where each account stands."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from time import sleep
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crm_pipeline.cli.arguments import not_blank
from crm_pipeline.cli.brake import print_holds
from crm_pipeline.cli.databases import transaction
from crm_pipeline.cli.mistakes import mistake
from crm_pipeline.cli.show import clear, is_terminal, print_facts, print_table

if TYPE_CHECKING:
    from sqlalchemy import Row

_LAST_CYCLES = 10

_WATCH_SECONDS = 2


def state(
    account_id: Annotated[
        str | None,
        typer.Argument(metavar="[ACCOUNT]", help="One account, in detail.", callback=not_blank),
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Show it anew every two seconds, until Ctrl-C.")
    ] = False,
) -> None:
    """Show where each account stands, or one with its last cycles."""
    if watch and not is_terminal():
        mistake("--watch needs a terminal; run `crm-pipeline state` again and again instead.")
    while watch:
        clear()
        _show(account_id)
        sleep(_WATCH_SECONDS)
    _show(account_id)


def _show(account_id: str | None) -> None:
    from crm_pipeline.accounts.store import get_account, misfits
    from crm_pipeline.cli.progress import facts_of_progress
    from crm_pipeline.database.statements import statement
    from crm_pipeline.ledger.conflicts import open_conflicts
    from crm_pipeline.ledger.holds import last_holds

    with transaction() as connection:
        if account_id is not None:
            get_account(connection, account_id)
        whose = {"account_id": account_id}
        which = {"account_ids": None if account_id is None else [account_id]}
        accounts = connection.execute(statement("operations/states"), which).all()
        if account_id is not None:
            cycles = connection.execute(
                statement("operations/last_cycles"), {**whose, "limit": _LAST_CYCLES}
            ).all()
            unfit = misfits(connection, account_id)
            incidents = connection.execute(statement("operations/open_incidents"), whose).all()
            conflicts = len(open_conflicts(connection, account_id))
            holds = last_holds(connection, account_id)
            is_running = accounts[0].state == "Processing"
            progress = facts_of_progress(connection, account_id) if is_running else []
    if account_id is None:
        _print_all(accounts)
    else:
        _print_one(accounts[0], unfit, conflicts)
        _print_links(account_id, cycles)
        print_facts(progress)
        print_holds(holds)
        _print_incidents(incidents, account_id)
        _print_cycles(cycles)


def _print_all(accounts: "Sequence[Row[Any]]") -> None:
    from crm_pipeline.cadence.standing import state_of, waiting

    print_table(
        "",
        (
            "account",
            "name",
            "state",
            "read until (UTC)",
            "last cycle (UTC)",
            "waiting",
            "exhausted",
            "reason",
            "notes",
        ),
        [
            (
                row.account_id,
                row.name,
                state_of(row),
                _minute(row.watermark),
                _minute(row.finished_at or row.started_at),
                waiting(row),
                row.exhausted,
                row.reason if row.enabled else None,
                row.notes if row.enabled else None,
            )
            for row in accounts
        ],
        empty="There is no account yet; add one with `crm-pipeline account add`.",
    )


def _minute(moment: datetime | None) -> str | None:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}" if moment else None


def _print_one(row: "Row[Any]", unfit: Mapping[str, str], conflicts: int) -> None:
    from crm_pipeline.cadence.standing import next_try, state_of, waiting

    spent = f"{row.api_used} of {row.api_limit}" if row.api_limit else None
    facts = [
        ("account", row.account_id),
        ("name", row.name),
        ("state", state_of(row)),
        ("state of its last cycle", None if row.enabled or row.draft else row.state),
        ("since", row.since),
        ("reason", row.reason),
        ("notes", row.notes),
        ("read until", row.watermark),
        ("last cycle began", row.started_at),
        ("last cycle ended", row.finished_at),
        ("last Complete", row.complete_at),
        ("next try", next_try(row)),
        ("failures in a row", row.failures_in_a_row),
        ("API requests of the org's day", spent),
        ("seen at", row.api_seen_at),
        ("waiting", waiting(row)),
        ("of these pending, to be sent", row.pending),
        ("of these held, kept back while something else is sent", row.held or None),
        ("of these in_flight, without an answer", row.in_flight),
        ("of these failed, tried again", row.failed),
        ("exhausted, need a person", row.exhausted),
        ("mapped in vain", "; ".join(f"{name}: {why}" for name, why in unfit.items()) or None),
        ("fields to decide about (`conflict list`)", conflicts or None),
    ]
    print_facts((name, value) for name, value in facts if value is not None)


def _print_links(account_id: str, cycles: "Sequence[Row[Any]]") -> None:
    """Where to see more, as far as the settings say where that is."""
    from crm_pipeline.settings import settings

    links = [("in the console", settings().account_page(account_id))]
    if cycles:
        links.append(("run of its last cycle", settings().run_page(cycles[0].run_id)))
    print_facts((name, link) for name, link in links if link)


def _print_incidents(incidents: "Sequence[Row[Any]]", account_id: str) -> None:
    from crm_pipeline.cadence.standing import INCIDENT_COLUMNS, incident_rows

    if incidents:
        rows = incident_rows(incidents, account_id)
        print_table("Open incidents", INCIDENT_COLUMNS, rows, empty="")


def _print_cycles(cycles: "Sequence[Row[Any]]") -> None:
    from crm_pipeline.report import Tally

    told = [(cycle, Tally.stored(cycle.counts)) for cycle in cycles]
    print_table(
        "Last cycles",
        (
            "cycle",
            "state",
            "began",
            "seconds",
            "new rows",
            "known",
            "activities",
            "failed",
            "API calls",
            "reason or notes",
        ),
        [
            (
                cycle.cycle_id,
                cycle.state,
                cycle.started_at,
                (cycle.finished_at - cycle.started_at).total_seconds()
                if cycle.finished_at
                else None,
                tally.overall("rows"),
                tally.overall("known_already"),
                tally.overall("activities_created") + tally.overall("activities_updated"),
                tally.overall("failed"),
                cycle.counts.get("api_calls", 0),
                cycle.reason or cycle.notes,
            )
            for cycle, tally in told
        ],
        empty="No cycle has run yet.",
    )
