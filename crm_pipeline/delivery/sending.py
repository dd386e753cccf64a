"""Sending decided writes and recording what came of each, by the one error table."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from crm_pipeline.delivery.decisions import Decision
from crm_pipeline.delivery.relocation import relocate
from crm_pipeline.delivery.session import DeliverySession
from crm_pipeline.ledger.outcomes import (
    Done,
    Failed,
    NotedChange,
    Planned,
    back_to_pending,
    identify_people,
    mark_in_flight,
    note_field_changes,
    record_done,
    record_failed,
)
from crm_pipeline.salesforce.describe import FieldChange
from crm_pipeline.salesforce.errors import SalesforceProblem, Treatment, paused, stopped
from crm_pipeline.salesforce.limits import COMPOSITE_SUBREQUESTS
from crm_pipeline.salesforce.outcomes import Outcome, RowError, Write
from crm_pipeline.salesforce.writes import send_by_composite, single_create
from crm_pipeline.settings import settings

ROUNDS = 4
"""How often what was refused is mended and sent again within one cycle."""

ALL_ATTEMPTS = 5
"""Tries of an operation in all (spec 1)."""

PERSON_SOBJECTS = frozenset(("Lead", "Contact"))


def write_of(decision: Decision, external_id: tuple[str, str] | None = None) -> Write:
    """The write that a decision comes to; `external_id` (field, value) makes it an upsert."""
    fields = dict(decision.fields)
    if external_id is not None and decision.action == "create":
        field, value = external_id
        return Write(
            decision.operation_id,
            decision.sobject,
            "upsert",
            {**fields, field: value},
            external_id_field=field,
        )
    return Write(
        decision.operation_id,
        decision.sobject,
        "create" if decision.action == "create" else "update",
        fields,
        salesforce_id=decision.salesforce_id,
        group_key=fields.get("WhoId") or decision.salesforce_id,
    )


def send(
    session: DeliverySession,
    decisions: Sequence[Decision],
    *,
    writes: Sequence[Write] | None = None,
) -> None:
    """Sends decisions in composite calls and records each answer as it comes.

    Everything is marked in flight, and that committed, before the first request: from there on
    a crash or a lost answer leaves it to be looked up, never to be sent blindly again.

    Args:
        session: the account's delivery.
        decisions: creates and updates, each operation once.
        writes: what to send for the decisions, in their order; by default what they say.

    Raises:
        AccountStopped, AccountPaused, OrgUnavailable: the rest was not sent and is pending.
    """
    queue = list(writes if writes is not None else map(write_of, decisions))
    reasons = {decision.operation_id: decision.reason for decision in decisions}
    note_changes(session, decisions)
    parallel = session.account.settings.parallel_requests
    for _ in range(ROUNDS):
        if not queue:
            return
        planned = [_planned(write, reasons.get(write.ref)) for write in queue]
        mark_in_flight(session.ledger, session.cycle_id, planned)
        session.ledger.commit()
        recorder = _Recorder(session, {write.ref: write for write in queue})
        for outcomes in send_by_composite(
            session.org(), queue, headers=session.headers(), parallel=parallel
        ):
            recorder.record(outcomes)
            session.ledger.commit()
        if recorder.halt is not None:
            raise recorder.halt
        if recorder.moved:
            relocate(session, recorder.moved)
        _attach_duplicates(session, recorder.duplicates)
        queue, parallel = recorder.again, 1
    back_to_pending(session.ledger, [write.ref for write in queue])
    session.ledger.commit()


def _attach_duplicates(session: DeliverySession, stopped_by_rule: Sequence[Write]) -> None:
    """Leads that a duplicate rule stopped: their people are the records that the rule names.

    Only a create that goes alone is told which records those are. They are somebody's work and
    were found by other means than the email, so their fields stay as they are.
    """
    for start in range(0, len(stopped_by_rule), COMPOSITE_SUBREQUESTS):
        batch = stopped_by_rule[start : start + COMPOSITE_SUBREQUESTS]
        created = single_create(session.org(), batch, headers=session.headers())
        recorder = _Recorder(session, {write.ref: write for write in batch})
        attached = [
            Done(
                each.outcome.ref,
                each.duplicates[0].sobject,
                "none",
                each.duplicates[0].salesforce_id,
                "named by a duplicate rule",
            )
            for each in created
            if each.outcome.status == "error" and each.duplicates
        ]
        record_done(session.ledger, session.cycle_id, attached)
        identify_people(session.ledger, [done.operation_id for done in attached])
        settled = {done.operation_id for done in attached}
        recorder.record([each.outcome for each in created if each.outcome.ref not in settled])
        session.ledger.commit()
        if recorder.halt is not None:
            raise recorder.halt


def note_changes(session: DeliverySession, decisions: Iterable[Decision]) -> None:
    """Keeps which values were changed to fit the org, as they were and as they go out."""
    changes = [
        NotedChange(decision.operation_id, c.field, c.why, _text(c.old), _text(c.new))
        for decision in decisions
        for c in decision.changes
    ]
    if changes:
        note_field_changes(session.ledger, session.account_id, changes)
        session.delivered.fields_changed_to_fit += len(changes)
        for change in changes:
            key = f"{change.field}: {change.why}"
            session.notes[key] = session.notes.get(key, 0) + 1


def record_unchanged(session: DeliverySession, decisions: Sequence[Decision]) -> None:
    """Records what the org has already, without a call."""
    record_done(
        session.ledger,
        session.cycle_id,
        [
            Done(d.operation_id, d.sobject, "none", d.salesforce_id or "", d.reason, attempts=0)
            for d in decisions
        ],
    )


class _Recorder:
    """Records the outcomes of one round and gathers what is to be sent again."""

    def __init__(self, session: DeliverySession, writes: Mapping[int, Write]) -> None:
        self.session = session
        self.writes = writes
        self.again: list[Write] = []
        self.moved: list[Write] = []
        self.duplicates: list[Write] = []
        self.halt: SalesforceProblem | None = None

    def record(self, outcomes: Sequence[Outcome]) -> None:
        """Records a batch of outcomes within the current transaction."""
        self._record_successes([o for o in outcomes if o.status == "ok"])
        unsent = [o.ref for o in outcomes if o.status == "not_sent"]
        if unsent:
            back_to_pending(self.session.ledger, unsent)
        failed: list[Failed] = []
        pending: list[int] = []
        for outcome in outcomes:
            if outcome.status == "error":
                self._treat(self.writes[outcome.ref], outcome.errors[0], failed, pending)
        if failed:
            waiting, exhausted = record_failed(
                self.session.ledger,
                self.session.cycle_id,
                failed,
                backoff_seconds=settings().retry_backoff_seconds,
            )
            self.session.delivered.failed += len(failed)
            self.session.delivered.waiting += waiting
            self.session.delivered.exhausted += exhausted
        if pending:
            back_to_pending(self.session.ledger, pending)

    def _record_successes(self, outcomes: Sequence[Outcome]) -> None:
        if not outcomes:
            return
        successes = []
        for outcome in outcomes:
            write = self.writes[outcome.ref]
            action = "update" if write.action == "update" else "create"
            successes.append(Done(outcome.ref, write.sobject, action, str(outcome.salesforce_id)))
            count_written(self.session, write.sobject, action)
        record_done(self.session.ledger, self.session.cycle_id, successes)
        people = [done.operation_id for done in successes if done.sobject in PERSON_SOBJECTS]
        if people:
            identify_people(self.session.ledger, people)

    def _treat(
        self, write: Write, error: RowError, failed: list[Failed], pending: list[int]
    ) -> None:
        match error.treatment:
            case Treatment.DEGRADE_FIELD if self._degraded(write, error):
                pass
            case Treatment.RESEND | Treatment.LOG_IN_AGAIN:
                self.again.append(write)
            case Treatment.RETRY_SERIALLY if self.session.once(write.ref, error.code):
                self.again.append(write)
            case Treatment.SWITCH_TARGET if self.session.once(write.ref, error.code):
                self.moved.append(write)
            case Treatment.USE_DUPLICATE if self.session.once(write.ref, error.code):
                self.duplicates.append(write)
            case Treatment.STOP_ACCOUNT:
                self.halt = self.halt or stopped(error.code, 400)
                pending.append(write.ref)
            case Treatment.PAUSE_ACCOUNT:
                self.halt = self.halt or paused(error.code, 400)
                pending.append(write.ref)
            case Treatment.RETRY | Treatment.RETRY_SERIALLY:
                failed.append(Failed(write.ref, error.code, error.message))
            case _:
                failed.append(Failed(write.ref, error.code, error.message, ALL_ATTEMPTS))

    def _degraded(self, write: Write, error: RowError) -> bool:
        """Takes the refused fields out, where the account allows it, and sends the rest."""
        refused = [field for field in error.fields if field in write.fields]
        if not (self.session.account.settings.degrade_fields and refused):
            return False
        rest = {field: value for field, value in write.fields.items() if field not in refused}
        note_changes(
            self.session,
            [
                Decision(
                    write.ref,
                    "update",
                    write.sobject,
                    write.salesforce_id,
                    rest,
                    "",
                    [
                        FieldChange(field, f"refused: {error.code}", write.fields[field], None)
                        for field in refused
                    ],
                )
            ],
        )
        self.again.append(replace(write, fields=rest))
        return True


def count_written(session: DeliverySession, sobject: str, action: str, number: int = 1) -> None:
    """Adds to the numbers of the delivery."""
    delivered = session.delivered
    if sobject == "Lead" and action == "create":
        delivered.leads_created += number
    elif sobject == "Lead":
        delivered.leads_updated += number
    elif sobject == "Contact":
        delivered.contacts_updated += number
    elif action == "create":
        delivered.activities_created += number
    else:
        delivered.activities_updated += number


def _planned(write: Write, reason: str | None) -> Planned:
    """Of a person's update it is stored what goes out, since it was decided."""
    action = "update" if write.action == "update" else "create"
    known = action == "create" or write.sobject in PERSON_SOBJECTS
    sent = None if known else write.fields
    return Planned(write.ref, write.sobject, action, write.salesforce_id, sent, reason)


def _text(value: object) -> str | None:
    return None if value is None else str(value)
