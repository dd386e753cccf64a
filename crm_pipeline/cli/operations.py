"""`crm-pipeline operations`: what failed, and what a person decides about it."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crm_pipeline.cli.arguments import DAYS_AND_TIMES, OfAccount, OneAccount, not_blank
from crm_pipeline.cli.databases import locked, transaction
from crm_pipeline.cli.files import private_file
from crm_pipeline.cli.mistakes import mistake
from crm_pipeline.cli.next_cycle import say_of_next_cycle
from crm_pipeline.cli.show import counted, print_facts, print_table, say
from crm_pipeline.cli.who import who
from crm_pipeline.spreadsheets import write_csv

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

app = typer.Typer(
    help="Writes: list those that failed, or others; look at one; send it again or drop it. What "
    "they show contains personal data."
)


class State(StrEnum):
    """The ledger's states of an operation."""

    pending = "pending"
    held = "held"
    in_flight = "in_flight"
    done = "done"
    failed = "failed"
    exhausted = "exhausted"
    rejected = "rejected"
    left_out = "left_out"
    dropped = "dropped"
    superseded = "superseded"


_FAILED = (State.failed, State.exhausted)

_ROWS_AT_ONCE = 5_000

_REJECTED = "held and rejected"
"""Dropped by a person while it was held, as `named_operations` says."""

OperationIds = Annotated[
    list[int] | None, typer.Argument(metavar="[ID]...", help="Ids, as `operations list` shows.")
]
WithCode = Annotated[
    str | None, typer.Option("--code", help="Only those with this error code.", callback=not_blank)
]


class OperationKind(StrEnum):
    """The ledger's kinds of operations."""

    person = "person"
    activity = "activity"
    campaign = "campaign"
    member = "member"
    record = "record"
    message = "message"
    undo = "undo"


_COLUMNS = (
    "id",
    "account",
    "about",
    "state",
    "tries left",
    "next try",
    "code",
    "why",
)

_COLUMNS_OF_FILES = (*_COLUMNS, "kind", "object", "action", "record", "at")


@app.command("list")
def list_(
    account: OneAccount = None,
    *,
    states: Annotated[
        list[State] | None,
        typer.Option("--state", help="By default failed and exhausted; may be given again."),
    ] = None,
    kind: Annotated[OperationKind | None, typer.Option(help="Of one kind only.")] = None,
    since: Annotated[
        datetime | None,
        typer.Option(formats=DAYS_AND_TIMES, help="To which something happened since then, UTC."),
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option(formats=DAYS_AND_TIMES, help="To which nothing happened later, UTC."),
    ] = None,
    code: WithCode = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the oldest.")] = 50,
    file: Annotated[
        Path | None,
        typer.Option("--csv", metavar="FILE", help="All of them into a file that you may read."),
    ] = None,
) -> None:
    """List what failed, the oldest first, with the reason; or what is in another state."""
    from crm_pipeline.accounts.store import get_account
    from crm_pipeline.database.statements import statement

    if since is not None and until is not None and until <= since:
        mistake("--until is to be later than --since.")
    wanted = {
        "account_id": account,
        "states": list(states or _FAILED),
        "error_code": code,
        "kind": kind,
        "since": since and since.replace(tzinfo=UTC),
        "until": until and until.replace(tzinfo=UTC),
    }
    with transaction() as connection:
        if account is not None:
            get_account(connection, account)
        if file is not None:
            written = _write(file, connection, wanted)
            say(f"{_counted(written)} in {file}; it has personal data.")
            return
        found = connection.execute(
            statement("operations/list_operations"), {**wanted, "after": None, "limit": limit}
        ).all()
        total = connection.scalar(statement("operations/count_operations"), wanted) or 0
        standings = connection.execute(
            statement("operations/states"), {"account_ids": None if account is None else [account]}
        ).all()
    chosen = states or code or kind or since or until
    print_table(
        "",
        _COLUMNS,
        [_cells(row) for row in found],
        empty="None is in this state." if chosen else "Nothing failed.",
    )
    if total > len(found):
        say(f"{len(found)} of {total}; --limit shows more, --csv FILE has all.", err=True)
    if not chosen:
        for standing in standings:
            _say_what_waits(standing)


def _cells(row: "Row[Any]") -> tuple[Any, ...]:
    return (
        row.operation_id,
        row.account_id,
        row.natural_key,
        row.state,
        row.attempts_left,
        row.next_attempt_at,
        row.error_code,
        row.error_message or row.reason,
    )


def _further_cells(row: "Row[Any]") -> tuple[Any, ...]:
    return (row.kind, row.sobject, row.action, row.salesforce_id, row.happened_at)


def _write(file: Path, connection: "Connection", wanted: Mapping[str, Any]) -> int:
    """Writes all operations that are wanted as CSV; returns how many."""
    from crm_pipeline.database.statements import statement

    rows = connection.execute(
        statement("operations/list_operations"),
        {**wanted, "after": None, "limit": None},
        execution_options={"yield_per": _ROWS_AT_ONCE},
    )
    with private_file(file) as opened:
        return write_csv(
            opened,
            _COLUMNS_OF_FILES,
            (
                (
                    *_cells(row),
                    row.kind,
                    row.sobject,
                    row.action,
                    row.salesforce_id,
                    row.happened_at,
                )
                for row in rows
            ),
        )


