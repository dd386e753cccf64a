"""`crm-pipeline operations`: what failed, and what a person decides about it."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

import typer

from crm_pipeline.cli.databases import locked, transaction
from crm_pipeline.cli.mistakes import mistake
from crm_pipeline.cli.show import counted, print_facts, print_table, say

app = typer.Typer(
    help="Writes that failed: list them, look at one, send them again or give them up. What they "
    "show contains personal data."
)


class Which(StrEnum):
    """Which operations to list."""

    failed = "failed"
    exhausted = "exhausted"
    both = "both"

    def states(self) -> list[str]:
        """The ledger's states that are meant."""
        return [Which.failed, Which.exhausted] if self is Which.both else [self]


OperationIds = Annotated[
    list[int] | None, typer.Argument(metavar="[ID]...", help="Ids, as `operations list` shows.")
]
OfAccount = Annotated[str | None, typer.Option("--account", help="All of one account.")]
WithCode = Annotated[str | None, typer.Option("--code", help="Only those with this error code.")]


@app.command("list")
def list_(
    account: Annotated[
        str | None, typer.Argument(metavar="[ACCOUNT]", help="Of one account only.")
    ] = None,
    which: Annotated[
        Which, typer.Option("--state", help="failed: tried again; exhausted: not any more.")
    ] = Which.both,
    code: WithCode = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the oldest.")] = 50,
) -> None:
    """List what failed, the oldest first, with the reason."""
    from crm_pipeline.accounts.store import get_account
    from crm_pipeline.database.statements import statement

    wanted = {"account_id": account, "states": which.states(), "error_code": code}
    with transaction() as connection:
        if account is not None:
            get_account(connection, account)
        found = connection.execute(
            statement("operations/list_operations"), {**wanted, "limit": limit}
        ).all()
        total = connection.scalar(statement("operations/count_operations"), wanted) or 0
    print_table(
        "",
        (
            "id",
            "account",
            "about",
            "state",
            "tries left",
            "next try",
            "code",
            "what Salesforce said",
        ),
        [
            (
                row.operation_id,
                row.account_id,
                row.natural_key,
                row.state,
                row.attempts_left,
                row.next_attempt_at,
                row.error_code,
                row.error_message,
            )
            for row in found
        ],
        empty="Nothing failed.",
    )
    if total > len(found):
        say(f"{len(found)} of {total}; --limit shows more.")


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
        changes = connection.execute(statement("operations/field_changes"), which).all()
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
    """Give failed operations five tries again, the next cycle's retries first."""
    from crm_pipeline.database.statements import statement

    overtaken = 0
    for account_id, ids in _chosen(operation_ids, account, code, Which.both.states()):
        with locked(account_id) as connection:
            parameters = {"account_id": account_id, "operation_ids": ids}
            again = connection.scalars(statement("operations/requeue"), parameters).all()
        say(f"Account {account_id}: {_counted(len(again))} tried again from the next cycle.")
        overtaken += len(ids) - len(again)
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
        typer.Option("--with-activities", help="Also what waits for people who are given up."),
    ] = False,
) -> None:
    """Give failed operations up: they are never sent, and stay in the ledger with the reason."""
    import getpass

    from crm_pipeline.database.statements import statement

    if not reason.strip():
        mistake("Say why with --reason; it is what is left of the operation.")
    kept_reason = f"dropped by {getpass.getuser()}: {reason.strip()}"
    may_be = [*Which.both.states(), "dropped"] if with_activities else Which.both.states()
    for account_id, ids in _chosen(operation_ids, account, code, may_be):
        with locked(account_id) as connection:
            which = {"account_id": account_id, "operation_ids": ids}
            dropped = connection.scalars(
                statement("operations/drop"), {**which, "reason": kept_reason}
            ).all()
            waiting = connection.scalars(statement("operations/waiting_for_dropped"), which).all()
            if with_activities:
                connection.execute(
                    statement("operations/drop_waiting"),
                    {"account_id": account_id, "operation_ids": waiting, "reason": kept_reason},
                )
        say(f"Account {account_id}: {_counted(len(dropped))} given up.")
        if waiting and with_activities:
            say(f"Account {account_id}: {_counted(len(waiting))} that waited for them, too.")
        elif waiting:
            say(
                f"Account {account_id}: {_counted(len(waiting))} still waiting for these people; "
                "drop the same again with --with-activities to give those up as well.",
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
