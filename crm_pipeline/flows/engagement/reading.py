"""Reading for the engagement workflow: what defines tags and scores, prospects, their pages."""

from collections.abc import Collection, Generator, Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple

from crm_pipeline.accounts.engagement import EngagementSettings
from crm_pipeline.declaration import Batch, Reading
from crm_pipeline.flows.engagement import NAME, rules, topics
from crm_pipeline.inbound.tombstones import tombstones_of
from crm_pipeline.ledger.clock import account_clock
from crm_pipeline.ledger.engagement import (
    ALL,
    Requested,
    end_requests,
    mark_gone,
    record_definitions,
    record_prospects,
    requested_readings,
    seek_anew,
    send_anew,
    touch_prospects,
)
from crm_pipeline.ledger.positions import Position, positions
from crm_pipeline.ledger.read_back import hint
from crm_pipeline.settings import settings
from crm_pipeline.sources.engagement import (
    DEFINITIONS,
    PAGES,
    PROSPECTS,
    EngagementReading,
    EngagementRow,
)
from crm_pipeline.text import digest


def read(reading: Reading[EngagementSettings]) -> Generator[Batch]:
    """Reads what is new of an account's prospects; the caller records each batch.

    What was read of prospects is kept within the caller's transaction; what the org is to hold of
    them follows once it is known who they are there (`following.follow`).

    Raises:
        ExtractError: the warehouse cannot be read; what was yielded before is good.
    """
    known = positions(reading.ledger, reading.account.account_id, NAME)
    asked = requested_readings(reading.ledger, reading.account.account_id)
    yield from _read_definitions(reading, known.get(DEFINITIONS.name), anew=ALL in asked)
    yield from _read_prospects(reading, None if ALL in asked else known.get(PROSPECTS.name), asked)
    yield from _read_pages(reading, known.get(PAGES.name))


def _read_definitions(
    reading: Reading[EngagementSettings], position: Position | None, *, anew: bool
) -> Generator[Batch]:
    """All of them are read each time: they are few, and one that is taken away is to go."""
    part = _part(reading)
    definitions = []
    for chunk in DEFINITIONS.read(part, position):
        definitions += [d for row in chunk.rows if (d := rules.definition_of(row)) is not None]
        last = chunk.position
    # Of an id that stands in several rows the last one holds.
    distinct = list({(each.kind, each.definition_id): each for each in definitions}.values())
    changed, gone = record_definitions(reading.ledger, reading.account.account_id, distinct)
    said_at = account_clock(reading.ledger, reading.account.account_id)
    now = rules.Basis(reading.choices, {}, {}, said_at)
    numbers = {
        (topics.OF_DEFINITIONS[kind], "examined"): sum(each.kind == kind for each in distinct)
        for kind in ("tag", "score")
    }
    wants = [
        *(rules.definition_want(each, now) for each in (distinct if anew else changed)),
        *(rules.definition_want(each, now, is_gone=True) for each in gone),
    ]
    yield Batch(DEFINITIONS.name, len(wants), (), last, wants=wants, numbers=numbers)


def _read_prospects(
    reading: Reading[EngagementSettings], position: Position | None, asked: Mapping[str, Requested]
) -> Generator[Batch]:
    """Reads prospects that changed, or what people asked for; of these, absent ones are gone."""
    account_id = reading.account.account_id
    seen: set[str] = set()
    for chunk in PROSPECTS.read(_part(reading), position, _read_by(reading)):
        seen |= (numbers := _recorded(reading, chunk.rows)).ids
        yield Batch(PROSPECTS.name, len(chunk.rows), (), chunk.position, numbers=numbers.shown)
    if not asked:
        return
    some = None if ALL in asked else list(asked)
    if some is not None:
        seen = set()
        for chunk in PROSPECTS.read(_part(reading, some), None):
            seen |= _recorded(reading, chunk.rows).ids
    gone = mark_gone(reading.ledger, account_id, seen, some)
    touch_prospects(reading.ledger, account_id, some)
    if some is None:
        seek_anew(reading.ledger, account_id)
    if anew := [each for each, request in asked.items() if request.anew]:
        whose = None if ALL in anew else anew
        send_anew(reading.ledger, account_id, topics.ALL_OF_THE_ORG, whose)
    # What people did meanwhile is read, and told, before anything is sent over it.
    hint(reading.ledger, account_id)
    end_requests(reading.ledger, account_id, asked)
    yield Batch(NAME, 0, (), None, numbers={(topics.PROSPECTS, "gone"): gone})


class _Recorded(NamedTuple):
    """The ids of some prospects, and their numbers as they are shown."""

    ids: set[str]
    shown: Mapping[tuple[str, str], int]


def _recorded(reading: Reading[EngagementSettings], rows: Sequence[EngagementRow]) -> _Recorded:
    """Keeps some prospects; nothing of those who were removed, or changed last before the start."""
    start = reading.account.settings.start_at
    account_id = reading.account.account_id
    tombstones = tombstones_of(reading.ledger, reading.account) if rows else None
    known = [each for row in rows if (each := rules.prospect_of(row)) is not None]
    found = [each for each in known if tombstones is None or not tombstones.hold(each.email)]
    # Of an id that stands in several rows the newest one holds.
    distinct = {each.prospect_id: each for each in found}
    since = [each for each in distinct.values() if start is None or each.as_of >= start]
    changed = record_prospects(reading.ledger, account_id, since)
    if changed:
        hint(reading.ledger, account_id)  # Their addresses are to be sought now.
    shown = {
        (topics.PROSPECTS, "examined"): len(rows),
        (topics.PROSPECTS, "before_start"): len(distinct) - len(since),
        (topics.PROSPECTS, "known_already"): len(found) - len(distinct) + len(since) - changed,
        (topics.PROSPECTS, "without_id"): len(rows) - len(known),
        (topics.PROSPECTS, "removed"): len(known) - len(found),
    }
    return _Recorded(set(distinct), {name: number for name, number in shown.items() if number})


def _read_pages(
    reading: Reading[EngagementSettings], position: Position | None
) -> Generator[Batch]:
    """Notes of which prospects pages are new; the pages themselves are read with all of it.

    Without pages the position moves on all the same: the source is not to be news for ever.
    """
    for chunk in PAGES.read(_part(reading), position, _read_by(reading)):
        if reading.choices.pages and chunk.rows:
            ids = [str(row["prospect_id"]) for row in chunk.rows]
            touch_prospects(reading.ledger, reading.account.account_id, ids)
        numbers = {(topics.PAGES, "examined"): len(chunk.rows) if reading.choices.pages else 0}
        yield Batch(PAGES.name, len(chunk.rows), (), chunk.position, numbers=numbers)


def _read_by(reading: Reading[EngagementSettings]) -> bytes:
    """A digest of what says which rows are read, and what is kept of them."""
    process = settings()
    by = reading.choices.pages, process.overlap_minutes, process.warehouse_timezone
    start = reading.account.settings.start_at
    return digest(by if start is None else (*by, start))


def _part(
    reading: Reading[EngagementSettings], prospect_ids: Collection[str] | None = None
) -> EngagementReading:
    process = settings()
    return EngagementReading(
        reading.warehouse,
        reading.account.client_id,
        overlap=timedelta(minutes=process.overlap_minutes),
        chunk_rows=process.chunk_rows,
        timezone=process.warehouse_timezone,
        prospect_ids=prospect_ids,
    )
