"""Incidents: one cause that hits many operations, known once, with its count.

Operations that a cause holds up lose no attempt. The oldest are tried again like other
failures; as soon as one goes through, all go.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from crm_pipeline.database.rows import objects
from crm_pipeline.database.statements import statement


@dataclass(frozen=True, slots=True)
class Incident:
    """A cause that hits many operations.

    Attributes:
        code: Salesforce's error code.
        subject: the sObject that it is about.
        operations: how many it hit.
        message: what to mend, in our own words, without personal data; empty where unknown.
        next_try: when the first of them is tried again (UTC), where that is known.
    """

    code: str
    subject: str
    operations: int
    message: str = ""
    next_try: datetime | None = None


def note_incident(connection: Connection, account_id: str, incident: Incident) -> None:
    """Opens an incident, or adds to the open one, within the caller's transaction."""
    connection.execute(
        statement("ledger/note_incident"),
        {
            "account_id": account_id,
            "code": incident.code,
            "subject": incident.subject,
            "operations": incident.operations,
            "message": incident.message,
        },
    )


def close_incidents(connection: Connection, account_id: str) -> list[Incident]:
    """Closes what holds nothing up any more, within the caller's transaction.

    Returns those that still do, oldest first.
    """
    whose = {"account_id": account_id}
    if not connection.scalar(statement("ledger/has_incidents"), whose):
        return []
    connection.execute(statement("ledger/close_incidents"), whose)
    return open_incidents(connection, account_id)


def open_incidents(connection: Connection, account_id: str) -> list[Incident]:
    """Returns the incidents that hold up operations now, oldest first."""
    rows = connection.execute(statement("ledger/open_incidents"), {"account_id": account_id})
    return objects(rows, Incident)


def release_incidents(connection: Connection, account_id: str, codes: Collection[str]) -> bool:
    """Closes the incidents of these causes and lets all go that they held up.

    Returns:
        Whether there were any.
    """
    parameters = {"account_id": account_id, "codes": list(codes)}
    return bool(connection.execute(statement("ledger/release_incidents"), parameters).all())
