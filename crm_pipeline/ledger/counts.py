"""Rows read of each source by day, and the last count of it against the warehouse.

Each function works within the caller's transaction, on the connection that holds the
account's lock.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import orjson
from sqlalchemy import Connection

from crm_pipeline.database.statements import statement

_BELIEVED_ROWS, _BELIEVED_SHARE = 100, 0.1


def too_many(vanished: int, *, read: int, believed: int) -> bool:
    """Returns whether so many have not vanished at once, but were loaded badly.

    Args:
        vanished: how many are not in the warehouse any more.
        read: of how many that were read.
        believed: how many are meant, as a person has said.
    """
    return vanished > max(_BELIEVED_ROWS, _BELIEVED_SHARE * read, believed)


@dataclass(frozen=True, slots=True)
class ReadDay:
    """The rows read of a day.

    Attributes:
        sums: how many rows, their times as seconds since 1970 and their ids, and when their parts
            were shipped, added up.
        not_noted: those of them of which it was not noted when their parts were shipped.
        named: the time of each by its id, where the day was asked for (UTC).
        parts: the shipping times with which each of these was read, as the extracts add them up;
            None where that was not noted.
    """

    sums: tuple[int, Decimal, int]
    not_noted: int
    named: Mapping[int, datetime]
    parts: Mapping[int, int | None]


@dataclass(frozen=True, slots=True)
class Count:
    """A source's count, as `crm.source_count` has it; `again` are the rows that were unread."""

    source: str
    rows: int
    again: Sequence[int]
    still_unread: int
    incomplete: int
    vanished: int
    explained: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class LastCount:
    """The result of a source's last count.

    Attributes:
        explained: days that differed and were compared, with their numbers.
        believed: up to so many vanished rows are meant, as a person has said since.
    """

    explained: Mapping[str, Any]
    believed: int


def days_of_ledger(
    connection: Connection,
    account_id: str,
    key: str,
    until: datetime,
    of_days: Collection[date] = (),
) -> dict[date, ReadDay]:
    """Counts rows read by day (UTC), up to a time; `key` begins their keys: `registration`."""
    rows = connection.execute(
        statement("ledger/row_counts"),
        {
            "account_id": account_id,
            "pattern": f"^{key}:[0-9]+$",
            "until": until,
            "days": list(of_days),
        },
    )
    return {
        row.day: ReadDay(
            (row.rows, row.seconds, row.parts),
            row.not_noted,
            dict(zip(row.ids or (), row.times or (), strict=True)),
            dict(zip(row.ids or (), row.parts_of or (), strict=True)),
        )
        for row in rows
    }


def known_rows(
    connection: Connection,
    account_id: str,
    key: str,
    numbers: Collection[int],
    *,
    vanished_too: bool = False,
) -> dict[int, datetime]:
    """Returns those of these rows that were read, and as of when (UTC).

    Those that had vanished are to be read when they come back, so they are left out by default.
    """
    if not numbers:
        return {}
    keys = [f"{key}:{number}" for number in numbers]
    known = connection.execute(
        statement("ledger/known_rows"), {"account_id": account_id, "natural_keys": keys}
    )
    return {
        int(row.natural_key.partition(":")[2]): row.as_of
        for row in known
        if vanished_too or not row.vanished
    }


def never_there(
    connection: Connection, account_id: str, key: str, numbers: Collection[int]
) -> set[int]:
    """Returns those of these rows of which the org has nothing, for all that is known."""
    keys = [f"{key}:{number}" for number in numbers]
    found = connection.scalars(
        statement("ledger/never_there"), {"account_id": account_id, "natural_keys": keys}
    )
    return {int(natural_key.partition(":")[2]) for natural_key in found}


def last_counts(connection: Connection, account_id: str) -> tuple[bool, dict[str, LastCount]]:
    """Returns whether the account's rows are to be counted again, and the last counts by source."""
    rows = connection.execute(statement("ledger/counts"), {"account_id": account_id}).all()
    last = {row.source: LastCount(row.explained, row.believed) for row in rows}
    return not rows or any(row.is_old for row in rows), last


@dataclass(frozen=True, slots=True)
class VanishedRows:
    """Rows of a source that the last count did not find: how many, and when it was (UTC)."""

    source: str
    rows: int
    counted_at: datetime


def vanished_rows(connection: Connection, account_id: str) -> list[VanishedRows]:
    """The sources of which the last count found rows vanished."""
    rows = connection.execute(statement("ledger/vanished"), {"account_id": account_id})
    return [VanishedRows(row.source, row.vanished, row.counted_at) for row in rows]


def believe_vanished(connection: Connection, account_id: str) -> None:
    """Has the next count, which is due then, go by what the last one found vanished."""
    connection.execute(statement("ledger/believe_vanished"), {"account_id": account_id})


def rows_of_members(connection: Connection, account_id: str) -> dict[str, list[int]]:
    """Rows that counting found unread, by source, and that are still to be read for members."""
    rows = connection.execute(statement("ledger/rows_of_members"), {"account_id": account_id})
    return {row.source: row.again for row in rows}


def members_were_read(connection: Connection, account_id: str) -> None:
    """Notes that these rows were read for members."""
    connection.execute(statement("ledger/members_were_read"), {"account_id": account_id})


def note_count(connection: Connection, account_id: str, count: Count) -> None:
    """Notes a count; it is the last one."""
    connection.execute(
        statement("ledger/note_count"),
        {
            "account_id": account_id,
            "source": count.source,
            "rows": count.rows,
            "again": list(count.again),
            "still_unread": count.still_unread,
            "incomplete": count.incomplete,
            "vanished": count.vanished,
            "explained": orjson.dumps(count.explained).decode(),
        },
    )
