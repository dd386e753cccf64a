"""When sessions end and whether anybody was there: by that, who registered is a no-show.

Each function works within the caller's transaction, on the connection that holds the account's
lock.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from sqlalchemy import Connection

from crm_pipeline.database.statements import statement


def _seconds(grace: timedelta | None) -> float | None:
    return None if grace is None else grace.total_seconds()


def note_session_ends(
    connection: Connection, account_id: str, ends: Mapping[int, datetime], grace: timedelta | None
) -> None:
    """Notes when these sessions end (UTC), and that absentees are no-shows so long after it."""
    parameters = {"account_id": account_id, "grace_seconds": _seconds(grace)}
    sessions = {"sessions": list(ends), "ends": list(ends.values())}
    connection.execute(statement("campaigns/note_session_ends"), {**parameters, **sessions})


def change_grace(connection: Connection, account_id: str, grace: timedelta | None) -> None:
    """Has the account wait so long after each end; None: it goes by what the source says."""
    parameters = {"account_id": account_id, "grace_seconds": _seconds(grace)}
    connection.execute(statement("campaigns/change_grace"), parameters)


def note_attended(connection: Connection, account_id: str, sessions: Collection[int]) -> None:
    """Notes of these sessions whether anybody was there, by the rows of members."""
    parameters = {"account_id": account_id, "sessions": list(sessions)}
    connection.execute(statement("campaigns/note_attended"), parameters)


def sessions_over(
    connection: Connection, account_id: str, sessions: Collection[int], grace: timedelta | None
) -> set[int]:
    """Returns those of these sessions whose absentees are no-shows now, so long after the end."""
    waits = {"account_id": account_id, "grace_seconds": _seconds(grace)}
    parameters = {**waits, "sessions": list(sessions)}
    return set(connection.scalars(statement("campaigns/sessions_over"), parameters))


def sessions_to_derive(connection: Connection, account_id: str) -> dict[int, bool]:
    """Sessions that have come to count as over since their members were looked at, or no more.

    Returns:
        Whether each counts as over now. The clock goes on while members are looked at, so they
        are looked at, and noted (`sessions_were_derived`), by this.
    """
    parameters = {"account_id": account_id}
    rows = connection.execute(statement("campaigns/sessions_to_derive"), parameters)
    return {row.event_session_id: row.is_over for row in rows}


def sessions_were_derived(
    connection: Connection, account_id: str, sessions: Mapping[int, bool]
) -> None:
    """Notes that the members of these sessions were looked at, as of ones that are over or not."""
    looked_at = {"sessions": list(sessions), "are_over": list(sessions.values())}
    parameters = {"account_id": account_id, **looked_at}
    connection.execute(statement("campaigns/sessions_were_derived"), parameters)


def members_of_sessions(
    connection: Connection, account_id: str, sessions: Collection[int]
) -> list[str]:
    """The natural keys of memberships of which a row of these sessions tells."""
    parameters = {"account_id": account_id, "sessions": list(sessions)}
    return list(connection.scalars(statement("campaigns/members_of_sessions"), parameters))
