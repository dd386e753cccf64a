"""The ledger of reading an org back: positions, and values written to and told of records.

Each function works within the caller's transaction.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import Connection, Row

from crm_pipeline.database.statements import statement
from crm_pipeline.ledger.account_ledger import AccountLedger
from crm_pipeline.ledger.outcomes import LEFT_DELETED
from crm_pipeline.salesforce.changes import Cursor, OrgPosition


@dataclass(slots=True)
class OrgValue:
    """Values of a watched record: those written last, and those told last."""

    written: Mapping[str, Any] = field(default_factory=dict)
    told: Mapping[str, Any] = field(default_factory=dict)


def org_positions(connection: Connection, account_id: str) -> dict[str, OrgPosition]:
    """Returns how far each object of the account's org is read; one never read is absent."""
    rows = connection.execute(statement("read_back/positions"), {"account_id": account_id})
    return {
        row.sobject: OrgPosition(
            row.covered,
            None
            if row.cursor_id is None
            else Cursor(row.cursor_stamp, row.cursor_id, row.cursor_upto),
            row.read_since,
        )
        for row in rows
    }


def advance_org_positions(
    connection: Connection, account_id: str, positions: Mapping[str, OrgPosition]
) -> None:
    """Notes how far objects are read, in the transaction that keeps what followed from it."""
    rows = [
        {
            "sobject": sobject,
            "covered": position.covered,
            "cursor_stamp": position.cursor and position.cursor.stamp,
            "cursor_id": position.cursor and position.cursor.record_id,
            "cursor_upto": position.cursor and position.cursor.upto,
            "read_since": position.since,
        }
        for sobject, position in positions.items()
    ]
    parameters = {"account_id": account_id, "rows": orjson.dumps(rows).decode()}
    connection.execute(statement("read_back/advance"), parameters)


def org_values(
    connection: Connection, organization_id: str, salesforce_ids: Collection[str]
) -> dict[str, OrgValue]:
    """Returns the values written to these records and told of them; those never met are absent."""
    parameters = {"organization_id": organization_id, "salesforce_ids": list(salesforce_ids)}
    rows = connection.execute(statement("read_back/values"), parameters)
    return {row.salesforce_id: OrgValue(row.written, row.told) for row in rows}


def note_values(
    ledger: AccountLedger, organization_id: str, values: Mapping[str, OrgValue]
) -> None:
    """Adds values that were written to records, or told of them, by Salesforce Id."""
    if values and ledger.keeps:
        rows = [
            {"salesforce_id": record_id, "written": each.written, "told": each.told}
            for record_id, each in values.items()
        ]
        parameters = {"organization_id": organization_id, "rows": orjson.dumps(rows).decode()}
        ledger.connection.execute(statement("read_back/note_values"), parameters)


def asked_values(
    connection: Connection, account_id: str, natural_keys: Collection[str]
) -> dict[str, list[Mapping[str, Any]]]:
    """The values that were asked of records and are not known to be written, by natural key.

    Of what is to be gone it is that it is deleted.
    """
    parameters = {"account_id": account_id, "natural_keys": list(natural_keys)}
    asked: dict[str, list[Mapping[str, Any]]] = {}
    for row in connection.execute(statement("read_back/asked_values"), parameters):
        values = asked.setdefault(row.natural_key, [])
        if row.kind == "record":
            fields = row.intent["fields"]
            values.append({"IsDeleted": True} if fields is None else fields)
        else:
            values += [each for each in row.intent.values() if isinstance(each, dict)]
        if row.sent is not None:
            values.append(row.sent)
    return asked


def held_keys(
    connection: Connection, account_id: str, salesforce_ids: Collection[str]
) -> dict[str, list[str]]:
    """Returns the keys of these records, by Salesforce Id: `person:<number>`, or a record's.

    Several people who became one in the org have one record.
    """
    parameters = {"account_id": account_id, "salesforce_ids": list(salesforce_ids)}
    keys: dict[str, list[str]] = {}
    for row in connection.execute(statement("read_back/held_keys"), parameters):
        keys.setdefault(row.salesforce_id, []).append(row.natural_key)
    return keys


def hint(connection: Connection, account_id: str) -> None:
    """Has an account's org read at the next opportunity: somebody says that it has changes."""
    connection.execute(statement("read_back/hint"), {"account_id": account_id})


@dataclass(frozen=True, slots=True)
class UnansweredCreation:
    """A record that an account has asked for, and may have got: its values by field."""

    sobject: str
    values: Mapping[str, Any]


def unanswered_creations(connection: Connection, organization_id: str) -> list[UnansweredCreation]:
    """Returns creations in an org that any account asked for and that have no known answer."""
    parameters = {"organization_id": organization_id}
    rows = connection.execute(statement("read_back/unanswered_creations"), parameters)
    return [each for row in rows if (each := _unanswered_creation(row)) is not None]


def _unanswered_creation(row: Row[Any]) -> UnansweredCreation | None:
    intent: Mapping[str, Any] = row.intent
    if row.kind == "person":
        values = intent.get(row.sobject)
        return None if values is None else UnansweredCreation(row.sobject, values)
    if intent["fields"] is None:
        return None
    key = dict([intent["key"]]) if intent["key"] else {}
    return UnansweredCreation(intent["sobject"], {**intent["fields"], **key})


def reopen_undeleted(
    connection: Connection, account_id: str, salesforce_ids: Collection[str]
) -> None:
    """Has sent what was wanted of records while people had them deleted; these are there."""
    if salesforce_ids:
        parameters = {
            "account_id": account_id,
            "salesforce_ids": list(salesforce_ids),
            "left_deleted": LEFT_DELETED,
        }
        connection.execute(statement("read_back/reopen_undeleted"), parameters)


def follow_merged(connection: Connection, account_id: str, winner_of: Mapping[str, str]) -> None:
    """Winners of merges stand for what the account holds from now on, by the losers' Ids."""
    if winner_of:
        rows = [{"loser": loser, "winner": winner} for loser, winner in winner_of.items()]
        parameters = {"account_id": account_id, "rows": orjson.dumps(rows).decode()}
        connection.execute(statement("read_back/follow_merged"), parameters)


def follow_converted(
    connection: Connection, account_id: str, contact_of: Mapping[str, str]
) -> None:
    """Contacts stand for the people of converted leads from now on, by the leads' Ids."""
    if contact_of:
        rows = [{"lead_id": lead, "contact_id": contact} for lead, contact in contact_of.items()]
        parameters = {"account_id": account_id, "rows": orjson.dumps(rows).decode()}
        connection.execute(statement("ledger/convert_identities"), parameters)
