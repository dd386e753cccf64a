"""Bulk API v1, as far as simple-salesforce's `bulk` and CumulusCI's bulk steps use it.

Jobs in JSON or XML, as the request is; batches of records, and queries, in JSON or CSV. Answers
about a batch are in JSON if its content is, else in XML, whatever the job was created in.
"""

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar
from xml.sax.saxutils import escape

import orjson

from crm_pipeline.local_org import bulk_csv
from crm_pipeline.local_org.bulk2 import QUERIES, bulk_select, shown
from crm_pipeline.local_org.bulk_jobs import BULK, CSV_TYPE, Job, Work, run_in_background
from crm_pipeline.local_org.bulk_rows import (
    CHUNK,
    Ingest,
    check_header,
    error_text,
    fields_of,
    plan,
    save_chunk,
)
from crm_pipeline.local_org.dml import SaveResult
from crm_pipeline.local_org.errors import BulkError, RowError, SalesforceError
from crm_pipeline.local_org.ids import long_id
from crm_pipeline.local_org.routing import Answer, Call, Handler, Route, session_token
from crm_pipeline.local_org.selection import Select
from crm_pipeline.local_org.store import Org
from crm_pipeline.local_org.tables import timestamp
from crm_pipeline.local_org.xml_bodies import parsed

_NAMESPACE = "http://www.force.com/2009/06/asyncapi/dataload"
_MAX_RECORDS = 10_000
_JSON = "application/json"
"""Bulk v1 names media types without a charset; salesforce-bulk compares them as a whole."""


@dataclass(eq=False)
class Batch(Work):
    """A batch of records or a query."""

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
            "numberRecordsFailed": self.failed,
            "totalProcessingTime": self.milliseconds,
            "apiActiveProcessingTime": self.milliseconds,
            "apexProcessingTime": 0,
        }


@dataclass(eq=False)
class ClassicJob(Job):
    """A job with its batches. `speaks_json` is how it was created."""

    content_type: str = "CSV"
    speaks_json: bool = False
    ingest: Ingest | None = None
    batches: dict[str, Batch] = field(default_factory=dict)

    def describe(self) -> dict[str, Any]:
        """Its `jobInfo`: with how many batches are in which state, and their sums."""
        batches = self.batches.values()
        states = [batch.state for batch in batches]
        milliseconds = sum(batch.milliseconds for batch in batches)
        return super().describe() | {
            "systemModstamp": max([self.created, *(batch.changed for batch in batches)]),
            "contentType": self.content_type,
            "numberBatchesQueued": states.count("Queued"),
            "numberBatchesInProgress": states.count("InProgress"),
            "numberBatchesCompleted": states.count("Completed"),
            "numberBatchesFailed": states.count("Failed"),
            "numberBatchesTotal": len(states),
            "numberRecordsProcessed": sum(batch.processed for batch in batches),
            "numberRecordsFailed": sum(batch.failed for batch in batches),
            "numberRetries": 0,
            "totalProcessingTime": milliseconds,
            "apiActiveProcessingTime": milliseconds,
            "apexProcessingTime": 0,
        }


def _route(method: str, path: str, kind: str, work: Handler) -> Route:
    """Asks for a session in Bulk's own way, and words errors as Bulk does."""

    @functools.wraps(work)
    def handle(org: Org, call: Call) -> Answer:
        token = call.headers.get("x-sfdc-session", "") or session_token(call.headers)
        call.session = org.session(token)
        if call.session is None:
            return _refusal(call, BulkError("InvalidSessionId", "Invalid session id"))
        try:
            return work(org, call)
        except BulkError as error:
            return _refusal(call, error)

    return Route(method, f"/services/async/{{version}}/job{path}", kind, handle, session=False)


def _speaks_json(call: Call) -> bool:
    return "json" in call.headers.get("content-type", "").lower()


def _refusal(call: Call, error: BulkError) -> Answer:
    body = {"exceptionCode": error.code, "exceptionMessage": error.message}
    return _answer("error", body, as_json=_speaks_json(call), status=400)


def _answer(root: str, values: Mapping[str, Any], *, as_json: bool, status: int = 200) -> Answer:
    if as_json:
        return Answer(status=status, body=values, media_type=_JSON)
    inner = _elements(values)
    body = f'<?xml version="1.0" encoding="UTF-8"?><{root} xmlns="{_NAMESPACE}">{inner}</{root}>'
    return Answer(status=status, body=body, media_type="application/xml")


