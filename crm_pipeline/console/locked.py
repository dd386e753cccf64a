"""A transaction about one account while no cycle of it runs, done by whoever is logged in."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from sqlalchemy import Connection

from crm_pipeline.accounts.store import get_account
from crm_pipeline.console.asked import Order
from crm_pipeline.console.errors import ConsoleError
from crm_pipeline.database.statements import statement
from crm_pipeline.ledger.lock import account_lock


@contextmanager
def locked(order: Order, account_id: str) -> Iterator[Connection]:
    """The transaction, kept when the block ends well.

    Raises:
        AccountError: there is no such account.
        ConsoleError: a cycle of the account runs.
    """
    pipeline = order.databases.pipeline
    with pipeline.connect() as connection:
        get_account(connection, account_id)
    with account_lock(pipeline, account_id) as held:
        if held is None:
            raise ConsoleError(
                HTTPStatus.CONFLICT,
                f"A cycle of account {account_id} is running: try again when it has ended.",
            )
        who = {"who": order.somebody.name}
        held.execute(statement("accounts/set_who"), who)
        yield held
        held.commit()
