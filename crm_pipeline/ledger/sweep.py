"""Looking for held records that may have been deleted for good: how far, and what was missed.

Each function works within the caller's transaction.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection

from crm_pipeline.database.statements import statement

ROUND = timedelta(days=1)
"""Each held record is looked for once in this time."""

PROOF = 3
"""So often a record must be missing, while others of its object are found, to be taken for gone."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """The part of an object that is to be looked for next.

    Attributes:
        ids: held records, and those that were missed before.
        upto: up to where held ones are looked for with them; empty: to the last; None: it is not
            time for another round.
        begins: whether the round begins with them.
    """

    sobject: str
    ids: tuple[str, ...]
    upto: str | None
    begins: bool


def next_sweep(connection: Connection, account_id: str, sobject: str, *, limit: int) -> Sweep:
    """The next records to look for; of held ones none for a day after a round has begun."""
    whose = {"account_id": account_id, "sobject": sobject}
    at = connection.execute(
        statement("read_back/sweep"), {**whose, "seconds": ROUND.total_seconds()}
    ).one_or_none()
    after_id, may_begin = ("", True) if at is None else (at.after_id, at.may_begin)
    missed = connection.scalars(
        statement("read_back/missing"), {**whose, "proof": PROOF, "limit": limit}
    ).all()
    is_time = bool(after_id) or may_begin
    if not is_time and not missed:
        return Sweep(sobject, (), None, begins=False)
    # Missed records are looked for beside others: where these are found, nothing is hidden.
    held = connection.scalars(
        statement("read_back/held_to_sweep"), {**whose, "after_id": after_id, "limit": limit}
    ).all()
    upto = (held[-1] if len(held) == limit else "") if is_time else None
    ids = tuple(dict.fromkeys([*missed, *held]))
    return Sweep(sobject, ids, upto, begins=is_time and not after_id)


def note_sweep(connection: Connection, account_id: str, sweep: Sweep) -> None:
    """Notes how far an object's records were looked for."""
    if sweep.upto is not None:
        parameters = {
            "account_id": account_id,
            "sobject": sweep.sobject,
            "after_id": sweep.upto,
            "begins": sweep.begins,
        }
        connection.execute(statement("read_back/note_sweep"), parameters)


def note_missing(
    connection: Connection,
    account_id: str,
    sobject: str,
    *,
    found: Collection[str],
    missing: Collection[str],
) -> set[str]:
    """Counts what was not found; returns those of it that are taken for gone."""
    rows = connection.execute(
        statement("read_back/note_missing"),
        {
            "account_id": account_id,
            "sobject": sobject,
            "found": list(found),
            "missing": list(missing),
        },
    )
    return {row.salesforce_id for row in rows if row.misses >= PROOF}
