"""Bulk jobs: what they say of themselves, and how they are worked on."""

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

from crm_pipeline.local_org import bulk_csv
from crm_pipeline.local_org.bulk_csv import CsvError
from crm_pipeline.local_org.errors import SalesforceError
from crm_pipeline.local_org.ids import IdCounter, long_id
from crm_pipeline.local_org.per_org import PerOrg
from crm_pipeline.local_org.routing import Answer, Call, malformed_json
from crm_pipeline.local_org.store import Org, timestamp

CSV_TYPE = "text/csv"
"""Without a charset, although it is UTF-8: a client that trusts the header reads nonsense."""
_BREATH = 0.0005
"""Between slices: longer than nothing, so that a client in the same process gets its turn."""
DONE = ("JobComplete", "Failed", "Aborted")


@dataclass(eq=False)
class Work:
    """Something that is worked on in the background, and the names of its states."""

    waiting: ClassVar[str] = "UploadComplete"
    complete: ClassVar[str] = "JobComplete"
    id: str
    created: str
    state: str
    changed: str = ""
    error_message: str | None = None
    processed: int = 0
    milliseconds: int = 0
    task: asyncio.Task[None] | None = None

    def enter(self, org: Org, state: str) -> None:
        """Changes the state, now."""
        self.state = state
        self.changed = timestamp(org.now())


def run_in_background(org: Org, work: Work, steps: Callable[[], Iterator[None]]) -> None:
    """Works in slices (what `steps` yields between), so that other calls are answered meanwhile.

    Each state lasts as long as the org's limits say. `CsvError` ends in Failed.
    """

    async def run() -> None:
        seconds = org.config.limits.bulk_seconds
        await asyncio.sleep(seconds)
        if work.state != work.waiting:
            return
        work.enter(org, "InProgress")
        started = time.monotonic()
        await asyncio.sleep(seconds)
        ended = work.complete
        try:
            for _ in steps():
                await asyncio.sleep(_BREATH)
        except CsvError as error:
            work.error_message, ended = str(error), "Failed"
        except Exception:
            work.error_message = "UnknownException : the local org has a bug, see its log"
            work.enter(org, "Failed")
            raise
        work.milliseconds = round((time.monotonic() - started) * 1000)
        if work.state == "InProgress":
            work.enter(org, ended)

    work.enter(org, work.waiting)
    work.task = asyncio.get_running_loop().create_task(run())


@dataclass(eq=False)
class Job(Work):
    """What ingest and query jobs of Bulk API 2.0 have in common."""

    version: str = ""
    user_id: str = ""
    operation: str = ""
    sobject: str = ""
    delimiter: str = "COMMA"
    line_ending: str = "LF"

    def describe(self) -> dict[str, Any]:
        """The keys that every answer about a job has."""
        return {
            "id": self.id,
            "operation": self.operation,
            "object": self.sobject,
            "createdById": self.user_id,
            "createdDate": self.created,
            "systemModstamp": self.changed or self.created,
            "state": self.state,
            "concurrencyMode": "Parallel",
            "contentType": "CSV",
            "apiVersion": float(self.version),
            "lineEnding": self.line_ending,
            "columnDelimiter": self.delimiter,
        }

    def statistics(self) -> dict[str, Any]:
        """What is known once the job was worked on."""
        return {
            "numberRecordsProcessed": self.processed,
            "retries": 0,
            "totalProcessingTime": self.milliseconds,
            "isPkChunkingSupported": False,
        }

    def line(self, values: Any) -> str:
        """A line of results in the job's delimiter and line ending."""
        return bulk_csv.line(
            values, bulk_csv.DELIMITERS[self.delimiter], bulk_csv.LINE_ENDINGS[self.line_ending]
        )


@dataclass(slots=True)
class BulkBook:
    """What an org remembers of Bulk, of whichever version."""

    batches: int = 0
    """Batches of up to 10,000 records that were taken, of the day's allocation."""
    _ids: dict[str, IdCounter] = field(default_factory=dict)

    def next_id(self, org: Org, prefix: str = "750") -> str:
        """The id of the next job (750), batch (751) or result (752)."""
        return self._ids.setdefault(prefix, IdCounter(prefix, org.id[3:7])).next()

    def charge(self, org: Org, batches: int) -> bool:
        """Takes batches from the day's allocation; False if they are not left."""
        if self.batches + batches > org.config.limits.daily_bulk_batches:
            return False
        self.batches += batches
        return True


BULK = PerOrg(BulkBook)


def refused(code: str, message: str, status: int = 400) -> SalesforceError:
    """Bulk's errors on the REST side: its codes in capitals."""
    return SalesforceError(status, code.upper(), message)


def csv_format(body: dict[str, Any]) -> tuple[str, str]:
    """Column delimiter and line ending that a job asks for. Raises JSON_PARSER_ERROR."""
    delimiter = str(body.get("columnDelimiter") or "COMMA")
    line_ending = str(body.get("lineEnding") or "LF")
    if delimiter not in bulk_csv.DELIMITERS or line_ending not in bulk_csv.LINE_ENDINGS:
        raise malformed_json("columnDelimiter or lineEnding is none of the values allowed")
    if body.get("contentType", "CSV") != "CSV":
        raise refused("InvalidContentType", "The content type must be CSV")
    return delimiter, line_ending


AnyJob = TypeVar("AnyJob", bound=Job)


def job_of(jobs: dict[str, AnyJob], call: Call) -> AnyJob:
    """The job that the path names. Raises NOT_FOUND."""
    job = jobs.get(long_id(call.params["job"]) or "")
    if job is None:
        raise refused("NOT_FOUND", "The requested resource does not exist", 404)
    return job


def listed(jobs: dict[str, AnyJob], job_type: str) -> Answer:
    """All jobs, the newest first."""
    records = [{**job.describe(), "jobType": job_type} for job in reversed(jobs.values())]
    return Answer(body={"done": True, "records": records, "nextRecordsUrl": None})


def abort(org: Org, job: Job) -> None:
    """Stops a job; what it saved stays saved. Raises INVALIDJOBSTATE if it is over."""
    if job.state in DONE:
        raise refused("InvalidJobState", f"Aborting already {job.state} Job not allowed")
    job.enter(org, "Aborted")
