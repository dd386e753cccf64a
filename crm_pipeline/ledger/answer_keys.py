"""The keys of answers that registrations brought, of accounts that map answers."""

from collections.abc import Collection

from sqlalchemy import Connection

from crm_pipeline.database.statements import statement

MOST_CHARS = 200
"""Of a key; a longer one is none that anybody maps."""


def note_answer_keys(connection: Connection, account_id: str, questions: Collection[str]) -> None:
    """Notes the keys of answers that were read, within the caller's transaction."""
    kept = sorted(each for each in questions if len(each) <= MOST_CHARS and "\x00" not in each)
    if kept:
        parameters = {"account_id": account_id, "questions": kept}
        connection.execute(statement("ledger/note_answer_keys"), parameters)


def answer_keys(connection: Connection, account_id: str) -> list[str]:
    """Returns the keys of all answers that were read."""
    return list(connection.scalars(statement("ledger/answer_keys"), {"account_id": account_id}))