def _say_what_waits(standing: "Row[Any]") -> None:
    """Says of an account what has not been sent, and why, where it is so."""
    waiting = {
        State.pending: standing.pending,
        State.held: standing.held,
        State.in_flight: standing.in_flight,
    }
    numbers = " and ".join(f"{number} {state}" for state, number in waiting.items() if number)
    if not numbers:
        return
    if standing.draft:
        why = "the account is a draft"
    elif not standing.enabled:
        why = "the account is disabled"
    elif standing.reason:
        why = f"the account is {standing.state}: {standing.reason}"
    else:
        why = "for people who failed or are exhausted, or for the next cycle"
    say(
        f"Account {standing.account_id}: {numbers} wait: {why}. "
        f"`crm-pipeline operations list {standing.account_id} --state pending` lists them.",
        err=True,
    )


@app.command()
def show(operation_id: Annotated[int, typer.Argument(metavar="ID")]) -> None:
    """Show one operation: what was wanted, what was sent, what came back."""
    import json

    from crm_pipeline.database.statements import statement

    which = {"operation_id": operation_id}
    with transaction() as connection:
        row = (
            connection.execute(statement("operations/show_operation"), which)
            .mappings()
            .one_or_none()
        )
        of_it = {"operation_ids": [operation_id]}
        changes = connection.execute(statement("operations/field_changes"), of_it).all()
    if row is None:
        mistake(f"There is no operation {operation_id}; `crm-pipeline operations list` shows ids.")
    print_facts(
        (name.replace("_", " "), json.dumps(value, indent=2, ensure_ascii=False))
        if isinstance(value, dict)
        else (name.replace("_", " "), value)
        for name, value in row.items()
        if value is not None
    )
    if changes:
        print_table(
            "Values changed to fit the org",
            ("field", "why", "was", "became", "when"),
            [(c.field, c.why, c.old_value, c.new_value, c.changed_at) for c in changes],
            empty="",
        )


@app.command()
def requeue(
    operation_ids: OperationIds = None, account: OfAccount = None, code: WithCode = None
) -> None:
    """Give failed operations five tries again, the next cycle's retries first.

    With --code HOLD_REJECTED what was rejected while it was held is sent after all.
    """
    from crm_pipeline.ledger import decided

    overtaken = 0
    for account_id, ids in _chosen(operation_ids, account, code, (*_FAILED, _REJECTED)):
        with locked(account_id) as connection:
            again = decided.requeue(connection, account_id, ids)
        say_of_next_cycle(
            account_id, f"Account {account_id}: {_counted(again)} tried again from the next cycle."
        )
        overtaken += len(ids) - again
    if overtaken:
        mistake(
            f"{_counted(overtaken)} not: a later version of the same record has overtaken them, "
            "or they are no longer failed."
        )


@app.command()
def drop(
    reason: Annotated[str, typer.Option(help="Why; it is kept with the operation.")],
    operation_ids: OperationIds = None,
    account: OfAccount = None,
    code: WithCode = None,
    with_activities: Annotated[
        bool,
        typer.Option("--with-activities", help="Also what waits for people who are dropped."),
    ] = False,
) -> None:
    """Drop failed operations: they are never sent, and stay in the ledger with the reason."""
    from crm_pipeline.ledger import decided

    if not reason.strip():
        mistake("Say why with --reason; it is what is left of the operation.")
    may_be = (*_FAILED, State.dropped) if with_activities else _FAILED
    for account_id, ids in _chosen(operation_ids, account, code, may_be):
        with locked(account_id) as connection:
            dropped, waiting = decided.drop(
                connection,
                account_id,
                ids,
                reason=reason.strip(),
                dropped_by=who(),
                with_activities=with_activities,
            )
        say(f"Account {account_id}: {_counted(dropped)} dropped.")
        if waiting and with_activities:
            say(f"Account {account_id}: {_counted(waiting)} that waited for them, too.")
        elif waiting:
            say(
                f"Account {account_id}: {_counted(waiting)} still waiting for these people; "
                "drop the same again with --with-activities to drop those as well.",
            )


def _chosen(
    operation_ids: Sequence[int] | None,
    account: str | None,
    code: str | None,
    may_be: Sequence[str],
) -> list[tuple[str, list[int]]]:
    """The operations that are meant, by account: all that failed, or those named by their ids.

    One that is named must be in one of the states `may_be`.
    """
    from crm_pipeline.accounts.store import get_account
    from crm_pipeline.database.statements import statement

    if bool(operation_ids) == (account is not None):
        mistake("Name the operations by their ids, or all of an account with --account.")
    if operation_ids and code is not None:
        mistake("--code goes with --account, not with ids.")
    with transaction() as connection:
        if account is not None:
            get_account(connection, account)
            ids = connection.scalars(
                statement("operations/failed_with_code"),
                {"account_id": account, "error_code": code},
            ).all()
            if not ids:
                mistake(f"Account {account} has no failed operation{_of_code(code)}.")
            return [(account, list(ids))]
        rows = connection.execute(
            statement("operations/named_operations"), {"operation_ids": list(operation_ids or ())}
        ).all()
    states = {row.operation_id: row.state for row in rows}
    for operation_id in operation_ids or ():
        if states.get(operation_id) not in may_be:
            state = states.get(operation_id)
            mistake(
                f"Operation {operation_id} is {state}, not failed or exhausted."
                if state
                else f"There is no operation {operation_id}; "
                "`crm-pipeline operations list` shows ids."
            )
    by_account: dict[str, list[int]] = {}
    for row in rows:
        by_account.setdefault(row.account_id, []).append(row.operation_id)
    return list(by_account.items())


def _counted(number: int) -> str:
    return counted(number, "operation")


def _of_code(code: str | None) -> str:
    return f" with code {code}" if code else ""
