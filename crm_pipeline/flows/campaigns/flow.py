"""Campaigns, declared: events as campaigns, participants as their members (spec 2)."""

from collections import Counter
from collections.abc import Collection, Generator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Engine

from crm_pipeline.accounts.account import Account
from crm_pipeline.accounts.campaigns import CampaignSettings
from crm_pipeline.accounts.store import field_mappings, filter_strings, pushed_sessions
from crm_pipeline.declaration import Batch, Flow, Numbers, Outside, Promise, Reading, Shown, Topic
from crm_pipeline.flows.campaigns import rules, stages
from crm_pipeline.ledger.campaigns import (
    Said,
    absorbed_members,
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
from crm_pipeline.ledger.counts import members_were_read, rows_of_members
from crm_pipeline.ledger.intents import Intent, Recorded
from crm_pipeline.ledger.member_rows import memberships_of, note_memberships, vanished_rows
from crm_pipeline.ledger.people import identify
from crm_pipeline.ledger.positions import positions
from crm_pipeline.report import CycleReport
from crm_pipeline.salesforce.budget import backfill_calls
from crm_pipeline.settings import settings
from crm_pipeline.sources import participations
from crm_pipeline.sources.events import event_volumes, events
from crm_pipeline.sources.mapping import check_columns
from crm_pipeline.sources.participations import Participation
from crm_pipeline.sources.people import present, sightings

NAME = "campaigns"


@dataclass(frozen=True, slots=True)
class ReadWhole:
    """What is to be read whatever its time: events, sessions newly pushed, and rows nobody read."""

    events: Sequence[int]
    sessions: Sequence[int]
    rows: Mapping[str, Collection[int]]


def read(reading: Reading[CampaignSettings]) -> Generator[Batch]:
    """Reads what is new for an account's campaigns; the caller records each batch.

    Its positions are its own, so that an account that switches campaigns on gets what is
    there already. Events and sessions that are to be read from their start are noted as read at
    the end.

    Raises:
        ExtractError: as in the webinar cycle; what was yielded before is good.
    """
    ledger, warehouse, account = reading.ledger, reading.warehouse, reading.account
    whole = to_read_whole(ledger, warehouse, account, reading.choices)
    pushed = pushed_sessions(ledger, account.account_id)
    again = events(warehouse, account.client_id, whole.events) if whole.events else []
    rows = participations.Reading(
        warehouse=warehouse,
        client_id=account.client_id,
        sessions=[session.event_session_id for session in pushed] or None,
        backfilled=[*whole.sessions, *(session for event in again for session in event.sessions)],
        overlap=timedelta(minutes=settings().overlap_minutes),
        chunk_rows=settings().chunk_rows,
        timezone=settings().warehouse_timezone,
        again={source: whole.rows.get(source, ()) for source in participations.EXTRACT_NAMES},
    )
    overrides = field_mappings(ledger, account.account_id)
    check_columns(warehouse, overrides)
    choices = rules.Choices(
        reading.choices,
        rules.member_map(overrides),
        campaign_links(ledger, account.account_id),
        linked_events(ledger, account.account_id),
        filter_strings(ledger, account.account_id),
        account.settings.vanished,
    )
    known = positions(ledger, account.account_id, NAME)
    unknown: Counter[str] = Counter()
    for source in participations.EXTRACTS:
        for chunk in source.read(rows, known.get(source.name)):
            members = _members(ledger, account, choices, rows, chunk.rows)
            campaigns = _campaigns(warehouse, account, choices, members)
            unknown.update(word for each in members for word in rules.unknown_words(each))
            yield Batch(source.name, len(chunk.rows), [*campaigns, *members], chunk.position)
    waiting = _was_read(ledger, account, whole)
    still = (len(waiting), sum(waiting.values()))
    numbers = {(NAME, outcome): number for outcome, number in zip(_WAITING, still, strict=True)}
    told = (_explain_words(unknown),) if unknown else ()
    vanished = _of_vanished(ledger, account, choices)
    yield Batch(NAME, 0, vanished, None, numbers=numbers, told=told)
    if inherited := _of_absorbed(ledger, account, choices):
        yield Batch(NAME, 0, inherited, None)


def count(_: Batch, recorded: Mapping[str, Recorded]) -> Numbers:
    """What a batch came to."""
    members = recorded.get("member", Recorded())
    return {
        ("campaign_members", "memberships_new"): members.new,
        ("campaign_members", "memberships_changed"): members.changed,
        ("campaign_members", _WITHOUT): members.rejected.total(),
    }


_WITHOUT = "memberships_without_campaign_or_status"


def _explain_words(unknown: Counter[str]) -> str:
    words = ", ".join(f"{word!r} ({rows})" for word, rows in sorted(unknown.items()))
    return (
        f"Held for a status that nobody has explained: {words}; add"
        ' {"stage_of": {WORD: STAGE}} to the account\'s campaigns (`crm-pipeline account set`)'
    )


def _members(
    ledger: Connection,
    account: Account,
    choices: rules.Choices,
    reading: participations.Reading,
    rows: Sequence[Participation],
) -> list[Intent]:
    """The memberships that rows ask for, and those that they told of before and have left."""
    people = identify(
        ledger,
        account.account_id,
        sightings(rows, choices.filter_strings),
        present(reading, choices.filter_strings),
    )
    told = rules.memberships(rows, choices, people)
    before = memberships_of(ledger, account.account_id, told) if told else {}
    keys = {key for key in (*told.values(), *before.values()) if key is not None}
    known = latest_intents(ledger, account.account_id, keys) if keys else {}
    moved = {row: key for row, key in told.items() if before.get(row) != key}
    note_memberships(ledger, account.account_id, moved)
    return rules.member_intents(rows, choices, people, known, told)


def _of_vanished(ledger: Connection, account: Account, choices: rules.Choices) -> list[Intent]:
    """The memberships that told of rows which are not in the warehouse any more."""
    before = vanished_rows(ledger, account.account_id)
    if not before:
        return []
    told: dict[str, str | None] = dict.fromkeys(before)
    known = latest_intents(ledger, account.account_id, set(before.values()))
    note_memberships(ledger, account.account_id, told)
    return rules.member_intents((), choices, {}, known, told)


def _of_absorbed(ledger: Connection, account: Account, choices: rules.Choices) -> list[Intent]:
    """What was not sent yet of people for whom others stand now, as memberships of these."""
    members: dict[str, Intent] = {}
    for person_key, former in absorbed_members(ledger, account.account_id):
        key = rules.member_key(former.intent["event_id"], person_key)
        known = latest_intents(ledger, account.account_id, [key]).get(key)
        if (earlier := members.get(key)) is not None:
            known = Said(earlier.as_of, earlier.fields, earlier.memory)
        members[key] = rules.inherited(former, known, person_key, choices)
        rows = stages.remembered(former).rows
        note_memberships(ledger, account.account_id, dict.fromkeys(rows, key))
    return list(members.values())


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
    added = [session.event_session_id for session in pushed if session.members_read_at is None]
    return ReadWhole(taken, added, rows_of_members(ledger, account_id))


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


def _was_read(ledger: Connection, account: Account, whole: ReadWhole) -> Mapping[int, int]:
    """Notes that this was read; returns the events that wait to be, with their rows."""
    backfills_done(ledger, account.account_id, whole.events)
    sessions_were_read(ledger, account.account_id, whole.sessions)
    members_were_read(ledger, account.account_id)
    return waiting_backfills(ledger, account.account_id)


def _campaigns_shown(report: CycleReport) -> Shown:
    waiting = (report.tally[NAME, outcome] for outcome in _WAITING)
    return {"campaigns": _on_or_off(report), _CALLS: backfill_calls(*waiting)}


_WAITING = ("events_to_read_again", "rows_to_read_again")
_CALLS = "api_calls_to_read_again_at_most"


def _on_or_off(report: CycleReport) -> str:
    """An account that has campaigns off shows that, so that no older failure stays in sight."""
    return "on" if NAME in report.flows else "off"


_TOPICS = (
    Topic(
        "campaigns",
        "The campaign of each event, for accounts that have campaigns on: named by a person, found "
        "by an external id, or created with the event's name, days and member statuses.",
        group=NAME,
        technology="salesforce",
        after=("load_results", "warehouse/event"),
        counts=("campaigns_created", "campaigns_linked", *_WAITING, "failed"),
        shows=_campaigns_shown,
        reads=participations.EXTRACT_NAMES,
        records=True,
        sends=("campaign",),
    ),
    Topic(
        "campaign_members",
        "Who registered for or attended an event as a member of its campaign, each person once, "
        "with one status out of all sessions.",
        group=NAME,
        technology="salesforce",
        after=("campaigns", "load_results", "warehouse/registration", "warehouse/attendance"),
        counts=(
            "memberships_new",
            "memberships_changed",
            _WITHOUT,
            "members_created",
            "members_updated",
            "members_deleted",
            "members_unchanged",
            "failed",
        ),
        shows=lambda report: {"campaigns": _on_or_off(report)},
        reads=participations.EXTRACT_NAMES,
        records=True,
        sends=("member",),
    ),
)

_OUTSIDE = (
    Outside(
        "warehouse/event",
        "The platform's events, each with its sessions, shipped every 15 minutes.",
        "postgres",
    ),
    Outside(
        "salesforce/Campaign",
        "Campaigns in the client's org: one for each event.",
        "salesforce",
        after=("campaigns",),
    ),
    Outside(
        "salesforce/CampaignMember",
        "Members of the campaigns: each participant once, with how far they came.",
        "salesforce",
        after=("campaign_members",),
    ),
)

_PROMISES = (
    Promise(
        "every_event_has_its_campaign",
        "campaigns",
        "Each event with participants found or got its campaign, with the statuses its members "
        "need; what is missing is told by the account's incidents.",
    ),
    Promise(
        "every_status_word_is_known",
        "campaign_members",
        "No registration is held because nobody has said what its status word means (`stage_of` "
        "of the account's campaigns).",
        only_warns=True,
    ),
    Promise(
        "nobody_is_a_member_twice",
        "campaign_members",
        "Nobody has two memberships in one campaign.",
    ),
)

CAMPAIGNS = Flow(
    NAME,
    settings=lambda account: account.campaigns,
    topics=_TOPICS,
    sources=participations.EXTRACTS,
    outside=_OUTSIDE,
    promises=_PROMISES,
    read=read,
    share=100_000,
    count=count,
)