def _elements(values: Mapping[str, Any]) -> str:
    """A mapping as XML; a list is an element for each of its mappings."""
    parts = []
    for key, value in values.items():
        for each in value if isinstance(value, list) else [value]:
            if each is not None:
                inner = _elements(each) if isinstance(each, dict) else escape(bulk_csv.text(each))
                parts.append(f"<{key}>{inner.replace('.000+0000', '.000Z')}</{key}>")
    return "".join(parts)


def _job_info(call: Call, job: ClassicJob, status: int = 200) -> Answer:
    as_json = _speaks_json(call) if "content-type" in call.headers else job.speaks_json
    return _answer("jobInfo", job.describe(), as_json=as_json, status=status)


def _batch_info(job: ClassicJob, batch: Batch, status: int = 200) -> Answer:
    as_json = job.content_type == "JSON"
    return _answer("batchInfo", batch.describe(), as_json=as_json, status=status)


def _request(call: Call) -> dict[str, Any]:
    """The body of a job request, JSON or XML, as a mapping. Raises `BulkError`."""
    if _speaks_json(call):
        try:
            body = orjson.loads(call.body)
        except orjson.JSONDecodeError as error:
            raise BulkError("InvalidJob", f"Unable to parse Job: {error}") from None
        if not isinstance(body, dict):
            raise BulkError("InvalidJob", "Unable to parse Job")
        return body
    try:
        root = parsed(call.body)
    except ValueError as error:
        raise BulkError("InvalidXML", f"Unable to parse Job: {error}") from None
    return {each.tag.rpartition("}")[2]: each.text for each in root}


def create_job(org: Org, call: Call) -> Answer:
    """`POST /services/async/59.0/job`: 201 with the job."""
    body = _request(call)
    operation, sobject = str(body.get("operation")), str(body.get("object"))
    content_type = str(body.get("contentType") or "XML")
    if content_type not in ("JSON", "CSV"):
        raise BulkError("InvalidJob", f"The content type {content_type} is not available here")
    ingest = None if operation in QUERIES else plan(org, call.user_id, body)
    external_field = ingest.external_field if ingest else None
    book = BULK[org]
    job = ClassicJob(
        id=book.next_id(org),
        created=timestamp(org.now()),
        version=call.version,
        user_id=call.user_id,
        operation=operation,
        sobject=ingest.table.type.name if ingest else sobject,
        external_id=external_field.name if external_field else None,
        content_type=content_type,
        speaks_json=_speaks_json(call),
        ingest=ingest,
    )
    book.jobs[job.id] = job
    return _job_info(call, job, 201)


def _job(org: Org, call: Call) -> ClassicJob:
    job = BULK[org].jobs.get(long_id(call.params["job"]) or "")
    if not isinstance(job, ClassicJob):
        raise BulkError("InvalidJob", f"Unable to find object: {call.params['job']}")
    return job


def _batch(org: Org, call: Call) -> tuple[ClassicJob, Batch]:
    job = _job(org, call)
    batch = job.batches.get(long_id(call.params["batch"]) or "")
    if batch is None:
        raise BulkError("InvalidBatch", f"Unable to find object: {call.params['batch']}")
    return job, batch


def read_job(org: Org, call: Call) -> Answer:
    """`GET job/<id>`."""
    return _job_info(call, _job(org, call))


def change_job(org: Org, call: Call) -> Answer:
    """`POST job/<id>` with state Closed or Aborted."""
    job, state = _job(org, call), _request(call).get("state")
    if state not in ("Closed", "Aborted"):
        raise BulkError("InvalidJobState", f"A job cannot be put into the state {state}")
    job.state = state
    for batch in job.batches.values():
        if state == "Aborted" and batch.state in ("Queued", "InProgress"):
            batch.enter(org, "NotProcessed")
    return _job_info(call, job)


def add_batch(org: Org, call: Call) -> Answer:
    """`POST job/<id>/batch`: records or a query; 201 with the batch."""
    job, book = _job(org, call), BULK[org]
    if job.state != "Open":
        raise BulkError("InvalidJobState", f"{job.state} job cannot take a batch")
    if call.body.strip() in (b"", b"[]"):
        raise BulkError("ClientInputError", "The batch is empty")
    book.charge(org, 1)
    batch_id, now = book.next_id(org, "751"), timestamp(org.now())
    batch = Batch(batch_id, created=now, job_id=job.id, content=call.body)
    job.batches[batch.id] = batch
    run_in_background(org, batch, lambda: _work(org, job, batch))
    return _batch_info(job, batch, 201)


