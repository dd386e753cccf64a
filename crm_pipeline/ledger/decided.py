"""What a person decides about operations that failed: to try them again, or to drop them.

Each function works within the caller's transaction, on the connection that holds the account's
lock.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from crm_pipeline.database.statements import statement


class Dropped(NamedTuple):
    """What was dropped: how many operations, and how many wait for the people among them."""

    operations: int
    waiting: int


def requeue(connection: Connection, account_id: str, operation_ids: Sequence[int]) -> int:
    """Gives failed and exhausted operations all their tries again; returns how many.

    What a person rejected while it was held is sent after all. What a later version has overtaken
    stays as it is. Where there is any, the planner asks for the account.
    """
    which = {"account_id": account_id, "operation_ids": list(operation_ids)}
    again = len(connection.scalars(statement("operations/requeue"), which).all())
    if again:
        connection.execute(statement("accounts/touch_account"), {"account_id": account_id})
    return again


def drop(
    connection: Connection,
    account_id: str,
    operation_ids: Sequence[int],
    *,
    reason: str,
    dropped_by: str,
    with_activities: bool = False,
) -> Dropped:
    """Drops failed and exhausted operations: they are never sent, and stay with the reason.

    Args:
        connection: the caller's.
        account_id: whose operations.
        operation_ids: which.
        reason: why; it is kept.
        dropped_by: whoever decides; kept, too.
        with_activities: also drop what waits for people who are dropped.
    """
    which = {"account_id": account_id, "operation_ids": list(operation_ids)}
    kept = {"reason": f"dropped by {dropped_by}: {reason}"}
    dropped = connection.scalars(statement("operations/drop"), {**which, **kept}).all()
    waiting = connection.scalars(statement("operations/waiting_for_dropped"), which).all()
    if with_activities:
        of_these = {"account_id": account_id, "operation_ids": list(waiting), **kept}
        connection.execute(statement("operations/drop_waiting"), of_these)
    return Dropped(len(dropped), len(waiting))
