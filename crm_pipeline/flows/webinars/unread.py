"""Once a day an account's rows in the warehouse are counted against what was read of them.

A row that commits long after its shipping time, or that a statement of `sql/extract/` hides, would
otherwise be in no ledger, no queue and no alert. Where the numbers of a day agree, nothing is
transferred; where they differ, that day's rows are compared one by one.
"""

from collections import ChainMap
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Engine

from crm_pipeline.accounts.account import Account, AccountSettings
from crm_pipeline.accounts.store import pushed_sessions
from crm_pipeline.database.statements import extract_shown
from crm_pipeline.declaration import Batch, Reading
from crm_pipeline.flows.webinars import NAME
from crm_pipeline.flows.webinars.lasting import let_older_rows_count
from crm_pipeline.flows.webinars.rules import NATURAL_KEY, vanished_activity
from crm_pipeline.ledger.counts import (
    Count,
    LastCount,
    ReadDay,
    days_of_ledger,
    known_rows,
    last_counts,
    never_there,
    note_count,
)
from crm_pipeline.ledger.counts import too_many as are_too_many
from crm_pipeline.ledger.positions import Position, positions
from crm_pipeline.ledger.visits import others_of
from crm_pipeline.sources.errors import ExtractError, explained
from crm_pipeline.sources.participations import ATTENDANCES, EXTRACT_NAMES, ExtractName, Rows
from crm_pipeline.sources.row_counts import Day, days_of_warehouse, still_there
from crm_pipeline.sources.shipped import NEVER

_NO_ROWS = (0, Decimal(), 0)


NEVER_COUNTED = LastCount({}, 0)

_MOST_UNSURE = 50_000
"""Of rows that an older version read, so many are read once more with a count: the newest."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The result of counting one source.

    Attributes:
        source: which one.
        rows: how many were counted in the warehouse.
        unread: rows that were never read, or not since they were shipped last.
        incomplete: rows that were never read and cannot be: what they belong to is not there.
        vanished: rows that were read, and are not in the warehouse any more, or not whole.
        explained: days that differ without a row unread: their numbers, and the vanished rows.
        unsure: rows of which nobody has noted when their parts were shipped, as an older version
            read them: once more read, it is.
        read_as_of: as of when those of the unread and unsure rows that were read were (UTC), by
            natural key.
        gone: the vanished rows of days that were compared one by one.
        to_be_gone: of these, those whose activities are not to be: of which nothing was sent, or
            all, where the account has them deleted; as of when each is known (UTC), by id.
        too_many: whether so many vanished that nothing of it is believed.
        deleting: whether the account has what was sent deleted.
    """

    source: ExtractName
    rows: int
    unread: Set[int]
    incomplete: int
    vanished: int
    explained: Mapping[str, Any]
    unsure: Set[int] = frozenset()
    read_as_of: Mapping[str, datetime] = field(default_factory=dict)
    gone: Set[int] = frozenset()
    to_be_gone: Mapping[int, datetime] = field(default_factory=dict)
    too_many: bool = False
    deleting: bool = False


def counted(
    reading: Reading[AccountSettings], read_again: Callable[[Rows], Iterator[Batch]]
) -> Generator[Batch, None, bool]:
    """Counts the warehouse's rows against the ledger, where that was last done a day ago.

    Args:
        reading: of which account.
        read_again: gives batches with these rows among them; the caller has recorded each one
            before it takes the next.

    Returns:
        Whether rows are to be read again, as newer ones of their people have vanished.

    Raises:
        ExtractError: the warehouse cannot be asked, or counts rows that no extract gives.
    """
    ledger, account = reading.ledger, reading.account
    due, last = last_counts(ledger, account.account_id)
    if not due:
        return False
    left = False
    far = positions(ledger, account.account_id, NAME)
    before = compare(ledger, reading.warehouse, account, last, far)
    after = before
    if again := {each.source: rows for each in before if (rows := each.unread | each.unsure)}:
        known = ChainMap(*(dict(each.read_as_of) for each in before))
        for batch in read_again(again):
            # Nor is what was read before newer, whatever is said of the shipping of its row now.
            for each in batch.intents:
                each.as_of = max(each.as_of, known.get(each.natural_key, each.as_of))
            yield batch
        far = positions(ledger, account.account_id, NAME)
        after = compare(ledger, reading.warehouse, account, last, far)
    told = []
    for found, now in zip(before, after, strict=True):
        if found.source == ATTENDANCES.name and found.gone:
            # What is left of their attendances goes on without them.
            rest = others_of(ledger, account.account_id, found.gone)
            yield from read_again({found.source: rest}) if rest else ()
        if found.gone and not found.too_many:
            now_known = datetime.now(UTC)
            nobodys = [vanished_activity(found.source, each, now_known) for each in found.gone]
            left |= let_older_rows_count(ledger, account.account_id, nobodys)
        if found.to_be_gone:
            activities = [
                vanished_activity(found.source, number, as_of, undoes=found.deleting)
                for number, as_of in found.to_be_gone.items()
            ]
            yield Batch(found.source, len(activities), activities, None)
        told += tell(found, last.get(found.source, NEVER_COUNTED))
        note_count(ledger, account.account_id, as_count(found, now))
    yield Batch(NAME, 0, (), None, told=tuple(told))
    for found, now in zip(before, after, strict=True):
        if stuck := found.unread & now.unread:
            raise ExtractError(
                f"{extract_shown('row_counts')} counts {len(stuck)} rows that "
                f"{now.source}.sql does not give: make the two agree"
            )
    return left


