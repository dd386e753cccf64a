"""Once a day an account's tracked leads in the warehouse are counted against those that were read.

A lead that commits long after its time of shipping, or that `sql/extract/tracked_leads.sql` hides,
would otherwise be nowhere. Where the numbers of a day agree, nothing is transferred; where they
differ, that day's leads are compared one by one, and those that were not read are read.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from sqlalchemy import Connection

from crm_pipeline.database.statements import statement
from crm_pipeline.ledger.positions import Position
from crm_pipeline.sources.errors import ExtractError, explained
from crm_pipeline.sources.source import Chunk
from crm_pipeline.sources.tracked_leads import TRACKED_LEADS, LeadsReading, TrackedLeadRow


@dataclass(frozen=True, slots=True)
class UnreadLeads:
    """The result of a count.

    Attributes:
        leads: how many were counted.
        unread: when each lead that was not read, or not as it was shipped last, was shipped (UTC).
        without_time: leads that no reading can see.
    """

    leads: int
    unread: dict[str, datetime]
    without_time: int


def is_due(ledger: Connection, account_id: str) -> bool:
    """Returns whether the account's leads were not counted for a day."""
    whose = {"account_id": account_id}
    return bool(ledger.scalar(statement("leads/count_is_due"), whose))


def count(
    ledger: Connection, account_id: str, part: LeadsReading, position: Position
) -> UnreadLeads:
    """Counts what was shipped before the overlap that each cycle reads again.

    Raises:
        ExtractError: the warehouse is down, or `sql/extract/tracked_lead_days.sql` does not fit it.
    """
    until = max(position.seen_since, datetime.now(UTC) - part.overlap)
    there = _days(part, until)
    rows = ledger.execute(statement("leads/days"), {"account_id": account_id, "until": until})
    read = {row.day: (row.leads, row.seconds) for row in rows}
    differing = [
        day
        for day, (leads, seconds, _) in there.items()
        if day is not None and read.get(day) != (leads, seconds)
    ]
    named = {
        lead_id: at
        for _, _, leads in _days(part, until, differing).values()
        for lead_id, at in leads.items()
    }
    parameters = {"account_id": account_id, "lead_ids": [*named]}
    known = {
        row.lead_id: row.as_of for row in ledger.execute(statement("leads/read_as_of"), parameters)
    }
    return UnreadLeads(
        sum(leads for leads, _, _ in there.values()),
        {each: at for each, at in named.items() if each not in known or known[each] < at},
        there[None][0] if None in there else 0,
    )


def read_again(part: LeadsReading, found: UnreadLeads) -> Iterator[Chunk[TrackedLeadRow]]:
    """Reads the leads that were not read, from the oldest of them on.

    Raises:
        ExtractError: as `TrackedLeads.read`.
    """
    if not found.unread:
        return
    before = min(found.unread.values()) - timedelta(microseconds=1)
    position = Position(TRACKED_LEADS.name, before, before, 0, Decimal())
    for chunk in TRACKED_LEADS.read(replace(part, overlap=timedelta()), position):
        rows = [each for each in chunk.rows if str(each.columns["lead_id"]) in found.unread]
        if rows:
            yield replace(chunk, rows=rows)


def note(
    ledger: Connection, account_id: str, found: UnreadLeads, seen: Collection[str], changed: int
) -> tuple[str, ...]:
    """Keeps a count, within the caller's transaction.

    Args:
        ledger: the caller's.
        account_id: whose leads.
        found: the count.
        seen: the leads that were read again for it.
        changed: how many of these said something new; the others were only shipped again.

    Returns:
        What it found, in lines for people.
    """
    stuck = len(found.unread.keys() - set(seen))
    again = {each: at for each, at in found.unread.items() if each in seen}
    shipped = {"account_id": account_id, "lead_ids": [*again], "times": [*again.values()]}
    ledger.execute(statement("leads/note_shipped"), shipped)
    ledger.execute(
        statement("leads/note_count"),
        {
            "account_id": account_id,
            "leads": found.leads,
            "found_unread": changed + stuck,
            "still_unread": stuck,
            "without_time": found.without_time,
        },
    )
    told = []
    if changed:
        told.append(
            f"{changed} tracked leads that no cycle had read were found by counting, and read "
            "now: they were committed long after their shipping time (OVERLAP_MINUTES)"
        )
    if found.without_time:
        told.append(
            f"{found.without_time} tracked leads cannot be read: they have no time of shipping"
        )
    return tuple(told)


def demand_all(found: UnreadLeads, seen: Collection[str]) -> None:
    """Raises `ExtractError` if leads are counted that no extract gives."""
    if stuck := found.unread.keys() - set(seen):
        raise ExtractError(
            f"sql/extract/tracked_lead_days.sql counts {len(stuck)} tracked leads that "
            "tracked_leads.sql does not give: make the two agree"
        )


def _days(
    part: LeadsReading, until: datetime, of_days: Collection[date] = ()
) -> dict[date | None, tuple[int, Decimal, dict[str, datetime]]]:
    """Leads by day, the sum of their times, and those of some days by name."""
    with explained("tracked_lead_days"), part.warehouse.connect() as connection:
        rows = connection.execute(
            statement("extract/tracked_lead_days"),
            {"client_id": part.client_id, "until": until, "days": list(of_days)},
        )
        return {
            row.day: (
                row.leads,
                row.seconds,
                dict(zip(row.ids or (), row.times or (), strict=True)),
            )
            for row in rows
        }
