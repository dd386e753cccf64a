"""Reading for campaigns: rows become memberships, and their events campaigns."""

from collections.abc import Collection, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine

from crm_pipeline.accounts.account import Account
from crm_pipeline.accounts.campaigns import CampaignSettings
from crm_pipeline.declaration import Batch, Reading
from crm_pipeline.flows.campaigns import NAME, rules, stages
from crm_pipeline.flows.campaigns.back_fill import to_read_whole, was_read
from crm_pipeline.flows.campaigns.shown import WAITING
from crm_pipeline.ledger.campaigns import (
    Said,
    absorbed_members,
    campaign_links,
    latest_intents,
    linked_events,
    wanted_people,
)
from crm_pipeline.ledger.intents import Intent
from crm_pipeline.ledger.member_rows import (
    MemberRow,
    memberships_of,
    note_memberships,
    vanished_rows,
)
from crm_pipeline.ledger.positions import positions
from crm_pipeline.ledger.sessions import (
    change_grace,
    members_of_sessions,
    note_attended,
    note_session_ends,
    sessions_over,
    sessions_to_derive,
    sessions_were_derived,
)
from crm_pipeline.settings import settings
from crm_pipeline.sources.account_rows import AccountRows, account_rows
from crm_pipeline.sources.events import events
from crm_pipeline.sources.participations import (
    EXTRACT_NAMES,
    EXTRACTS,
    Participation,
    tells_recordings,
)


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
    again = events(warehouse, account.client_id, whole.events) if whole.events else []
    rows = account_rows(
        ledger,
        warehouse,
        account,
        backfilled=[*whole.sessions, *(session for event in again for session in event.sessions)],
        again={source: whole.rows.get(source, ()) for source in EXTRACT_NAMES},
    )
    choices = rules.Choices(
        reading.choices,
        rules.member_map(rows.overrides),
        campaign_links(ledger, account.account_id),
        linked_events(ledger, account.account_id),
        rows.filter_strings,
        account.settings.vanished,
        account.settings.words,
        account.settings.people_from_stages,
        recordings=tells_recordings(warehouse),
    )
    change_grace(ledger, account.account_id, reading.choices.grace)
    known = positions(ledger, account.account_id, NAME)
    for extract in EXTRACTS:
        for chunk in rows.chunks(extract, known.get(extract.name)):
            members = _members(rows, choices, chunk.rows)
            campaigns = _campaigns(warehouse, account, choices, members)
            yield Batch(extract.name, len(chunk.rows), [*campaigns, *members], chunk.position)
    waiting = was_read(ledger, account, whole)
    still = (len(waiting), sum(waiting.values()))
    numbers = {(NAME, outcome): number for outcome, number in zip(WAITING, still, strict=True)}
    for members in _of_sessions_over(rows, choices):
        campaigns = _campaigns(warehouse, account, choices, members)
        yield Batch(NAME, 0, [*campaigns, *members], None)
    vanished = _of_vanished(ledger, account, choices)
    yield Batch(NAME, 0, vanished, None, numbers=numbers)
    if inherited := _of_absorbed(ledger, account, choices):
        yield Batch(NAME, 0, inherited, None)


def _members(
    of_account: AccountRows, choices: rules.Choices, rows: Sequence[Participation]
) -> list[Intent]:
    """The memberships that rows ask for, and those that they told of before and have left."""
    ledger, account_id = of_account.ledger, of_account.account_id
    people = of_account.people(rows)
    told = rules.memberships(rows, choices, people)
    before = memberships_of(ledger, account_id, told) if told else {}
    keys = {each.natural_key for each in (*told.values(), *before.values()) if each is not None}
    known = latest_intents(ledger, account_id, keys) if keys else {}
    ends = rules.session_ends(rows, of_account.selection.timezone)
    if ends:
        note_session_ends(ledger, account_id, ends, choices.settings.grace)
    _note(ledger, account_id, told, before, also=ends)
    choices = _with_sessions(ledger, account_id, choices, known, ends)
    members = rules.member_intents(rows, choices, people, known, told)
    return _of_known_people(ledger, account_id, choices, members)


