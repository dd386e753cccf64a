"""Numbers that are counted over and over: requests, and what there is today."""

from sqlalchemy import Connection

from crm_pipeline.database.statements import statement


def count_requests(connection: Connection, account_id: str | None = None) -> None:
    """Counts the requests of each day anew, of one account or of all. Does not commit."""
    connection.execute(statement("daily/count_requests"), {"account_id": account_id})


def count_stock(connection: Connection) -> None:
    """Counts what all accounts have today (UTC): people, members, the queue. Does not commit."""
    connection.execute(statement("daily/count_stock"))
