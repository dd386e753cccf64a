"""Bulk API 2.0 query: a job, a time of work, its results page by page."""

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from crm_pipeline.local_org.bulk_jobs import (
    BULK,
    CSV_TYPE,
    Job,
    abort,
    csv_format,
    job_of,
    listed,
    refused,
    run_in_background,
)
from crm_pipeline.local_org.columns import Column
from crm_pipeline.local_org.errors import SalesforceError
from crm_pipeline.local_org.per_org import PerOrg
from crm_pipeline.local_org.routing import Answer, Call, Route, json_object
from crm_pipeline.local_org.selection import Select, select
from crm_pipeline.local_org.store import Org, timestamp

_PAGE = 50_000


@dataclass(eq=False)
class QueryJob(Job):
    """A query job, and the rows that it found."""

    selected: Select | None = None
    rows: list[Any] = field(default_factory=list)


JOBS: PerOrg[dict[str, QueryJob]] = PerOrg(dict)


def bulk_select(org: Org, text: str, version: str, operation: str) -> Select:
    """Compiles a query for Bulk, which takes less than REST does. Raises `SalesforceError`."""
    selected = select(org, text, version, include_deleted=operation == "queryAll")
    if selected.grouping or selected.counts_only or selected.has_children:
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


def create(org: Org, call: Call) -> Answer:
    """`POST jobs/query` with `operation` query or queryAll."""
    body = json_object(call)
    operation, text = body.get("operation"), body.get("query")
    if operation not in ("query", "queryAll") or not isinstance(text, str):
        raise refused("InvalidJob", "operation (query or queryAll) and query are needed")
    delimiter, line_ending = csv_format(body)
    if org.meter.calls["bulk2.query.create_job"] >= org.config.limits.daily_bulk_query_jobs:
        raise refused("ExceededQuota", "DailyBulkV2QueryJobs Limit exceeded.")
    selected = bulk_select(org, text, call.version, operation)
    job = QueryJob(
        id=BULK[org].next_id(org),
        version=call.version,
        user_id=call.user_id,
        created=timestamp(org.now()),
        state="UploadComplete",
        operation=operation,
        sobject=selected.table.type.name,
        delimiter=delimiter,
        line_ending=line_ending,
        selected=selected,
    )
    JOBS[org][job.id] = job

    def work() -> Iterator[None]:
        job.rows = selected.rows()
        job.processed = len(job.rows)
        yield

    run_in_background(org, job, work)
    return Answer(body=job.describe())


def info(org: Org, call: Call) -> Answer:
    """`GET jobs/query/<id>`."""
    job = job_of(JOBS[org], call)
    return Answer(body={**job.describe(), "jobType": "V2Query", **job.statistics()})


def listing(org: Org, _call: Call) -> Answer:
    """`GET jobs/query`: all of them, the newest first."""
    return listed(JOBS[org], "V2Query")


def change_state(org: Org, call: Call) -> Answer:
    """`PATCH jobs/query/<id>` with `state` Aborted."""
    job = job_of(JOBS[org], call)
    if json_object(call).get("state") != "Aborted":
        raise refused("InvalidJobState", "A query job can only be aborted")
    abort(org, job)
    return Answer(body=job.describe())


def forget(org: Org, call: Call) -> Answer:
    """`DELETE jobs/query/<id>`: 204."""
    del JOBS[org][job_of(JOBS[org], call).id]
    return Answer(status=204)


def results(org: Org, call: Call) -> Answer:
    """`GET jobs/query/<id>/results?maxRecords=&locator=`: CSV, and where it goes on."""
    job = job_of(JOBS[org], call)
    if call.version != job.version:
        raise refused(
            "InvalidJob", f"The job was created with API version {job.version}: use it here", 409
        )
    if job.state != "JobComplete" or job.selected is None:
        raise refused("InvalidJobState", f"Results are not ready, the job is {job.state}")
    start = _offset(call.query.get("locator"), len(job.rows))
    end = start + _page_length(call.query.get("maxRecords"))
    page, columns = job.rows[start:end], job.selected.columns
    lines = [job.line([column.label for column in columns])]
    lines += [job.line([shown(column, row) for column in columns]) for row in page]
    locator = _locator(end) if end < len(job.rows) else "null"
    headers = {"Sforce-NumberOfRecords": str(len(page)), "Sforce-Locator": locator}
    return Answer(body="".join(lines), headers=headers, media_type=CSV_TYPE)


def _page_length(asked: str | None) -> int:
    if asked is None:
        return _PAGE
    if not (asked.isascii() and asked.isdigit() and int(asked)):
        raise refused("InvalidJob", f"maxRecords is not a positive number: {asked}")
    return int(asked)


def _locator(offset: int) -> str:
    return base64.urlsafe_b64encode(str(offset).encode()).decode().rstrip("=")


def _offset(locator: str | None, total: int) -> int:
    if not locator:
        return 0
    try:
        offset = int(base64.urlsafe_b64decode(locator + "=" * (-len(locator) % 4)))
    except (binascii.Error, ValueError):
        offset = -1
    if not 0 < offset < total or _locator(offset) != locator:
        raise refused("InvalidQueryLocator", f"invalid query locator: {locator}")
    return offset


_QUERY = "/services/data/v{version}/jobs/query"

ROUTES = (
    Route("POST", _QUERY, "bulk2.query.create_job", create),
    Route("GET", _QUERY, "bulk2.query.list", listing),
    Route("GET", f"{_QUERY}/{{job}}", "bulk2.query.state", info),
    Route("PATCH", f"{_QUERY}/{{job}}", "bulk2.query.abort", change_state),
    Route("DELETE", f"{_QUERY}/{{job}}", "bulk2.query.delete_job", forget),
    Route("GET", f"{_QUERY}/{{job}}/results", "bulk2.query.results", results),
    # Salesforce overlooks a doubled slash; jsforce's query jobs have one from the second page on.
    Route("GET", f"{_QUERY}//{{job}}/results", "bulk2.query.results", results),
)
