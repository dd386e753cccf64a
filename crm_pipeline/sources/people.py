"""People of the warehouse's rows: the platform's id of a person, and the address."""

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from hashlib import blake2b

from crm_pipeline.accounts.filters import matches
from crm_pipeline.database.statements import statement
from crm_pipeline.ledger.people import Present, Sighting, Who
from crm_pipeline.salesforce.emails import email_key
from crm_pipeline.sources.errors import explained
from crm_pipeline.sources.extracts import ClientRows, moment
from crm_pipeline.sources.participations import RowOfPerson
from crm_pipeline.text import written

ID_CHARS = 200
"""Of an id of the platform that is kept as it is."""


def who(row: RowOfPerson) -> Who:
    """Returns whom a row is about; its address must be one (`mapping.rejection` is None)."""
    source_person = row.columns["person_id"]
    address = str(email_key(row.columns["email"]))
    return None if source_person is None else _storable(str(source_person)), address


def _storable(source_person: str) -> str:
    """An id as an index can hold it: a long or an odd one as its digest."""
    if len(source_person) <= ID_CHARS and source_person.isprintable():
        return source_person
    return blake2b(source_person.encode(errors="backslashreplace"), digest_size=16).hexdigest()


def present(selection: ClientRows, filter_strings: Sequence[str]) -> Present:
    """Tells where a client's people are now; of whom nothing is to be sent, it tells nothing.

    Args:
        selection: of which client, in which warehouse.
        filter_strings: the account's.

    Returns:
        What to ask; it raises ExtractError where the warehouse is down, or
        `sql/extract/addresses.sql` does not fit it.
    """

    def told(source_people: Collection[str]) -> list[Sighting]:
        parameters = {"client_id": selection.client_id, "person_ids": sorted(source_people)}
        with explained("addresses"), selection.warehouse.connect() as connection:
            rows = connection.execute(statement("extract/addresses"), parameters).all()
        now = datetime.now(UTC)
        found = []
        for row in rows:
            address = email_key(None if row.email is None else written(row.email))
            if address is not None and matches(address, filter_strings) is None:
                at = moment(row.changed_at, selection.timezone) or now
                found.append(Sighting(_storable(str(row.person_id)), address, at))
        return found

    return told


def sightings(rows: Iterable[RowOfPerson]) -> list[Sighting]:
    """The people of rows that are to be sent (`mapping.rejection`), as the newest row of each says.

    Each is there once.
    """
    newest: dict[Who, Sighting] = {}
    for row in rows:
        key = who(row)
        known = newest.get(key)
        if known is None or known.as_of < row.changed_at:
            newest[key] = Sighting(*key, row.changed_at)
    return list(newest.values())
