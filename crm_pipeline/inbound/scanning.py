"""A scan for a text in everything that a database stores: the proof of an erasure."""

from collections.abc import Iterator

from sqlalchemy import Engine

from crm_pipeline.database.statements import statement


def places_of(database: Engine, text: str) -> Iterator[tuple[str, int]]:
    """Yields the columns that have a text in them, in any case, with how many rows.

    Every column that can hold text, of every table but those of the warehouse, and the samples
    of the planner's statistics. Reads all of it: minutes where there is much.

    Args:
        database: which.
        text: such as an address.
    """
    with database.connect() as connection:
        columns = connection.execute(statement("scan/columns")).all()
        for row in columns:
            number = connection.exec_driver_sql(row.command, {"text": text}).scalar_one()
            if number:
                yield row.place, number
        if number := connection.scalar(statement("scan/statistics"), {"text": text}):
            yield "pg_stats", number
        for command in connection.scalars(statement("scan/statements")):
            number = connection.exec_driver_sql(command, {"text": text}).scalar_one()
            if number:
                yield "pg_stat_statements", number
