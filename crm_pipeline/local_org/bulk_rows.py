"""What both Bulk APIs do with records: checked headers, chunks of 200, a result for each row."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crm_pipeline.local_org import dml
from crm_pipeline.local_org.bulk_csv import CsvError, Record
from crm_pipeline.local_org.dml import SaveResult
from crm_pipeline.local_org.errors import RowError, SalesforceError
from crm_pipeline.local_org.schema import Field
from crm_pipeline.local_org.store import Org, Table
from crm_pipeline.local_org.transaction import WriteContext, committed

CHUNK = 200
"""Salesforce saves the records of a job in transactions of 200."""
OPERATIONS = ("insert", "update", "upsert", "delete", "hardDelete")
NULL = "#N/A"
_WORKER_NUMBERS = itertools.count(-1, -1)


class JobError(Exception):
    """The job cannot be created: Bulk's code (`InvalidJob`) and message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code} : {message}")
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Ingest:
    """What is done with records: one operation, on one object, by one user."""

    table: Table
    operation: str
    external_field: Field | None
    user_id: str
    assignment: str | bool = False


def plan(
    org: Org,
    user_id: str,
    *,
    sobject: Any,
    operation: Any,
    external_id: Any = None,
    assignment: str | None = None,
) -> Ingest:
    """Checks what a client asks for. Raises `JobError`."""
    if operation not in OPERATIONS:
        raise JobError("InvalidJob", f"The operation '{operation}' is not supported")
    if operation == "hardDelete" and not org.config.bulk_hard_delete:
        raise JobError(
            "FeatureNotEnabled",
            "hardDelete operation requires special user profile permission, please contact your "
            "system administrator",
        )
    try:
        table = org.table(str(sobject))
    except KeyError:
        raise JobError(
            "InvalidEntity", f"Entity '{sobject}' is not supported by the Bulk API."
        ) from None
    external_field = None
    if operation == "upsert":
        external_field = _external_field(org, table, external_id)
    return Ingest(table, operation, external_field, user_id, assignment or False)


def _external_field(org: Org, table: Table, name: Any) -> Field:
    if not name:
        raise JobError(
            "InvalidJob",
            f"External ID was blank for {table.type.name}. An External ID must be specified for "
            "upsert.",
        )
    try:
        return dml.upsert_field(org, table, str(name))
    except SalesforceError:
        raise JobError(
            "InvalidJob",
            f"Field name provided, {name} does not match an External ID, Salesforce Id, or indexed "
            f"field for {table.type.name}",
        ) from None


def check_header(org: Org, ingest: Ingest, header: Sequence[str]) -> None:
    """Refuses a file whose columns do not fit. Raises `CsvError`: the whole job fails."""
    of = ingest.table.type
    lowered = [name.lower() for name in header]
    for name, key in zip(header, lowered, strict=True):
        path, dot, _ = name.partition(".")
        relationship = path.rpartition(":")[2].lower()
        known = relationship in of.relationships if dot else org.visible(of, name)
        if not known:
            raise CsvError(f"InvalidBatch : Field name not found : {name}")
        if lowered.count(key) > 1:
            raise CsvError(f"InvalidBatch : Duplicate field name : {name}")
    if ingest.operation in ("delete", "hardDelete") and lowered != ["id"]:
        raise CsvError(f"InvalidBatch : The '{ingest.operation}' batch must contain only ids")
    needed = "Id" if ingest.operation == "update" else None
    needed = ingest.external_field.name if ingest.external_field else needed
    if needed and needed.lower() not in lowered:
        raise CsvError(f"InvalidBatch : Field name not found : {needed}")


def fields_of(header: Sequence[str], record: Record) -> dict[str, Any] | RowError:
    """A record's fields: an empty value says nothing, `#N/A` empties the field.

    For a record that broke the rules of CSV, what is wrong with it.
    """
    if record.error:
        return RowError("INVALID_FIELD", record.error)
    return {
        name: None if value == NULL else value
        for name, value in zip(header, record.values, strict=True)
        if value
    }


class RowSaver:
    """Saves the rows of one job, chunk by chunk.

    The weather of the kind `kind` is upon each chunk: `lock` fails rows of it (from 1), `error`
    the whole job from this chunk on.
    """

    def __init__(self, org: Org, ingest: Ingest, kind: str) -> None:
        self._org = org
        self._ingest = ingest
        self._kind = kind
        self._number = next(_WORKER_NUMBERS)

    def save(self, records: Sequence[Mapping[str, Any] | RowError]) -> list[SaveResult]:
        """Saves a chunk as one transaction; a result for each record, in their order."""
        ingest, weather = self._ingest, self._org.weather
        struck = weather.take(self._kind)
        if struck is not None and struck.fault.action == "error":
            raise CsvError(f"{struck.fault.code} : {struck.fault.message}")
        context = WriteContext(
            self._org,
            ingest.user_id,
            assignment=ingest.assignment,
            from_csv=True,
            locker=weather.locker(self._number, struck),
        )
        with committed(context):
            results = [
                dml.failed(record)
                if isinstance(record, RowError)
                else _save(self._org, context, ingest, record)
                for record in records
            ]
        weather.release(self._number)
        return results


def _save(org: Org, context: WriteContext, ingest: Ingest, fields: Mapping[str, Any]) -> SaveResult:
    name = ingest.table.type.name
    try:
        if ingest.external_field:
            return dml.upsert(org, context, name, ingest.external_field, fields)
        if ingest.operation == "insert":
            if "Id" in fields or "id" in fields:
                return dml.failed(dml.ID_IN_INSERT)
            return dml.create(org, context, name, fields)
        return _change(org, context, ingest, fields)
    except SalesforceError as error:
        return dml.failed(RowError(error.error_code, error.message, error.fields or ()))


def _change(
    org: Org, context: WriteContext, ingest: Ingest, fields: Mapping[str, Any]
) -> SaveResult:
    name, operation = ingest.table.type.name, ingest.operation
    record_id = next((value for key, value in fields.items() if key.lower() == "id"), None)
    if not record_id:
        text = f"Id not specified in {_an(operation)} call"
        return dml.failed(RowError("MISSING_ARGUMENT", text, ("Id",)))
    if operation == "update":
        rest = {key: value for key, value in fields.items() if key.lower() != "id"}
        return dml.update(org, context, name, str(record_id), rest)
    return dml.delete(org, context, name, str(record_id), hard=operation == "hardDelete")


def _an(operation: str) -> str:
    return f"{'an' if operation[0] in 'aeiou' else 'a'} {operation}"


def error_text(result: SaveResult) -> str:
    """The errors of a row as CSV results show them: `CODE:message:Field1 Field2 --`."""
    return "".join(
        f"{error.status_code}:{error.message}:{''.join(f'{name} ' for name in error.fields)}--"
        for error in result.errors
    )
