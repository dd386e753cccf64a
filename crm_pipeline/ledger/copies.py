"""Copies of the ledger: tells one that the last cycle wrote from an older one."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection

from crm_pipeline.database.rows import objects
from crm_pipeline.database.statements import statement


@dataclass(frozen=True, slots=True)
class ActivityToCreate:
    """The marks of a new activity of the ledger; `in_flight`: it may be in the org already."""

    in_flight: bool
    subject: str | None
    happened_at: str | None


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

    Writes within the caller's transaction; the caller holds the account's lock.
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
