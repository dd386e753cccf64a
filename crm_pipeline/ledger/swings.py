"""Swings: fields of an org that the org and the source set in turn.

Each function works within the caller's transaction.
"""

from collections.abc import Collection, Mapping
from typing import NamedTuple

import orjson
from sqlalchemy import Connection

from crm_pipeline.database.statements import statement
from crm_pipeline.ledger.account_ledger import AccountLedger

SWINGS_AT_MOST = 5
"""So often in a row, within a day of each other, a field may come back to the value before."""

_DAY = 86_400.0


class FieldOf(NamedTuple):
    """A field of a record of an org."""

    sobject: str
    salesforce_id: str
    field: str


class Swing(NamedTuple):
    """The times in a row that a field came back to the value before, and a digest of that."""

    times: int
    previous: int


def swings_of(
    connection: Connection, organization_id: str, salesforce_ids: Collection[str]
) -> dict[tuple[str, str], Swing]:
    """Returns the swings of these records, by Salesforce Id and field; most have none."""
    parameters = {
        "organization_id": organization_id,
        "salesforce_ids": list(salesforce_ids),
        "seconds": _DAY,
    }
    rows = connection.execute(statement("read_back/swings"), parameters)
    return {(row.salesforce_id, row.field): Swing(row.times, row.previous) for row in rows}


def note_swings(
    ledger: AccountLedger, organization_id: str, swings: Mapping[FieldOf, Swing]
) -> None:
    """Keeps what was seen of these fields."""
    if swings and ledger.keeps:
        rows = [each._asdict() | swing._asdict() for each, swing in swings.items()]
        parameters = {"organization_id": organization_id, "rows": orjson.dumps(rows).decode()}
        ledger.connection.execute(statement("read_back/note_swings"), parameters)


def swinging(connection: Connection, organization_id: str) -> dict[str, int]:
    """Counts records of an org with a field that nobody is told of any more, by `sObject.field`."""
    parameters = {"organization_id": organization_id, "at_most": SWINGS_AT_MOST}
    rows = connection.execute(statement("read_back/swinging"), parameters)
    return {f"{row.sobject}.{row.field}": row.records for row in rows}