def compare(
    ledger: Connection,
    warehouse: Engine,
    account: Account,
    last: Mapping[str, LastCount],
    read: Mapping[str, Position],
) -> list[Comparison]:
    """Counts what was shipped before the overlap that each cycle reads again.

    Where nothing was shipped for so long, all is counted.

    Args:
        ledger: what was read.
        warehouse: the warehouse's engine.
        account: whose rows.
        last: the last counts, by source.
        read: how far each source is read.

    Raises:
        ExtractError: the warehouse cannot be asked.
    """
    pushed = [each.event_session_id for each in pushed_sessions(ledger, account.account_id)]
    return [
        _compare(
            ledger,
            warehouse,
            account,
            source,
            pushed=pushed or None,
            position=read[source],
            last=last.get(source, NEVER_COUNTED),
        )
        for source in EXTRACT_NAMES
        if source in read
    ]


def _settled_until(position: Position) -> datetime:
    """The time up to which no row is expected any more that was shipped before it.

    By the clock where nothing was shipped since: with the newest row, the watermark goes back.
    """
    overlap = position.watermark - position.seen_since
    return max(position.seen_since, datetime.now(UTC) - overlap)


def as_count(found: Comparison, now: Comparison) -> Count:
    """Returns the count as the ledger keeps it, as it stands now that the unread rows were read."""
    return Count(
        source=now.source,
        rows=now.rows,
        again=sorted(found.unread),
        still_unread=len(found.unread & now.unread),
        incomplete=now.incomplete,
        vanished=now.vanished,
        explained=now.explained,
    )


def tell(found: Comparison, last: LastCount) -> list[str]:
    """Returns what a comparison found that the last one had not, in lines for people."""
    told = []
    if found.unread:
        told.append(
            f"{len(found.unread)} {found.source} that no cycle had read were found by counting, "
            "and read now: they were committed long after their shipping time (OVERLAP_MINUTES)"
        )
    if found.incomplete:
        told.append(
            f"{found.incomplete} {found.source} cannot be read: their person, session or event is "
            "not in the warehouse"
        )
    before = sum(each[-1] for each in last.explained.values())
    if found.to_be_gone or found.too_many or found.vanished > before:
        becomes = "is deleted" if found.deleting and found.to_be_gone else "stays"
        if found.to_be_gone and not found.deleting:
            becomes += f"; {len(found.to_be_gone)} were not sent yet, and are not any more"
        if found.too_many:
            becomes += (
                ": so many at once were loaded badly rather than deleted; where they are meant,"
                " `crm-pipeline account believe-vanished ACCOUNT` says so"
            )
        told.append(
            f"{found.vanished} {found.source} that were read are not in the warehouse any more; "
            f"what the org has of them {becomes}"
        )
    return told


