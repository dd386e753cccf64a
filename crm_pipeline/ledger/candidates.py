"""Records of an org of which several might have stood for a person, kept for whoever asks."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from crm_pipeline.database.statements import statement
from crm_pipeline.text import storable_json


class Choice(NamedTuple):
    """The record that was chosen for an operation's person, and the others, by their Ids."""

    operation_id: int
    chosen: str
    others: Sequence[str]


def note_choices(connection: Connection, account_id: str, choices: Sequence[Choice]) -> None:
    """Keeps which records were candidates, instead of a former look's. Does not commit."""
    rows = storable_json([each._asdict() for each in choices])
    connection.execute(
        statement("ledger/note_candidates"), {"account_id": account_id, "rows": rows}
    )
