"""A person who decides about what is held, and who thinks better of what was rejected."""

from typing import Any

from sqlalchemy import Connection

from crm_pipeline.accounts.store import touch_account
from crm_pipeline.database.statements import statement
from crm_pipeline.ledger import decided, holds
from crm_pipeline.ledger.codes import OwnCode

LIMITS: dict[str, Any] = {
    "changed_share": 0.01,
    "changed_people": 1,
    "times_usual": 0.01,
    "new_people": 1,
    "deleted_share": 0.01,
    "deletions": 0,
    "rejected_share": 0.3,
    "rejections": 1,
}
"""Limits that a handful of people exceed."""

APPROVES, REJECTS, THINKS_BETTER = "approves", "rejects", "thinks better of it"


def decide(connection: Connection, account_id: str, how: str) -> bool:
    """Approves or rejects what is held of an account, or has what was rejected sent after all.

    Returns whether there was any.
    """
    if how == THINKS_BETTER:
        return think_better(connection, account_id)
    held = holds.open_hold(connection, account_id)
    if held is None:
        return False
    if how == REJECTS:
        holds.reject(connection, held, decided_by="Ann", why="not meant")
    else:
        holds.approve(connection, held, decided_by="Ann", why="meant")
    touch_account(connection, account_id)
    return True


def think_better(connection: Connection, account_id: str) -> bool:
    """Has all that was rejected sent after all; returns whether there was any."""
    asked = {"account_id": account_id, "error_code": OwnCode.HOLD_REJECTED}
    rejected = connection.scalars(statement("operations/failed_with_code"), asked).all()
    return decided.requeue(connection, account_id, rejected) > 0
