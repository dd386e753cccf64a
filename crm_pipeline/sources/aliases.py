"""People who join with another address than they registered with (`joined_as`)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Connection

from crm_pipeline.ledger.aliases import Alias, aliases_of, end_aliases, note_aliases
from crm_pipeline.ledger.people import Sighting, Who
from crm_pipeline.salesforce.emails import email_key
from crm_pipeline.sources.participations import Participation, RowOfPerson
from crm_pipeline.sources.people import who

JOINED_AS = "joined_as"


def other_address(row: RowOfPerson) -> str | None:
    """Returns the address with which somebody joined, where it is another than their own."""
    joined = row.columns.get(JOINED_AS)
    address = email_key(joined) if isinstance(joined, str) else None
    return None if address == email_key(row.columns["email"]) else address


def with_main_addresses(
    ledger: Connection, account_id: str, rows: Sequence[Participation]
) -> Sequence[Participation]:
    """The rows; what came with a further address of somebody has the one that they have.

    An address that the platform gives the person themselves by now is a further one no more.
    """
    addresses = {key for row in rows if (key := email_key(row.columns["email"])) is not None}
    aliases = aliases_of(ledger, account_id, addresses) if addresses else {}
    if not aliases:
        return rows
    ended = {
        alias.address
        for row in rows
        if (alias := aliases.get(str(email_key(row.columns["email"])))) is not None
        and alias.source_person is not None
        and who(row)[0] == alias.source_person
    }
    if ended:
        end_aliases(ledger, account_id, ended)
    left = {address: alias for address, alias in aliases.items() if address not in ended}
    return [
        row
        if (alias := left.get(str(email_key(row.columns["email"])))) is None
        else replace(row, columns={**row.columns, "email": alias.main})
        for row in rows
    ]


def sightings_at_main(
    sightings: Iterable[Sighting], aliases: Mapping[str, Alias]
) -> list[Sighting]:
    """The platform's statements of people, those at further addresses as at their own."""
    return [
        each
        if (alias := aliases.get(each.address)) is None or alias.source_person == each.source_person
        else replace(each, address=alias.main)
        for each in sightings
    ]


def note_joined(
    ledger: Connection, account_id: str, rows: Iterable[RowOfPerson], people: Mapping[Who, int]
) -> None:
    """Notes the further addresses with which people joined."""
    found = {
        address: (address, people[who(row)], who(row)[0])
        for row in rows
        if (address := other_address(row)) is not None
    }
    if found:
        note_aliases(ledger, account_id, list(found.values()))
