"""A stand-in for an org: it takes writes and answers as the org would, and nothing is written.

What reads goes to the org itself. What a describe tells is refused as the org refuses it; rules
that no describe tells (validation, duplicates, automation) are not known here.
"""

import csv
import io
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import count
from typing import IO, Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import orjson

from crm_pipeline.salesforce.answers import Answer
from crm_pipeline.salesforce.bulk_csv import reader
from crm_pipeline.salesforce.connection import Org, OrgRequest
from crm_pipeline.salesforce.describe import RIGHTS, SObjectSchema
from crm_pipeline.salesforce.errors import AccountStopped, OrgUnavailable
from crm_pipeline.salesforce.outcomes import RowError
from crm_pipeline.salesforce.values import long_id

_KEY_PREFIXES = {
    "Lead": "00Q",
    "Contact": "003",
    "Account": "001",
    "Event": "00U",
    "Campaign": "701",
    "CampaignMember": "00v",
    "CampaignMemberStatus": "01Y",
}
"""The first characters of the Ids of what may not be described, or was before they were kept."""

_ANY_PREFIX, _JOB_PREFIX = "a00", "750"

PLACEHOLDER = re.compile("^[0-9A-Za-z]{3}PLAN[0-9]{8}[A-Z0-5]{3}$", re.ASCII)
"""The Ids that a stand-in gives to records which it does not make."""

_RIGHT_TO = {"create": "createable", "update": "updateable", "delete": "deletable"}


class _Answered(NamedTuple):
    """The status and the body of an answer to a request or a part of one."""

    status: int
    body: Any = None


@dataclass(slots=True)
class _IngestJob:
    """A bulk job that nobody works on."""

    sobject: str
    operation: str
    file: IO[bytes] | None = None

    def rows(self) -> Iterator[list[str]]:
        """The rows that were uploaded, the header first."""
        if self.file is None:
            return iter(())
        self.file.seek(0)
        return reader(self.file)


def is_placeholder(record_id: object) -> bool:
    """Returns whether an Id is one that a stand-in gave: no record of an org has it."""
    return isinstance(record_id, str) and PLACEHOLDER.fullmatch(record_id) is not None