def _compare(
    ledger: Connection,
    warehouse: Engine,
    account: Account,
    source: ExtractName,
    *,
    pushed: Sequence[int] | None,
    position: Position,
    last: LastCount,
) -> Comparison:
    key, until = NATURAL_KEY[source], _settled_until(position)

    def both_sides(named: Sequence[date] = ()) -> tuple[dict[date, Day], dict[date, ReadDay]]:
        with explained("row_counts"), warehouse.connect() as connection:
            there = days_of_warehouse(
                connection,
                account.client_id,
                source,
                sessions=pushed,
                until=until,
                of_days=named,
            )
        return there, days_of_ledger(ledger, account.account_id, key, until, named)

    there, read = both_sides()
    rows_read = sum(day.sums[0] for day in read.values())
    differing = [day for day in sorted(there | read) if _sums(there, day) != _sums(read, day)]
    later = _for_another_count(there, read, differing)
    differing = [day for day in differing if day not in later]
    numbers = {day: _numbers(there, read, day) for day in differing}
    deleting = account.settings.vanished == "delete"
    known_before = last.explained
    known = {
        day: known_before[str(day)]
        for day in differing
        if str(day) in known_before
        and not ((deleting or last.believed) and known_before[str(day)][-1])
    }
    named: Mapping[int, datetime] = {}
    were: Mapping[int, datetime] = {}
    unread: set[int] = set()
    unsure: set[int] = set()
    to_be_gone: dict[int, datetime] = {}
    too_many = False
    gone: Set[int] = frozenset()
    vanished = {day: each[-1] for day, each in known.items()}
    if any(day not in known or known[day][:-1] != each for day, each in numbers.items()):
        there, read = both_sides(differing)
        named, were = _by_row(there), _by_row(read)
        anew, unsure = _shipped_anew(there, read)
        behind = {number for number, at in named.items() if number not in were or were[number] < at}
        as_of = known_rows(ledger, account.account_id, key, behind)
        unread = {
            number
            for number in behind
            if number not in as_of or max(as_of[number], NEVER) < named[number]
        } | anew
        unsure -= unread
        missing = were.keys() - named.keys()
        gone = missing - still_there(warehouse, account.client_id, source, missing)
        vanished = {day: len(gone & each.named.keys()) for day, each in read.items()}
        ends = gone if deleting else never_there(ledger, account.account_id, key, gone)
        too_many = bool(ends) and are_too_many(len(gone), read=rows_read, believed=last.believed)
        if not too_many:
            to_be_gone = {number: were[number] for number in ends}
    missed = {day for day, each in there.items() if (unread | unsure) & each.named.keys()}
    incomplete = [number for day in there.values() for number in day.incomplete]
    once_read = known_rows(ledger, account.account_id, key, incomplete, vanished_too=True)
    never_read = set(incomplete) - once_read.keys()
    return Comparison(
        source,
        rows=sum(day.sums[0] for day in there.values()),
        unread=unread,
        incomplete=len(never_read),
        vanished=sum(vanished.values()),
        explained={
            str(day): [*numbers[day], vanished.get(day, 0)]
            for day in differing
            if day not in missed
        },
        unsure=set(sorted(unsure, key=named.__getitem__, reverse=True)[:_MOST_UNSURE]),
        read_as_of={f"{key}:{number}": were[number] for number in (unread | unsure) & were.keys()},
        gone=gone,
        to_be_gone=to_be_gone,
        too_many=too_many,
        deleting=deleting,
    )


def _for_another_count(
    there: Mapping[date, Day], read: Mapping[date, ReadDay], differing: Sequence[date]
) -> Set[date]:
    """Days that differ in nothing but what an older version did not note, but for the newest.

    To compare all of them would take the memory of a whole history.
    """
    later: set[date] = set()
    unsure = 0
    for day in reversed(differing):
        if day in there and day in read and there[day].sums[:2] == read[day].sums[:2]:
            if read[day].not_noted and unsure >= _MOST_UNSURE:
                later.add(day)
            unsure += read[day].not_noted
    return later


def _by_row(days: Mapping[date, Day] | Mapping[date, ReadDay]) -> dict[int, datetime]:
    """The rows of the days that were asked for."""
    return {number: at for day in days.values() for number, at in day.named.items()}


def _shipped_anew(
    there: Mapping[date, Day], read: Mapping[date, ReadDay]
) -> tuple[set[int], set[int]]:
    """Rows of both sides of which parts were shipped at other times than they were read with.

    A part that was shipped before the newest one of its row and committed after it changes no time,
    and one that vanishes may set it back.

    Returns:
        Those that surely have such parts, and those of which it was not noted.
    """
    parts = {number: each for day in read.values() for number, each in day.parts.items()}
    differing = {
        number
        for day in there.values()
        for number, now in day.parts.items()
        if number in parts and (parts[number] or 0) != now
    }
    unsure = {number for number in differing if parts[number] is None}
    return differing - unsure, unsure


def _sums(side: Mapping[date, Day] | Mapping[date, ReadDay], day: date) -> tuple[int, Decimal, int]:
    return side[day].sums if day in side else _NO_ROWS


def _numbers(there: Mapping[date, Day], read: Mapping[date, ReadDay], day: date) -> list[str]:
    """Both sides' numbers, as they can be kept."""
    return [str(number) for side in (there, read) for number in _sums(side, day)]
