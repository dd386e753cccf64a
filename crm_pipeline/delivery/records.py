"""Records of any object: upserted by a key of ours, updated by what differs, deleted when wanted.

Topics are sent in their order, parents first; what is to be gone goes afterwards, in the reverse
order. A record waits until everything that it refers to is held.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from crm_pipeline.delivery.decisions import Decision, Holding
from crm_pipeline.delivery.kind import RECORD, RECORD_THAT_STAYS_GONE, Kind
from crm_pipeline.delivery.recording import keep_held, record_unchanged
from crm_pipeline.delivery.schemas import schemas
from crm_pipeline.delivery.sending import Outbox
from crm_pipeline.delivery.session import DeliverySession
from crm_pipeline.ledger.outcomes import Done
from crm_pipeline.ledger.records import (
    DueRecord,
    due_record_volumes,
    due_records,
    reopen_moved_records,
)
from crm_pipeline.salesforce.describe import SObjectSchema
from crm_pipeline.salesforce.outcomes import Action, Write

WINDOW = 10_000
"""Records decided at a time: their writes fill whole calls."""


@dataclass(frozen=True, slots=True)
class RecordTopic:
    """A topic whose operations are records.

    Attributes:
        name: of the topic.
        when_deleted: what becomes of a record that people delete in the org: it is made anew
            with its next change, or left.
    """

    name: str
    when_deleted: Literal["recreate", "leave"]

    @property
    def kind(self) -> Kind:
        """How its operations are treated."""
        return RECORD if self.when_deleted == "recreate" else RECORD_THAT_STAYS_GONE


def send_records(session: DeliverySession, topics: Sequence[RecordTopic]) -> None:
    """Sends every pending record of these topics whose references are held.

    Raises:
        SalesforceProblem: as `delivery.deliver`.
    """
    if not topics:
        return
    may_have_moved = True
    for topic in topics:
        if may_have_moved:
            # What was sent just now may be what records of the next topics refer to.
            reopen_moved_records(session.ledger, session.account_id)
            session.ledger.commit()
        may_have_moved = _send(session, topic, absent=False)
    for topic in reversed(topics):
        _send(session, topic, absent=True)


def _send(session: DeliverySession, topic: RecordTopic, *, absent: bool) -> bool:
    """Sends a topic's records that are to be so, or to be gone; returns whether there were any."""
    volumes = {
        (sobject, "delete" if absent else "create"): number
        for (name, sobject, gone), number in due_record_volumes(
            session.ledger, session.account_id
        ).items()
        if name == topic.name and gone is absent
    }
    if not volumes:
        return False
    outbox = Outbox(session, topic.name, volumes)
    after = 0
    while due := due_records(
        session.ledger, session.account_id, topic.name, absent=absent, after=after, limit=WINDOW
    ):
        after = due[-1].operation_id
        if absent:
            decided = [(each, decide_absence(each, topic.kind)) for each in due]
        else:
            known = schemas(session, dict.fromkeys(each.intent["sobject"] for each in due))
            decided = [
                (each, decide_record(each, known[each.intent["sobject"]], topic.kind))
                for each in due
            ]
        _record_unchanged(session, [decision for _, decision in decided])
        going = [(each, decision) for each, decision in decided if decision.action != "none"]
        writes = [_write(each, decision) for each, decision in going]
        session.ledger.commit()
        outbox.add([decision for _, decision in going], writes)
    outbox.flush()
    return True


def _record_unchanged(session: DeliverySession, decisions: Sequence[Decision]) -> None:
    unchanged = [decision for decision in decisions if decision.action == "none"]
    record_unchanged(session, unchanged)
    by_id = {decision.operation_id: decision for decision in unchanged}
    done = [
        Done(ref, each.sobject, "none", each.salesforce_id or "") for ref, each in by_id.items()
    ]
    keep_held(session, done, by_id)


def decide_record(due: DueRecord, schema: SObjectSchema, kind: Kind) -> Decision:
    """What a record comes to: a new one, or what differs of the one that is there. Pure.

    Args:
        due: what is wanted, and what is held.
        schema: of its object.
        kind: of its topic.
    """
    wanted, decision = due.intent["fields"], _decision(due, kind)
    if _is_of_a_master_gone(due, schema):
        decision = replace(decision, salesforce_id=None)
    if decision.salesforce_id is None:
        new = {f: value for f, value in {**wanted, **due.references}.items() if value is not None}
        fitted = schema.fit(new, "create")
        return replace(
            decision, action="create", fields=fitted.fields, changes=fitted.changes, reason="new"
        )
    fitted = schema.fit(_differing(due, wanted), "update")
    action: Literal["update", "none"] = "update" if fitted.fields else "none"
    reason = "changed at the source" if due.held_id else "named by its Id"
    return replace(
        decision, action=action, fields=fitted.fields, changes=fitted.changes, reason=reason
    )


def _is_of_a_master_gone(due: DueRecord, schema: SObjectSchema) -> bool:
    """Whether it belonged to another record in a field that no update may change.

    Such a detail was deleted with its master; where that was not so, the org refuses the upsert.
    """
    moved = [f for f, last in due.last_references.items() if due.references.get(f, last) != last]
    fields = [found for name in moved if (found := schema.field(name)) is not None]
    return due.intent["key"] is not None and any(not each.updateable for each in fields)


def decide_absence(due: DueRecord, kind: Kind) -> Decision:
    """What one that is to be gone comes to: its deletion, or nothing where it never was. Pure."""
    decision = _decision(due, kind)
    if decision.salesforce_id is None:
        return decision
    return replace(decision, action="delete", reason="to be gone")


def _decision(due: DueRecord, kind: Kind) -> Decision:
    return Decision(
        due.operation_id,
        "none",
        due.intent["sobject"],
        due.held_id or due.intent["id"],
        {},
        "was never there",
        altered=True,
        kind=kind,
        holds=Holding(
            due.topic, due.intent["fields"] or {}, due.ref_fields, due.ref_keys, due.ref_ids
        ),
    )


def _differing(due: DueRecord, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The fields and references that are other ones than those written last."""
    last, last_references = due.last or {}, due.last_references
    fields = {f: value for f, value in wanted.items() if f not in last or last[f] != value}
    moved = {f: to for f, to in due.references.items() if last_references.get(f) != to}
    return fields | moved


def _write(due: DueRecord, decision: Decision) -> Write:
    key: Sequence[str] | None = due.intent["key"]
    fields = dict(decision.fields)
    action: Action = "create"
    external_id_field = None
    if decision.action in ("update", "delete"):
        action = decision.action
    elif key is not None:
        action, external_id_field = "upsert", key[0]
        fields[key[0]] = key[1]
    return Write(
        decision.operation_id,
        decision.sobject,
        action,
        fields,
        salesforce_id=decision.salesforce_id,
        external_id_field=external_id_field,
        # What has one parent travels together, so that no two requests lock it at once.
        group_key=due.intent["parent"],
    )
