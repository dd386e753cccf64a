"""Beginning an account anew: in an org that has nothing of it, or as another client."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from crm_pipeline.database.rows import the_object
from crm_pipeline.database.statements import statement


@dataclass(frozen=True, slots=True)
class VolumeToStartAnew:
    """The volume that would be looked up and sent."""

    people: int
    activities: int
    campaigns: int
    members: int
    records: int


def volume_to_start_anew(connection: Connection, account_id: str) -> VolumeToStartAnew:
    """The size of `start_anew`, counted and not changed."""
    parameters = {"account_id": account_id}
    row = connection.execute(statement("ledger/volume_to_start_anew"), parameters)
    return the_object(row, VolumeToStartAnew)


def start_anew(connection: Connection, account_id: str) -> None:
    """Forgets which records the account has, and has everything sent again.

    Writes within the caller's transaction; the caller holds the account's lock.
    """
    parameters = {"account_id": account_id}
    connection.execute(statement("ledger/start_anew"), parameters)


def some_known_records(
    connection: Connection, account_id: str, *, of_each: int
) -> dict[str, list[str]]:
    """Ids of records that the ledger knows in the account's org, by object.

    As good as at random: `of_each` of five objects at most.
    """
    parameters = {"account_id": account_id, "of_each": of_each}
    rows = connection.execute(statement("ledger/some_known_records"), parameters)
    return {row.sobject: row.ids for row in rows}


@dataclass(frozen=True, slots=True)
class StandingOfClient:
    """An account's position in its client's rows: read up to when, UTC (None: never).

    `done` operations are in the org, `unsent` ones are pending, failed or exhausted.
    """

    read_until: datetime | None
    done: int
    unsent: int


def standing_of_client(connection: Connection, account_id: str) -> StandingOfClient:
    """The size of `become_another_client`, counted and not changed."""
    row = connection.execute(statement("ledger/standing_of_client"), {"account_id": account_id})
    return the_object(row, StandingOfClient)


def become_another_client(connection: Connection, account_id: str) -> None:
    """Has the account's next cycle read its client from the start; forgets what was not sent.

    Writes within the caller's transaction; the caller holds the account's lock.
    """
    connection.execute(statement("ledger/another_client"), {"account_id": account_id})
