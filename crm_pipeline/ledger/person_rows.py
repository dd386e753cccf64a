"""Rows that count in figures of people, of accounts that have such figures in their org."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

import orjson
from sqlalchemy import Connection

from crm_pipeline.database.statements import statement


class CountedRow(NamedTuple):
    """A registration or an attendance, and what it says of its person (times in UTC)."""

    person_key: int
    is_attendance: bool
    event_session_id: int
    at: datetime
    minutes: float | None
    row_id: int = 0


def note_person_rows(
    connection: Connection,
    account_id: str,
    read: Collection[tuple[bool, int]],
    counting: Sequence[CountedRow],
) -> None:
    """Notes rows that count, within the caller's transaction.

    Args:
        connection: the caller's.
        account_id: whose rows.
        read: all that were read, as (is_attendance, row_id): those that do not count go.
        counting: those of them that count.
    """
    parameters = {
        "account_id": account_id,
        "read": orjson.dumps([{"is_attendance": a, "row_id": r} for a, r in read]).decode(),
        "counting": orjson.dumps([each._asdict() for each in counting]).decode(),
    }
    connection.execute(statement("ledger/note_person_rows"), parameters)


def person_rows(
    connection: Connection, account_id: str, person_keys: Collection[int]
) -> list[CountedRow]:
    """Returns all rows of these people that count."""
    parameters = {"account_id": account_id, "person_keys": list(person_keys)}
    rows = connection.execute(statement("ledger/person_rows"), parameters)
    return [CountedRow(*row) for row in rows]
