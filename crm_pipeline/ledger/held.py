"""Registrations that are held for their status: what it means may be said later.

Each function works within the caller's transaction, on the connection that holds the account's
lock.
"""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection

from crm_pipeline.database.rows import objects
from crm_pipeline.database.statements import statement


@dataclass(frozen=True, slots=True)
class Held:
    """A status word for which registrations are held, be it that nobody has explained it."""

    status: str
    is_unknown: bool


def held_statuses(connection: Connection, account_id: str) -> list[Held]:
    """The status words for which registrations of an account are held."""
    rows = connection.execute(statement("ledger/held_statuses"), {"account_id": account_id})
    return objects(rows, Held)


def held_for(connection: Connection, account_id: str, statuses: Collection[str]) -> list[int]:
    """The ids, in the source, of the registrations that are held for one of these words."""
    parameters = {"account_id": account_id, "statuses": list(statuses)}
    return list(connection.scalars(statement("ledger/held_for_status"), parameters))
