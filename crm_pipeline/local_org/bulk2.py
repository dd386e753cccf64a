"""Bulk API 2.0. Ingest: one upload, a time of work, three files of results. Query: pages of CSV."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from crm_pipeline.local_org import bulk_csv
from crm_pipeline.local_org.bulk_csv import DELIMITERS, LINE_ENDINGS, CsvRecord, File
from crm_pipeline.local_org.bulk_jobs import BULK, CSV_TYPE, Job, run_in_background
from crm_pipeline.local_org.bulk_rows import (
    CHUNK,
    Ingest,
    check_header,
    error_text,
    fields_of,
    plan,
    save_chunk,
)
from crm_pipeline.local_org.columns import Column
from crm_pipeline.local_org.dml import SaveResult
from crm_pipeline.local_org.errors import BulkError, SalesforceError
from crm_pipeline.local_org.ids import long_id
from crm_pipeline.local_org.routing import (
    Answer,
    Call,
    Route,
    json_object,
    malformed_json,
    not_found,
)
from crm_pipeline.local_org.selection import Select, select
from crm_pipeline.local_org.store import Org
from crm_pipeline.local_org.tables import Table, timestamp

DONE = ("JobComplete", "Failed", "Aborted")
QUERIES = ("query", "queryAll")
_MAX_UPLOAD = 150 * 1024 * 1024 * 3 // 4
_RECORDS_PER_BATCH = 10_000
_PAGE = 50_000


@dataclass(eq=False)
class CsvJob(Job):
    """A job. Ingest has a file, or what is wrong with it, and lines of results; a query rows."""

    type: str = "V2Ingest"
    delimiter: str = "COMMA"
    line_ending: str = "LF"
    ingest: Ingest | None = None
    assignment: str | None = None
    file: File | BulkError | None = None
    successful: list[str] = field(default_factory=list)
    unsuccessful: list[str] = field(default_factory=list)
    selected: Select | None = None
    rows: list[Any] = field(default_factory=list)

    def describe(self) -> dict[str, Any]:
        """Describes the job: CSV format and, for ingest, where it goes and who gets the records."""
        described = super().describe()
        described |= {"lineEnding": self.line_ending, "columnDelimiter": self.delimiter}
        if self.state == "Open":
            described["contentUrl"] = f"services/data/v{self.version}/jobs/ingest/{self.id}/batches"
        if self.assignment:
            described["assignmentRuleId"] = self.assignment
        return described

    def statistics(self) -> dict[str, Any]:
        """The numbers that are known once the job was worked on."""
        numbers = {
            "jobType": self.type,
            "numberRecordsProcessed": self.processed,
            "retries": 0,
            "totalProcessingTime": self.milliseconds,
            "isPkChunkingSupported": False,
        }
        if self.ingest:
            numbers |= {
                "numberRecordsFailed": self.failed,
                "apiActiveProcessingTime": self.milliseconds,
                "apexProcessingTime": 0,
            }
        return numbers | ({"errorMessage": self.error_message} if self.error_message else {})

    def line(self, values: Iterable[Any]) -> str:
        """A line of results in the job's delimiter and line ending."""
        return bulk_csv.line(values, DELIMITERS[self.delimiter], LINE_ENDINGS[self.line_ending])


def _type(call: Call) -> str:
    return "V2Query" if "/jobs/query" in call.path else "V2Ingest"


def _job(org: Org, call: Call) -> CsvJob:
    job = BULK[org].jobs.get(long_id(call.params["job"]) or "")
    if not isinstance(job, CsvJob) or job.type != _type(call):
        raise not_found()
    return job


def _new_job(org: Org, call: Call, body: dict[str, Any], operation: str, table: Table) -> CsvJob:
    """A new job in the CSV format that is asked for. Raises JSON_PARSER_ERROR."""
    delimiter = str(body.get("columnDelimiter") or "COMMA")
    line_ending = str(body.get("lineEnding") or "LF")
    if delimiter not in DELIMITERS or line_ending not in LINE_ENDINGS:
        raise malformed_json("columnDelimiter or lineEnding is none of the values allowed")
    if body.get("contentType", "CSV") != "CSV":
        raise BulkError("InvalidContentType", "The content type must be CSV")
    book = BULK[org]
    job = CsvJob(
        id=book.next_id(org),
        created=timestamp(org.now()),
        version=call.version,
        user_id=call.user_id,
        operation=operation,
        sobject=table.type.name,
        type=_type(call),
        delimiter=delimiter,
        line_ending=line_ending,
    )
    book.jobs[job.id] = job
    return job


def create_ingest(org: Org, call: Call) -> Answer:
    """`POST jobs/ingest`, as JSON."""
    body = json_object(call)
    ingest = plan(org, call.user_id, body)
    job = _new_job(org, call, body, ingest.operation, ingest.table)
    job.ingest, job.assignment = ingest, body.get("assignmentRuleId")
    job.external_id = ingest.external_field.name if ingest.external_field else None
    return Answer(body=job.describe())


