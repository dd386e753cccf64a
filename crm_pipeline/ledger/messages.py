"""Messages to the source platform: wanted like everything else, with the same states."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from crm_pipeline.database.rows import objects
from crm_pipeline.database.statements import statement
from crm_pipeline.ledger.intents import Intent

KIND = "message"


@dataclass(slots=True)
class MessageWant:
    """The platform is to know how something stands.

    Attributes:
        topic: the flow's topic that it belongs to, and the platform's word for its kind.
        about: what it is about, by the platform's own key (`lead:4711`).
        as_of: when it became so, UTC; the later one wins.
        body: the whole state, as JSON; times may be times.
        noticed_by: the cycle that noticed it in the org, where one did: then it is sent even if the
            last message said the same, as the platform may have come to another state since.
    """

    topic: str
    about: str
    as_of: datetime
    body: Mapping[str, Any]
    noticed_by: int | None = None

    @property
    def intent(self) -> Intent:
        """The ledger's form of it: a new version for another body, or another change of the org."""
        said: dict[str, Any] = {"topic": self.topic, "about": self.about, "body": self.body}
        if self.noticed_by is not None:
            said["noticed_by"] = self.noticed_by
        return Intent(f"told:{self.topic}:{self.about}", KIND, None, self.as_of, said)


@dataclass(slots=True)
class DueMessage:
    """A message to be sent; `version` only grows for what it is about.

    `message_id` is the same however often it is sent. `body` is JSON as the ledger has it: nobody
    of ours looks into it on its way.
    """

    operation_id: int
    message_id: str
    version: int
    as_of: datetime
    topic: str
    about: str
    body: str


def due_messages(
    connection: Connection, account_id: str, *, after: int = 0, limit: int
) -> list[DueMessage]:
    """Pending messages with an operation id above `after`, oldest first."""
    window = {"account_id": account_id, "after": after, "limit": limit}
    rows = connection.execute(statement("messages/due_messages"), window)
    return objects(rows, DueMessage)


def any_wait(connection: Connection, account_id: str) -> bool:
    """Returns whether messages of the account are to be sent."""
    found: bool = connection.execute(
        statement("messages/any_wait"), {"account_id": account_id}
    ).scalar_one()
    return found


def settle_told(connection: Connection, account_id: str) -> None:
    """Takes pending messages for done that say what was told last.

    Only for tables: of a message that is sent nobody knows whether it came before its outcome.
    """
    connection.execute(statement("messages/settle_told"), {"account_id": account_id})


def write_to_inbox(
    connection: Connection, account_id: str, cycle_id: int, *, limit: int
) -> dict[str, int]:
    """Writes the oldest pending messages where the platform's own jobs take them.

    They are done by that, in the caller's transaction.

    Returns:
        How many, by topic; empty where there is none.
    """
    window = {"account_id": account_id, "cycle_id": cycle_id, "limit": limit}
    rows = connection.execute(statement("messages/write_to_inbox"), window)
    return {row.topic: row.messages for row in rows}
