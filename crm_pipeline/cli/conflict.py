"""`crm-pipeline conflict`: fields that the source and people in the org say differently."""

from typing import TYPE_CHECKING, Annotated

import typer

from crm_pipeline.cli.arguments import OfAccount, OneAccount, not_blank
from crm_pipeline.cli.databases import locked, transaction
from crm_pipeline.cli.mistakes import mistake
from crm_pipeline.cli.next_cycle import say_of_next_cycle
from crm_pipeline.cli.show import counted, print_table

if TYPE_CHECKING:
    from crm_pipeline.ledger.conflicts import Conflict, Side

app = typer.Typer(
    help="Fields of people with the policy `ask`: the org's value stands until a person decides. "
    "What they show contains personal data."
)

ConflictIds = Annotated[
    list[int] | None, typer.Argument(metavar="[ID]...", help="Ids, as `conflict list` shows.")
]
OfField = Annotated[
    str | None, typer.Option("--field", help="Only of this field, as in Phone.", callback=not_blank)
]


@app.command("list")
def list_(
    account: OneAccount = None,
    field: OfField = None,
) -> None:
    """List the fields about which somebody is to decide, the oldest first."""
    from crm_pipeline.accounts.store import get_account
    from crm_pipeline.ledger.conflicts import open_conflicts

    with transaction() as connection:
        if account is not None:
            get_account(connection, account)
        found = open_conflicts(connection, account, field)
    print_table(
        "",
        ("id", "account", "person", "record", "field", "in the org", "in the source", "since"),
        [
            (
                each.conflict_id,
                each.account_id,
                each.address,
                f"{each.sobject} {each.salesforce_id}",
                each.field,
                each.there,
                each.wanted,
                each.seen_at,
            )
            for each in found
        ],
        empty="There is nothing to decide.",
    )


@app.command()
def overwrite(
    conflict_ids: ConflictIds = None, account: OfAccount = None, field: OfField = None
) -> None:
    """Write the source's values with the next cycle, over those of people in the org."""
    _decide(
        conflict_ids, account, field, "source", "to be as the source says from the next cycle on"
    )


@app.command()
def keep(
    conflict_ids: ConflictIds = None, account: OfAccount = None, field: OfField = None
) -> None:
    """Keep the org's values, until the source or people in the org say something else."""
    _decide(conflict_ids, account, field, "org", "to stay as the org has them")


def _decide(
    conflict_ids: list[int] | None,
    account: str | None,
    field: str | None,
    side: "Side",
    what: str,
) -> None:
    from crm_pipeline.accounts.store import touch_account
    from crm_pipeline.ledger.conflicts import decide

    by_account: dict[str, list[int]] = {}
    for each in _chosen(conflict_ids, account, field):
        by_account.setdefault(each.account_id, []).append(each.conflict_id)
    for account_id, ids in by_account.items():
        with locked(account_id) as connection:
            decide(connection, account_id, ids, side)
            touch_account(connection, account_id)
        say_of_next_cycle(
            account_id, f"Account {account_id} has {counted(len(ids), 'field')} {what}."
        )


def _chosen(
    conflict_ids: list[int] | None, account: str | None, field: str | None
) -> "list[Conflict]":
    """The conflicts that are meant: those named by their ids, or all of an account."""
    from crm_pipeline.accounts.store import get_account
    from crm_pipeline.ledger.conflicts import open_conflicts

    if bool(conflict_ids) == (account is not None):
        mistake("Name the conflicts by their ids, or all of an account with --account.")
    if conflict_ids and field is not None:
        mistake("--field goes with --account, not with ids.")
    with transaction() as connection:
        if account is not None:
            get_account(connection, account)
        found = open_conflicts(connection, account, field)
    if account is not None:
        if not found:
            mistake(f"Account {account} has nothing to decide{f' of {field}' if field else ''}.")
        return found
    by_id = {each.conflict_id: each for each in found}
    for conflict_id in conflict_ids or ():
        if conflict_id not in by_id:
            mistake(
                f"There is no conflict {conflict_id} to decide; `crm-pipeline conflict list` shows "
                "those that there are."
            )
    return [by_id[conflict_id] for conflict_id in dict.fromkeys(conflict_ids or ())]
