"""Telling the platform by tables: rows of `platform_inbox`, in the caller's transaction."""

from collections.abc import Iterator, Sequence

import orjson
from sqlalchemy import Connection

from crm_pipeline.database.statements import statement
from crm_pipeline.source_platform.messages import Message, Reply


class TablesPlatform:
    """The table `platform_inbox.message`; what was written and what was recorded commit together.

    The platform's jobs take rows by setting `taken_at` where it is null; `platform_inbox.current`
    has the latest state of each thing.
    """

    def __init__(self, connection: Connection) -> None:
        """Args: the pipeline's database, in the transaction that records the outcome."""
        self._connection = connection

    def send(self, messages: Sequence[Message]) -> Iterator[list[Reply]]:
        """Sends as `Platform.send`; does not commit. All are taken."""
        if not messages:
            return
        rows = orjson.dumps([_row(message) for message in messages], option=orjson.OPT_UTC_Z)
        self._connection.execute(statement("source_platform/write"), {"rows": rows.decode()})
        yield [Reply(message.message_id, "taken") for message in messages]


def _row(message: Message) -> dict[str, object]:
    return {
        "message_id": message.message_id,
        "account_id": message.account_id,
        "client_id": message.client_id,
        "topic": message.topic,
        "about": message.about,
        "version": message.version,
        "as_of": message.as_of,
        "body": message.body,
    }
