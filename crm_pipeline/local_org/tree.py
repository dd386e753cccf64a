"""/composite/tree: records with their children, nested; all are created, or none."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from crm_pipeline.local_org import dml
from crm_pipeline.local_org.errors import RowError, SalesforceError
from crm_pipeline.local_org.rest import table_named
from crm_pipeline.local_org.routing import Answer, Call, Route, json_object, malformed_json
from crm_pipeline.local_org.store import Org, Table
from crm_pipeline.local_org.transaction import WriteContext
from crm_pipeline.local_org.writing import writing

_MAX_RECORDS = 200
_MAX_DEPTH = 5


@dataclass(frozen=True, slots=True)
class _Node:
    reference_id: str
    table: Table
    fields: dict[str, Any]
    children: list[tuple[str, "_Node"]]
    """Lookup to this record, and the record that holds it."""


def create_tree(org: Org, call: Call) -> Answer:
    """`POST /composite/tree/X`: 201 with an id per reference, or 400 with the errors."""
    table = table_named(org, call.params["sobject"])
    records = json_object(call).get("records")
    nodes = _nodes(org, table, records, 1)
    every = [each for node in nodes for each in _walk(node)]
    if len(every) > _MAX_RECORDS:
        raise SalesforceError(
            400,
            "EXCEEDED_ID_LIMIT",
            f"record limit reached. cannot submit more than {_MAX_RECORDS} records in a tree",
        )
    if len({each.reference_id for each in every}) < len(every):
        raise SalesforceError(400, "INVALID_INPUT", "Duplicate ReferenceId provided in the request")
    ids: dict[str, str] = {}
    errors: dict[str, tuple[RowError, ...]] = {}
    with writing(org, call) as context:
        for node in nodes:
            _create(org, context, node, ids, errors)
        if errors:
            context.rollback(context.started_at)
    if errors:
        results = [
            {"referenceId": key, "errors": [each.collections_body() for each in found]}
            for key, found in errors.items()
        ]
        return Answer(status=400, body={"hasErrors": True, "results": results})
    created = [{"referenceId": each.reference_id, "id": ids[each.reference_id]} for each in every]
    return Answer(status=201, body={"hasErrors": False, "results": created})


def _create(
    org: Org,
    context: WriteContext,
    node: _Node,
    ids: dict[str, str],
    errors: dict[str, tuple[RowError, ...]],
) -> None:
    result = dml.create(org, context, node.table.type.name, node.fields)
    if result.id is None:
        errors[node.reference_id] = result.errors
        return
    ids[node.reference_id] = result.id
    for lookup, child in node.children:
        child.fields[lookup] = result.id
        _create(org, context, child, ids, errors)


def _walk(node: _Node) -> Iterator[_Node]:
    yield node
    for _, child in node.children:
        yield from _walk(child)


def _nodes(org: Org, table: Table, records: Any, depth: int) -> list[_Node]:
    if not isinstance(records, list) or not records:
        raise malformed_json("records is not a list of records")
    if depth > _MAX_DEPTH:
        raise SalesforceError(400, "INVALID_INPUT", f"A tree has at most {_MAX_DEPTH} levels")
    return [_node(org, table, each, depth) for each in records]


def _node(org: Org, table: Table, record: Any, depth: int) -> _Node:
    attributes = record.get("attributes") if isinstance(record, dict) else None
    if not isinstance(attributes, dict) or not isinstance(attributes.get("referenceId"), str):
        raise SalesforceError(400, "INVALID_INPUT", "Include a reference ID for each record")
    if str(attributes.get("type", "")).lower() != table.type.name.lower():
        raise SalesforceError(
            400, "INVALID_INPUT", f"A record here must be of the type {table.type.name}"
        )
    fields: dict[str, Any] = {}
    children: list[tuple[str, _Node]] = []
    for key, value in record.items():
        relationship = table.type.children.get(key.lower())
        if relationship is not None and isinstance(value, dict) and "records" in value:
            child_table = org.table(relationship.child_object)
            found = _nodes(org, child_table, value["records"], depth + 1)
            children.extend((relationship.field, child) for child in found)
        elif key != "attributes":
            fields[key] = value
    return _Node(attributes["referenceId"], table, fields, children)


ROUTES = (
    Route(
        "POST", "/services/data/v{version}/composite/tree/{sobject}", "composite.tree", create_tree
    ),
)
