"""Bulk API v1, as far as simple-salesforce's `bulk` and CumulusCI's bulk steps use it.

Jobs in JSON or XML; batches of records in JSON or CSV; queries with their results.
"""

import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

import orjson

from crm_pipeline.local_org import bulk_csv
from crm_pipeline.local_org.bulk2_query import bulk_select, shown
from crm_pipeline.local_org.bulk_csv import CsvError
from crm_pipeline.local_org.bulk_jobs import BULK, CSV_TYPE, Work, run_in_background
from crm_pipeline.local_org.bulk_rows import (
    CHUNK,
    Ingest,
    JobError,
    RowSaver,
    check_header,
    error_text,
    fields_of,
    plan,
)
from crm_pipeline.local_org.dml import SaveResult
from crm_pipeline.local_org.errors import RowError, SalesforceError
from crm_pipeline.local_org.ids import long_id
from crm_pipeline.local_org.per_org import PerOrg
from crm_pipeline.local_org.routing import Answer, Call, Handler, Route, session_token
from crm_pipeline.local_org.selection import Select
from crm_pipeline.local_org.store import Org, timestamp

_NAMESPACE = "http://www.force.com/2009/06/asyncapi/dataload"
_MAX_RECORDS = 10_000
_QUERIES = ("query", "queryAll")
_JSON = "application/json"
"""Bulk v1 names media types without a charset; salesforce-bulk compares them as a whole."""


@dataclass(eq=False)
class Batch(Work):
    """A batch of records or a query, with its results in the order of the request."""

    waiting: ClassVar[str] = "Queued"
    complete: ClassVar[str] = "Completed"
    job_id: str = ""
    content: bytes = b""
    results: list[SaveResult] = field(default_factory=list)
    result_id: str = ""
    selected: Select | None = None
    rows: list[Any] = field(default_factory=list)

    def describe(self) -> dict[str, Any]:
        """Its `batchInfo`."""
        return {
            "id": self.id,
            "jobId": self.job_id,
            "state": self.state,
            "stateMessage": self.error_message,
            "createdDate": self.created,
            "systemModstamp": self.changed,
            "numberRecordsProcessed": self.processed,
            "numberRecordsFailed": sum(not each.success for each in self.results),
            "totalProcessingTime": self.milliseconds,
            "apiActiveProcessingTime": self.milliseconds,
            "apexProcessingTime": 0,
        }


@dataclass(eq=False)
class ClassicJob:
    """A job with its batches. `speaks_json` is how it was created and is answered about."""

    id: str
    version: str
    user_id: str
    created: str
    operation: str
    sobject: str
    content_type: str
    speaks_json: bool
    external_id: str | None
    ingest: Ingest | None
    state: str = "Open"
    batches: dict[str, Batch] = field(default_factory=dict)

    def describe(self) -> dict[str, Any]:
        """Its `jobInfo`."""
        infos = [batch.describe() for batch in self.batches.values()]
        states = [info["state"] for info in infos]
        return {
            "id": self.id,
            "operation": self.operation,
            "object": self.sobject,
            "createdById": self.user_id,
            "createdDate": self.created,
            "systemModstamp": max([self.created, *(info["systemModstamp"] for info in infos)]),
            "state": self.state,
            "externalIdFieldName": self.external_id,
            "concurrencyMode": "Parallel",
            "contentType": self.content_type,
            "numberBatchesQueued": states.count("Queued"),
            "numberBatchesInProgress": states.count("InProgress"),
            "numberBatchesCompleted": states.count("Completed"),
            "numberBatchesFailed": states.count("Failed"),
            "numberBatchesTotal": len(infos),
            "numberRecordsProcessed": sum(info["numberRecordsProcessed"] for info in infos),
            "numberRetries": 0,
            "apiVersion": float(self.version),
            "numberRecordsFailed": sum(info["numberRecordsFailed"] for info in infos),
            "totalProcessingTime": sum(info["totalProcessingTime"] for info in infos),
            "apiActiveProcessingTime": sum(info["totalProcessingTime"] for info in infos),
            "apexProcessingTime": 0,
        }


