"""Whom a request is about: a user of the platform, or somebody whom the ledger knows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from crm_pipeline.database.statements import statement
from crm_pipeline.listener.access import Caller


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is known: the platform's ids, and the columns that filters need."""

    user_ids: Sequence[str]
    columns: Sequence[Mapping[str, Any]] = ()

    def passes(self, wanted: Mapping[str, Sequence[str]]) -> bool:
        """Returns whether one of the users has one of the wanted values in every column."""
        return not wanted or any(
            all(str(columns.get(name)) in values for name, values in wanted.items())
            for columns in self.columns
        )


def find(connection: Connection, caller: Caller, address: str) -> Person | None:
    """Returns whom an address belongs to; None: nobody who is known."""
    hasher = caller.hasher
    users = connection.execute(
        statement("inbound/users_of"),
        {"account_id": hasher.account_id, "digests": hasher.digests(address)},
    ).all()
    if users:
        return Person([row.user_id for row in users], [row.columns for row in users])
    addresses = [address, hasher.without_plus_part(address)]
    parameters = {"account_id": hasher.account_id, "addresses": addresses}
    if not connection.scalar(statement("inbound/is_known"), parameters):
        return None
    return Person(connection.scalars(statement("inbound/ids_of_person"), parameters).all())
