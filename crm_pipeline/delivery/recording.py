"""Recording operations that are decided, unchanged, held or failed, for every part of delivery."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from crm_pipeline.delivery.decisions import Decision
from crm_pipeline.delivery.desk import Desk
from crm_pipeline.ledger.account_ledger import AccountLedger
from crm_pipeline.ledger.confirmations import await_confirmation
from crm_pipeline.ledger.outcomes import (
    Done,
    Failed,
    NotedChange,
    Planned,
    decide_updates,
    note_field_changes,
    record_done,
    record_failed,
)
from crm_pipeline.ledger.records import (
    Noted,
    forget_records,
    note_records,
    resolve_references,
)
from crm_pipeline.salesforce.values import Why
from crm_pipeline.settings import settings

CAMPAIGN_MEMBER = "CampaignMember"


def note_changes(desk: Desk, decisions: Collection[Decision]) -> None:
    """Keeps which values were changed to fit the org, as they were and as they go out."""
    changes = [
        NotedChange(decision.operation_id, c.field, c.why, _text(c.old), _text(c.new))
        for decision in decisions
        for c in decision.changes
    ]
    if changes:
        note_field_changes(desk.ledger.connection, desk.ledger.account_id, changes)
        for decision in decisions:
            desk.tally[decision.counted_as, "fields_changed_to_fit"] += len(decision.changes)
        left_out: Mapping[str, Counter[str]] = {
            Why.ABSENT: desk.notes.not_seen,
            Why.READ_ONLY: desk.notes.read_only,
        }
        for change in changes:
            left_out.get(change.why, desk.notes.changed)[change.field] += 1


def note_refused_fields(desk: Desk, refused: Mapping[int, tuple[Mapping[str, Any], str]]) -> None:
    """Keeps which values the org did not take, by operation, with the code that says why.

    For records that stay as they are; the caller tells people of them.
    """
    note_field_changes(
        desk.ledger.connection,
        desk.ledger.account_id,
        [
            NotedChange(operation_id, field, f"refused: {code}", _text(value), None)
            for operation_id, (fields, code) in refused.items()
            for field, value in fields.items()
        ],
    )


def keep_updates(connection: Connection, updates: Sequence[Decision]) -> None:
    """Stores decided updates of people that are sent later; whom they are about is known now."""
    planned = [
        Planned(d.operation_id, d.sobject, "update", d.salesforce_id, d.fields, d.reason)
        for d in updates
    ]
    decide_updates(connection, planned)


def record_unchanged(desk: Desk, decisions: Sequence[Decision]) -> None:
    """Records and counts what the org has already, or has no field for, without a call."""
    note_changes(desk, decisions)
    desk.tally.update((each.counted_as, each.kind.unchanged) for each in decisions)
    record_done(
        desk.ledger.connection,
        desk.ledger.cycle_id,
        [
            Done(
                d.operation_id,
                d.sobject,
                "none",
                d.salesforce_id or "",
                d.reason,
                attempts=0,
                filled=d.filled,
            )
            for d in decisions
        ],
    )


def record_failures(desk: Desk, counted_as: str, failed: Sequence[Failed]) -> None:
    """Records and counts failures of one topic or kind."""
    if failed:
        desk.tally[counted_as, "failed"] += len(failed)
        record_failed(
            desk.ledger.connection,
            desk.ledger.cycle_id,
            failed,
            backoff_seconds=settings().retry_backoff_seconds,
        )


def keep_held(
    ledger: AccountLedger, done: Sequence[Done], decisions: Mapping[int, Decision]
) -> None:
    """Keeps what stands in the org of records of any object, or no more."""
    every = [(each, holds) for each in done if (holds := decisions[each.operation_id].holds)]
    if not every:
        return
    held = [(each, holds) for each, holds in every if not holds.is_published]
    forget_records(ledger.connection, [each.operation_id for each, _ in held if _is_gone(each)])
    note_records(
        ledger.connection,
        [
            Noted(
                each.operation_id,
                each.sobject,
                each.salesforce_id,
                holds.last,
                [*holds.references],
                [to.key for to in holds.references.values()],
                [to.salesforce_id for to in holds.references.values()],
            )
            for each, holds in held
            if not _is_gone(each)
        ],
    )
    events = [(each, holds.about) for each, holds in every if holds.about]
    if events:
        noted = [Noted(e.operation_id, *about, {}, [], [], []) for e, about in events]
        note_records(ledger.connection, noted)
        await_confirmation(ledger.connection, [each.operation_id for each, _ in events])
    if by_key := [holds.natural_key for _, holds in held if holds.by_key]:
        resolve_references(ledger.connection, ledger.account_id, by_key)


def _is_gone(done: Done) -> bool:
    return done.action == "delete" or not done.salesforce_id


def _text(value: object) -> str | None:
    return None if value is None else str(value)
