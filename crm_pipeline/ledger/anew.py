"""Delivering all of an account anew, into an org that has nothing of it."""

from dataclasses import dataclass

from sqlalchemy import Connection

from crm_pipeline.database.statements import statement
from crm_pipeline.ledger.outcomes import STRANGER


@dataclass(frozen=True, slots=True)
class VolumeToStartAnew:
    """How much would be looked up and sent."""

    people: int
    activities: int
    campaigns: int
    members: int


def volume_to_start_anew(connection: Connection, account_id: str) -> VolumeToStartAnew:
    """The size of `start_anew`, counted and not changed."""
    parameters = {"account_id": account_id, "stranger": STRANGER}
    row = connection.execute(statement("ledger/volume_to_start_anew"), parameters).one()
    return VolumeToStartAnew(*row)


def start_anew(connection: Connection, account_id: str) -> None:
    """Forgets which records the account has, and has everything sent again.

    Writes within the caller's transaction; the caller holds the account's lock.
    """
    parameters = {"account_id": account_id, "stranger": STRANGER}
    connection.execute(statement("ledger/start_anew"), parameters)
