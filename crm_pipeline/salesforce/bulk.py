"""Bulk API 2.0: a few API calls for any number of records.

Nothing is written before a job is closed, so all before that may be done again. From then on a
job runs by itself, perhaps late: who lost sight of one must `settle` it before looking up what
it wrote.
"""

import re
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import suppress
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from crm_pipeline.salesforce.answers import known_as_code
from crm_pipeline.salesforce.bulk_csv import (
    BY_ID,
    Attribution,
    JobKind,
    Upload,
    count_rows,
    reader,
    row_error,
    uploads_of,
)
from crm_pipeline.salesforce.composite import QueryRefused, query_all
from crm_pipeline.salesforce.errors import (
    AccountStopped,
    LostAnswer,
    OrgUnavailable,
    RequestRefused,
    SalesforceProblem,
    Treatment,
    decide,
    paused,
    problem_of,
)
from crm_pipeline.salesforce.limits import BULK_RESULT_PAGE, TRIES
from crm_pipeline.salesforce.outcomes import Outcome, Status, Write, all_alike
from crm_pipeline.salesforce.packing import waves_of
from crm_pipeline.salesforce.soql import select

if TYPE_CHECKING:
    from crm_pipeline.salesforce.connection import Org

OnJob = Callable[[str, list[int]], None]

_AT_ONCE = 4
"""Jobs under way at once."""

_UNKNOWN_FIELD = re.compile(r"Field name not found ?: ?(\w{1,80})$", re.ASCII)
_OVER = frozenset(("JobComplete", "Failed", "Aborted"))
_OPERATIONS = {"create": "insert", "update": "update", "upsert": "upsert", "delete": "delete"}
_LONGEST_WAIT_SECONDS = 60.0
_SHORTEST_WAIT_SECONDS = 0.2
_GUESSED_ROWS_PER_SECOND = 20_000
_LOOKS_IN_VAIN = 5
_HARD_DELETE_SECONDS = 600.0


class _Job(NamedTuple):
    upload: Upload
    job_id: str
    started: float


_Result = tuple[list[Outcome], SalesforceProblem | None]


def send_by_bulk(
    connection: "Org",
    writes: Iterable[Write],
    *,
    assignment_rule_id: str | None = None,
    on_job: OnJob | None = None,
    patience: float = 3_600.0,
) -> Iterator[list[Outcome]]:
    """Sends writes in ingest jobs, one for each sObject and action (and each 100 MB).

    Args:
        connection: the org.
        writes: each `ref` once.
        assignment_rule_id: the rule for new leads; without one, none runs.
        on_job: is told each job's id and the refs of its writes before anything is written,
            so that a crash can be settled later.
        patience: longest wait for a job, in seconds; then it is aborted.

    Yields:
        As each job ends, the outcomes of its writes. Each write has one outcome in all.

    Raises:
        AccountStopped, AccountPaused, OrgUnavailable: after the last outcomes, where the rest
            was not sent for this reason.
    """
    problem: SalesforceProblem | None = None
    for wave in waves_of(writes):
        if problem is None:
            uploads = _uploads(wave)
            sender = _Sender(connection, assignment_rule_id, on_job, patience)
            problem = yield from sender.send(uploads)
        else:
            yield all_alike(wave, "not_sent")
    if problem is not None:
        raise problem


def hard_delete(connection: "Org", writes: Iterable[Write]) -> Iterator[list[Outcome]]:
    """Deletes records for good, past the recycle bin: a job for each sObject.

    Args:
        connection: the org.
        writes: deletes, each `ref` once.

    Yields:
        As each job ends, the outcomes of its writes.

    Raises:
        AccountStopped: the user has not the right (*Bulk API Hard Delete*); nothing was deleted.
        AccountPaused, OrgUnavailable: as `send_by_bulk`.
    """
    kinds: dict[str, list[Write]] = {}
    for write in writes:
        kinds.setdefault(write.sobject, []).append(write)
    for sobject, of_kind in kinds.items():
        uploads = uploads_of(JobKind(sobject, "hardDelete"), of_kind)
        problem = yield from _Sender(connection, None, None, _HARD_DELETE_SECONDS).send(uploads)
        if problem is not None:
            raise problem


