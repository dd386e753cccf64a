"""`crm-pipeline replay`: a period again, by what settings and mapping say now."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crm_pipeline.cli.account_again import has_read
from crm_pipeline.cli.arguments import AccountId, Yes, not_blank
from crm_pipeline.cli.databases import locked, pipeline, transaction
from crm_pipeline.cli.guards import agree_now
from crm_pipeline.cli.mistakes import mistake
from crm_pipeline.cli.next_cycle import lift_brake, say_of_next_cycle
from crm_pipeline.cli.plan import made_plan
from crm_pipeline.cli.show import counted, say
from crm_pipeline.text import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crm_pipeline.accounts.account import Account
    from crm_pipeline.cycle.replay import PeriodRows

_WRITES = ("create", "update", "delete")


def replay(
    account_id: AccountId,
    *,
    since: Annotated[
        str,
        typer.Option(
            metavar="DATE", help="The first moment: a date, or a time; UTC unless it says."
        ),
    ],
    until: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="The first moment after it; by default now."),
    ] = None,
    person: Annotated[
        str | None,
        typer.Option(metavar="EMAIL", help="Of one person alone.", callback=not_blank),
    ] = None,
    objects: Annotated[
        list[str] | None,
        typer.Option(
            "--object",
            metavar="OBJECT",
            help="Of this object alone, such as Event; of several by several options.",
        ),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(
            "--all",
            metavar="FILE",
            dir_okay=False,
            help="Write every record with its fields to FILE, .csv or .json.",
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show it, and ask nothing.")] = False,
    yes: Yes = False,
) -> None:
    """Send a period again, after a mended mapping or setting: only what differs goes.

    The period's rows are those that the warehouse shipped then, and not again since. They are read
    and mapped anew; what would be sent of them is shown as a plan, and goes with the next cycle
    once that is agreed to; it decides anew, by what warehouse and org say then. What people changed
    in the org is treated as ever, by `person_fields`.
    """
    from crm_pipeline.accounts.store import get_account, touch_account
    from crm_pipeline.cycle.planning import Planning
    from crm_pipeline.cycle.replay import Period, ask_replay, rows_of_period
    from crm_pipeline.database.engines import engine

    end = None if until is None else _moment("until", until)
    period = Period(_moment("since", since), end, person)
    if (now := datetime.now(UTC)) < period.since:
        mistake(f"--since {since} is in the future: it is {shown(now)}.")
    if period.until is not None and period.until <= period.since:
        mistake(f"--until {until} is not after --since {since}.")
    with transaction() as connection:
        account = get_account(connection, account_id)
        if not has_read(connection, account_id):
            mistake(f"No cycle of account {account_id} has read anything: its first one reads all.")
    kinds = _kinds(account, objects) if objects else None
    with pipeline().connect() as connection:
        found = rows_of_period(connection, engine("warehouse"), account, period)
        connection.rollback()
    if person is not None and not found.rows:
        mistake(
            f"The period has no row of {person.strip()}; `crm-pipeline find {account_id} ADDRESS` "
            "tells what is known of somebody."
        )
    _tell(found)
    if not found.rows:
        return
    planning = Planning(in_full=file is not None, replayed=found.rows, replayed_kinds=kinds)
    numbers = made_plan(account_id, planning, file).numbers
    changes = sum(each.records for each in numbers if each.outcome in _WRITES)
    rejected = sum(each.records for each in numbers if each.outcome == "rejected")
    if not changes:
        say("Nothing of the period would be sent: all that can be is in the org as it is wanted.")
        return
    if dry_run:
        say("Nothing is changed: without --dry-run it goes with the next cycle.")
        return
    agree_now(
        f"{counted(changes, 'record')} of account {account_id} would be written by its next cycle.",
        "Send them?",
        yes=yes,
    )
    with locked(account_id) as connection:
        ask_replay(connection, account, found.rows, kinds)
        lift_brake(connection, account, changes + rejected)
        touch_account(connection, account_id)
    say_of_next_cycle(account_id, f"Account {account_id} does so in its next cycle.")


def _kinds(account: "Account", objects: "Sequence[str]") -> frozenset[str]:
    """The kinds of operations by which these objects are written; people are Leads or Contacts."""
    from crm_pipeline.cycle.replay import replayed_objects
    from crm_pipeline.near_names import near

    known = replayed_objects(account)
    by_letters = {name.lower(): kind for name, kind in known.items()}
    for each in objects:
        if each.strip().lower() not in by_letters:
            likely = near(each, known, 1)
            meant = (
                f"did you mean {likely[0]}?" if likely else f"there are {', '.join(sorted(known))}."
            )
            mistake(
                f"Rows of account {account.account_id} come to no {each!r} in Salesforce; {meant}"
            )
    return frozenset(by_letters[each.strip().lower()] for each in objects)


def _moment(option: str, typed: str) -> datetime:
    from crm_pipeline.accounts.account import moment_of

    try:
        return moment_of(typed)
    except ValueError as error:
        mistake(f"--{option} {typed!r}: {error}.")


def _tell(found: "PeriodRows") -> None:
    """Says how many rows there are, how many of removed people, and how far back that reaches."""
    numbers = " and ".join(
        counted(len(ids), name.removesuffix("s")) for name, ids in found.rows.items()
    )
    say(f"The period has {numbers or 'no registrations and no attendances'} of the warehouse.")
    if found.removed:
        say(f"Of people who were removed it has {counted(found.removed, 'row')}; these stay out.")
    if found.oldest is not None:
        say(f"A period can reach back to {shown(found.oldest)}: the warehouse has no older row.")
