"""Bulk jobs of either version: what they have in common, and how they are worked on."""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

from crm_pipeline.local_org.dml import SaveResult
from crm_pipeline.local_org.errors import BulkError
from crm_pipeline.local_org.ids import IdCounter
from crm_pipeline.local_org.per_org import PerOrg
from crm_pipeline.local_org.store import Org
from crm_pipeline.local_org.tables import timestamp

CSV_TYPE = "text/csv"
"""Without a charset, although it is UTF-8: a client that trusts the header reads nonsense."""
_BREATH = 0.0005
"""Between slices: longer than nothing, so that a client in the same process gets its turn."""


@dataclass(eq=False)
class Work:
    """Something that is worked on in the background, and the names of its states."""

    waiting: ClassVar[str] = "UploadComplete"
    complete: ClassVar[str] = "JobComplete"
    id: str
    created: str
    state: str = "Open"
    changed: str = ""
    error_message: str | None = None
    processed: int = 0
    failed: int = 0
    milliseconds: int = 0
    task: asyncio.Task[None] | None = None

    def enter(self, org: Org, state: str) -> None:
        """Changes the state, now."""
        self.state = state
        self.changed = timestamp(org.now())

    def count(self, results: Iterable[SaveResult]) -> None:
        """Adds these to the numbers of records processed and failed."""
        for each in results:
            self.processed += 1
            self.failed += not each.success


def run_in_background(org: Org, work: Work, steps: Callable[[], Iterator[None]]) -> None:
    """Works in slices (what `steps` yields between), so that other calls are answered meanwhile.

    Each state lasts as long as the org's limits say. `BulkError` ends in Failed.
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
        except BulkError as error:
            work.error_message, ended = error.text, "Failed"
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
    """A job of either version."""

    version: str = ""
    user_id: str = ""
    operation: str = ""
    sobject: str = ""
    external_id: str | None = None

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
        } | ({"externalIdFieldName": self.external_id} if self.external_id else {})


@dataclass(slots=True)
class BulkBook:
    """The memory of an org for Bulk jobs, of whichever version."""

    jobs: dict[str, Job] = field(default_factory=dict)
    batches: int = 0
    """Batches of up to 10,000 records that were taken, of the day's allocation."""
    _ids: dict[str, IdCounter] = field(default_factory=dict)

    def next_id(self, org: Org, prefix: str = "750") -> str:
        """The id of the next job (750), batch (751) or result (752)."""
        return self._ids.setdefault(prefix, IdCounter(prefix, org.id[3:7])).next()

    def charge(self, org: Org, batches: int) -> None:
        """Takes batches from the day's allocation. Raises `BulkError` if they are not left."""
        if self.batches + batches > org.config.limits.daily_bulk_batches:
            raise BulkError("ExceededQuota", "ApiBatchItems Limit exceeded.")
        self.batches += batches


BULK = PerOrg(BulkBook)
