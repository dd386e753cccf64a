"""Incidents: one cause that hits many operations, known once, with its count.

What a cause holds up costs its operations no attempt. The oldest are tried again like other
failures; as soon as one goes through, all go.
"""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection

from crm_pipeline.database.statements import statement


@dataclass(frozen=True, slots=True)
class Incident:
    """A cause (Salesforce's error code), what it is about, and how many operations it hit."""

    code: str
    subject: str
    operations: int


def note_incident(
    connection: Connection, account_id: str, incident: Incident, message: str
) -> None:
    """Opens an incident, or adds to the open one.

    Args:
        connection: the caller's transaction.
        account_id: whose.
        incident: the cause and its count.
        message: Salesforce's own words; for support, not for logs.
    """
    connection.execute(
        statement("ledger/note_incident"),
        {
            "account_id": account_id,
            "code": incident.code,
            "subject": incident.subject,
            "operations": incident.operations,
            "message": message,
        },
    )


def open_incidents(connection: Connection, account_id: str) -> list[Incident]:
    """What holds up operations now, oldest first."""
    rows = connection.execute(statement("ledger/open_incidents"), {"account_id": account_id})
    return [Incident(*row) for row in rows]


def release_incidents(connection: Connection, account_id: str, codes: Collection[str]) -> bool:
    """Closes the incidents of these causes and lets all go that they held up.

    Returns:
        Whether there were any.
    """
    parameters = {"account_id": account_id, "codes": list(codes)}
    return bool(connection.execute(statement("ledger/release_incidents"), parameters).all())