def _note(
    ledger: Connection,
    account_id: str,
    told: Mapping[str, MemberRow | None],
    before: Mapping[str, MemberRow],
    also: Collection[int] = (),
) -> None:
    """Notes what rows tell of now, and whether anybody was at their sessions."""
    changed = {row: each for row, each in told.items() if before.get(row) != each}
    note_memberships(ledger, account_id, changed)
    rows = [*changed.values(), *(before[row] for row in changed.keys() & before.keys())]
    sessions = {each.session for each in rows if each is not None and each.session is not None}
    if sessions or also:
        note_attended(ledger, account_id, sessions.union(also))


def _with_sessions(
    ledger: Connection,
    account_id: str,
    choices: rules.Choices,
    known: Mapping[str, Said],
    sessions: Iterable[int],
) -> rules.Choices:
    """The choices, with those sessions of rows and of known members that are over by now."""
    asked = {
        word.session for said in known.values() for word in stages.remembered(said).words.values()
    }
    return replace(choices, over=sessions_over(ledger, account_id, asked.union(sessions)))


def _of_known_people(
    ledger: Connection, account_id: str, choices: rules.Choices, members: Sequence[Intent]
) -> list[Intent]:
    """The memberships; of those who only wait, or were asked, only people whom the ledger knows."""
    doubtful = {
        each.person_key
        for each in members
        if each.person_key is not None and rules.makes_nobody(each, choices)
    }
    if not doubtful:
        return list(members)
    unknown = doubtful - wanted_people(ledger, account_id, doubtful)
    return [
        rules.refused(each)
        if each.person_key in unknown and rules.makes_nobody(each, choices)
        else each
        for each in members
    ]


def _of_sessions_over(of_account: AccountRows, choices: rules.Choices) -> Iterator[list[Intent]]:
    """The memberships of sessions that have come to be over since, or are so no more."""
    ledger, account_id = of_account.ledger, of_account.account_id
    sessions = sessions_to_derive(ledger, account_id)
    if not sessions:
        return
    keys = members_of_sessions(ledger, account_id, sessions)
    for start in range(0, len(keys), of_account.selection.chunk_rows):
        part = keys[start : start + of_account.selection.chunk_rows]
        known = latest_intents(ledger, account_id, part)
        by_now = _with_sessions(ledger, account_id, choices, known, sessions)
        yield _of_known_people(ledger, account_id, by_now, rules.derived_again(known, by_now))
    sessions_were_derived(ledger, account_id, sessions)


def _of_vanished(ledger: Connection, account: Account, choices: rules.Choices) -> list[Intent]:
    """The memberships that told of rows which are not in the warehouse any more."""
    account_id = account.account_id
    before = vanished_rows(ledger, account_id)
    if not before:
        return []
    told: dict[str, MemberRow | None] = dict.fromkeys(before)
    known = latest_intents(ledger, account_id, {each.natural_key for each in before.values()})
    _note(ledger, account_id, told, before)
    by_now = _with_sessions(ledger, account_id, choices, known, ())
    return rules.member_intents((), by_now, {}, known, told)


def _of_absorbed(ledger: Connection, account: Account, choices: rules.Choices) -> list[Intent]:
    """Returns the unsent memberships of absorbed people, as memberships of their successors."""
    account_id = account.account_id
    members: dict[str, Intent] = {}
    for person_key, former in absorbed_members(ledger, account_id):
        key = rules.member_key(former.intent["event_id"], person_key)
        known = latest_intents(ledger, account_id, [key]).get(key)
        if (earlier := members.get(key)) is not None:
            known = Said(earlier.as_of, earlier.fields, earlier.memory)
        both = {"former": former} if known is None else {"former": former, "known": known}
        by_now = _with_sessions(ledger, account_id, choices, both, ())
        members[key] = rules.inherited(former, known, person_key, by_now)
        rows = memberships_of(ledger, account_id, stages.remembered(former).rows)
        moved = {row: each._replace(natural_key=key) for row, each in rows.items()}
        note_memberships(ledger, account_id, moved)
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
