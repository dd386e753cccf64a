"""Bulk API 2.0 ingest: a job, one upload, a time of work, three files of results."""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import HTTP
from random import Random
from typing import Any

import orjson

from crm_pipeline.local_org import bulk_csv
from crm_pipeline.local_org.bulk_csv import CsvError
from crm_pipeline.local_org.bulk_jobs import (
    BULK,
    CSV_TYPE,
    DONE,
    Job,
    abort,
    csv_format,
    job_of,
    listed,
    refused,
    run_in_background,
)
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
from crm_pipeline.local_org.ids import long_id
from crm_pipeline.local_org.per_org import PerOrg
from crm_pipeline.local_org.routing import Answer, Call, Route, json_object, malformed_json
from crm_pipeline.local_org.store import Org, timestamp

_MAX_UPLOAD = 150 * 1024 * 1024 * 3 // 4
_RECORDS_PER_BATCH = 10_000


@dataclass(eq=False)
class IngestJob(Job):
    """An ingest job with its content and, line by line, its results."""

    ingest: Ingest | None = None
    external_id: str | None = None
    assignment: str | None = None
    content: bytes | None = None
    header: list[str] = field(default_factory=list)
    successful: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    unprocessed: list[str] = field(default_factory=list)

    def describe(self) -> dict[str, Any]:
        """With the address for the upload, the external id and the assignment rule."""
        described = super().describe()
        if self.state == "Open":
            described["contentUrl"] = f"services/data/v{self.version}/jobs/ingest/{self.id}/batches"
        if self.external_id:
            described["externalIdFieldName"] = self.external_id
        if self.assignment:
            described["assignmentRuleId"] = self.assignment
        return described

    def statistics(self) -> dict[str, Any]:
        """With the number of failed records, and why the job failed as a whole."""
        numbers = {
            "jobType": "V2Ingest",
            **super().statistics(),
            "numberRecordsFailed": len(self.failed),
            "apiActiveProcessingTime": self.milliseconds,
            "apexProcessingTime": 0,
        }
        return numbers | ({"errorMessage": self.error_message} if self.error_message else {})


JOBS: PerOrg[dict[str, IngestJob]] = PerOrg(dict)


def create(org: Org, call: Call) -> Answer:
    """`POST jobs/ingest`: as JSON, or as multipart with the CSV content (<= 100,000 chars)."""
    if "multipart/form-data" in call.headers.get("content-type", ""):
        job = _new_job(org, call, *_multipart(call))
        _start(org, job)
    else:
        job = _new_job(org, call, json_object(call), None)
    return Answer(body=job.describe())


def _multipart(call: Call) -> tuple[dict[str, Any], bytes]:
    head = f"Content-Type: {call.headers['content-type']}\r\n\r\n".encode()
    message = message_from_bytes(head + call.body, policy=HTTP)
    parts = {}
    for part in message.iter_parts() if message.is_multipart() else ():
        name = part.get_param("name", header="content-disposition")
        parts[name] = part.get_payload(decode=True)
    job, content = parts.get("job"), parts.get("content")
    if not isinstance(job, bytes) or not isinstance(content, bytes):
        raise malformed_json("the parts job and content are needed")
    if len(content) > 100_000:
        raise refused("ClientInputError", "The content of a multipart job is too large")
    try:
        body = orjson.loads(job)
    except orjson.JSONDecodeError as error:
        raise malformed_json(str(error)) from None
    if not isinstance(body, dict):
        raise malformed_json("the job is not an object")
    return body, content


def _new_job(org: Org, call: Call, body: dict[str, Any], content: bytes | None) -> IngestJob:
    delimiter, line_ending = csv_format(body)
    book, rule = BULK[org], body.get("assignmentRuleId")
    try:
        ingest = plan(
            org,
            call.user_id,
            sobject=body.get("object"),
            operation=body.get("operation"),
            external_id=body.get("externalIdFieldName"),
            assignment=long_id(rule),
        )
    except JobError as error:
        raise refused(error.code, error.message) from None
    job = IngestJob(
        id=book.next_id(org),
        version=call.version,
        user_id=ingest.user_id,
        created=timestamp(org.now()),
        state="Open",
        operation=ingest.operation,
        sobject=ingest.table.type.name,
        delimiter=delimiter,
        line_ending=line_ending,
        ingest=ingest,
        external_id=ingest.external_field.name if ingest.external_field else None,
        assignment=rule,
        content=content,
    )
    JOBS[org][job.id] = job
    return job


def upload(org: Org, call: Call) -> Answer:
    """`PUT jobs/ingest/<id>/batches`: the CSV, once; 201 without a body."""
    job = job_of(JOBS[org], call)
    if job.state != "Open":
        raise refused("InvalidJobState", f"Data cannot be uploaded to a job in state {job.state}")
    if job.content is not None:
        raise refused(
            "ClientInputError",
            f"Found multiple contents for job: <{job.id}>, please 'Close' / 'Abort' / 'Delete' the "
            "current Job then create a new Job and make sure you only do 'PUT' once on a given "
            "Job.",
        )
    if len(call.body) > _MAX_UPLOAD:
        raise refused("ClientInputError", "The content is larger than 150 MB in base64", 413)
    job.content = call.body
    return Answer(status=201)


