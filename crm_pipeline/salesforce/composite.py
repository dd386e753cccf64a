"""Composite calls: many requests for the price of one; and queries packed into them."""

import random
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote as url_quote

from crm_pipeline.salesforce.answers import error_of
from crm_pipeline.salesforce.errors import (
    AccountStopped,
    LostAnswer,
    OrgUnavailable,
    RequestRefused,
    Treatment,
    decide,
    paused,
    problem_of,
    stopped,
)
from crm_pipeline.salesforce.limits import (
    COMPOSITE_QUERIES_OR_COLLECTIONS,
    COMPOSITE_SUBREQUESTS,
    FIRST_WAIT_SECONDS,
    PARALLEL_REQUESTS,
    TRIES,
)
from crm_pipeline.tracing import carried

if TYPE_CHECKING:
    from crm_pipeline.salesforce.connection import Org

Record = dict[str, Any]


class Subrequest(NamedTuple):
    """One request inside of a composite call.

    Attributes:
        reference_id: unique in the call; letters, digits and underscores.
        method: HTTP method.
        path: complete, or below `/services/data/v…/`.
        body: a JSON value (orjson fragments are taken as they are), or None.
        kind: under what the call is counted.
        headers: further ones, since it inherits none of the call's.
    """

    reference_id: str
    method: str
    path: str
    body: Any = None
    kind: str = "composite"
    headers: Mapping[str, str] | None = None


class SubAnswer(NamedTuple):
    """The answer to one subrequest: HTTP status and parsed body; only errors are lists."""

    status: int
    body: Any

    @property
    def error(self) -> tuple[str, str] | None:
        """Code and message, where the subrequest failed."""
        if self.status < 400:
            return None
        code, message, _ = error_of(self.body)
        return code, message


def described(sobject: str, answer: SubAnswer) -> Any:
    """Returns the body of a describe.

    Raises:
        AccountStopped: the org has no such object, or hides it.
        AccountPaused: a limit is reached.
        OrgUnavailable: it is not described now.
    """
    if answer.error is None:
        return answer.body
    code, message = answer.error
    problem = problem_of(code, message, answer.status)
    if problem is None and answer.status >= 500:
        problem = OrgUnavailable(f"The org does not describe {sobject} now: {code}")
    if problem is None or isinstance(problem, AccountStopped):
        problem = AccountStopped(
            f"The org does not show {sobject} to the user",
            f"give the user Read, Create and Edit on {sobject}",
        )
    raise problem


class QueryResult(NamedTuple):
    """The records of each query, and the answers to what rode along."""

    records: list[list[Record]]
    also: list[SubAnswer]


class QueryRefused(AccountStopped):
    """The org does not have, or does not show, what a query asks for.

    Attributes:
        also: the answers to what rode along, which may tell what it does have.
    """

    def __init__(self, cause: AccountStopped, also: list[SubAnswer]) -> None:
        super().__init__(cause.reason, cause.action, code=cause.code)
        self.also = also


def composite(
    connection: "Org",
    subrequests: Sequence[Subrequest],
    *,
    writes: bool = False,
) -> list[SubAnswer]:
    """Sends up to 25 subrequests, of which at most 5 queries or collections, as one API call.

    Each stands alone: one that fails stops no other. No value of a body may contain `@{`, by
    which subrequests refer to each other.

    Args:
        connection: the org.
        subrequests: in the order in which the org works on them.
        writes: whether any of them may change something.

    Returns:
        Their answers, in the same order.

    Raises:
        SalesforceProblem: as `Org.request`; LostAnswer also where the answer is not
            one of a composite.
    """
    if len(subrequests) > COMPOSITE_SUBREQUESTS:
        raise ValueError(f"{len(subrequests)} subrequests, the limit is {COMPOSITE_SUBREQUESTS}")
    answer = connection.request(
        "+".join(sorted({each.kind for each in subrequests})),
        "POST",
        "composite",
        json={
            "allOrNone": False,
            "compositeRequest": [_written(connection, each) for each in subrequests],
        },
        writes=writes,
    )
    try:
        answers = {
            each["referenceId"]: SubAnswer(each["httpStatusCode"], each["body"])
            for each in answer.body["compositeResponse"]
        }
        return [answers[each.reference_id] for each in subrequests]
    except (TypeError, KeyError):
        reason = "The org's answer is not one to a composite call"
        raise (LostAnswer(reason) if writes else OrgUnavailable(reason)) from None