def active_assignment_rule(connection: "Org") -> str | None:
    """The id of the org's active rule for new leads, which a job has to name; None: it has none.

    Raises:
        AccountStopped: the user may not see which it is.
        SalesforceProblem: as `query_all`.
    """
    query = select(("Id",), "AssignmentRule", "SobjectType = 'Lead' AND Active = true")
    try:
        [found] = query_all(connection, [query]).records
    except QueryRefused as refused:
        raise AccountStopped(
            "The org does not show its assignment rules to the user, and bulk jobs must name one",
            "give the user View Setup and Configuration, or set route=composite",
            code=refused.code,
        ) from None
    return str(found[0]["Id"]) if found else None


def settle(connection: "Org", job_id: str, *, patience: float = 60.0) -> bool:
    """Sees to it that a job will write nothing more: aborts it, or waits for its end.

    Returns:
        Whether that is certain; if not, ask again later.

    Raises:
        SalesforceProblem: as `Org.request`.
    """
    deadline = time.monotonic() + patience
    wait = _SHORTEST_WAIT_SECONDS
    while True:
        try:
            state = _state(connection, job_id)["state"]
            if state in _OVER:
                return True
            _set_state(connection, job_id, "Aborted")
        except RequestRefused as refused:
            if refused.status == 404:
                return True  # jobs are forgotten after seven days
        except LostAnswer:
            pass  # the next look tells
        if time.monotonic() + wait > deadline:
            return False
        time.sleep(wait)
        wait = min(2 * wait, _LONGEST_WAIT_SECONDS)


def bulk_query(
    connection: "Org", soql: str, *, include_deleted: bool = False
) -> Iterator[dict[str, str]]:
    """Runs a query of any size, page by page through a temporary file.

    Args:
        connection: the org.
        soql: without compound fields, aggregates or sub-selects.
        include_deleted: whether deleted and archived records are found too.

    Yields:
        Rows by column; all values are text, and what is empty is ''.

    Raises:
        SalesforceProblem: as `Org.request`; OrgUnavailable also where the job fails.
    """
    operation = "queryAll" if include_deleted else "query"
    answer = connection.request(
        "bulk.query", "POST", "jobs/query", json={"operation": operation, "query": soql}
    )
    path = f"jobs/query/{answer.body['id']}"
    wait = _SHORTEST_WAIT_SECONDS
    while (state := connection.request("bulk.state", "GET", path).body["state"]) not in _OVER:
        time.sleep(wait)
        wait = min(2 * wait, _LONGEST_WAIT_SECONDS)
    if state != "JobComplete":
        raise OrgUnavailable(f"A bulk query ended as {state}")
    locator = ""
    while locator != "null":
        page = f"{path}/results?maxRecords={BULK_RESULT_PAGE}"
        with TemporaryFile() as file:
            headers = _download(connection, f"{page}&locator={locator}" if locator else page, file)
            locator = headers.get("Sforce-Locator", "null")
            rows = reader(file)
            header = next(rows, [])
            for row in rows:
                yield dict(zip(header, row, strict=True))


