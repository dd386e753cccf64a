"""Reading campaigns again: after a change that concerns all, for new sessions, for rows missed."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Engine

from crm_pipeline.accounts.account import Account
from crm_pipeline.accounts.campaigns import CampaignSettings
from crm_pipeline.accounts.store import field_mappings, pushed_sessions
from crm_pipeline.flows.campaigns import rules
from crm_pipeline.ledger.campaigns import (
    backfills_done,
    known_events,
    mapping_fingerprint,
    queue_backfill,
    sessions_were_read,
    set_mapping_fingerprint,
    waiting_backfills,
)
from crm_pipeline.ledger.counts import members_were_read, rows_of_members
from crm_pipeline.sources.events import event_volumes
from crm_pipeline.sources.participations import tells_recordings


@dataclass(frozen=True, slots=True)
class ReadWhole:
    """Rows to read whatever their time: events, newly pushed sessions, and rows nobody read."""

    events: Sequence[int]
    sessions: Sequence[int]
    rows: Mapping[str, Collection[int]]


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
    set_mapping_fingerprint(ledger, account_id, _fingerprint(ledger, warehouse, account, chosen))
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
    if before in (None, _fingerprint(ledger, warehouse, account, chosen)):
        return {}
    known = known_events(ledger, account.account_id)
    return event_volumes(warehouse, account.client_id, known)


def were_read(ledger: Connection, account: Account) -> bool:
    """Returns whether the account's campaigns were read before, or are new and to be read whole."""
    return mapping_fingerprint(ledger, account.account_id) is not None


def _fingerprint(
    ledger: Connection, warehouse: Engine, account: Account, chosen: CampaignSettings
) -> str:
    overrides = field_mappings(ledger, account.account_id)
    return rules.fingerprint(
        rules.Choices(
            chosen,
            rules.member_map(overrides, join_link_field=chosen.join_link_field),
            {},
            words=account.settings.words,
            recordings=tells_recordings(warehouse),
            campaigns=rules.campaign_map(overrides),
        )
    )


def was_read(ledger: Connection, account: Account, whole: ReadWhole) -> Mapping[int, int]:
    """Notes that this was read; returns the events that wait to be, with their rows."""
    backfills_done(ledger, account.account_id, whole.events)
    sessions_were_read(ledger, account.account_id, whole.sessions)
    members_were_read(ledger, account.account_id)
    return waiting_backfills(ledger, account.account_id)
