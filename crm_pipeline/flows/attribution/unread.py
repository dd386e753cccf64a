"""Once a day an account's tracked leads in the warehouse are counted against those that were read.

A lead that commits long after its time of shipping, or that `sql/extract/tracked_leads.sql` hides,
would otherwise be nowhere. Where the numbers of a day agree, nothing is transferred; where they
differ, that day's leads are compared one by one: those that were not read are read, and those that
are not in the warehouse any more are known.
"""

from collections.abc import Collection, Iterator, Sequence, Set
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import Connection

from crm_pipeline.database.statements import extract_shown, statement
from crm_pipeline.database.warehouses import as_day, as_decimal, as_list, times_in
from crm_pipeline.ledger.counts import too_many
from crm_pipeline.ledger.positions import Position
from crm_pipeline.sources.errors import ExtractError, explained
from crm_pipeline.sources.source import Chunk
from crm_pipeline.sources.tracked_leads import TRACKED_LEADS, LeadsReading, TrackedLeadRow
from crm_pipeline.text import is_no_id

_FOR_EVER = datetime.max.replace(tzinfo=UTC)


class LastLeadCount(NamedTuple):
    """The leads that the last count found vanished, and how many a person says are meant."""

    vanished: int = 0
    believed: int = 0
    is_old: bool = True


@dataclass(frozen=True, slots=True)
class UnreadLeads:
    """The result of a count.

    Attributes:
        leads: how many were counted.
        unread: when each lead that was not read, or not as it was shipped last, was shipped (UTC).
        without_time: leads that no reading can see.
        vanished: leads that were read and are not in the warehouse any more.
        too_many: whether these are more than are believed to have vanished.
    """

    leads: int
    unread: dict[str, datetime]
    without_time: int
    vanished: Set[str]
    too_many: bool


def last_count(ledger: Connection, account_id: str) -> LastLeadCount:
    """The last count of an account's leads; there may be none."""
    row = ledger.execute(statement("leads/last_count"), {"account_id": account_id}).one_or_none()
    return LastLeadCount() if row is None else LastLeadCount(*row)


def count(
    ledger: Connection, account_id: str, part: LeadsReading, position: Position, believed: int
) -> UnreadLeads:
    """Counts what was shipped before the overlap that each cycle reads again.

    Raises:
        ExtractError: the warehouse is down, or `sql/extract/tracked_lead_days.sql` does not fit it.
    """
    until = max(position.seen_since, datetime.now(UTC) - part.overlap)
    there = _days(part, until)
    whose = {"account_id": account_id, "until": until}
    rows = ledger.execute(statement("leads/days"), whose)
    read = {row.day: (row.leads, row.seconds) for row in rows}
    differing = [
        day
        for day in there | read
        if day is not None and read.get(day) != (there[day][:2] if day in there else None)
    ]
    named = _named(_days(part, until, differing))
    parameters = {"account_id": account_id, "lead_ids": [*named]}
    known = {
        row.lead_id: row.as_of for row in ledger.execute(statement("leads/read_as_of"), parameters)
    }
    read_on = set(ledger.scalars(statement("leads/read_on"), {**whose, "days": differing}))
    missing = read_on - named.keys()
    vanished = _vanished(part, missing, until, differing) if missing else set()
    return UnreadLeads(
        sum(leads for leads, _, _ in there.values()),
        {each: at for each, at in named.items() if each not in known or known[each] < at},
        there[None][0] if None in there else 0,
        vanished,
        too_many(len(vanished), read=sum(n for n, _ in read.values()), believed=believed),
    )


def _vanished(
    part: LeadsReading, missing: Set[str], until: datetime, days: Collection[date]
) -> set[str]:
    """Those of some leads that were neither shipped again since nor lost the time of shipping."""
    of_all = _days(part, _FOR_EVER)
    since = [day for day in of_all if day is not None and day >= until.date()]
    there = _days(part, _FOR_EVER, [*days, *since])
    without_time, _, named = there.get(None, (0, 0, {}))
    if without_time > len(named):
        # An older statement of a warehouse's own does not name these: who knows?
        return set()
    return set(missing).difference(*(leads for _, _, leads in there.values()))


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
) -> None:
    """Keeps a count, within the caller's transaction.

    Args:
        ledger: the caller's.
        account_id: whose leads.
        found: the count.
        seen: the leads that were read again for it.
        changed: how many of these said something new; the others were only shipped again.
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
            "vanished": len(found.vanished),
        },
    )


def tell(found: UnreadLeads, last: LastLeadCount, *, changed: int, ends: int) -> tuple[str, ...]:
    """Returns what a count found that the last one had not, in lines for people.

    Args:
        found: the count.
        last: the one before.
        changed: how many leads that were read for it said something new.
        ends: how many of the vanished leads count no more.
    """
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
    if ends or found.too_many or len(found.vanished) > last.vanished:
        becomes = f"{ends} of them count no more" if ends else "they count as before"
        if found.too_many:
            becomes += (
                ": so many at once were loaded badly rather than deleted; where they are meant,"
                " `crm-pipeline account believe-vanished ACCOUNT` says so"
            )
        told.append(
            f"{len(found.vanished)} tracked leads that were read are not in the warehouse any "
            f"more; {becomes}"
        )
    return tuple(told)


def demand_all(found: UnreadLeads, seen: Collection[str]) -> None:
    """Raises `ExtractError` if leads are counted that no extract gives."""
    if stuck := found.unread.keys() - set(seen):
        raise ExtractError(
            f"{extract_shown('tracked_lead_days')} counts {len(stuck)} tracked leads that "
            "tracked_leads.sql does not give: make the two agree"
        )


_Days = dict[date | None, tuple[int, Decimal, dict[str, datetime | None]]]


def _days(part: LeadsReading, until: datetime, of_days: Collection[date] = ()) -> _Days:
    """Leads by day, the sum of their times, and by name those of some days and without one.

    Raises:
        ExtractError: the warehouse is down, or the statement does not fit it, or an older one.
    """
    with explained("tracked_lead_days"), part.warehouse.connect() as connection:
        rows = connection.execute(
            statement("extract/tracked_lead_days"),
            {"client_id": part.client_id, "until": until, "days": list(of_days)},
        )
        return {
            as_day(row.day): (
                row.leads,
                as_decimal(row.seconds),
                _with_times(as_list(row.ids), times_in(row.times)),
            )
            for row in rows
        }


def _with_times(ids: Sequence[str], times: Sequence[datetime | None]) -> dict[str, datetime | None]:
    """The leads of a day, which have all a time or none; arrays of some dialects leave NULL out."""
    return dict(zip(ids, times or (None,) * len(ids), strict=True))


def _named(days: _Days) -> dict[str, datetime]:
    """The leads that have a time, by name; of an id of blanks none is read."""
    return {
        lead_id: at
        for _, _, leads in days.values()
        for lead_id, at in leads.items()
        if at is not None and not is_no_id(lead_id)
    }