def _work(org: Org, job: ClassicJob, batch: Batch) -> Iterator[None]:
    if job.ingest is None:
        _run_query(org, job, batch)
        return
    rows = _rows(org, job, job.ingest, batch.content)
    if len(rows) > _MAX_RECORDS:
        raise BulkError("InvalidBatch", f"More than {_MAX_RECORDS} records")
    for place in range(0, len(rows), CHUNK):
        if batch.state != "InProgress":
            return
        results = yield from save_chunk(
            org, job.ingest, "bulk.process", rows[place : place + CHUNK]
        )
        batch.results += results
        batch.count(results)
        yield


def _rows(
    org: Org, job: ClassicJob, ingest: Ingest, content: bytes
) -> Sequence[dict[str, Any] | RowError]:
    if job.content_type == "CSV":
        file = bulk_csv.read(content)
        check_header(org, ingest, file.header)
        return [fields_of(file.header, each) for each in file.records()]
    try:
        records = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise BulkError("InvalidBatch", f"Failed to parse JSON: {error}") from None
    if not isinstance(records, list) or not all(isinstance(each, dict) for each in records):
        raise BulkError("InvalidBatch", "The batch is not a list of records")
    return records


def _run_query(org: Org, job: ClassicJob, batch: Batch) -> None:
    text = batch.content.decode("utf-8", "replace")
    try:
        batch.selected = bulk_select(
            org,
            text,
            job.version,
            job.operation,
            job.user_id,
            in_milliseconds=job.content_type == "JSON",
        )
    except SalesforceError as error:
        raise BulkError("InvalidBatch", f"Failed to process query: {error}") from None
    batch.rows = batch.selected.rows()
    batch.processed = len(batch.rows)
    batch.result_id = BULK[org].next_id(org, "752")


def list_batches(org: Org, call: Call) -> Answer:
    """`GET job/<id>/batch`."""
    job = _job(org, call)
    infos = [batch.describe() for batch in job.batches.values()]
    as_json = job.content_type == "JSON"
    return _answer("batchInfoList", {"batchInfo": infos}, as_json=as_json)


def read_batch(org: Org, call: Call) -> Answer:
    """`GET job/<id>/batch/<id>`."""
    return _batch_info(*_batch(org, call))


def read_request(org: Org, call: Call) -> Answer:
    """`GET job/<id>/batch/<id>/request`: what was sent."""
    job, batch = _batch(org, call)
    media_type = _JSON if job.content_type == "JSON" else CSV_TYPE
    return Answer(body=batch.content, media_type=media_type)


def _completed(org: Org, call: Call) -> tuple[ClassicJob, Batch]:
    job, batch = _batch(org, call)
    if batch.state != "Completed":
        raise BulkError("InvalidBatch", f"Batch not completed: it is {batch.state}")
    return job, batch


def results(org: Org, call: Call) -> Answer:
    """`GET job/<id>/batch/<id>/result`: a result for each record, or the ids of query results."""
    job, batch = _completed(org, call)
    if job.ingest is None:
        if job.content_type == "JSON":
            return Answer(body=[batch.result_id], media_type=_JSON)
        return _answer("result-list", {"result": batch.result_id}, as_json=False)
    if job.content_type == "JSON":
        return Answer(body=[_json_result(each) for each in batch.results], media_type=_JSON)
    return _csv(
        ["Id", "Success", "Created", "Error"],
        [
            [each.id, each.success, each.success and each.created, error_text(each)]
            for each in batch.results
        ],
    )


def _json_result(result: SaveResult) -> dict[str, Any]:
    return {
        "success": result.success,
        "created": result.success and result.created,
        "id": result.id,
        "errors": [
            {**error.collections_body(), "extendedErrorDetails": None} for error in result.errors
        ],
    }


def _csv(header: list[str], rows: list[list[Any]]) -> Answer:
    body = "".join([bulk_csv.line(each) for each in (header, *rows)])
    return Answer(body=body, media_type=CSV_TYPE)


def query_result(org: Org, call: Call) -> Answer:
    """`GET job/<id>/batch/<id>/result/<id>`: the records of a query."""
    job, batch = _completed(org, call)
    selected = batch.selected
    if selected is None or long_id(call.params["result"]) != batch.result_id:
        raise BulkError("InvalidBatch", f"Unable to find object: {call.params['result']}")
    if job.content_type == "JSON":
        return Answer(body=[selected.render(row) for row in batch.rows], media_type=_JSON)
    if not batch.rows:
        return Answer(body="Records not found for this query\n", media_type=CSV_TYPE)
    columns = selected.columns
    rows = [[shown(column, row) for column in columns] for row in batch.rows]
    return _csv([column.label for column in columns], rows)


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
