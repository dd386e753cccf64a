"""sObject collections: up to 200 records to a request, each with a result of its own."""

from collections.abc import Mapping
from functools import partial
from itertools import groupby
from typing import Any

import pydantic
from pydantic import BaseModel, InstanceOf, StrictBool

from crm_pipeline.local_org import dml
from crm_pipeline.local_org.dml import SaveResult
from crm_pipeline.local_org.errors import RowError, SalesforceError
from crm_pipeline.local_org.external_ids import upsert_field
from crm_pipeline.local_org.ids import long_id
from crm_pipeline.local_org.repeats import refused_as_repeated
from crm_pipeline.local_org.rest import body_of, fields_named, record_body, table_named
from crm_pipeline.local_org.routing import Answer, Call, Route
from crm_pipeline.local_org.schema import Field
from crm_pipeline.local_org.sharing import is_hidden
from crm_pipeline.local_org.store import Org
from crm_pipeline.local_org.transaction import WriteContext, writing

_MAX_RECORDS = 200
_MAX_RETRIEVED = 2_000
_MAX_RUNS = 10
_ROLLED_BACK = RowError(
    "ALL_OR_NONE_OPERATION_ROLLED_BACK",
    "Record rolled back because not all records were valid and the request was using AllOrNone "
    "header",
)

Record = Mapping[str, Any]


class _Records(BaseModel):
    records: list[InstanceOf[dict[str, Any]]]
    all_or_none: StrictBool = pydantic.Field(default=False, alias="allOrNone")


class _Wanted(BaseModel):
    ids: list[str]
    fields_: list[str] = pydantic.Field(alias="fields")


def create_many(org: Org, call: Call) -> Answer:
    """`POST /composite/sobjects`."""
    return _save_all(org, call, "insert")


def update_many(org: Org, call: Call) -> Answer:
    """`PATCH /composite/sobjects`: each record carries its id."""
    return _save_all(org, call, "update")


def upsert_many(org: Org, call: Call) -> Answer:
    """`PATCH /composite/sobjects/X/<external id field>`: one type, items say `created`."""
    table = table_named(org, call.params["sobject"])
    return _save_all(org, call, "upsert", upsert_field(org, table, call.params["field"]))


def delete_many(org: Org, call: Call) -> Answer:
    """`DELETE /composite/sobjects?ids=a,b&allOrNone=false`."""
    ids = [each.strip() for each in call.query.get("ids", "").split(",") if each.strip()]
    if not ids:
        raise SalesforceError(
            400, "MISSING_ARGUMENT", "The required parameter ids was not specified"
        )
    _refuse_too_many(ids, _MAX_RECORDS)
    with writing(org, call) as context:
        results = [_delete(org, context, each) for each in ids]
        if _all_or_none(call, call.query.get("allOrNone", "").lower() == "true"):
            results = _undo_unless_all_worked(context, results)
    return Answer(body=[_item(each) for each in results])


def _delete(org: Org, context: WriteContext, given: str) -> SaveResult:
    found = long_id(given)
    table = org.table_of_id(found) if found else None
    if found is None or table is None:
        return dml.failed(RowError("MALFORMED_ID", f"malformed id {given}"))
    return dml.delete(org, context, table.type.name, found)


def retrieve_many(org: Org, call: Call) -> Answer:
    """`GET` or `POST /composite/sobjects/X`: records by id, null for those not there."""
    table = table_named(org, call.params["sobject"])
    if call.method == "POST":
        wanted = body_of(call, _Wanted)
        ids, names = wanted.ids, wanted.fields_
    else:
        ids, names = (
            [each for each in call.query.get(key, "").split(",") if each]
            for key in ("ids", "fields")
        )
    if not ids or not names:
        raise SalesforceError(400, "MISSING_ARGUMENT", "ids and fields must be specified")
    _refuse_too_many(ids, _MAX_RETRIEVED)
    fields = fields_named(org, table, dict.fromkeys(["Id", *names]))
    retrieved: list[dict[str, Any] | None] = []
    for given in ids:
        found = long_id(given.strip())
        if found is None:
            raise SalesforceError(400, "MALFORMED_ID", f"malformed id {given}")
        row = None if is_hidden(org, found) else table.live(found)
        retrieved.append(row and record_body(org, table, row, fields, call.version))
    return Answer(body=retrieved)


