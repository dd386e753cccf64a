"""External activities of Account Engagement: what is to be told, and what was.

Each function works within the caller's transaction, on the connection that holds the account's
lock.
"""

from collections.abc import Collection
from typing import Literal, NamedTuple

from sqlalchemy import Connection

from crm_pipeline.database.statements import statement

Became = Literal["sending", "told", "refused"]
"""What an activity became; sending: it may have been handed in."""


class DueExternalActivity(NamedTuple):
    """A stage of a membership that Account Engagement was not told, and what the campaign is."""

    natural_key: str
    stage: str
    address: str
    name: str | None


def due_activities(
    connection: Connection, account_id: str, stages: Collection[str]
) -> list[DueExternalActivity]:
    """Returns what is to be told; of what was there before the first time nothing ever is."""
    connection.execute(statement("external_activities/begin"), {"account_id": account_id})
    parameters = {"account_id": account_id, "stages": list(stages)}
    rows = connection.execute(statement("external_activities/due"), parameters)
    return [DueExternalActivity(*row) for row in rows]


def told_in_a_day(connection: Connection, account_id: str) -> int:
    """Returns how many were handed in within the last 24 hours."""
    number: int = connection.execute(
        statement("external_activities/of_day"), {"account_id": account_id}
    ).scalar_one()
    return number


def take_for_told(connection: Connection, account_id: str) -> int:
    """Has what an older copy of the ledger would tell again not told; returns how many stages."""
    return connection.execute(
        statement("external_activities/take_for_told"), {"account_id": account_id}
    ).rowcount


def note_activity(
    connection: Connection,
    account_id: str,
    due: DueExternalActivity,
    state: Became,
) -> None:
    """Notes what becomes of one."""
    parameters = {"account_id": account_id, "natural_key": due.natural_key, "stage": due.stage}
    connection.execute(statement("external_activities/note"), {**parameters, "state": state})


def activity_is_due_again(
    connection: Connection, account_id: str, due: DueExternalActivity
) -> None:
    """Notes that nothing was handed in."""
    parameters = {"account_id": account_id, "natural_key": due.natural_key, "stage": due.stage}
    connection.execute(statement("external_activities/forget"), parameters)
