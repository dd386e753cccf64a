"""The rules of an org's administrators: validation, duplicates, assignment."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from crm_pipeline.local_org.config import DuplicateRule, OrgConfigError, ValidationRule
from crm_pipeline.local_org.errors import refuse
from crm_pipeline.local_org.formulas import Formula, FormulaError, compile_formula
from crm_pipeline.local_org.ids import IdCounter, long_id

if TYPE_CHECKING:
    from crm_pipeline.local_org.schema import Row, SObjectType
    from crm_pipeline.local_org.store import Org, Table
    from crm_pipeline.local_org.transaction import WriteContext


@dataclass(frozen=True, slots=True)
class _Validation:
    rule: ValidationRule
    broken: Formula
    field: str | None


@dataclass(frozen=True, slots=True)
class _Duplicates:
    rule: DuplicateRule
    name: str
    match: tuple[str, ...]
    others: tuple[Table, ...]


@dataclass(frozen=True, slots=True)
class _Assignment:
    id: str
    applies: Formula
    owner_id: str


class Rules:
    """All rules of one org, by object. Raises `OrgConfigError` for one that makes no sense."""

    def __init__(self, org: Org) -> None:
        self._where = f"org {org.name}"
        self._validations: dict[str, list[_Validation]] = defaultdict(list)
        self._duplicates: dict[str, list[_Duplicates]] = defaultdict(list)
        self._assignments: dict[str, list[_Assignment]] = defaultdict(list)
        config = org.config
        for validation in config.validation_rules:
            table = self._table(org, validation.object)
            field = self._field(table.type, validation.field) if validation.field else None
            broken = self._formula(validation.when, table.type)
            self._validations[table.type.name].append(_Validation(validation, broken, field))
        for duplicates in config.duplicate_rules:
            self._add_duplicates(org, duplicates)
        ids = IdCounter("01Q", org.id[3:7])
        for assignment in config.assignment_rules:
            owner = org.users.get(assignment.owner.lower())
            if owner is None:
                raise OrgConfigError(f"{self._where}: there is no user {assignment.owner}")
            applies = self._formula(assignment.when, org.table(assignment.object).type)
            rule_id = long_id(assignment.id) or ids.next()
            self._assignments[assignment.object].append(_Assignment(rule_id, applies, owner.id))

    def _add_duplicates(self, org: Org, rule: DuplicateRule) -> None:
        table = org.table(rule.object)
        match = tuple(self._field(table.type, name) for name in rule.match)
        others = tuple(org.table(name) for name in rule.against or [rule.object])
        for other in others:
            for name in match:
                self._field(other.type, name)
            other.index(match[0])
        name = rule.name or f"Standard_{rule.object}_Duplicate_Rule"
        self._duplicates[rule.object].append(_Duplicates(rule, name, match, others))

    def _table(self, org: Org, name: str) -> Table:
        try:
            return org.table(name)
        except KeyError:
            raise OrgConfigError(f"{self._where}: there is no object {name}") from None

    def _field(self, of: SObjectType, name: str) -> str:
        found = of.find(name)
        if found is None:
            raise OrgConfigError(f"{self._where}: there is no field {of.name}.{name}")
        return found.name

    def _formula(self, text: str, of: SObjectType) -> Formula:
        try:
            return compile_formula(text, of)
        except FormulaError as error:
            raise OrgConfigError(f"{self._where}: formula: {error}") from None

    def check(self, context: WriteContext, table: Table, row: Row, old: Row | None) -> None:
        """Raises the failure of a rule that the row breaks; may give it another owner.

        Salesforce: validation rules come before duplicate rules, assignment after both.
        """
        name = table.type.name
        for validation in self._validations.get(name, ()):
            _validate(validation, row, old)
        for duplicates in self._duplicates.get(name, ()):
            _refuse_duplicate(duplicates, context, row, old)
        if context.assignment is not False:
            for assignment in self._assignments.get(name, ()):
                chosen = context.assignment in (True, assignment.id)
                if chosen and assignment.applies(row, old):
                    row["OwnerId"] = assignment.owner_id
                    break


def _validate(validation: _Validation, row: Row, old: Row | None) -> None:
    on = validation.rule.on
    if on == ("update" if old is None else "create"):
        return
    if validation.broken(row, old):
        fields = (validation.field,) if validation.field else ()
        raise refuse("FIELD_CUSTOM_VALIDATION_EXCEPTION", validation.rule.error, *fields)


def _refuse_duplicate(
    duplicates: _Duplicates, context: WriteContext, row: Row, old: Row | None
) -> None:
    rule = duplicates.rule
    if rule.action == "alert" and context.allow_duplicates:
        return
    key = _key(row, duplicates.match)
    if key is None or (
        old is not None and (not rule.on_update or _key(old, duplicates.match) == key)
    ):
        return
    matched = {
        other: found
        for other in duplicates.others
        if (found := _matching(other, duplicates, context, row, key))
    }
    if matched:
        raise refuse(
            "DUPLICATES_DETECTED",
            rule.message,
            extra={"duplicateResut": _result(duplicates, context, matched)},
        )


def _key(row: Row, match: tuple[str, ...]) -> list[Any] | None:
    values = [row.get(name) for name in match]
    if any(value is None for value in values):
        return None
    return [value.lower() if isinstance(value, str) else value for value in values]


def _matching(
    other: Table, duplicates: _Duplicates, context: WriteContext, row: Row, key: list[Any]
) -> list[str]:
    candidates = other.lookup(duplicates.match[0], row[duplicates.match[0]])
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
        and _key(found, duplicates.match) == key
    ]


def _result(
    duplicates: _Duplicates, context: WriteContext, matched: dict[Table, list[str]]
) -> dict[str, Any]:
    """What stands under `duplicateResut`; Salesforce does misspell it."""
    return {
        "allowSave": duplicates.rule.action == "alert",
        "duplicateRule": duplicates.name,
        "duplicateRuleEntityType": duplicates.rule.object,
        "errorMessage": duplicates.rule.message,
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
