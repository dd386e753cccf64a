"""The planner's statistics: PostgreSQL keeps samples of values in them."""

from collections.abc import Iterable

from sqlalchemy import Connection

from crm_pipeline.database.statements import statement


def forget_statistics(connection: Connection, tables: Iterable[str]) -> None:
    """Has the samples of tables made anew where there are some; within the caller's transaction.

    Args:
        connection: the caller's; its transaction has deleted what is to be in no sample.
        tables: with their schemas.
    """
    for row in connection.execute(
        statement("inbound/with_statistics"), {"tables": sorted(set(tables))}
    ).all():
        connection.exec_driver_sql(row.command)
