"""Visits: rows of attendances, and which of them are part of another's activity.

Each function works within the caller's transaction, on the connection that holds the account's
lock.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from crm_pipeline.database.rows import objects, the_object
from crm_pipeline.database.statements import statement


class Place(NamedTuple):
    """Where somebody was: one attendance, in however many visits."""

    person_key: int
    event_session_id: int | None
    on_demand: bool


class Visit(NamedTuple):
    """A row of the source that has an activity, or is part of one that has (`part_of`)."""

    attendance_id: int
    person_key: int
    event_session_id: int | None
    on_demand: bool
    part_of: int | None

    @property
    def place(self) -> Place:
        """Where it was."""
        return Place(self.person_key, self.event_session_id, self.on_demand)


def visits_of(connection: Connection, account_id: str, ids: Collection[int]) -> list[Visit]:
    """The visits that are known of these rows."""
    parameters = {"account_id": account_id, "attendance_ids": list(ids)}
    return objects(connection.execute(statement("ledger/visits_of"), parameters), Visit)


def visits_at(connection: Connection, account_id: str, places: Collection[Place]) -> list[Visit]:
    """The known visits to these places."""
    parameters = {
        "account_id": account_id,
        "person_keys": [each.person_key for each in places],
        "sessions": [each.event_session_id for each in places],
        "on_demand": [each.on_demand for each in places],
    }
    return objects(connection.execute(statement("ledger/visits_at"), parameters), Visit)


def note_visits(connection: Connection, account_id: str, visits: Sequence[Visit]) -> None:
    """Notes these visits as they are now."""
    connection.execute(
        statement("ledger/note_visits"),
        {
            "account_id": account_id,
            "attendance_ids": [each.attendance_id for each in visits],
            "person_keys": [each.person_key for each in visits],
            "sessions": [each.event_session_id for each in visits],
            "on_demand": [each.on_demand for each in visits],
            "parts_of": [each.part_of for each in visits],
        },
    )


def forget_visits(connection: Connection, account_id: str, ids: Collection[int]) -> None:
    """Notes that these rows are no visits any more."""
    parameters = {"account_id": account_id, "attendance_ids": list(ids)}
    connection.execute(statement("ledger/forget_visits"), parameters)


def others_of(connection: Connection, account_id: str, ids: Collection[int]) -> list[int]:
    """The visits that were one attendance with any of these, without them."""
    parameters = {"account_id": account_id, "attendance_ids": list(ids)}
    return list(connection.scalars(statement("ledger/others_of_visits"), parameters))


@dataclass(frozen=True, slots=True)
class AttendancesInOrg:
    """The attendances that have an activity in the org, and of how many people they are."""

    attendances: int
    people: int


def attendances_in_org(connection: Connection, account_id: str) -> AttendancesInOrg:
    """Counts them."""
    rows = connection.execute(statement("ledger/attendances_in_org"), {"account_id": account_id})
    return the_object(rows, AttendancesInOrg)


def take_as_own(connection: Connection, account_id: str) -> None:
    """Has each of these undone that turns out, read again, to be part of another."""
    connection.execute(statement("ledger/take_as_own_visits"), {"account_id": account_id})


def delivered_attendances(
    connection: Connection, account_id: str, sessions: Collection[int]
) -> dict[int, datetime]:
    """Returns when each attendance of these sessions came to be in the org (UTC), by its row."""
    parameters = {"account_id": account_id, "sessions": list(sessions)}
    rows = connection.execute(statement("ledger/delivered_attendances"), parameters)
    return {row.attendance_id: row.seen_at for row in rows}
