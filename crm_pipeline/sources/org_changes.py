"""Changes of the org as a source: the org brings no news by itself, so it is asked at a pace."""

from collections.abc import Collection, Mapping
from datetime import timedelta

from sqlalchemy import Connection

from crm_pipeline.database.statements import statement

PACE = timedelta(minutes=15)
"""How long a reading of an org is good for."""


def not_read_lately(
    connection: Connection, watched: Mapping[str, Collection[str]]
) -> frozenset[str]:
    """The accounts whose last reading of a watched object is older than the pace, or lacking.

    Args:
        connection: to the pipeline's database.
        watched: the objects that are watched, by account.
    """
    pairs = [(account, sobject) for account, sobjects in watched.items() for sobject in sobjects]
    if not pairs:
        return frozenset()
    accounts, sobjects = zip(*pairs, strict=True)
    return frozenset(
        connection.scalars(
            statement("read_back/not_read_lately"),
            {
                "account_ids": list(accounts),
                "sobjects": list(sobjects),
                "seconds": PACE.total_seconds(),
            },
        )
    )
