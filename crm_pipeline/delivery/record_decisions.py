"""Decisions: the writes that a record of any object needs. Pure functions, no I/O."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from crm_pipeline.delivery.decisions import Decision, Holding
from crm_pipeline.delivery.kind import Kind
from crm_pipeline.ledger.records import DueRecord, Reference
from crm_pipeline.salesforce.describe import FieldChange, SObjectSchema
from crm_pipeline.salesforce.fields import FieldSchema
from crm_pipeline.salesforce.outcomes import Action, Write
from crm_pipeline.salesforce.values import Why

Keys = Mapping[str, Sequence[str]]
"""The external-id field and its value, by the natural key of what goes out before."""


def decide_record(
    due: DueRecord,
    schema: SObjectSchema,
    kind: Kind,
    *,
    along: Keys | None = None,
    gone: Collection[str] = (),
) -> Decision:
    """Returns the write of a record: a new one, or the fields that differ from the one there.

    One that may not be given another master is deleted, to be made anew under that; where the
    former master is gone, it went with it. So is one of an object that has another name by now.

    Args:
        due: what is wanted, and what is held.
        schema: of its object.
        kind: of its topic.
        along: the keys of records that go out before it, in the same call.
        gone: Ids of former masters that are not in the org any more.
    """
    decision = _decision(due, kind, along or {})
    wanted = due.intent["fields"]
    if decision.salesforce_id is None:
        return _created(decision, due, schema, wanted, along or {})
    if due.held_id and due.intent["id"] and due.held_id != due.intent["id"]:
        # It was about a record that people merged into this one, which has wants of its own.
        return replace(decision, reason="merged into another record")
    if due.is_of_another_object:
        return _deletion(decision, due, "to be made anew as another object")
    masters = _former_masters(due, schema)
    if masters and due.intent["key"] is not None:
        if all(each.is_ours and each.salesforce_id in gone for each in masters):
            decision.salesforce_id = None
            return _created(decision, due, schema, wanted, along or {})
        return _deletion(decision, due, "to be made anew under another parent")
    last = due.last or {}
    if emptied := _emptied(due, schema):
        wanted = {**wanted, **emptied}
        decision.holds = replace(decision.holds, last=wanted) if decision.holds else None
    differing = {f: value for f, value in wanted.items() if f not in last or last[f] != value}
    moved = {f: to for f, to in due.moved.items() if not _may_stay(f, due, schema)}
    decision.fields, decision.changes = _fitted(differing, moved, schema, "update", along or {})
    decision.action = "update" if decision.fields else "none"
    decision.reason = "changed at the source" if due.held_id else "named by its Id"
    return decision


def _emptied(due: DueRecord, schema: SObjectSchema) -> dict[str, Any]:
    """The fields that were written before and are not wanted any more, with nothing in them."""
    if not due.intent.get("empties"):
        return {}
    return {
        field: False if (found := schema.field(field)) and found.type == "boolean" else None
        for field, value in (due.last or {}).items()
        if field not in due.intent["fields"] and value is not None and value is not False
    }


def contested(due: DueRecord, filled: Collection[str]) -> list[str]:
    """The fields of a record, among those that another account fills, in which it wants a value."""
    fields = due.intent["fields"]
    about = due.intent.get("about")
    told = about["shown"] if about else {field: field for field in fields}
    values = {field: fields.get(said) for field, said in told.items()}
    return sorted(f for f, value in values.items() if f in filled and value not in (None, False))


def decide_beside(
    due: DueRecord, schema: SObjectSchema, kind: Kind, filled: Collection[str]
) -> Decision:
    """Returns the write of a record of which another account fills fields that are to be empty.

    These are left as they are; an event would empty them, so there is none.
    """
    if due.intent.get("about"):
        decision = _decision(due, kind, {})
        holds = decision.holds and replace(decision.holds, about=None)
        return replace(decision, holds=holds, reason="another account's")
    fields = {name: value for name, value in due.intent["fields"].items() if name not in filled}
    return decide_record(replace(due, intent={**due.intent, "fields": fields}), schema, kind)


def former_masters(due: DueRecord, schema: SObjectSchema) -> list[str]:
    """The Ids of records of ours that it belonged to in fields that no update may change."""
    masters = _former_masters(due, schema)
    return [each.salesforce_id for each in masters if each.is_ours and each.salesforce_id]


def decide_absence(due: DueRecord, kind: Kind) -> Decision:
    """Returns the deletion of a record that is to be gone, or no action if it never was there."""
    decision = _decision(due, kind, {})
    if decision.salesforce_id is None:
        return decision
    return _deletion(decision, due, "to be gone")


def goes_with_its_master(due: DueRecord, schema: SObjectSchema, going: Collection[str]) -> bool:
    """Returns whether its deletion is that of a record of `going`, which takes it along."""
    return any(
        to.salesforce_id in going and (found := schema.field(field)) is not None and found.cascades
        for field, to in due.last_references.items()
    )


def _deletion(decision: Decision, due: DueRecord, reason: str) -> Decision:
    sobject = due.held_sobject or decision.sobject
    return replace(decision, action="delete", sobject=sobject, reason=reason)


def unwritable_references(due: DueRecord, decision: Decision, schema: SObjectSchema) -> list[str]:
    """Reference fields without which a new record would be nobody's: hidden, or not to be set."""
    if decision.action != "create":
        return []
    return [
        field
        for field in due.references
        if (found := schema.field(field)) is None or not found.createable
    ]


