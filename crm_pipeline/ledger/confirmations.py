"""Published events that wait until the records that they are to change show it.

Each function works within the caller's transaction, on the connection that holds the account's
lock.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection

from crm_pipeline.database.rows import objects
from crm_pipeline.database.statements import statement


@dataclass(slots=True)
class Awaiting:
    """An event that was published.

    Attributes:
        operation_id: what was published.
        topic: under which it is counted.
        event: its object.
        sobject: that of the record that it is to change.
        salesforce_id: this one's Id.
        shown: the fields that are to change, each with the field of the event for it.
        fields: of the event, as it was published.
        is_late: whether the record should show it by now.
    """

    operation_id: int
    topic: str
    event: str
    sobject: str
    salesforce_id: str
    shown: Mapping[str, str]
    fields: Mapping[str, Any]
    is_late: bool

    @property
    def wanted(self) -> dict[str, Any]:
        """The values that the record is to show, by its fields."""
        return {name: self.fields.get(said) for name, said in self.shown.items()}


def await_confirmation(connection: Connection, operation_ids: Sequence[int]) -> None:
    """Notes that these events were published."""
    connection.execute(
        statement("records/await_confirmation"), {"operation_ids": list(operation_ids)}
    )


def awaiting(
    connection: Connection, account_id: str, topics: Sequence[str], *, minutes: int, limit: int
) -> list[Awaiting]:
    """Returns published events that were not confirmed yet, the oldest first.

    Args:
        connection: the ledger.
        account_id: whose.
        topics: of which.
        minutes: after so many an event is late.
        limit: most of them.
    """
    parameters = {
        "account_id": account_id,
        "topics": list(topics),
        "minutes": minutes,
        "limit": limit,
    }
    return objects(connection.execute(statement("records/awaiting"), parameters), Awaiting)


def end_awaiting(connection: Connection, shown: Mapping[int, Mapping[str, Any]]) -> None:
    """Notes what the records of some operations show, by operation; they are not awaited more."""
    rows = [{"operation_id": ref, "shown": values} for ref, values in shown.items()]
    if rows:
        connection.execute(statement("records/end_awaiting"), {"rows": orjson.dumps(rows).decode()})