_JOBS: PerOrg[dict[str, ClassicJob]] = PerOrg(dict)


def _handled(work: Callable[[Org, Call], Answer]) -> Handler:
    """Asks for a session in Bulk's own way, and words errors as Bulk does."""

    @functools.wraps(work)
    def handle(org: Org, call: Call) -> Answer:
        token = call.headers.get("x-sfdc-session", "") or session_token(call.headers)
        call.session = org.session(token)
        if call.session is None:
            return _refusal(call, JobError("InvalidSessionId", "Invalid session id"))
        try:
            return work(org, call)
        except JobError as error:
            return _refusal(call, error)

    return handle


def _speaks_json(call: Call) -> bool:
    return "json" in call.headers.get("content-type", "").lower()


def _refusal(call: Call, error: JobError) -> Answer:
    body = {"exceptionCode": error.code, "exceptionMessage": error.message}
    if _speaks_json(call):
        return Answer(status=400, body=body, media_type=_JSON)
    return _xml("error", body, status=400)


def _elements(values: Mapping[str, Any]) -> str:
    return "".join(
        f"<{key}>{escape(bulk_csv.text(value))}</{key}>"
        for key, value in values.items()
        if value is not None
    )


def _xml(root: str, values: Mapping[str, Any], *, inner: str = "", status: int = 200) -> Answer:
    content = _elements(values).replace(".000+0000<", ".000Z<") + inner
    body = f'<?xml version="1.0" encoding="UTF-8"?><{root} xmlns="{_NAMESPACE}">{content}</{root}>'
    return Answer(status=status, body=body, media_type="application/xml")


def _info(job: ClassicJob, root: str, described: Mapping[str, Any], *, status: int = 200) -> Answer:
    if job.speaks_json:
        return Answer(status=status, body=dict(described), media_type=_JSON)
    return _xml(root, described, status=status)


def _request(call: Call) -> dict[str, Any]:
    """The body of a job request, JSON or XML, as a mapping. Raises `JobError`."""
    if _speaks_json(call):
        try:
            body = orjson.loads(call.body)
        except orjson.JSONDecodeError as error:
            raise JobError("InvalidJob", f"Unable to parse Job: {error}") from None
        if not isinstance(body, dict):
            raise JobError("InvalidJob", "Unable to parse Job")
        return body
    try:
        if b"<!DOCTYPE" in call.body:
            raise JobError("InvalidXML", "A document type is not allowed")
        root = ET.fromstring(call.body)  # noqa: S314 - it has no document type
    except ET.ParseError as error:
        raise JobError("InvalidXML", f"Unable to parse Job: {error}") from None
    return {each.tag.rpartition("}")[2]: each.text for each in root}


def create_job(org: Org, call: Call) -> Answer:
    """`POST /services/async/59.0/job`: 201 with the job."""
    body = _request(call)
    operation, external_id = body.get("operation"), body.get("externalIdFieldName")
    content_type = str(body.get("contentType") or "XML")
    if content_type not in ("JSON", "CSV"):
        raise JobError("InvalidJob", f"The content type {content_type} is not available here")
    book, ingest, sobject = BULK[org], None, str(body.get("object"))
    if operation not in _QUERIES:
        ingest = plan(
            org,
            call.user_id,
            sobject=sobject,
            operation=operation,
            external_id=external_id,
            assignment=long_id(body.get("assignmentRuleId")),
        )
        sobject = ingest.table.type.name
    job = ClassicJob(
        id=book.next_id(org),
        version=call.version,
        user_id=call.user_id,
        created=timestamp(org.now()),
        operation=str(operation),
        sobject=sobject,
        content_type=content_type,
        speaks_json=_speaks_json(call),
        external_id=external_id if operation == "upsert" else None,
        ingest=ingest,
    )
    _JOBS[org][job.id] = job
    return _info(job, "jobInfo", job.describe(), status=201)


