"""Rows of both Bulk APIs: checked headers, chunks of 200, a result for each row."""

import itertools
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crm_pipeline.local_org import dml
from crm_pipeline.local_org.bulk_csv import CsvRecord
from crm_pipeline.local_org.dml import SaveResult
from crm_pipeline.local_org.errors import BulkError, RowError, SalesforceError
from crm_pipeline.local_org.external_ids import upsert_field
from crm_pipeline.local_org.ids import long_id
from crm_pipeline.local_org.open_transactions import end_due
from crm_pipeline.local_org.repeats import refused_as_repeated
from crm_pipeline.local_org.schema import Field
from crm_pipeline.local_org.store import Org
from crm_pipeline.local_org.tables import Table
from crm_pipeline.local_org.transaction import WriteContext, committed

CHUNK = 200
"""Salesforce saves the records of a job in transactions of 200."""
_DELETES = ("delete", "hardDelete")
_OPERATIONS = ("insert", "update", "upsert", *_DELETES)
_NULL = "#N/A"
_WORKER_NUMBERS = itertools.count(-1, -1)


@dataclass(frozen=True, slots=True)
class Ingest:
    """An ingest of records: one operation, on one object, by one user."""

    table: Table
    operation: str
    external_field: Field | None
    user_id: str
    assignment: str | bool


def plan(org: Org, user_id: str, body: Mapping[str, Any]) -> Ingest:
    """Returns the ingest that the body of a request for a job asks for. Raises `BulkError`."""
    operation, sobject = body.get("operation"), body.get("object")
    if operation not in _OPERATIONS:
        raise BulkError("InvalidJob", f"The operation '{operation}' is not supported")
    if operation == "hardDelete" and not org.config.bulk_hard_delete:
        raise BulkError(
            "FeatureNotEnabled",
            "hardDelete operation requires special user profile permission, please contact your "
            "system administrator",
        )
    try:
        table = org.table(str(sobject))
    except KeyError:
        raise BulkError(
            "InvalidEntity", f"Entity '{sobject}' is not supported by the Bulk API."
        ) from None
    external_field = None
    if operation == "upsert":
        external_field = _external_field(org, table, body.get("externalIdFieldName"))
    rule = long_id(body.get("assignmentRuleId"))
    return Ingest(table, operation, external_field, user_id, rule or False)


def _external_field(org: Org, table: Table, name: Any) -> Field:
    if not name:
        raise BulkError(
            "InvalidJob",
            f"External ID was blank for {table.type.name}. An External ID must be specified for "
            "upsert.",
        )
    try:
        return upsert_field(org, table, str(name))
    except SalesforceError:
        raise BulkError(
            "InvalidJob",
            f"Field name provided, {name} does not match an External ID, Salesforce Id, or indexed "
            f"field for {table.type.name}",
        ) from None


def check_header(org: Org, ingest: Ingest, header: Sequence[str]) -> None:
    """Refuses a file whose columns do not fit. Raises `BulkError`: the whole job fails."""
    of = ingest.table.type
    lowered = [name.lower() for name in header]
    for name, key in zip(header, lowered, strict=True):
        path, dot, _ = name.partition(".")
        relationship = path.rpartition(":")[2].lower()
        known = relationship in of.relationships if dot else org.visible(of, name)
        if not known:
            raise BulkError("InvalidBatch", f"Field name not found : {name}")
        if lowered.count(key) > 1:
            raise BulkError("InvalidBatch", f"Duplicate field name : {name}")
    if ingest.operation in _DELETES and lowered != ["id"]:
        raise BulkError("InvalidBatch", f"The '{ingest.operation}' batch must contain only ids")
    needed = "Id" if ingest.operation == "update" else None
    if ingest.external_field and ingest.external_field.type != "id":
        needed = ingest.external_field.name
    if needed and needed.lower() not in lowered:
        raise BulkError("InvalidBatch", f"Field name not found : {needed}")


def fields_of(header: Sequence[str], record: CsvRecord) -> dict[str, Any] | RowError:
    """A record's fields: an empty value says nothing, `#N/A` empties the field.

    For a record that broke the rules of CSV, what is wrong with it.
    """
    if record.error:
        return RowError("INVALID_FIELD", record.error)
    return {
        name: None if value == _NULL else value
        for name, value in zip(header, record.values, strict=True)
        if value
    }


def save_chunk(
    org: Org, ingest: Ingest, kind: str, rows: Sequence[Mapping[str, Any] | RowError]
) -> Generator[None, None, list[SaveResult]]:
    """Saves up to `CHUNK` rows as one transaction; returns a result for each, in their order.

    The weather of the kind `kind` is upon them: `lock` fails rows (from 1), `error` the whole job
    from this chunk on, `hold` keeps the transaction open, and this generator at it, for a time.
    """
    number, weather = next(_WORKER_NUMBERS), org.weather
    struck = weather.take(kind)
    if struck is not None and struck.fault.action == "error":
        raise BulkError(struck.fault.code, struck.fault.message)
    context = WriteContext(
        org,
        ingest.user_id,
        assignment=ingest.assignment,
        from_csv=True,
        locker=weather.locker(number, struck),
        sees_all=False,
        hold_seconds=struck.fault.seconds if struck and struck.fault.action == "hold" else None,
    )
    refused = refused_as_repeated(
        org, ingest.operation, ingest.table.type.name, ingest.external_field, rows
    )
    with committed(context):
        results = [
            _save(context, ingest, refused.get(place, row)) for place, row in enumerate(rows)
        ]
    weather.release(number)
    while context.transaction is not None and context.transaction.is_open:
        yield
        end_due(org)
    return results


def _save(context: WriteContext, ingest: Ingest, row: Mapping[str, Any] | RowError) -> SaveResult:
    if isinstance(row, RowError):
        return dml.failed(row)
    name, by = ingest.table.type.name, ingest.external_field
    try:
        return dml.save(context, ingest.operation, name, by, row)
    except SalesforceError as error:
        return dml.failed(RowError(error.error_code, error.message, error.fields or ()))


def error_text(result: SaveResult) -> str:
    """The errors of a row as CSV results show them: `CODE:message:Field1 Field2 --`."""
    return "".join(
        f"{error.status_code}:{error.message}:{''.join(f'{name} ' for name in error.fields)}--"
        for error in result.errors
    )
