"""Copies of the ledger: tells one that the last cycle wrote from an older one."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import orjson
from sqlalchemy import Connection

from crm_pipeline.database.rows import objects
from crm_pipeline.database.statements import statement

AS_WANTED, CHANGED, MOVED = "adopted", "adopted, changed", "adopted, moved"
"""Steps of the search for an activity that is adopted, kept as the reason of its operation: in the
org as it is wanted, with another person or subject, or at another time."""


@dataclass(frozen=True, slots=True)
class ActivityToCreate:
    """The marks of a new activity of the ledger.

    `in_flight`: it may be in the org already; `is_adopted`: with other values, too.
    """

    in_flight: bool
    is_adopted: bool
    subject: str | None
    happened_at: str | None


@dataclass(frozen=True, slots=True)
class AdoptedActivity:
    """The marks of an activity that is sought; `person_id` is None of who is not in the org."""

    operation_id: int
    subject: str
    happened_at: str
    person_id: str | None


def mark_ledger(connection: Connection, account_id: str) -> bool:
    """Marks the tables as this server's; returns whether they may be an older copy. Commits."""
    unsure: bool = connection.execute(
        statement("ledger/mark_ledger"), {"account_id": account_id}
    ).scalar_one()
    connection.commit()
    return unsure


def ledger_is_sure(connection: Connection, account_id: str) -> None:
    """Notes that all that was to be sent was sought in the org, within the transaction."""
    connection.execute(statement("ledger/ledger_is_sure"), {"account_id": account_id})


def activities_to_create(connection: Connection, account_id: str) -> list[ActivityToCreate]:
    """The account's new activities that wait to be sent, or for an answer."""
    rows = connection.execute(statement("ledger/activities_to_create"), {"account_id": account_id})
    return objects(rows, ActivityToCreate)


def take_for_sent(connection: Connection, account_id: str) -> int:
    """Has all new activities sought in the org before they are sent; returns how many.

    The ledger may be an older copy until that is done. Writes within the caller's transaction; the
    caller holds the account's lock.
    """
    return connection.execute(
        statement("ledger/take_for_sent"), {"account_id": account_id}
    ).rowcount


def bring_up_to_date(connection: Connection, operation_ids: Collection[int]) -> None:
    """Has activities written anew that the org may have with other values than these want.

    Writes within the caller's transaction; that they are there is still to be recorded.
    """
    parameters = {"operation_ids": list(operation_ids)}
    connection.execute(statement("ledger/bring_up_to_date"), parameters)


def adopted_activities(
    connection: Connection, account_id: str, reasons: Collection[str], *, limit: int
) -> list[AdoptedActivity]:
    """The first activities, by their time, of some steps of the search; of one time all or none."""
    parameters = {"account_id": account_id, "reasons": list(reasons), "limit": limit}
    rows = connection.execute(statement("ledger/adopted_activities"), parameters)
    return objects(rows, AdoptedActivity)


def seek_otherwise(connection: Connection, operation_ids: Collection[int], reason: str) -> None:
    """Has these activities sought on by another step, within the transaction."""
    parameters = {"operation_ids": list(operation_ids), "reason": reason}
    connection.execute(statement("ledger/seek_otherwise"), parameters)


def adopted_of_people(
    connection: Connection, account_id: str, person_keys: Collection[int]
) -> dict[tuple[str, str], list[int]]:
    """The people whose activities are sought, by subject and time of these."""
    parameters = {"account_id": account_id, "person_keys": list(person_keys)}
    people: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for row in connection.execute(statement("ledger/adopted_of_people"), parameters):
        people[row.subject, row.happened_at].append(row.person_key)
    return people


def strangers_records(
    connection: Connection, account_id: str, addresses: Mapping[str, str | None]
) -> set[str]:
    """Those of these records, given with their addresses, that are nobody's of the account."""
    records = [{"salesforce_id": each, "address": addresses[each]} for each in addresses]
    parameters = {"account_id": account_id, "records": orjson.dumps(records).decode()}
    return set(connection.scalars(statement("ledger/strangers_records"), parameters))