def _job(org: Org, call: Call) -> ClassicJob:
    job = _JOBS[org].get(long_id(call.params["job"]) or "")
    if job is None:
        raise JobError("InvalidJob", f"Unable to find object: {call.params['job']}")
    return job


def _batch(org: Org, call: Call) -> tuple[ClassicJob, Batch]:
    job = _job(org, call)
    batch = job.batches.get(long_id(call.params["batch"]) or "")
    if batch is None:
        raise JobError("InvalidBatch", f"Unable to find object: {call.params['batch']}")
    return job, batch


def read_job(org: Org, call: Call) -> Answer:
    """`GET job/<id>`."""
    job = _job(org, call)
    return _info(job, "jobInfo", job.describe())


def change_job(org: Org, call: Call) -> Answer:
    """`POST job/<id>` with state Closed or Aborted."""
    job, state = _job(org, call), _request(call).get("state")
    if state not in ("Closed", "Aborted"):
        raise JobError("InvalidJobState", f"A job cannot be put into the state {state}")
    job.state = state
    if state == "Aborted":
        for batch in job.batches.values():
            if batch.state in ("Queued", "InProgress"):
                batch.enter(org, "NotProcessed")
    return _info(job, "jobInfo", job.describe())


def add_batch(org: Org, call: Call) -> Answer:
    """`POST job/<id>/batch`: records or a query; 201 with the batch."""
    job, book = _job(org, call), BULK[org]
    if job.state != "Open":
        raise JobError("InvalidJobState", f"{job.state} job cannot take a batch")
    if not book.charge(org, 1):
        raise JobError("ExceededQuota", "ApiBatchItems Limit exceeded.")
    batch = Batch(
        id=book.next_id(org, "751"),
        created=timestamp(org.now()),
        state="Queued",
        job_id=job.id,
        content=call.body,
    )
    job.batches[batch.id] = batch
    steps = _save_records if job.ingest else _run_query
    run_in_background(org, batch, lambda: steps(org, job, batch))
    return _info(job, "batchInfo", batch.describe(), status=201)


def _save_records(org: Org, job: ClassicJob, batch: Batch) -> Iterator[None]:
    assert job.ingest  # noqa: S101 - add_batch asks
    records = _records(org, job, job.ingest, batch.content)
    if len(records) > _MAX_RECORDS:
        raise CsvError(f"InvalidBatch : More than {_MAX_RECORDS} records")
    saver = RowSaver(org, job.ingest, "bulk.process")
    for place in range(0, len(records), CHUNK):
        if batch.state != "InProgress":
            return
        batch.results += saver.save(records[place : place + CHUNK])
        batch.processed = len(batch.results)
        yield


def _records(
    org: Org, job: ClassicJob, ingest: Ingest, content: bytes
) -> list[dict[str, Any] | RowError]:
    if job.content_type == "CSV":
        table = bulk_csv.read(content)
        check_header(org, ingest, table.header)
        return [fields_of(table.header, each) for each in table.records]
    try:
        records = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise CsvError(f"InvalidBatch : Failed to parse JSON: {error}") from None
    if not isinstance(records, list) or not all(isinstance(each, dict) for each in records):
        raise CsvError("InvalidBatch : The batch is not a list of records")
    return records


def _run_query(org: Org, job: ClassicJob, batch: Batch) -> Iterator[None]:
    text = batch.content.decode("utf-8", "replace")
    try:
        batch.selected = bulk_select(org, text, job.version, job.operation)
    except SalesforceError as error:
        raise CsvError(
            f"InvalidBatch : Failed to process query: {error.error_code}: {error.message}"
        ) from None
    batch.rows = batch.selected.rows()
    batch.processed = len(batch.rows)
    batch.result_id = BULK[org].next_id(org, "752")
    yield


