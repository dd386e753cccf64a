"""`crm-pipeline approve` and `reject`: a person decides about a cycle that is held."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from crm_pipeline.cli.arguments import AccountId, Yes, not_blank
from crm_pipeline.cli.databases import locked, transaction
from crm_pipeline.cli.guards import agree
from crm_pipeline.cli.mistakes import mistake
from crm_pipeline.cli.show import counted, print_table, say
from crm_pipeline.cli.who import who
from crm_pipeline.text import shown

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from crm_pipeline.ledger.holds import Hold, PastHold

By = Annotated[
    str | None,
    typer.Option(
        "--by", help="Who decides; by default the user of this machine.", callback=not_blank
    ),
]


def approve(
    account_id: AccountId,
    *,
    why: Annotated[
        str | None, typer.Option(help="Why; it is kept with the hold.", callback=not_blank)
    ] = None,
    by: By = None,
    yes: Yes = False,
) -> None:
    """Send what a cycle was held for; says first what that is.

    What was read since is held to the limits by itself.
    """
    from crm_pipeline.ledger import holds

    with _held(account_id) as (connection, held):
        agree(_what_is_held(held), "Send that?", yes=yes)
        holds.approve(connection, held, decided_by=_who(by), why=why and why.strip())
    say(f"Account {account_id} goes on: its next cycle sends that.")


def reject(
    account_id: AccountId,
    *,
    why: Annotated[
        str,
        typer.Option(help="Why; it is kept with the hold, and with what it drops."),
    ],
    by: By = None,
    yes: Yes = False,
) -> None:
    """Drop what exceeds a limit, and send the rest; says first what that is.

    Where too many rows were rejected, all that was read with them is dropped. `crm-pipeline
    operations requeue --account ACCOUNT --code HOLD_REJECTED` sends it after all.
    """
    from crm_pipeline.ledger import holds

    if not why.strip():
        mistake("Say why with --why; it is what is left of the operations.")
    with _held(account_id) as (connection, held):
        agree(_what_is_held(held), "Drop that?", yes=yes)
        dropped = holds.reject(connection, held, decided_by=_who(by), why=why.strip())
    say(f"Account {account_id}: {counted(dropped, 'operation')} dropped; the rest goes on.")


def print_holds(found: "list[PastHold]") -> None:
    """Prints the holds of an account, where there were any."""
    from crm_pipeline.cycle.brake import HOLD_COLUMNS, hold_rows

    if found:
        print_table("Last holds", HOLD_COLUMNS, hold_rows(found), empty="")


@contextmanager
def _held(account_id: str) -> "Iterator[tuple[Connection, Hold]]":
    """The account's open hold, while no cycle of it runs; has the account looked at again."""
    from crm_pipeline.accounts.store import get_account, touch_account
    from crm_pipeline.ledger.holds import open_hold

    with transaction() as connection:
        get_account(connection, account_id)
    with locked(account_id) as connection:
        held = open_hold(connection, account_id)
        if held is None:
            mistake(f"Account {account_id} is not held; `crm-pipeline state` says which are.")
        yield connection, held
        touch_account(connection, account_id)


def _what_is_held(held: "Hold") -> str:
    from crm_pipeline.cycle.brake import told

    return f"Held since {shown(held.held_at)}: {told(held.exceeded)}."


def _who(by: str | None) -> str:
    return (by and by.strip()) or who()
