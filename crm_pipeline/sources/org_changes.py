"""Changes of the org as a source: the org brings no news by itself, so it is asked at a pace."""

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import NamedTuple

from sqlalchemy import Connection

from crm_pipeline.database.statements import statement

EARLY = timedelta(minutes=2)
"""So much sooner a reading may come: the schedule's next tick would be much later."""


class Watching(NamedTuple):
    """The objects of its org that an account watches, and every how many minutes it looks."""

    sobjects: Collection[str]
    minutes: int


class Unread(NamedTuple):
    """Accounts whose org is to be read: `hinted` ones now, as somebody says that it has changes."""

    by_pace: frozenset[str]
    hinted: frozenset[str]


def not_read_lately(connection: Connection, watched: Mapping[str, Watching]) -> Unread:
    """The accounts whose last reading of a watched object is older than their pace, or lacking.

    Or older than a hint. One question for all; changes nothing.

    Args:
        connection: to the pipeline's database.
        watched: by account.
    """
    pairs = [
        (account, sobject, max(each.minutes * 60.0 - EARLY.total_seconds(), 0.0))
        for account, each in watched.items()
        for sobject in each.sobjects
    ]
    if not pairs:
        return Unread(frozenset(), frozenset())
    accounts, sobjects, seconds = zip(*pairs, strict=True)
    rows = connection.execute(
        statement("read_back/not_read_lately"),
        {"account_ids": list(accounts), "sobjects": list(sobjects), "seconds": list(seconds)},
    ).all()
    return Unread(
        frozenset(row.account_id for row in rows),
        frozenset(row.account_id for row in rows if row.hinted),
    )
