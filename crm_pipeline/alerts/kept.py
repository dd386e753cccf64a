"""Alerts as they are kept, and pauses; each function is a part of the caller's transaction."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from crm_pipeline.database.rows import objects
from crm_pipeline.database.statements import statement

LONGEST_PAUSE = timedelta(days=30)
"""A pause that nobody remembers would be silence."""


@dataclass(frozen=True, slots=True)
class KeptAlert:
    """An alert that is open, or was.

    Attributes:
        account_id: None where it is about the installation.
        cause: as `crm_pipeline.alerts.causes` names it.
        message: for people.
        began_at: since when it is so.
        closed_at: until when it was; None: it is open.
        told: the targets that have taken it, beside the log, with commas between them.
    """

    account_id: str | None
    cause: str
    message: str
    began_at: datetime
    closed_at: datetime | None
    told: str


@dataclass(frozen=True, slots=True)
class TargetStanding:
    """How it went with a target when it was told last.

    Attributes:
        target: its name.
        took_at: when it took everything that it was told.
        failing_since: since when it does not; None: it does.
        problem: why it does not, without its address.
    """

    target: str
    took_at: datetime | None
    failing_since: datetime | None
    problem: str | None


def kept_alerts(
    connection: Connection, account_id: str | None, since: datetime | None = None
) -> list[KeptAlert]:
    """Returns the open alerts of an account, or of all, and those that ended since a moment."""
    parameters = {"account_id": account_id, "since": since}
    return objects(connection.execute(statement("alerts/list_alerts"), parameters), KeptAlert)


def target_standings(connection: Connection) -> dict[str, TargetStanding]:
    """Returns how it went with each target that was told something, by name."""
    found = objects(connection.execute(statement("alerts/list_targets")), TargetStanding)
    return {each.target: each for each in found}


def pause(
    connection: Connection, account_id: str, *, until: datetime, paused_by: str, why: str | None
) -> None:
    """Has nobody be told of an account's alerts until a time, but the log; instead of any pause."""
    connection.execute(
        statement("alerts/pause"),
        {"account_id": account_id, "until": until, "paused_by": paused_by, "why": why},
    )


def resume(connection: Connection, account_id: str) -> bool:
    """Ends a pause; returns whether there was one."""
    row = connection.execute(statement("alerts/resume"), {"account_id": account_id}).one_or_none()
    return row is not None and bool(row.was_paused)
