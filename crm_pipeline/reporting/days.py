"""Days in numbers, by account."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from sqlalchemy import Connection

from crm_pipeline.database.statements import statement


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