def left_out(decision: Decision) -> list[str]:
    """The fields that the org hides, or does not let the user write."""
    return [each.field for each in decision.changes if each.why in (Why.ABSENT, Why.READ_ONLY)]


def write_of_record(due: DueRecord, decision: Decision, rank: int = 0) -> Write:
    """The write that a decision comes to; `rank` is its place among those of a call."""
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
        # A parent and its children travel together, so that no two requests lock it at once.
        group_key=due.intent["parent"] or due.natural_key,
        rank=rank,
    )


def _decision(due: DueRecord, kind: Kind, along: Keys) -> Decision:
    is_published = due.intent["key"] is None and due.intent["id"] is None
    by_key = (to.key for to in due.references.values() if to.key in along)
    about = due.intent.get("about")
    return Decision(
        due.operation_id,
        "none",
        due.intent["sobject"],
        None if is_published else due.held_id or due.intent["id"],
        {},
        "was never there",
        altered=True,
        kind=kind,
        holds=Holding(
            due.natural_key,
            due.topic,
            due.references,
            by_key=frozenset(by_key),
            is_wanted=due.intent["fields"] is not None,
            is_published=is_published,
            about=about and (about["sobject"], about["salesforce_id"]),
        ),
    )


def _created(
    decision: Decision,
    due: DueRecord,
    schema: SObjectSchema,
    wanted: Mapping[str, Any],
    along: Keys,
) -> Decision:
    new = {f: value for f, value in wanted.items() if value is not None}
    decision.fields, decision.changes = _fitted(new, due.references, schema, "create", along)
    decision.action, decision.reason = "create", "new"
    if decision.holds is not None:
        decision.holds.leaves_empty = len(new) < len(wanted)
    return decision


def _fitted(
    fields: Mapping[str, Any],
    references: Mapping[str, Reference],
    schema: SObjectSchema,
    operation: Literal["create", "update"],
    along: Keys,
) -> tuple[dict[str, Any], Sequence[FieldChange]]:
    """The fields and references as they go out; one that is not held goes by its record's key."""
    by_key: dict[str, Any] = {}
    changes: list[FieldChange] = []
    by_id: dict[str, str | None] = {}
    for name, to in references.items():
        found = schema.field(name)
        if to.salesforce_id is None and found is not None and found.writable(operation):
            field, value = along[to.key]
            by_key[_relationship(found)] = {field: value}
        elif to.salesforce_id is None:
            why = Why.ABSENT if found is None else Why.READ_ONLY
            changes.append(FieldChange(name, why, to.key, None))
        elif operation == "update" or _may_lead_to(found, to.sobject):
            by_id[name] = to.salesforce_id if _may_lead_to(found, to.sobject) else None
    fitted = schema.fit({**fields, **by_id}, operation)
    return {**fitted.fields, **by_key}, [*fitted.changes, *changes]


def _may_lead_to(field: FieldSchema | None, sobject: str | None) -> bool:
    """Returns whether a field may name a record of this object; a Lead by now may be a Contact."""
    return (
        field is None or sobject is None or not field.reference_to or sobject in field.reference_to
    )


def _relationship(field: FieldSchema) -> str:
    if field.relationship is not None:
        return field.relationship
    custom = field.name.endswith("__c")
    return f"{field.name[:-1]}r" if custom else field.name.removesuffix("Id")


def _former_masters(due: DueRecord, schema: SObjectSchema) -> list[Reference]:
    """Returns former references in fields that lead elsewhere now and that no update may change."""
    last = due.last_references
    if not last:
        return []
    return [
        last[field]
        for field in due.moved
        if field in last and last[field].salesforce_id and not _updateable(field, schema)
    ]


def _may_stay(field: str, due: DueRecord, schema: SObjectSchema) -> bool:
    """Returns whether a reference that no update may change was set when the record was made."""
    return field not in due.last_references and not _updateable(field, schema)


def _updateable(field: str, schema: SObjectSchema) -> bool:
    found = schema.field(field)
    return found is None or found.updateable