class _Sender:
    """Sends the uploads of one wave, some jobs at once."""

    def __init__(
        self,
        connection: "Org",
        assignment_rule_id: str | None,
        on_job: OnJob | None,
        patience: float,
    ) -> None:
        self._connection = connection
        self._assignment_rule_id = assignment_rule_id
        self._on_job = on_job
        self._patience = patience
        self._rows_per_second = float(_GUESSED_ROWS_PER_SECOND)

    def send(
        self, uploads: Iterator[Upload]
    ) -> Generator[list[Outcome], None, SalesforceProblem | None]:
        """Sends until something says that there is no point in going on; returns why."""
        problem: SalesforceProblem | None = None
        under_way: list[_Job] = []
        while True:
            while problem is None and len(under_way) < _AT_ONCE:
                upload = next(uploads, None)
                if upload is None:
                    break
                job = self._start(upload)
                if isinstance(job, _Job):
                    under_way.append(job)
                else:
                    outcomes, problem = job
                    upload.close()
                    yield outcomes
            if not under_way:
                break
            job = under_way.pop(0)
            outcomes, found = self._finish(job)
            job.upload.close()
            problem = problem or found
            yield outcomes
        for upload in uploads:
            upload.close()
            yield all_alike(upload.writes, "not_sent")
        return problem

    def _start(self, upload: Upload) -> _Job | _Result:
        """Creates, fills and closes a job; until it is closed, all of it may be done again."""
        try:
            job_id = self._filled(upload)
        except RequestRefused as refused:
            problem = AccountStopped(
                f"Salesforce refuses a bulk job on {upload.kind.sobject}: {refused.code}",
                "let this account send by composite calls, or check its mapping",
                code=refused.code,
            )
            return all_alike(upload.writes, "not_sent"), problem
        except SalesforceProblem as stop:
            return all_alike(upload.writes, "not_sent"), stop
        if self._on_job is not None:
            self._on_job(job_id, [write.ref for write in upload.writes])
        lost = False
        try:
            for _ in range(TRIES):
                try:
                    _set_state(self._connection, job_id, "UploadComplete")
                    return _Job(upload, job_id, time.monotonic())
                except LostAnswer:
                    lost = True
                    if _state(self._connection, job_id)["state"] != "Open":
                        return _Job(upload, job_id, time.monotonic())
        except SalesforceProblem as problem:
            return all_alike(upload.writes, "lost" if lost else "not_sent"), problem
        return all_alike(upload.writes, "lost"), OrgUnavailable("A bulk job is out of sight")

    def _filled(self, upload: Upload) -> str:
        """A job that holds all of its rows and does nothing yet."""
        for attempt in range(TRIES):
            job_id = self._created(upload.kind)
            try:
                self._connection.request(
                    "bulk.upload",
                    "PUT",
                    f"jobs/ingest/{job_id}/batches",
                    data=upload.file,
                    headers={"Content-Type": "text/csv"},
                    writes=True,
                )
            except LostAnswer:
                # A job takes one upload, so this one is of no use any more.
                if attempt + 1 == TRIES:
                    raise OrgUnavailable("The org loses every upload") from None
                self._abandon(job_id)
            else:
                return job_id
        raise AssertionError

    def _created(self, kind: JobKind) -> str:
        wanted: dict[str, Any] = {
            "object": kind.sobject,
            "operation": kind.operation,
            "contentType": "CSV",
            "lineEnding": "LF",
            "columnDelimiter": "COMMA",
        }
        if kind.external_id_field:
            wanted["externalIdFieldName"] = kind.external_id_field
        if self._assignment_rule_id and (kind.sobject, kind.operation) == ("Lead", "insert"):
            wanted["assignmentRuleId"] = self._assignment_rule_id
        # It writes nothing: an empty job that nobody knows of does no harm.
        answer = self._connection.request("bulk.job", "POST", "jobs/ingest", json=wanted)
        return str(answer.body["id"])

    def _abandon(self, job_id: str) -> None:
        # Else it stays open and empty, writes nothing, and is forgotten in seven days.
        with suppress(LostAnswer, RequestRefused):
            _set_state(self._connection, job_id, "Aborted")

    def _finish(self, job: _Job) -> _Result:
        try:
            return self._outcomes(job, self._ended(job))
        except SalesforceProblem as problem:
            return all_alike(job.upload.writes, "lost"), problem

    def _ended(self, job: _Job) -> dict[str, Any]:
        """The job's description once it is over; as few looks at it as is sensible."""
        rows = len(job.upload.writes)
        wait = max(
            _SHORTEST_WAIT_SECONDS, rows / self._rows_per_second - time.monotonic() + job.started
        )
        in_vain = 0
        while True:
            time.sleep(min(wait, _LONGEST_WAIT_SECONDS))
            try:
                info = _state(self._connection, job.job_id)
            except OrgUnavailable:
                in_vain += 1
                if in_vain == _LOOKS_IN_VAIN:
                    raise
                wait *= 2
                continue
            elapsed = time.monotonic() - job.started
            if info["state"] in _OVER:
                self._rows_per_second = max(1.0, rows / elapsed)
                return info
            if elapsed > self._patience and not settle(self._connection, job.job_id):
                raise OrgUnavailable("A bulk job takes too long and cannot be aborted")
            wait = next_wait(rows, info.get("numberRecordsProcessed") or 0, elapsed, wait)

    def _outcomes(self, job: _Job, info: dict[str, Any]) -> _Result:
        upload = job.upload
        failed = info.get("numberRecordsFailed") or 0
        processed = info.get("numberRecordsProcessed") or 0
        complete = info["state"] == "JobComplete"
        problem = None if complete else _job_problem(upload.kind.sobject, info)
        if not complete and not processed:
            return all_alike(upload.writes, "not_sent"), problem
        # Of updates that were all worked on, those that did not fail are known to be done.
        rest_is_done = (
            complete and processed == len(upload.writes) and upload.kind.operation in BY_ID
        )
        found: dict[int, Outcome] = {}
        if failed or not complete:
            for write, row in self._results(job, "failedResults", failed):
                error = row_error(row["sf__Error"])
                stop = problem_of(error.code, error.message, 400)
                problem = problem or stop
                status: Status = "error" if stop is None else "not_sent"
                found[write.ref] = Outcome(write.ref, status, errors=(error,))
        if not rest_is_done and processed > failed:
            for write, row in self._results(job, "successfulResults", processed - failed):
                created = row["sf__Created"].lower() == "true"
                found[write.ref] = Outcome(write.ref, "ok", row["sf__Id"], created)
        if not complete:
            for write, _ in self._results(job, "unprocessedrecords"):
                found[write.ref] = Outcome(write.ref, "not_sent")
        return [
            found.get(write.ref)
            or Outcome(write.ref, "ok" if rest_is_done else "lost", write.salesforce_id)
            for write in upload.writes
        ], problem

    def _results(
        self, job: _Job, name: str, expected: int | None = None
    ) -> Iterator[tuple[Write, dict[str, str]]]:
        """The rows of one set of results, each with its write, as far as that can be told."""
        with TemporaryFile() as file:
            _download(self._connection, f"jobs/ingest/{job.job_id}/{name}", file, expected)
            rows = reader(file)
            header = next(rows, [])
            attribution = Attribution(job.upload, header)
            for row in rows:
                write = attribution.take(row)
                if write is not None:
                    yield write, dict(zip(header, row, strict=True))