def _save_all(org: Org, call: Call, operation: str, external_field: Field | None = None) -> Answer:
    body = body_of(call, _Records)
    records = body.records
    if not records:
        raise SalesforceError(400, "MISSING_ARGUMENT", "The records list is empty")
    _refuse_too_many(records, _MAX_RECORDS)
    runs = [(name, list(run)) for name, run in groupby(records, partial(_type_of, org))]
    _refuse_too_many_runs(runs)
    about = call.params.get("sobject")
    for name, _ in runs:
        if about and name.lower() != about.lower():
            message = f"The URL is about {about}, the record is of the type {name}"
            raise SalesforceError(400, "INVALID_TYPE", message)
    results: list[SaveResult] = []
    with writing(org, call) as context:
        for sobject, run in runs:
            refused = refused_as_repeated(org, operation, sobject, external_field, run)
            results += [
                dml.failed(refused[place])
                if place in refused
                else dml.save(context, operation, sobject, external_field, record)
                for place, record in enumerate(run)
            ]
        if _all_or_none(call, body.all_or_none):
            results = _undo_unless_all_worked(context, results)
    with_created = operation == "upsert"
    return Answer(body=[_item(each, with_created=with_created) for each in results])


def _all_or_none(call: Call, given: bool) -> bool:
    return given if call.all_or_none is None else call.all_or_none


def _type_of(org: Org, record: Record) -> str:
    attributes = record.get("attributes")
    name = attributes.get("type") if isinstance(attributes, dict) else None
    if not isinstance(name, str):
        message = "The type attribute of a record was not specified"
        raise SalesforceError(400, "INVALID_TYPE", message)
    if name.lower() not in org.tables:
        raise SalesforceError(400, "INVALID_TYPE", f"sObject type '{name}' is not supported.")
    return org.table(name).type.name


def _refuse_too_many(items: list[Any], limit: int) -> None:
    if len(items) > limit:
        raise SalesforceError(
            400,
            "EXCEEDED_ID_LIMIT",
            f"record limit reached. cannot submit more than {limit} records into this operation",
        )


def _refuse_too_many_runs(runs: list[Any]) -> None:
    """Salesforce works runs of one type; more than ten of them are refused."""
    if len(runs) > _MAX_RUNS:
        raise SalesforceError(
            400,
            "LIMIT_EXCEEDED",
            "Cannot have more than 10 chunks in a single operation. Please rearrange the data to "
            "reduce chunking.",
        )


def _undo_unless_all_worked(context: WriteContext, results: list[SaveResult]) -> list[SaveResult]:
    """allOrNone: the culprits keep their errors, the others are rolled back with them."""
    if all(each.success for each in results):
        return results
    context.rollback(context.started_at)
    return [
        dml.failed(_ROLLED_BACK, created=each.created) if each.success else each for each in results
    ]


def _item(result: SaveResult, *, with_created: bool = False) -> dict[str, Any]:
    errors = [each.collections_body() for each in result.errors]
    item: dict[str, Any] = {"success": result.success, "errors": errors}
    if result.success:
        item = {"id": result.id, **item}
    if with_created:
        item["created"] = result.created
    return item


_PATH = "/services/data/v{version}/composite/sobjects"

ROUTES = (
    Route("POST", _PATH, "collections.create", create_many),
    Route("PATCH", _PATH, "collections.update", update_many),
    Route("DELETE", _PATH, "collections.delete", delete_many),
    Route("GET", f"{_PATH}/{{sobject}}", "collections.retrieve", retrieve_many),
    Route("POST", f"{_PATH}/{{sobject}}", "collections.retrieve", retrieve_many),
    Route("PATCH", f"{_PATH}/{{sobject}}/{{field}}", "collections.upsert", upsert_many),
)