class StandIn:
    """Takes an org's writes, as `connection.TakesWrites`; each is counted as a call of the org's.

    Records that would be made get placeholders for Ids (`is_placeholder`).
    """

    def __init__(self, schemas: Callable[[], Mapping[str, SObjectSchema]]) -> None:
        """Takes what gives the schemas that are known; called by several threads."""
        self._schemas = schemas
        self._numbers = count(1)
        self._making = threading.Lock()
        self._jobs: dict[str, _IngestJob] = {}

    def answer(self, request: OrgRequest, org: Org) -> Answer:
        """Answers as the org would; what only reads is asked of the org.

        Raises:
            AccountStopped: it is none of the writes that a cycle does.
            OrgUnavailable: a bulk job of an earlier cycle is still under way.
            SalesforceProblem: as `Org.ask`.
        """
        path = request.path.removeprefix(org.path(""))
        if path.startswith("jobs/ingest"):
            return self._answer_job(request, path, org)
        if request.method == "GET" or path.startswith("jobs/query"):
            return org.ask(request)
        body = _parsed(request)
        if path == "composite":
            return self._answer_composite(request, body["compositeRequest"], org)
        org.count(request.kind)
        return Answer(*self._written(request.method, path, body), {})

    def _answer_composite(
        self, request: OrgRequest, parts: list[dict[str, Any]], org: Org
    ) -> Answer:
        """Asks the org for what only reads, and answers the rest."""
        answers = {}
        for part in parts:
            if part["method"] != "GET":
                path = part["url"].removeprefix(org.path(""))
                status, body = self._written(part["method"], path, part.get("body"))
                answers[part["referenceId"]] = {"httpStatusCode": status, "body": body}
        reading = [part for part in parts if part["referenceId"] not in answers]
        headers: Mapping[str, str] = {}
        if reading:
            asked = orjson.dumps({"allOrNone": False, "compositeRequest": reading})
            answer = org.ask(replace(request, body=asked, writes=False))
            if not isinstance(answer.body, dict) or "compositeResponse" not in answer.body:
                return answer
            headers = answer.headers
            answers |= {each.get("referenceId"): each for each in answer.body["compositeResponse"]}
        else:
            org.count(request.kind)
        told = [
            {**answers[name], "referenceId": name}
            for name in (part["referenceId"] for part in parts)
            if name in answers
        ]
        return Answer(200, {"compositeResponse": told}, headers)

    def _written(self, method: str, path: str, body: Any) -> _Answered:
        """The answer to one write, by the resource that it goes to."""
        address = urlsplit(path)
        match (method, *address.path.split("/")):
            case ("DELETE", "composite", "sobjects"):
                [ids] = parse_qs(address.query)["ids"]
                return _Answered(200, [self._deleted(each) for each in ids.split(",")])
            case ("PATCH", "composite", "sobjects"):
                return _Answered(200, [self._row(each, "update") for each in body["records"]])
            case ("POST", "composite", "sobjects") | ("PATCH", "composite", "sobjects", _, _):
                return _Answered(200, [self._row(each, "create") for each in body["records"]])
            case ("POST", "sobjects", sobject) | ("PATCH", "sobjects", sobject, _, _):
                row = self._row({"attributes": {"type": sobject}, **body}, "create")
                return _Answered(201, row) if row["success"] else _Answered(400, row["errors"])
            case ("PATCH", "sobjects", sobject, record_id):
                row = self._row({"attributes": {"type": sobject}, "id": record_id}, "update")
                return _Answered(204) if row["success"] else _Answered(400, row["errors"])
            case _:
                raise AccountStopped(
                    f"A plan cannot foresee {method} {address.path}", "ask for support"
                )

    def _deleted(self, record_id: str) -> dict[str, Any]:
        """The answer to one deletion: only the Id says of what object it is."""
        known = self._schemas()
        of = next((name for name in known if self._prefix(name) == record_id[:3]), "")
        return self._row({"attributes": {"type": of}, "id": record_id}, "delete")

    def _row(self, record: Mapping[str, Any], action: str) -> dict[str, Any]:
        """The answer to one record of a collection."""
        sobject = record["attributes"]["type"]
        refusal = self._refusal(sobject, record, action)
        if refusal is not None:
            error = {
                "statusCode": refusal.code,
                "message": refusal.message,
                "fields": refusal.fields,
            }
            return {"success": False, "errors": [error]}
        return self._made(sobject) if action == "create" else _taken(record["id"])

    def _made(self, sobject: str) -> dict[str, Any]:
        return {**_taken(self._placeholder(self._prefix(sobject))), "created": True}

    def _prefix(self, sobject: str) -> str:
        """The first characters of the Ids of an object's records."""
        schema = self._schemas().get(sobject)
        return (schema and schema.key_prefix) or _KEY_PREFIXES.get(sobject, _ANY_PREFIX)

    def _placeholder(self, prefix: str) -> str:
        with self._making:
            return long_id(f"{prefix}PLAN{next(self._numbers):08d}")

    def _refusal(self, sobject: str, fields: Mapping[str, Any], action: str) -> RowError | None:
        """Returns why the org would refuse a record, as far as its describe tells."""
        schema = self._schemas().get(sobject)
        if schema is None:
            return None
        right = RIGHTS[_RIGHT_TO[action]]
        if right not in schema.rights:
            return RowError(
                "INSUFFICIENT_ACCESS_OR_READONLY", f"The user has no right to {right} on {sobject}"
            )
        if action != "create":
            return None
        lacking = [each for each in schema.required if fields.get(each.name) in (None, "")]
        if not lacking:
            return None
        # A parent may be named by its own external id, in a bulk job as in `Parent__r.Key__c`.
        parents = {name.partition(".")[0] for name in fields}
        missing = tuple(each.name for each in lacking if each.relationship not in parents)
        if not missing:
            return None
        return RowError(
            "REQUIRED_FIELD_MISSING",
            f"Required fields are missing: [{', '.join(missing)}]",
            missing,
        )

    def _answer_job(self, request: OrgRequest, path: str, org: Org) -> Answer:
        """Answers about a bulk job; of one that is the org's own only its state is asked."""
        match (request.method, *urlsplit(path).path.split("/")[2:]):
            case ("POST",):
                wanted = _parsed(request)
                job_id = self._placeholder(_JOB_PREFIX)
                self._jobs[job_id] = _IngestJob(wanted["object"], wanted["operation"])
                answered = _Answered(200, {"id": job_id})
            case ("PUT", job_id, "batches") if job_id in self._jobs and request.body is not None:
                if isinstance(request.body, bytes):
                    raise TypeError("A bulk job's rows come as a file")
                self._jobs[job_id].file = request.body
                answered = _Answered(201)
            case ("PATCH", job_id) if job_id in self._jobs:
                answered = _Answered(200, {"id": job_id})
            case ("GET", job_id) if job_id in self._jobs:
                answered = _Answered(200, self._worked_on(self._jobs[job_id]))
            case ("GET", job_id, results) if job_id in self._jobs and request.into is not None:
                self._write_results(self._jobs[job_id], results, request.into)
                answered = _Answered(200)
            case ("GET", *_):
                return org.ask(request)
            case _:
                raise OrgUnavailable(
                    "A bulk job of an earlier cycle is under way, and its end has to be awaited"
                )
        org.count(request.kind)
        return Answer(*answered, {})

    def _worked_on(self, job: _IngestJob) -> dict[str, Any]:
        refusals = [refusal is not None for _, refusal in self._judged(job)]
        return {
            "state": "JobComplete",
            "numberRecordsProcessed": len(refusals),
            "numberRecordsFailed": sum(refusals),
        }

    def _judged(self, job: _IngestJob) -> Iterator[tuple[list[str], RowError | None]]:
        """The rows of a job, each with why the org would refuse it."""
        rows = job.rows()
        columns = next(rows, [])
        action = {"insert": "create", "upsert": "create"}.get(job.operation, job.operation)
        for row in rows:
            yield row, self._refusal(job.sobject, dict(zip(columns, row, strict=True)), action)

    def _write_results(self, job: _IngestJob, results: str, into: IO[bytes]) -> None:
        """Writes what the org would say of the rows that it took, or refused."""
        of_refused = results == "failedResults"
        columns = next(job.rows(), [])
        prefix = self._prefix(job.sobject)
        made = job.operation in ("insert", "upsert")
        own_id = columns.index("Id") if "Id" in columns else None
        text = io.TextIOWrapper(into, encoding="utf-8", newline="", write_through=True)
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["sf__Id", "sf__Error" if of_refused else "sf__Created", *columns])
        for row, refusal in self._judged(job) if results != "unprocessedrecords" else ():
            if (refusal is not None) is not of_refused:
                continue
            record_id = self._placeholder(prefix) if made else row[own_id or 0]
            if refusal is None:
                writer.writerow([record_id, str(made).lower(), *row])
            else:
                said = f"{refusal.code}:{refusal.message}:{' '.join(refusal.fields)} --"
                writer.writerow(["", said, *row])
        text.detach()


def _parsed(request: OrgRequest) -> Any:
    return orjson.loads(request.body) if isinstance(request.body, bytes) else {}


def _taken(record_id: str) -> dict[str, Any]:
    return {"id": record_id, "success": True, "errors": []}
