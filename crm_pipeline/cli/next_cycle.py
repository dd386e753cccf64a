"""What is left to an account's next cycle, as people are told it, and how it passes the brake."""

from typing import TYPE_CHECKING

from crm_pipeline.cli.databases import transaction
from crm_pipeline.cli.show import say

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from crm_pipeline.accounts.account import Account


def say_of_next_cycle(account_id: str, line: str) -> None:
    """Says what the next cycle of an account does, and why that does not come or sends nothing.

    Args:
        account_id: the account.
        line: a sentence on what it does.
    """
    from crm_pipeline.accounts.store import get_account
    from crm_pipeline.ledger.holds import open_hold

    with transaction() as connection:
        none = get_account(connection, account_id).without_cycles
        is_held = open_hold(connection, account_id) is not None
    say(line)
    if none is not None:
        say(f"It is {none.is_a}, though: `{none.command}` lets its cycles {none.verb}.")
    if is_held:
        say(
            f"It is held, though: nothing is sent until `crm-pipeline approve {account_id}` or "
            "`reject`."
        )


def lift_brake(connection: "Connection", account: "Account", most: int | None) -> None:
    """Lets the next load through, as a person said, where that alone may exceed a limit.

    What is too little for that is judged with all else that the cycle reads. Does not commit.

    Args:
        connection: of the caller's transaction, which holds the account's lock.
        account: the account.
        most: how many records of one sort it is at most; None: nobody knows.
    """
    from crm_pipeline.ledger.holds import approve_load

    if most is None or account.settings.limits.may_hold(most):
        approve_load(connection, account.account_id)