def list_batches(org: Org, call: Call) -> Answer:
    """`GET job/<id>/batch`."""
    job = _job(org, call)
    infos = [batch.describe() for batch in job.batches.values()]
    if job.speaks_json:
        return Answer(body={"batchInfo": infos}, media_type=_JSON)
    inner = "".join(f"<batchInfo>{_elements(info)}</batchInfo>" for info in infos)
    return _xml("batchInfoList", {}, inner=inner.replace(".000+0000<", ".000Z<"))


def read_batch(org: Org, call: Call) -> Answer:
    """`GET job/<id>/batch/<id>`."""
    job, batch = _batch(org, call)
    return _info(job, "batchInfo", batch.describe())


def read_request(org: Org, call: Call) -> Answer:
    """`GET job/<id>/batch/<id>/request`: what was sent."""
    job, batch = _batch(org, call)
    media_type = _JSON if job.content_type == "JSON" else CSV_TYPE
    return Answer(body=batch.content, media_type=media_type)


def results(org: Org, call: Call) -> Answer:
    """`GET job/<id>/batch/<id>/result`: a result for each record, or the ids of query results."""
    job, batch = _batch(org, call)
    _refuse_unless_complete(batch)
    if job.operation in _QUERIES:
        if job.speaks_json:
            return Answer(body=[batch.result_id], media_type=_JSON)
        return _xml("result-list", {"result": batch.result_id})
    if job.content_type == "JSON":
        return Answer(body=[_json_result(each) for each in batch.results], media_type=_JSON)
    lines = [bulk_csv.line(["Id", "Success", "Created", "Error"])]
    lines += [
        bulk_csv.line([each.id, each.success, each.success and each.created, error_text(each)])
        for each in batch.results
    ]
    return Answer(body="".join(lines), media_type=CSV_TYPE)


def _refuse_unless_complete(batch: Batch) -> None:
    if batch.state != "Completed":
        raise JobError("InvalidBatch", f"Batch not completed: it is {batch.state}")


def _json_result(result: SaveResult) -> dict[str, Any]:
    return {
        "success": result.success,
        "created": result.success and result.created,
        "id": result.id,
        "errors": [
            {**error.collections_body(), "extendedErrorDetails": None} for error in result.errors
        ],
    }


def query_result(org: Org, call: Call) -> Answer:
    """`GET job/<id>/batch/<id>/result/<id>`: the records of a query."""
    job, batch = _batch(org, call)
    _refuse_unless_complete(batch)
    selected = batch.selected
    if selected is None or long_id(call.params["result"]) != batch.result_id:
        raise JobError("InvalidBatch", f"Unable to find object: {call.params['result']}")
    if job.content_type == "JSON":
        return Answer(body=[selected.render(row) for row in batch.rows], media_type=_JSON)
    columns = selected.columns
    if not batch.rows:
        return Answer(body="Records not found for this query\n", media_type=CSV_TYPE)
    lines = [bulk_csv.line([column.label for column in columns])]
    lines += [bulk_csv.line([shown(column, row) for column in columns]) for row in batch.rows]
    return Answer(body="".join(lines), media_type=CSV_TYPE)


def _route(method: str, path: str, kind: str, work: Callable[[Org, Call], Answer]) -> Route:
    pattern = f"/services/async/{{version}}/job{path}"
    return Route(method, pattern, kind, _handled(work), session=False)


ROUTES = (
    _route("POST", "", "bulk.create_job", create_job),
    _route("GET", "/{job}", "bulk.state", read_job),
    _route("POST", "/{job}", "bulk.close", change_job),
    _route("POST", "/{job}/batch", "bulk.batch", add_batch),
    _route("GET", "/{job}/batch", "bulk.state", list_batches),
    _route("GET", "/{job}/batch/{batch}", "bulk.state", read_batch),
    _route("GET", "/{job}/batch/{batch}/request", "bulk.results", read_request),
    _route("GET", "/{job}/batch/{batch}/result", "bulk.results", results),
    _route("GET", "/{job}/batch/{batch}/result/{result}", "bulk.results", query_result),
)