def query_all(
    connection: "Org",
    queries: Sequence[str],
    *,
    also: Sequence[Subrequest] = (),
    include_deleted: bool = False,
    parallel: int = PARALLEL_REQUESTS,
) -> QueryResult:
    """Runs queries to their last page, five to an API call.

    Following pages are packed together in the same way; a query whose cursor is gone starts
    again.

    Args:
        connection: the org.
        queries: SOQL.
        also: further subrequests (describes), which ride in the first call for nothing; their
            failures are the caller's to see.
        include_deleted: whether deleted and archived records are found too (queryAll).
        parallel: most calls at once.

    Raises:
        QueryRefused: a query names what the org does not have.
        SalesforceProblem: as `Org.request`.
    """
    run = _Queries([query_path(query, include_deleted=include_deleted) for query in queries])
    also_answers: list[SubAnswer] = []
    with ThreadPoolExecutor(max_workers=parallel) as pool:
        while run.waiting or (also and not also_answers):
            gets = [
                Subrequest(f"q{index}", "GET", path, kind="query") for index, path in run.take()
            ]
            calls = [
                gets[start : start + COMPOSITE_QUERIES_OR_COLLECTIONS]
                for start in range(0, len(gets), COMPOSITE_QUERIES_OR_COLLECTIONS)
            ] or [[]]
            rides = [] if also_answers else list(also)
            calls[0] += rides
            answers = list(pool.map(carried(lambda call: composite(connection, call)), calls))
            if rides:
                also_answers = answers[0][-len(rides) :]
                del answers[0][-len(rides) :]
            try:
                for answer in answers:
                    run.read(answer)
            except AccountStopped as refused:
                raise QueryRefused(refused, also_answers) from None
    return QueryResult(run.records, also_answers)


def query_path(soql: str, *, include_deleted: bool = False) -> str:
    """The path of a query, for a subrequest."""
    return f"{'queryAll' if include_deleted else 'query'}/?q={_encoded(soql)}"


class _Queries:
    """Queries on their way to their last page."""

    def __init__(self, paths: list[str]) -> None:
        self.records: list[list[Record]] = [[] for _ in paths]
        self.waiting = dict(enumerate(paths))
        self._paths = paths
        self._taken: list[int] = []
        self._asked: dict[int, str] = {}
        self._tries = [0] * len(paths)

    def take(self) -> list[tuple[int, str]]:
        """All that wait, to be asked for now and read in this order."""
        if any(self._tries[index] for index in self.waiting):
            most = max(self._tries[index] for index in self.waiting)
            # Jitter is no secret.
            time.sleep(FIRST_WAIT_SECONDS * 2 ** (most - 1) * random.uniform(0.5, 1.0))  # noqa: S311
        taken, self.waiting = list(self.waiting.items()), {}
        self._taken = [index for index, _ in taken]
        self._asked = dict(taken)
        return taken

    def read(self, answers: Iterable[SubAnswer]) -> None:
        """Reads the answers to the next of those taken."""
        for answer in answers:
            index = self._taken.pop(0)
            error = answer.error
            if error is not None:
                self._again(index, *error, answer.status)
                continue
            page = answer.body
            if not _is_page(page):
                self._again(index, "UNKNOWN_EXCEPTION", "", 500)
                continue
            self._tries[index] = 0
            self.records[index] += page["records"]
            if not page["done"]:
                self.waiting[index] = page["nextRecordsUrl"]

    def _again(self, index: int, code: str, message: str, status: int) -> None:
        self._tries[index] += 1
        match decide(code, message, status):
            case Treatment.STOP_ACCOUNT:
                raise stopped(code, status, message)
            case Treatment.PAUSE_ACCOUNT:
                raise paused(code, status)
            case Treatment.RETRY | Treatment.LOG_IN_AGAIN if self._tries[index] < TRIES:
                self.waiting[index] = self._asked[index]
            case Treatment.RESTART_QUERY if self._tries[index] < TRIES:
                self.records[index] = []
                self.waiting[index] = self._paths[index]
            case Treatment.RETRY | Treatment.LOG_IN_AGAIN | Treatment.RESTART_QUERY:
                raise OrgUnavailable(f"A query cannot be answered now: {code} (HTTP {status})")
            case _:
                raise RequestRefused(status, code, message)


def _written(connection: "Org", each: Subrequest) -> dict[str, Any]:
    written: dict[str, Any] = {
        "referenceId": each.reference_id,
        "method": each.method,
        "url": connection.path(each.path),
    }
    if each.body is not None:
        written["body"] = each.body
    if each.headers:
        written["httpHeaders"] = each.headers
    return written


def _is_page(body: Any) -> bool:
    """Returns whether an answer is that of a query: records, and where further ones are."""
    if not isinstance(body, dict) or not isinstance(body.get("records"), list):
        return False
    if not all(isinstance(record, dict) for record in body["records"]):
        return False
    return body.get("done") is True or isinstance(body.get("nextRecordsUrl"), str)


# Characters that may not stand in a URL; and the brace, which would refer to another subrequest.
_UNSAFE = {character: url_quote(character, safe="") for character in '%&#+{}|\\^`<>"[]'}


def _encoded(soql: str) -> str:
    """A query as a parameter of a URL; `urllib.parse.quote` takes 20 times as long."""
    if not soql.isascii():
        return url_quote(soql, safe="")
    for character, code in _UNSAFE.items():
        soql = soql.replace(character, code)
    return soql.replace(" ", "+")
