"""Further addresses of people, with which they joined: what comes with one is theirs.

Each function works within the caller's transaction, on the connection that holds the account's
lock.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from crm_pipeline.database.statements import statement


class Alias(NamedTuple):
    """A further address of somebody, as `email_key` writes it.

    Attributes:
        address: the further one.
        main: the one that the person has.
        source_person: the platform's id of the person, as it was when they came with the other.
    """

    address: str
    main: str
    source_person: str | None


def aliases_of(
    connection: Connection, account_id: str, addresses: Collection[str]
) -> dict[str, Alias]:
    """Returns which of these addresses are further ones of somebody."""
    parameters = {"account_id": account_id, "addresses": list(addresses)}
    rows = connection.execute(statement("ledger/aliases_of"), parameters)
    return {row.address: Alias(row.address, row.main, row.source_person) for row in rows}


def note_aliases(
    connection: Connection, account_id: str, aliases: Sequence[tuple[str, int, str | None]]
) -> None:
    """Notes further addresses: each with its person, and the platform's id of that one."""
    parameters = {
        "account_id": account_id,
        "addresses": [address for address, _, _ in aliases],
        "person_keys": [person for _, person, _ in aliases],
        "source_people": [source for _, _, source in aliases],
    }
    connection.execute(statement("ledger/note_aliases"), parameters)


def end_aliases(connection: Connection, account_id: str, addresses: Collection[str]) -> None:
    """Forgets further addresses: whoever had one has no other any more."""
    parameters = {"account_id": account_id, "addresses": list(addresses)}
    connection.execute(statement("ledger/end_aliases"), parameters)


def taken_aliases(connection: Connection, account_id: str) -> tuple[int, int | None]:
    """Returns how many people came with an address that is somebody else's, and one of them."""
    row = connection.execute(statement("ledger/taken_aliases"), {"account_id": account_id}).one()
    return row.number, row.person_key
