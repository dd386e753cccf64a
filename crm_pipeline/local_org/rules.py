"""The rules of an org's administrators: validation, duplicates, assignment."""

from collections import defaultdict
from collections.abc import Callable
from functools import partial
from typing import Any

from crm_pipeline.local_org.config import (
    AssignmentRule,
    DuplicateRule,
    OrgConfigError,
    ValidationRule,
)
from crm_pipeline.local_org.errors import refuse
from crm_pipeline.local_org.formulas import compile_formula
from crm_pipeline.local_org.ids import IdCounter, long_id
from crm_pipeline.local_org.per_org import PerOrg
from crm_pipeline.local_org.schema import Row, SObjectType
from crm_pipeline.local_org.store import Org
from crm_pipeline.local_org.tables import Table
from crm_pipeline.local_org.transaction import WriteContext, committed

Check = Callable[[WriteContext, Row, Row | None], None]
"""Raises the failure of a rule that the row breaks, or gives it another owner."""
RULES: PerOrg[dict[str, list[Check]]] = PerOrg(partial(defaultdict, list))
"""The rules of an org by object; seeding passes them by."""


def rules_of(org: Org) -> dict[str, list[Check]]:
    """All rules of one org, by object. Raises `OrgConfigError` for one that makes no sense.

    Salesforce: validation rules come before duplicate rules, assignment after both.
    """
    checks: dict[str, list[Check]] = defaultdict(list)
    config = org.config
    for validation in config.validation_rules:
        of = _table(org, validation.object).type
        checks[of.name].append(_validation(validation, of))
    for duplicates in config.duplicate_rules:
        checks[duplicates.object].append(_duplicates(org, duplicates))
    for name, settings in config.objects.items():
        if settings.record_types:
            of = _table(org, name).type
            checks[of.name].insert(0, _record_type(org, of))
    ids = IdCounter("01Q", org.id[3:7])
    for sobject in sorted({each.object for each in config.assignment_rules}):
        of = org.table(sobject).type
        rules = [each for each in config.assignment_rules if each.object == sobject]
        checks[sobject].append(_assignment(org, of, rules, ids))
    return checks


def _table(org: Org, name: str) -> Table:
    try:
        return org.table(name)
    except KeyError:
        raise OrgConfigError(f"there is no object {name}") from None


def _field(of: SObjectType, name: str) -> str:
    found = of.find(name)
    if found is None:
        raise OrgConfigError(f"there is no field {of.name}.{name}")
    return found.name


def _record_type(org: Org, of: SObjectType) -> Check:
    record_types = org.table("RecordType").rows

    def check(_context: WriteContext, row: Row, old: Row | None) -> None:
        chosen = row.get("RecordTypeId")
        if chosen is None or (old is not None and old.get("RecordTypeId") == chosen):
            return
        found = record_types[chosen]
        if found["SobjectType"] != of.name or not found["IsActive"]:
            raise refuse(
                "INVALID_CROSS_REFERENCE_KEY",
                f"Record Type ID: this ID value isn't valid for the user: {chosen}",
                "RecordTypeId",
            )

    return check


def _validation(rule: ValidationRule, of: SObjectType) -> Check:
    broken = compile_formula(rule.when, of)
    fields = [_field(of, rule.field)] if rule.field else []

    def check(_context: WriteContext, row: Row, old: Row | None) -> None:
        applies = rule.on in ("both", "create" if old is None else "update")
        if applies and broken(row, old):
            raise refuse("FIELD_CUSTOM_VALIDATION_EXCEPTION", rule.error, *fields)

    return check


def _assignment(org: Org, of: SObjectType, rules: list[AssignmentRule], ids: IdCounter) -> Check:
    compiled = []
    unnamed = ids.next()
    for rule in rules:
        queues = org.table("Group").lookup("Name", rule.owner)
        owner = org.users.get(rule.owner.lower())
        if owner is None and not queues:
            raise OrgConfigError(f"there is no user {rule.owner}")
        # Those without an id are entries of one rule.
        owner_id = owner.id if owner else queues[0]
        compiled.append((long_id(rule.id) or unnamed, compile_formula(rule.when, of), owner_id))
    active = compiled[0][0]
    with committed(WriteContext(org, user_id="")) as context:
        for each in dict.fromkeys(rule_id for rule_id, *_ in compiled):
            row = {"Id": each, "Name": each, "SobjectType": of.name, "Active": each == active}
            context.insert(org.table("AssignmentRule"), row)

    def check(context: WriteContext, row: Row, old: Row | None) -> None:
        for rule_id, applies, owner_id in compiled:
            if context.assignment in (True, rule_id) and applies(row, old):
                row["OwnerId"] = owner_id
                return

    return check


def _duplicates(org: Org, rule: DuplicateRule) -> Check:
    match = [_field(org.table(rule.object).type, name) for name in rule.match]
    others = [org.table(name) for name in rule.against or [rule.object]]
    for other in others:
        for name in match:
            _field(other.type, name)
        other.index(match[0])

    def check(context: WriteContext, row: Row, old: Row | None) -> None:
        key = _key(row, match)
        if key is None or (rule.action == "alert" and context.allow_duplicates):
            return
        if old is not None and (not rule.on_update or _key(old, match) == key):
            return
        matched = {}
        for other in others:
            found = _matching(other, match, context, row, key)
            if found:
                matched[other] = found
        if matched:
            result = _result(rule, context, matched)
            raise refuse("DUPLICATES_DETECTED", rule.message, extra={"duplicateResut": result})

    return check


def _key(row: Row, match: list[str]) -> list[Any] | None:
    values = [row.get(name) for name in match]
    if any(value is None for value in values):
        return None
    return [value.lower() if isinstance(value, str) else value for value in values]


def _matching(
    other: Table, match: list[str], context: WriteContext, row: Row, key: list[Any]
) -> list[str]:
    candidates = other.lookup(match[0], row[match[0]])
    if not candidates:
        return []
    # Salesforce does not compare the records of one save with each other.
    saved_with = {write.record_id for write in context.writes[context.started_at :]}
    return [
        each
        for each in candidates
        if each != row.get("Id")
        and each not in saved_with
        and (found := other.live(each)) is not None
        and not found.get("IsConverted")
        and _key(found, match) == key
    ]


def _result(
    rule: DuplicateRule, context: WriteContext, matched: dict[Table, list[str]]
) -> dict[str, Any]:
    """Returns the entry under `duplicateResut`; Salesforce does misspell it."""
    return {
        "allowSave": rule.action == "alert",
        "duplicateRule": rule.name or f"Standard_{rule.object}_Duplicate_Rule",
        "duplicateRuleEntityType": rule.object,
        "errorMessage": rule.message,
        "matchResults": [
            {
                "entityType": other.type.name,
                "errors": [],
                "matchEngine": "ExactMatchEngine",
                "matchRecords": [
                    {
                        "additionalInformation": [],
                        "fieldDiffs": [],
                        "matchConfidence": 100.0,
                        "record": {
                            "attributes": {
                                "type": other.type.name,
                                "url": f"/services/data/v{context.version}/sobjects/"
                                f"{other.type.name}/{each}",
                            },
                            "Id": each,
                        },
                    }
                    for each in ids
                ],
                "rule": f"Standard_{other.type.name}_Match_Rule_v1_0",
                "size": len(ids),
                "success": True,
            }
            for other, ids in matched.items()
        ],
    }
