"""The campaigns' part of an account's cycle: from the warehouse to intents (spec 2)."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Engine

from crm_pipeline.accounts.account import Account
from crm_pipeline.accounts.campaigns import CampaignSettings
from crm_pipeline.accounts.store import field_mappings, filter_strings, pushed_sessions
from crm_pipeline.flows.campaigns import rules
from crm_pipeline.ledger.campaigns import (
    backfills_done,
    campaign_links,
    known_events,
    latest_intents,
    linked_events,
    mapping_fingerprint,
    queue_backfill,
    sessions_were_read,
    set_mapping_fingerprint,
    waiting_backfills,
)
from crm_pipeline.ledger.intents import Intent
from crm_pipeline.ledger.positions import Position, positions
from crm_pipeline.settings import settings
from crm_pipeline.warehouse import participations
from crm_pipeline.warehouse.events import event_volumes, events
from crm_pipeline.warehouse.mapping import check_columns
from crm_pipeline.warehouse.participations import Participation, Source

NAME = "campaigns"


@dataclass(frozen=True, slots=True)
class Batch:
    """What some rows of one source ask for: their intents, and how far the source is read.

    `unknown_words`: rows whose status word nobody has explained, by word.
    """

    source: Source
    intents: list[Intent]
    position: Position
    unknown_words: Counter[str]


@dataclass(frozen=True, slots=True)
class ReadWhole:
    """What is to be read from its start in this cycle: events, and sessions newly pushed."""

    events: Sequence[int]
    sessions: Sequence[int]


def batches(
    ledger: Connection,
    warehouse: Engine,
    account: Account,
    chosen: CampaignSettings,
    whole: ReadWhole,
) -> Iterator[Batch]:
    """Reads what is new for an account's campaigns; the caller records each batch.

    Its positions are its own, so that an account that switches campaigns on gets what is
    there already.

    Args:
        ledger: for the account's positions, filters, sessions, links and mapping.
        warehouse: the warehouse's engine.
        account: whose rows.
        chosen: what it chose for its campaigns.
        whole: what is to be read from its start (`to_read_whole`).

    Raises:
        ExtractError: as in the webinar cycle; what was yielded before is good.
    """
    pushed = pushed_sessions(ledger, account.account_id)
    again = events(warehouse, account.client_id, whole.events) if whole.events else []
    reading = participations.Reading(
        client_id=account.client_id,
        sessions=[session.event_session_id for session in pushed] or None,
        backfilled=[*whole.sessions, *(session for event in again for session in event.sessions)],
        overlap=timedelta(minutes=settings().overlap_minutes),
        chunk_rows=settings().chunk_rows,
        timezone=settings().warehouse_timezone,
    )
    overrides = field_mappings(ledger, account.account_id)
    check_columns(warehouse, overrides)
    choices = rules.Choices(
        chosen,
        rules.member_map(overrides),
        campaign_links(ledger, account.account_id),
        linked_events(ledger, account.account_id),
        filter_strings(ledger, account.account_id),
    )
    known = positions(ledger, account.account_id)
    for source in participations.SOURCES:
        mine = known.get(f"{NAME}:{source}")
        for chunk in participations.read(warehouse, reading, source, mine):
            members = _members(ledger, account, choices, chunk.participations)
            campaigns = _campaigns(warehouse, account, choices, members)
            position = replace(chunk.position, source=f"{NAME}:{source}")
            unknown = (word for each in members for word in rules.unknown_words(each))
            yield Batch(source, [*campaigns, *members], position, Counter(unknown))


def _members(
    ledger: Connection, account: Account, choices: rules.Choices, rows: Sequence[Participation]
) -> list[Intent]:
    """The memberships that rows ask for, with what was said of them before."""
    keys = {key for row in rows if (key := rules.member_key(row)) is not None}
    known = latest_intents(ledger, account.account_id, keys) if keys else {}
    return rules.member_intents(rows, choices, known)


def _campaigns(
    warehouse: Engine, account: Account, choices: rules.Choices, members: Sequence[Intent]
) -> list[Intent]:
    """The campaigns that memberships need."""
    wanted = {each.fields["event_id"] for each in members if each.rejected_because is None}
    if not wanted:
        return []
    found = events(warehouse, account.client_id, wanted, settings().warehouse_timezone)
    now = datetime.now(UTC)
    return [rules.campaign_intent(event, choices, now) for event in found]


def to_read_whole(
    ledger: Connection, warehouse: Engine, account: Account, chosen: CampaignSettings
) -> ReadWhole:
    """New sessions, and of the events to read again as many as a cycle's share of rows allows.

    Where a setting changed for all (`to_be_read_again`), they are queued first, within the
    caller's transaction.

    Raises:
        ExtractError: the warehouse cannot be read.
    """
    account_id = account.account_id
    if changed := to_be_read_again(ledger, warehouse, account, chosen):
        queue_backfill(ledger, account_id, changed)
    set_mapping_fingerprint(ledger, account_id, _fingerprint(ledger, account_id, chosen))
    taken: list[int] = []
    rows = 0
    for event_id, number in waiting_backfills(ledger, account_id).items():
        rows += number
        if taken and rows > chosen.backfill_rows_per_cycle:
            break
        taken.append(event_id)
    pushed = pushed_sessions(ledger, account_id)
    return ReadWhole(taken, [s.event_session_id for s in pushed if s.members_read_at is None])


def to_be_read_again(
    ledger: Connection, warehouse: Engine, account: Account, chosen: CampaignSettings
) -> dict[int, int]:
    """All known events with their rows, where a setting changed that concerns all; else nothing.

    That is the statuses, the mapping, or what finds the campaigns.

    Raises:
        ExtractError: the warehouse cannot be read.
    """
    before = mapping_fingerprint(ledger, account.account_id)
    if before in (None, _fingerprint(ledger, account.account_id, chosen)):
        return {}
    known = known_events(ledger, account.account_id)
    return event_volumes(warehouse, account.client_id, known)


def were_read(ledger: Connection, account: Account) -> bool:
    """Whether the account's campaigns were read before, or are new to be read from the start."""
    return mapping_fingerprint(ledger, account.account_id) is not None


def _fingerprint(ledger: Connection, account_id: str, chosen: CampaignSettings) -> str:
    return rules.fingerprint(chosen, rules.member_map(field_mappings(ledger, account_id)))


def was_read(ledger: Connection, account: Account, whole: ReadWhole) -> Mapping[int, int]:
    """Notes that this was read; returns the events that wait to be, with their rows."""
    backfills_done(ledger, account.account_id, whole.events)
    sessions_were_read(ledger, account.account_id, whole.sessions)
    return waiting_backfills(ledger, account.account_id)