def upload(org: Org, call: Call) -> Answer:
    """`PUT jobs/ingest/<id>/batches`: the CSV, once; 201 without a body."""
    job = _job(org, call)
    if job.state != "Open":
        raise BulkError("InvalidJobState", f"Data cannot be uploaded to a job in state {job.state}")
    if job.file is not None:
        raise BulkError(
            "ClientInputError",
            f"Found multiple contents for job: <{job.id}>, please 'Close' / 'Abort' / 'Delete' the "
            "current Job then create a new Job and make sure you only do 'PUT' once on a given "
            "Job.",
        )
    if len(call.body) > _MAX_UPLOAD:
        raise BulkError("ClientInputError", "The content is larger than 150 MB in base64", 413)
    try:
        job.file = bulk_csv.read(
            call.body, DELIMITERS[job.delimiter], LINE_ENDINGS[job.line_ending]
        )
    except BulkError as error:
        job.file = error
    return Answer(status=201)


def change_state(org: Org, call: Call) -> Answer:
    """`PATCH jobs/ingest/<id>` with `state` UploadComplete or Aborted; a query: Aborted."""
    job = _job(org, call)
    wanted = json_object(call).get("state")
    if wanted == "Aborted" and job.state not in DONE:
        job.enter(org, "Aborted")
    elif wanted == "UploadComplete" and job.state == "Open":
        run_in_background(org, job, lambda: _load(org, job))
    elif wanted in ("Aborted", "UploadComplete"):
        doing = "Aborting" if wanted == "Aborted" else "Closing"
        raise BulkError("InvalidJobState", f"{doing} already {job.state} Job not allowed")
    else:
        raise BulkError("InvalidJobState", f"A job cannot be put into the state {wanted}")
    return Answer(body=job.describe())


def _load(org: Org, job: CsvJob) -> Iterator[None]:
    assert job.ingest  # noqa: S101 - every ingest job has one
    file = job.file
    if isinstance(file, BulkError):
        raise file
    if file is None or not file.header:
        if org.config.bulk_without_content == "Failed":
            raise BulkError("InvalidBatch", "Records not found")
        return
    check_header(org, job.ingest, file.header)
    BULK[org].charge(org, math.ceil(len(file.lines) / _RECORDS_PER_BATCH))
    while job.state == "InProgress" and job.processed < len(file.lines):
        records = file.records(job.processed, job.processed + CHUNK)
        rows = [fields_of(file.header, record) for record in records]
        results = yield from save_chunk(org, job.ingest, "bulk2.process", rows)
        for record, result in zip(records, results, strict=True):
            _tell(job, file.header, record, result)
        job.count(results)
        yield


def _tell(job: CsvJob, header: Sequence[str], record: CsvRecord, result: SaveResult) -> None:
    if result.success:
        job.successful.append(job.line([result.id, result.created, *record.values]))
    else:
        given = {name.lower(): value for name, value in zip(header, record.values, strict=True)}
        error = error_text(result)
        job.unsuccessful.append(job.line([given.get("id"), error, *record.values]))


def info(org: Org, call: Call) -> Answer:
    """`GET jobs/ingest/<id>` and `GET jobs/query/<id>`."""
    job = _job(org, call)
    return Answer(body=job.describe() | job.statistics())


def listing(org: Org, call: Call) -> Answer:
    """`GET jobs/ingest` and `GET jobs/query`: all of them, the newest first."""
    records = [
        {**job.describe(), "jobType": job.type}
        for job in reversed(BULK[org].jobs.values())
        if isinstance(job, CsvJob) and job.type == _type(call)
    ]
    return Answer(body={"done": True, "records": records, "nextRecordsUrl": None})


def forget(org: Org, call: Call) -> Answer:
    """`DELETE jobs/ingest/<id>` and `DELETE jobs/query/<id>`: 204."""
    job = _job(org, call)
    if job.state not in (*DONE, "UploadComplete"):
        raise BulkError("InvalidJobState", f"Deleting a Job in state {job.state} is not allowed")
    del BULK[org].jobs[job.id]
    return Answer(status=204)


def ingest_results(org: Org, call: Call) -> Answer:
    """`GET jobs/ingest/<id>/successfulResults`, `failedResults`, `unprocessedrecords`."""
    job = _job(org, call)
    which = call.params["results"].lower()
    if which not in ("successfulresults", "failedresults", "unprocessedrecords"):
        raise not_found()
    if job.state not in DONE:
        raise BulkError("InvalidJobState", f"Results are not ready, the job is {job.state}")
    file = job.file if isinstance(job.file, File) else File([], [], ",")
    if which == "unprocessedrecords":
        head, lines = file.header, [job.line(each.values) for each in file.records(job.processed)]
    elif which == "failedresults":
        head, lines = ["sf__Id", "sf__Error", *file.header], job.unsuccessful.copy()
    else:
        head, lines = ["sf__Id", "sf__Created", *file.header], job.successful.copy()
    if which != "unprocessedrecords":
        Random(job.id).shuffle(lines)  # noqa: S311 - in another order, the same each time
    return Answer(body=job.line(head) + "".join(lines), media_type=CSV_TYPE)


