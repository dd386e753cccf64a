"""The time at which an account says what it wants, which never goes back."""

from datetime import datetime

from sqlalchemy import Connection

from crm_pipeline.database.statements import statement


def account_clock(connection: Connection, account_id: str) -> datetime:
    """Returns the time of our database, but none before one that it returned for the account. UTC.

    So what is said later is newer, also where the clock was set back in between. Writes within the
    caller's transaction.
    """
    said_at: datetime = connection.execute(
        statement("ledger/account_clock"), {"account_id": account_id}
    ).scalar_one()
    return said_at
