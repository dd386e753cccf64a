"""Reading for campaigns: rows become memberships, and their events campaigns."""

from collections import Counter, defaultdict
from collections.abc import Generator, Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine

from crm_pipeline.accounts.account import Account
from crm_pipeline.accounts.campaigns import CampaignSettings
from crm_pipeline.declaration import Batch, Reading
from crm_pipeline.flows.campaigns import NAME, memberships, rules
from crm_pipeline.flows.campaigns.back_fill import to_read_whole, was_read
from crm_pipeline.flows.campaigns.shown import WAITING
from crm_pipeline.flows.campaigns.wanted import campaign_intents, with_link, with_status
from crm_pipeline.ledger import campaign_keys
from crm_pipeline.ledger.campaigns import (
    campaign_links,
    latest_intents,
    linked_keys,
    statuses_due,
)
from crm_pipeline.ledger.clock import account_clock
from crm_pipeline.ledger.intents import Intent
from crm_pipeline.ledger.positions import positions
from crm_pipeline.ledger.replay import rows_to_replay, rows_were_replayed, said_again
from crm_pipeline.ledger.sessions import change_grace
from crm_pipeline.settings import settings
from crm_pipeline.sources.account_rows import AccountRows, account_rows
from crm_pipeline.sources.events import (
    Session,
    check_event_columns,
    events,
    sessions_of_events,
)
from crm_pipeline.sources.mapping import missed, missed_told, rejection
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
    replayed = rows_to_replay(ledger, account.account_id, NAME)
    rows = account_rows(
        ledger,
        warehouse,
        account,
        backfilled=[*whole.sessions, *(session for event in again for session in event.sessions)],
        again={
            source: [*whole.rows.get(source, ()), *replayed.whole.get(source, ())]
            for source in EXTRACT_NAMES
        },
    )
    choices = choices_of(rows, reading.choices)
    check_event_columns(warehouse, rows.overrides, reading.choices.series_parent)
    change_grace(ledger, account.account_id, reading.choices.grace)
    known = positions(ledger, account.account_id, NAME)
    missing: Counter[str] = Counter()

    def wanted(some: Sequence[Participation]) -> list[Intent]:
        members = memberships.of_rows(rows, choices, some)
        campaigns = _said_now(reading, _campaigns(warehouse, account, choices, members, missing))
        for row in some if choices.members.templates else ():
            if rejection(row, choices.filter_strings) is None:
                missing.update(missed({rules.MEMBER: choices.members}, row.columns))
        people = memberships.people_asked_for(rows, choices, some, members)
        return [*people, *campaigns, *members]

    for extract in EXTRACTS:
        for chunk in rows.chunks(extract, known.get(extract.name), choices):
            yield Batch(extract.name, len(chunk.rows), wanted(chunk.rows), chunk.position)
        for kinds, alone in replayed.parts.items():
            for part in rows.parts(extract, alone.get(extract.name, ())):
                said = said_again(ledger, account.account_id, wanted(part), kinds)
                yield Batch(extract.name, len(part), said, None)
    now = datetime.now(UTC)
    if said_anew := _without_rows(ledger, account, choices, now):
        yield Batch(NAME, 0, _said_now(reading, said_anew), None)
    waiting = was_read(ledger, account, whole)
    rows_were_replayed(ledger, account.account_id, NAME, replayed, EXTRACT_NAMES)
    still = (len(waiting), sum(waiting.values()))
    numbers = {(NAME, outcome): number for outcome, number in zip(WAITING, still, strict=True)}
    for members in memberships.of_sessions_over(rows, choices):
        campaigns = _said_now(reading, _campaigns(warehouse, account, choices, members, missing))
        yield Batch(NAME, 0, [*campaigns, *members], None)
    if missing:
        yield Batch(NAME, 0, (), None, told=(missed_told(account.account_id, missing),))
    vanished = memberships.of_vanished_rows(ledger, account, choices)
    yield Batch(NAME, 0, vanished, None, numbers=numbers)
    if inherited := memberships.of_absorbed_people(ledger, account, choices):
        yield Batch(NAME, 0, inherited, None)


def choices_of(rows: AccountRows, chosen: CampaignSettings) -> rules.Choices:
    """Returns what the memberships and campaigns of an account's rows go by.

    Raises:
        ExtractError: the warehouse is down, or an extract does not fit it.
    """
    ledger, account, zone = rows.ledger, rows.account, rows.selection.timezone
    return rules.Choices(
        chosen,
        rules.member_map(rows.overrides, zone, chosen.join_link_field),
        campaign_links(ledger, account.account_id),
        linked_keys(ledger, account.account_id),
        rows.filter_strings,
        account.settings.vanished,
        account.settings.words,
        account.settings.people_from_stages,
        recordings=tells_recordings(rows.selection.warehouse),
        campaigns=rules.campaign_map(rows.overrides, zone),
    )


def _said_now(reading: Reading[CampaignSettings], campaigns: list[Intent]) -> list[Intent]:
    """The campaigns, none older than what was said of it before, whatever the clock does."""
    if campaigns:
        said_at = account_clock(reading.ledger, reading.account.account_id)
        for each in campaigns:
            each.as_of = said_at
    return campaigns


def _campaigns(
    warehouse: Engine,
    account: Account,
    choices: rules.Choices,
    members: Sequence[Intent],
    missing: Counter[str],
) -> list[Intent]:
    """The campaigns that memberships need, and those above them.

    Adds to `missing` the fields whose template makes nothing of what an event says.
    """
    needed = [each.fields for each in members if each.rejected_because is None]
    if not needed:
        return []
    zone = settings().warehouse_timezone
    keys = {campaign_keys.key_of(each) for each in needed}
    wanted = {number for key in keys if (number := campaign_keys.session_of(key)) is not None}
    of_event: defaultdict[int, list[Session]] = defaultdict(list)
    if wanted:
        for session in sessions_of_events(warehouse, account.client_id, wanted, zone):
            of_event[session.event_id].append(session)
    ids = {*(each["event_id"] for each in needed), *of_event}
    now = datetime.now(UTC)
    found = events(warehouse, account.client_id, ids, zone)
    for event in found:
        missing.update(missed({rules.CAMPAIGN: choices.campaigns}, event.columns))
    told = {
        intent.natural_key: intent
        for event in found
        for intent in campaign_intents(event, of_event[event.event_id], choices, now)
    }
    return list(told.values())


def _without_rows(
    ledger: Connection, account: Account, choices: rules.Choices, now: datetime
) -> list[Intent]:
    """Campaigns that are to be otherwise though no row is new: days pass, a series is named."""
    account_id, mapped = account.account_id, choices.campaigns
    told: dict[str, Intent] = {}
    series = {
        f"campaign:{key}": link
        for key, link in choices.links.items()
        if key.startswith(campaign_keys.SERIES)
    }
    if series:
        for key, said in latest_intents(ledger, account_id, series).items():
            if said.intent["campaign_id"] != series[key]:
                told[key] = with_link(said, series[key], now)
    if choices.settings.campaign_status and not {"Status"} & {*mapped.sources, *mapped.constants}:
        due = statuses_due(ledger, account_id, now.date())
        for key, said in latest_intents(ledger, account_id, due).items():
            told.setdefault(key, with_status(said, now))
    return list(told.values())
