"""Counting a client's rows in the warehouse, by the day of their last shipping."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import Connection, Engine

from crm_pipeline.database.statements import statement
from crm_pipeline.database.warehouses import as_day, as_decimal, as_list, times_in
from crm_pipeline.sources.errors import explained
from crm_pipeline.sources.participations import ExtractName


@dataclass(frozen=True, slots=True)
class Day:
    """A day's rows.

    Attributes:
        sums: how many can be read, their times as seconds since 1970 and their ids, and when
            their parts were shipped, added up.
        incomplete: ids of those that cannot: their person, session or event is not there.
        named: when the last part of each row was shipped (UTC) by its id, where the day was asked
            for; of rows that can be read.
        parts: when the parts of each of these were shipped, as the extracts add it up.
    """

    sums: tuple[int, Decimal, int]
    incomplete: Sequence[int]
    named: Mapping[int, datetime]
    parts: Mapping[int, int]


def days_of_warehouse(
    connection: Connection,
    client_id: str,
    source: ExtractName,
    *,
    sessions: Sequence[int] | None,
    until: datetime,
    of_days: Collection[date] = (),
) -> dict[date, Day]:
    """A client's rows by day (UTC), up to a time; those of some days by name.

    Raises:
        ExtractError: the warehouse is down, or `sql/extract/row_counts.sql` does not fit it.
    """
    with explained("row_counts"):
        rows = connection.execute(
            statement("extract/row_counts"),
            {
                "client_id": client_id,
                "sessions": None if sessions is None else list(sessions),
                "source": source,
                "until": until,
                "days": list(of_days),
            },
        )
        return {
            as_day(row.day): Day(
                (row.rows, as_decimal(row.seconds), row.parts),
                as_list(row.incomplete),
                dict(zip(as_list(row.ids), times_in(row.times), strict=True)),
                dict(zip(as_list(row.ids), as_list(row.parts_of), strict=True)),
            )
            for row in rows
        }


def still_there(
    warehouse: Engine, client_id: str, source: ExtractName, ids: Collection[int]
) -> set[int]:
    """Returns those of these rows that are in the warehouse, with all that they are joined with.

    Raises:
        ExtractError: the warehouse is down, or `sql/extract/still_there.sql` does not fit it.
    """
    with explained("still_there"), warehouse.connect() as connection:
        return set(
            connection.scalars(
                statement("extract/still_there"),
                {"client_id": client_id, "source": source, "ids": list(ids)},
            )
        )
