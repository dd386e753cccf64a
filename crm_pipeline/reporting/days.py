"""Days in numbers, by account."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

from sqlalchemy import Connection

from crm_pipeline.database.statements import statement

NOT_COUNTED = "not counted"
"""Stands for a number that was not counted: it is no zero."""

_OF_WHOM = ("account_id", "account")


def days_over(connection: Connection) -> list[date]:
    """Returns the days (UTC) of the last month on which something happened, but today, in order."""
    return list(connection.scalars(statement("reporting/days_over")))


def records_there(connection: Connection) -> dict[str, int]:
    """Returns how many records of each object there were over all accounts, counted last.

    Of activities it is what was made less what was deleted, by the pipeline.
    """
    rows = connection.execute(statement("reporting/records_there"))
    return {row.object: int(row.number) for row in rows}


def days_by_account(
    connection: Connection, first: date, last: date
) -> list[Mapping[str, str | int | None]]:
    """Returns the numbers of some days (UTC) by account, of those in which something happened then.

    Accounts where something went wrong come first, then those with most. The keys are
    `account_id`, `account` (its name) and the numbers of `sql/reporting/summary_by_account`; None
    is what was not counted on one of the days.

    Args:
        connection: to the pipeline's database.
        first: of the days.
        last: of the days; both count.
    """
    asked = {"first": first, "last": last}
    rows = connection.execute(statement("reporting/summary_by_account"), asked).mappings()
    return [
        {name: int(each) if isinstance(each, Decimal) else each for name, each in row.items()}
        for row in rows
    ]


def summed(rows: Sequence[Mapping[str, str | int | None]]) -> dict[str, int | None]:
    """Returns the sum over all accounts of each number of `days_by_account`.

    What was not counted of an account has no sum either (None).
    """
    sums: dict[str, int | None] = {}
    for name in (name for name in (rows[0] if rows else ()) if name not in _OF_WHOM):
        counted = [each for row in rows if isinstance(each := row[name], int)]
        sums[name] = sum(counted) if len(counted) == len(rows) else None
    return sums