def change_state(org: Org, call: Call) -> Answer:
    """`PATCH jobs/ingest/<id>` with `state` UploadComplete or Aborted."""
    job = job_of(JOBS[org], call)
    wanted = json_object(call).get("state")
    if wanted == "Aborted":
        abort(org, job)
    elif wanted != "UploadComplete":
        raise refused("InvalidJobState", f"A job cannot be put into the state {wanted}")
    elif job.state != "Open":
        raise refused("InvalidJobState", f"Closing already {job.state} Job not allowed")
    else:
        _start(org, job)
    return Answer(body=job.describe())


def _start(org: Org, job: IngestJob) -> None:
    run_in_background(org, job, lambda: _work(org, job))


def _work(org: Org, job: IngestJob) -> Iterator[None]:
    assert job.ingest  # noqa: S101 - every ingest job has one
    delimiter = bulk_csv.DELIMITERS[job.delimiter]
    line_ending = bulk_csv.LINE_ENDINGS[job.line_ending]
    table = bulk_csv.read(job.content or b"", delimiter, line_ending)
    check_header(org, job.ingest, table.header)
    job.header = table.header
    job.content = None
    records = []
    for chunk in _chunks(table.records):
        records += chunk
        yield
    _charge_batches(org, len(records))
    saver, done = RowSaver(org, job.ingest, "bulk2.process"), 0
    try:
        while done < len(records) and job.state == "InProgress":
            _save_chunk(job, saver, records[done : done + CHUNK])
            done += CHUNK
            yield
    finally:
        job.unprocessed = [job.line(record.values) for record in records[done:]]
        order = Random(job.id)  # noqa: S311 - results come in another order, the same each time
        order.shuffle(job.successful)
        order.shuffle(job.failed)


def _chunks(records: Iterator[bulk_csv.Record]) -> Iterator[list[bulk_csv.Record]]:
    while chunk := list(itertools.islice(records, CHUNK * 10)):
        yield chunk


def _charge_batches(org: Org, records: int) -> None:
    if not records:
        raise CsvError("InvalidBatch : Records not found")
    if not BULK[org].charge(org, math.ceil(records / _RECORDS_PER_BATCH)):
        raise CsvError("ExceededQuota : ApiBatchItems Limit exceeded.")


def _save_chunk(job: IngestJob, saver: RowSaver, records: list[bulk_csv.Record]) -> None:
    given = [fields_of(job.header, record) for record in records]
    ids = next((place for place, name in enumerate(job.header) if name.lower() == "id"), None)
    for record, result in zip(records, saver.save(given), strict=True):
        if result.success:
            job.successful.append(job.line([result.id, result.created, *record.values]))
        else:
            record_id = "" if ids is None else record.values[ids]
            job.failed.append(job.line([record_id, error_text(result), *record.values]))
    job.processed += len(records)


def info(org: Org, call: Call) -> Answer:
    """`GET jobs/ingest/<id>`."""
    job = job_of(JOBS[org], call)
    return Answer(body={**job.describe(), **job.statistics()})


def listing(org: Org, _call: Call) -> Answer:
    """`GET jobs/ingest`: all of them, the newest first."""
    return listed(JOBS[org], "V2Ingest")


def forget(org: Org, call: Call) -> Answer:
    """`DELETE jobs/ingest/<id>`: 204."""
    job = job_of(JOBS[org], call)
    if job.state not in (*DONE, "UploadComplete"):
        raise refused("InvalidJobState", f"Deleting a Job in state {job.state} is not allowed")
    del JOBS[org][job.id]
    return Answer(status=204)


def results(org: Org, call: Call) -> Answer:
    """`GET jobs/ingest/<id>/successfulResults`, `failedResults`, `unprocessedrecords`."""
    job = job_of(JOBS[org], call)
    which = call.params["results"].lower()
    if which == "successfulresults":
        head, lines = ["sf__Id", "sf__Created", *job.header], job.successful
    elif which == "failedresults":
        head, lines = ["sf__Id", "sf__Error", *job.header], job.failed
    elif which == "unprocessedrecords":
        head, lines = job.header, job.unprocessed
    else:
        raise refused("NOT_FOUND", "The requested resource does not exist", 404)
    if job.state not in DONE:
        raise refused("InvalidJobState", f"Results are not ready, the job is {job.state}")
    return Answer(body=job.line(head) + "".join(lines), media_type=CSV_TYPE)


_INGEST = "/services/data/v{version}/jobs/ingest"

ROUTES = (
    Route("POST", _INGEST, "bulk2.create_job", create),
    Route("GET", _INGEST, "bulk2.list", listing),
    Route("GET", f"{_INGEST}/{{job}}", "bulk2.state", info),
    Route("PATCH", f"{_INGEST}/{{job}}", "bulk2.close", change_state),
    Route("DELETE", f"{_INGEST}/{{job}}", "bulk2.delete_job", forget),
    Route("PUT", f"{_INGEST}/{{job}}/batches", "bulk2.upload", upload),
    Route("GET", f"{_INGEST}/{{job}}/{{results}}", "bulk2.results", results),
)