def bulk_select(
    org: Org,
    text: str,
    version: str,
    operation: str,
    user_id: str,
    *,
    in_milliseconds: bool = False,
) -> Select:
    """Compiles a query for Bulk, which takes less than REST does. Raises `SalesforceError`."""
    selected = select(
        org,
        text,
        version,
        include_deleted=operation == "queryAll",
        user_id=user_id,
        in_milliseconds=in_milliseconds,
    )
    if selected.grouping or selected.counts_only or selected.children:
        unsupported = "Aggregate Relationships not supported in Bulk Query"
    elif any(column.field.type == "address" for column in selected.columns):
        unsupported = "Selecting compound data not supported in Bulk Query"
    elif selected.query.offset:
        unsupported = "Offset not supported in Bulk Query"
    else:
        return selected
    raise SalesforceError(400, "FUNCTIONALITY_NOT_ENABLED", unsupported)


def shown(column: Column, row: Any) -> Any:
    """A value as Bulk's CSV shows it: datetimes end with Z."""
    value = column.read(row)
    if column.field.type == "datetime" and value is not None:
        return value.replace("+0000", "Z")
    return value


def create_query(org: Org, call: Call) -> Answer:
    """`POST jobs/query` with `operation` query or queryAll."""
    body = json_object(call)
    operation, text = body.get("operation"), body.get("query")
    if operation not in QUERIES or not isinstance(text, str):
        raise BulkError("InvalidJob", "operation (query or queryAll) and query are needed")
    if org.meter.calls["bulk2.query.create_job"] >= org.config.limits.daily_bulk_query_jobs:
        raise BulkError("ExceededQuota", "DailyBulkV2QueryJobs Limit exceeded.")
    selected = bulk_select(org, text, call.version, operation, call.user_id)
    job = _new_job(org, call, body, operation, selected.table)
    job.selected = selected

    def find() -> Iterator[None]:
        job.rows = selected.rows()
        job.processed = len(job.rows)
        yield

    run_in_background(org, job, find)
    return Answer(body=job.describe())


def query_results(org: Org, call: Call) -> Answer:
    """`GET jobs/query/<id>/results?maxRecords=&locator=`: CSV, and where it goes on."""
    job = _job(org, call)
    if call.version != job.version:
        raise BulkError(
            "InvalidJob", f"The job was created with API version {job.version}: use it here", 409
        )
    if job.state != "JobComplete" or job.selected is None:
        raise BulkError("InvalidJobState", f"Results are not ready, the job is {job.state}")
    locator, asked = call.query.get("locator"), call.query.get("maxRecords", str(_PAGE))
    start, length = _number(locator or "0"), _number(asked)
    if locator and not 0 < start < len(job.rows):
        raise BulkError("InvalidQueryLocator", f"invalid query locator: {locator}")
    if not length:
        raise BulkError("InvalidJob", f"maxRecords is not a positive number: {asked}")
    end = start + length
    page, columns = job.rows[start:end], job.selected.columns
    lines = [job.line([column.label for column in columns])]
    lines += [job.line([shown(column, row) for column in columns]) for row in page]
    goes_on = str(end) if end < len(job.rows) else "null"
    return Answer(
        body="".join(lines),
        headers={"Sforce-NumberOfRecords": str(len(page)), "Sforce-Locator": goes_on},
        media_type=CSV_TYPE,
    )


def _number(text: str) -> int:
    """The number that a text says; 0 for one that says none."""
    return int(text[:19]) if text.isascii() and text.isdigit() else 0


_JOBS = "/services/data/v{version}/jobs"
_INGEST = f"{_JOBS}/ingest"
_QUERY = f"{_JOBS}/query"

ROUTES = (
    Route("POST", _INGEST, "bulk2.create_job", create_ingest),
    Route("GET", _INGEST, "bulk2.list", listing),
    Route("GET", f"{_INGEST}/{{job}}", "bulk2.state", info),
    Route("PATCH", f"{_INGEST}/{{job}}", "bulk2.close", change_state),
    Route("DELETE", f"{_INGEST}/{{job}}", "bulk2.delete_job", forget),
    Route("PUT", f"{_INGEST}/{{job}}/batches", "bulk2.upload", upload),
    Route("GET", f"{_INGEST}/{{job}}/{{results}}", "bulk2.results", ingest_results),
    Route("POST", _QUERY, "bulk2.query.create_job", create_query),
    Route("GET", _QUERY, "bulk2.query.list", listing),
    Route("GET", f"{_QUERY}/{{job}}", "bulk2.query.state", info),
    Route("PATCH", f"{_QUERY}/{{job}}", "bulk2.query.abort", change_state),
    Route("DELETE", f"{_QUERY}/{{job}}", "bulk2.query.delete_job", forget),
    Route("GET", f"{_QUERY}/{{job}}/results", "bulk2.query.results", query_results),
)
