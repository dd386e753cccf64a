"""Copies of the ledger: tells one that the last cycle wrote from an older one."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection

from crm_pipeline.database.rows import objects, the_object
from crm_pipeline.database.statements import statement

AS_WANTED, CHANGED, MOVED = "adopted", "adopted, changed", "adopted, moved"
"""Steps of the search for an activity that is adopted, kept as the reason of its operation: in the
org as it is wanted, with another person or subject, or at another time."""


@dataclass(frozen=True, slots=True)
class ActivityToCreate:
    """The marks of a new activity of the ledger.

    `in_flight`: it may be in the org already; `is_adopted`: with other values, too; `is_sought`: it
    was looked for like that, and was not there.
    """

    in_flight: bool
    is_adopted: bool
    is_sought: bool
    subject: str | None
    happened_at: str | None


@dataclass(frozen=True, slots=True)
class AdoptedActivity:
    """The marks of an activity that is sought; `person_id` is None of who is not in the org."""

    operation_id: int
    natural_key: str
    subject: str
    happened_at: str
    person_id: str | None


@dataclass(frozen=True, slots=True)
class WhatCopyKnows:
    """The knowledge of a ledger that may be an older copy.

    Attributes:
        known_until: what was sent to the org later it does not know; by the org's clock, UTC.
            None: it is about an org of which it knows nothing.
        looked_through: what was written there since was looked through (`doubt_written`).
        adopts: a person said that what our user made there since is the account's.
    """

    known_until: datetime | None
    looked_through: bool
    adopts: bool


def mark_ledger(connection: Connection, account_id: str) -> bool:
    """Marks the tables as this server's; returns whether they may be an older copy. Commits."""
    unsure: bool = connection.execute(
        statement("ledger/mark_ledger"), {"account_id": account_id}
    ).scalar_one()
    connection.commit()
    return unsure


def ledger_is_sure(connection: Connection, account_id: str) -> bool:
    """Notes that all that was to be sent was sought in the org, within the transaction.

    Returns whether it was unsure before.
    """
    parameters = {"account_id": account_id}
    return connection.execute(statement("ledger/ledger_is_sure"), parameters).rowcount > 0


def what_copy_knows(connection: Connection, account_id: str) -> WhatCopyKnows:
    """What a ledger that may be an older copy knows of what was sent; of another one nothing."""
    parameters = {"account_id": account_id}
    row = connection.execute(statement("ledger/what_copy_knows"), parameters)
    return the_object(row, WhatCopyKnows)


def note_unknown_activities(
    connection: Connection, account_id: str, records: Sequence[Mapping[str, Any]]
) -> None:
    """Keeps activities of the org that an older copy does not know; `records` as they are read."""
    parameters = {"account_id": account_id, "records": orjson.dumps(records).decode()}
    connection.execute(statement("ledger/note_unknown_activities"), parameters)


def unknown_activities(connection: Connection, account_id: str) -> list[dict[str, Any]]:
    """Those that no operation has by now: Id, Subject, ActivityDateTime, IsDeleted of each."""
    rows = connection.execute(statement("ledger/unknown_activities"), {"account_id": account_id})
    return [dict(row._mapping) for row in rows]


def doubt_written(
    connection: Connection,
    account_id: str,
    written: Mapping[str, datetime],
    deleted: Collection[str],
) -> None:
    """Has what we wrote since the copy looked at, or sent, again; but for people.

    Writes within the caller's transaction.

    Args:
        connection: to the ledger's database.
        account_id: the account.
        written: when our user wrote records last, by Id; by the org's clock, UTC. Those of which
            the copy has a later sending it knows.
        deleted: those of the records that are no more.
    """
    parameters = {
        "account_id": account_id,
        "salesforce_ids": list(written),
        "moments": list(written.values()),
        "deleted": list(deleted),
    }
    connection.execute(statement("ledger/doubt_written"), parameters)


@dataclass(frozen=True, slots=True)
class PersonOfRecord:
    """A person for whom a record stands: what was sent there last, and what is wanted now."""

    person_key: int
    sobject: str
    salesforce_id: str
    sent: Mapping[str, Any]
    wanted: Mapping[str, Any]


def people_of_records(
    connection: Connection, account_id: str, salesforce_ids: Collection[str]
) -> list[PersonOfRecord]:
    """The people for whom these records stand, each record's newest one."""
    parameters = {"account_id": account_id, "salesforce_ids": list(salesforce_ids)}
    rows = connection.execute(statement("ledger/people_of_records"), parameters)
    return objects(rows, PersonOfRecord)


def record_objects(connection: Connection, account_id: str) -> list[str]:
    """The custom objects of which the account has records."""
    return list(connection.scalars(statement("ledger/record_objects"), {"account_id": account_id}))


def unknown_records(
    connection: Connection, account_id: str, salesforce_ids: Collection[str]
) -> list[str]:
    """Those of these records, but for activities, that no account of the org knows; in order."""
    parameters = {"account_id": account_id, "salesforce_ids": list(salesforce_ids)}
    return list(connection.scalars(statement("ledger/unknown_records"), parameters))


def activities_to_create(connection: Connection, account_id: str) -> list[ActivityToCreate]:
    """The account's new activities that wait to be sent, or for an answer."""
    rows = connection.execute(statement("ledger/activities_to_create"), {"account_id": account_id})
    return objects(rows, ActivityToCreate)


def take_for_sent(connection: Connection, account_id: str, *, again: bool = True) -> int:
    """Has all new activities sought in the org before they are sent; returns how many.

    Without `again`, those stay that were sought before and were not there.

    The ledger may be an older copy until that is done, and so is done with what comes later and is
    like something that it does not know. Writes within the caller's transaction; the
    caller holds the account's lock.
    """
    return connection.execute(
        statement("ledger/take_for_sent"), {"account_id": account_id, "all_of_them": again}
    ).rowcount


def bring_up_to_date(connection: Connection, operation_ids: Collection[int]) -> None:
    """Has activities read, and sent where need be, that the org may have with other values.

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
