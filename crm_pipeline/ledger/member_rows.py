"""The membership that each row of the source tells of.

A row is named by its source's letter and its id: `r4711` is a registration, `a99` an attendance; a
membership by its natural key. Each function works within the caller's transaction, on the
connection that holds the account's lock.
"""

from collections.abc import Collection, Mapping

from sqlalchemy import Connection

from crm_pipeline.database.statements import statement


def memberships_of(
    connection: Connection, account_id: str, rows: Collection[str]
) -> dict[str, str]:
    """Returns the membership that each of these rows told of last, where it told of one."""
    found = connection.execute(
        statement("campaigns/memberships_of_rows"),
        {"account_id": account_id, "source_rows": list(rows)},
    )
    return {row.source_row: row.natural_key for row in found}


def vanished_rows(connection: Connection, account_id: str) -> dict[str, str]:
    """Rows that are not in the source any more, with the membership that they still tell of."""
    found = connection.execute(statement("campaigns/vanished_rows"), {"account_id": account_id})
    return {row.source_row: row.natural_key for row in found}


def note_memberships(
    connection: Connection, account_id: str, memberships: Mapping[str, str | None]
) -> None:
    """Notes of which membership these rows tell from now on; None: of none."""
    if told := {row: key for row, key in memberships.items() if key is not None}:
        connection.execute(
            statement("campaigns/note_rows"),
            {
                "account_id": account_id,
                "source_rows": list(told),
                "natural_keys": list(told.values()),
            },
        )
    if silent := [row for row, key in memberships.items() if key is None]:
        connection.execute(
            statement("campaigns/forget_rows"), {"account_id": account_id, "source_rows": silent}
        )
