"""Sending again what settings that changed later say otherwise of rows that were read before."""

from collections.abc import Collection

from sqlalchemy import Connection

from crm_pipeline.database.statements import statement


def people_with_fields(connection: Connection, account_id: str, fields: Collection[str]) -> int:
    """Counts people in the org with any of these fields from us, written or held by a policy."""
    parameters = {"account_id": account_id, "fields": list(fields)}
    people: int = connection.execute(
        statement("ledger/people_with_fields"), parameters
    ).scalar_one()
    return people


def send_fields_again(connection: Connection, account_id: str, fields: Collection[str]) -> None:
    """Has these fields of people who are in the org decided anew, by the account's policy.

    Values we wrote there before count as others': `unless_edited` then fills only empty fields.
    Writes within the caller's transaction; the caller holds the account's lock.
    """
    parameters = {"account_id": account_id, "fields": list(fields)}
    connection.execute(statement("ledger/send_fields_again"), parameters)


def send_hidden_again(
    connection: Connection, account_id: str, fields: Collection[str], *, really: bool = True
) -> dict[str, int]:
    """Has what went without one of these fields, which the org hid, sent with it.

    Activities, memberships, campaigns. Unless `really`, they are only counted. Writes within the
    caller's transaction; the caller holds the account's lock.

    Returns:
        How many these are, by kind of operation.
    """
    parameters = {"account_id": account_id, "fields": list(fields), "really": really}
    rows = connection.execute(statement("ledger/send_hidden_again"), parameters)
    return {row.kind: row.number for row in rows}