def next_wait(rows: int, processed: int, elapsed: float, last: float) -> float:
    """Seconds until a look at a job is likely to find it done."""
    if processed:
        likely = elapsed * (rows - processed) / processed * 1.1
        return min(max(likely, _SHORTEST_WAIT_SECONDS), _LONGEST_WAIT_SECONDS)
    return min(2 * last, _LONGEST_WAIT_SECONDS)


def _uploads(wave: Iterable[Write]) -> Iterator[Upload]:
    kinds: dict[JobKind, list[Write]] = {}
    for write in wave:
        external = write.external_id_field if write.action == "upsert" else None
        kind = JobKind(write.sobject, _OPERATIONS[write.action], external)
        kinds.setdefault(kind, []).append(write)
    for kind, writes in kinds.items():
        yield from uploads_of(kind, writes)


def _state(connection: "Org", job_id: str) -> dict[str, Any]:
    answer = connection.request("bulk.state", "GET", f"jobs/ingest/{job_id}")
    info: dict[str, Any] = answer.body
    return info


def _download(
    connection: "Org", path: str, file: IO[bytes], expected: int | None = None
) -> Mapping[str, str]:
    """Puts a page of results into a file, whole, and gives the answer's headers.

    A CSV that is cut off may still look like one, and rows that go missing unnoticed would
    make second persons; so the rows are counted.

    Raises:
        OrgUnavailable: it does not come whole.
    """
    for _ in range(TRIES):
        answer = connection.request(
            "bulk.results", "GET", path, headers={"Accept": "text/csv"}, into=file
        )
        announced = answer.headers.get("Sforce-NumberOfRecords")
        whole = int(announced) if announced is not None else expected
        found = count_rows(file)
        if found is not None and whole in (found, None):
            file.seek(0)
            return answer.headers
    raise OrgUnavailable("The results of a bulk job do not arrive whole")


def _set_state(connection: "Org", job_id: str, state: str) -> None:
    connection.request(
        "bulk.close", "PATCH", f"jobs/ingest/{job_id}", json={"state": state}, writes=True
    )


def _job_problem(sobject: str, info: dict[str, Any]) -> SalesforceProblem:
    """Returns why a job ended early: `errorMessage` says `Code : words`, which may quote rows."""
    if info["state"] == "Aborted":
        return OrgUnavailable(f"The bulk job on {sobject} was aborted in the org")
    message = str(info.get("errorMessage") or "")
    code = known_as_code(message.partition(":")[0].strip())
    if field := _UNKNOWN_FIELD.search(message):
        return AccountStopped(
            f"The bulk job on {sobject} failed: the org shows no field {field[1]}",
            "check the account's mapping, and the user's access to the field",
            code="INVALID_FIELD",
        )
    match decide(code, message, 400):
        case Treatment.PAUSE_ACCOUNT:
            return paused(code, 400)
        case Treatment.RETRY | Treatment.RETRY_SERIALLY:
            return OrgUnavailable(f"The bulk job on {sobject} failed: {code}")
        case _:
            return AccountStopped(
                f"The bulk job on {sobject} failed: {code or 'no code given'}",
                "check the account's mapping, or let it send by composite calls",
                code=code,
            )
