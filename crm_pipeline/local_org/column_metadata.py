"""Answers of `query?columns=true`: no records, but which columns the query has."""

from collections.abc import Iterable
from typing import Any

from crm_pipeline.local_org.schema import Field
from crm_pipeline.local_org.selection import Select
from crm_pipeline.local_org.soql import FunctionCall, Query

_APEX_TYPES = {
    "address": "Address", "boolean": "Boolean", "currency": "Decimal", "date": "Date",
    "datetime": "Datetime", "double": "Decimal", "id": "Id", "int": "Integer",
    "percent": "Decimal", "reference": "Id",
}  # fmt: skip
_Told = dict[str, Any]


def column_metadata(selected: Select) -> _Told:
    """The columns of a query, those of parents and of children within their relationship."""
    of = selected.table.type
    return {
        "columnMetadata": _columns(selected),
        "entityName": of.name,
        "groupBy": bool(selected.query.group_by),
        "idSelected": any(column.label == "Id" for column in selected.columns),
        "keyPrefix": of.key_prefix,
    }


def _columns(selected: Select) -> list[_Told]:
    if selected.counts_only:
        return [_column("count", "count()", None, aggregate=True)]
    told: list[_Told] = []
    if selected.grouping:
        for name, (operand, column) in selected.grouping.columns.items():
            is_call = isinstance(operand, FunctionCall)
            shown = (
                f"{operand.function}({operand.argument})"
                if isinstance(operand, FunctionCall)
                else name
            )
            told.append(_column(name, shown, column.field, aggregate=is_call))
        return told
    columns = iter(selected.columns)
    for selection in selected.query.selections:
        if isinstance(selection.selected, Query):
            name, children = selected.children[selection.selected.source.parts[-1].lower()]
            told.append(_column(name, name, None, aggregate=True, within=_columns(children)))
        else:
            column = next(columns)
            _add(told, column.label.split("."), column.field)
    return told


def _add(told: list[_Told], path: list[str], field: Field) -> None:
    """Adds a column at its place: `Owner.Name` within the one of `Owner`."""
    name, *below = path
    if not below:
        told.append(_column(name, name, field))
        return
    parent = next((each for each in told if each["columnName"] == name), None)
    if parent is None:
        parent = _column(name, name, None)
        told.append(parent)
    _add(parent["joinColumns"], below, field)


def _column(
    name: str,
    shown: str,
    field: Field | None,
    *,
    aggregate: bool = False,
    within: Iterable[_Told] = (),
) -> _Told:
    kind = field.type if field else ""
    return {
        "aggregate": aggregate,
        "apexType": _APEX_TYPES.get(kind, "String") if field else None,
        "booleanType": kind == "boolean",
        "columnName": name,
        "custom": field is not None and field.custom,
        "displayName": shown,
        "foreignKeyName": field.relationship_name if field else None,
        "insertable": field is not None and field.createable and not aggregate,
        "joinColumns": list(within),
        "numberType": field is not None and field.is_number,
        "textType": field is not None and (field.is_text or field.is_id),
        "updatable": field is not None and field.updateable and not aggregate,
    }
