"""Sending writes by composite calls: a thousand records to an API call.

A write is never sent a second time here, whatever happens: what was sent and not answered is
reported as lost, and it is for the caller to look it up.
"""

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import chain
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from crm_pipeline.salesforce.answers import known_as_code
from crm_pipeline.salesforce.composite import SubAnswer, Subrequest, composite
from crm_pipeline.salesforce.errors import (
    AccountStopped,
    LostAnswer,
    OrgUnavailable,
    RequestRefused,
    SalesforceProblem,
    Treatment,
    decide,
    problem_of,
    stopped,
)
from crm_pipeline.salesforce.limits import (
    COMPOSITE_QUERIES_OR_COLLECTIONS,
    COMPOSITE_SUBREQUESTS,
    PARALLEL_REQUESTS,
)
from crm_pipeline.salesforce.outcomes import Outcome, RowError, Write, all_alike
from crm_pipeline.salesforce.packing import (
    REFERENCE,
    Collection,
    by_parents,
    collections_of,
    waves_of,
)
from crm_pipeline.salesforce.values import is_record_id
from crm_pipeline.tracing import carried

if TYPE_CHECKING:
    from crm_pipeline.salesforce.connection import Org

AUTO_ASSIGN = "Sforce-Auto-Assign"
"""TRUE (the default of Salesforce): the active assignment rule; FALSE: none."""

HALVINGS = 24
"""Halvings of a refused collection: each takes two calls, and eight find one record among 200."""

REFUSES_ALL_FOR_ONE = frozenset(("JSON_PARSER_ERROR",))
"""Salesforce reads a collection whole: one value of the wrong type, and none of it is taken."""

PEOPLE = frozenset(("Lead", "Contact"))
"""Objects whose records stand for a person."""

_LOST_IN_A_ROW = 2
"""After so many lost answers the org is taken to be gone, and nothing more is sent."""

More = Callable[[], Sequence[Write]]
"""Asked for further writes while others are under way; for none, when there is nothing now."""

_Call = Sequence[Collection]
_Result = tuple[list[Outcome], SalesforceProblem | None]


_NAMED = 3


class Duplicate(NamedTuple):
    """A record that a duplicate rule names."""

    sobject: str
    salesforce_id: str


class SingleCreated(NamedTuple):
    """The result of a create that went alone, and the people whom it met, best first.

    Where a duplicate rule names other records only, such as an Account, the error names them.
    """

    outcome: Outcome
    duplicates: list[Duplicate]


def send_by_composite(
    connection: "Org",
    writes: Iterable[Write],
    *,
    headers: Mapping[str, str] | None = None,
    parallel: int = PARALLEL_REQUESTS,
    more: More = list,
) -> Iterator[list[Outcome]]:
    """Sends writes in composite calls of five collections of 200, some of them at once.

    Args:
        connection: the org.
        writes: each `ref` once. The order is kept among those with the same group key, and
            among writes to the same record.
        headers: of each collection (`Sforce-Auto-Assign`, `Sforce-Duplicate-Rule-Header`).
            Assignment rules run on new records only: an update would take a lead from its owner.
        parallel: most calls at once.
        more: gives writes that can go only when others have gone. Asked after each of the
            outcomes was taken, and while the first calls are under way; what it gives does not
            share calls with what is there already.

    Yields:
        As each call ends, the outcomes of its writes. Each write has one outcome in all.

    Raises:
        AccountStopped, AccountPaused, OrgUnavailable: after the last outcomes, where the rest
            was not sent for this reason.
    """
    problem: SalesforceProblem | None = None
    for wave in waves_of(writes):
        if problem is None:
            problem = yield from _send(connection, _calls_of(wave), headers, parallel, more)
        elif wave:
            yield all_alike(wave, "not_sent")
    if problem is not None:
        raise problem


def single_create(
    connection: "Org",
    writes: Sequence[Write],
    *,
    headers: Mapping[str, str] | None = None,
) -> list[SingleCreated]:
    """Creates up to 25 records, each by itself, in one API call.

    A collection only says that a duplicate rule struck; a single create also says which
    records it found. (It may also succeed, where the duplicate is gone by now.)

    Raises:
        AccountStopped, AccountPaused, OrgUnavailable: nothing was written.
    """
    if len(writes) > COMPOSITE_SUBREQUESTS:
        raise ValueError(f"{len(writes)} creates, the limit is {COMPOSITE_SUBREQUESTS}")
    results = []
    for alone, call in _apart(writes):
        try:
            answers = _create_each(connection, call, headers, alone=alone)
        except LostAnswer:
            results += [SingleCreated(lost, []) for lost in all_alike(call, "lost")]
            continue
        for write, answer in zip(call, answers, strict=True):
            [outcome], problem = _read_failure([write], answer) or _read_created(write, answer)
            if problem is not None:
                raise problem
            named = _duplicates(answer.body)
            people = [each for each in named if each.sobject in PEOPLE]
            results.append(SingleCreated(outcome if people else _naming(outcome, named), people))
    order = {write.ref: place for place, write in enumerate(writes)}
    return sorted(results, key=lambda result: order[result.outcome.ref])


def _calls_of(wave: Sequence[Write]) -> Iterator[_Call]:
    """Calls of which no two lock the same parent, unless it has more rows than fit one."""
    for part in by_parents(wave):
        yield from _calls_of_part(part)


def _calls_of_part(part: Iterable[Write]) -> Iterator[_Call]:
    """Collections, five to a call; one that a composite would misread goes by itself."""
    call: list[Collection] = []
    for collection in collections_of(part):
        if collection.body is not None and REFERENCE in collection.body:
            yield [collection]
            continue
        call.append(collection)
        if len(call) == COMPOSITE_QUERIES_OR_COLLECTIONS:
            yield call
            call = []
    if call:
        yield call


class _Going:
    """Stops further calls after a fatal answer or two lost ones in a row; each call asks first."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._lost_in_a_row = 0
        self.problem: SalesforceProblem | None = None

    def ended(self, outcomes: Sequence[Outcome], problem: SalesforceProblem | None) -> None:
        """Takes in how a call ended."""
        with self._lock:
            lost = outcomes[0].status == "lost"
            self._lost_in_a_row = self._lost_in_a_row + 1 if lost else 0
            if self._lost_in_a_row >= _LOST_IN_A_ROW:
                problem = problem or OrgUnavailable("The org stopped answering")
            self.problem = self.problem or problem


def _send(
    connection: "Org",
    calls: Iterator[_Call],
    headers: Mapping[str, str] | None,
    parallel: int,
    more: More,
) -> Generator[list[Outcome], None, SalesforceProblem | None]:
    """Sends calls until one says that there is no point in going on; returns why.

    As many calls again as are under way lie ready, so that none waits until the caller has done
    with the outcomes of others.
    """
    going = _Going()
    pool = ThreadPoolExecutor(max_workers=parallel)
    try:
        under_way: list[Future[list[Outcome]]] = []
        while True:
            while going.problem is None and len(under_way) < 2 * parallel:
                call = next(calls, None)
                if call is None:
                    break
                under_way.append(pool.submit(carried(_send_call), connection, call, headers, going))
            if going.problem is None and (further := more()):
                calls = chain(calls, _calls_of(further))
                continue
            if not under_way:
                break
            wait(under_way, return_when=FIRST_COMPLETED)
            # Of those that ended, the one that was sent first: more may depend on it.
            first = next(future for future in under_way if future.done())
            under_way.remove(first)
            yield first.result()
    finally:
        # Requests that only lie ready are not sent any more once the caller is interrupted.
        pool.shutdown(cancel_futures=True)
    for call in calls:
        yield all_alike(_writes_of(call), "not_sent")
    return going.problem


def _writes_of(call: _Call) -> list[Write]:
    return [write for part in call for write in part.writes]


def _send_call(
    connection: "Org", call: _Call, headers: Mapping[str, str] | None, going: _Going
) -> list[Outcome]:
    if going.problem is not None:
        return all_alike(_writes_of(call), "not_sent")
    outcomes, problem = _outcomes_of(connection, call, headers)
    going.ended(outcomes, problem)
    return outcomes


def _outcomes_of(
    connection: "Org",
    call: _Call,
    headers: Mapping[str, str] | None,
    *,
    halving: bool = True,
) -> _Result:
    writes = _writes_of(call)
    try:
        answers = _exchange(connection, call, headers)
    except LostAnswer:
        return all_alike(writes, "lost"), None
    except RequestRefused as refused:
        error = RowError(refused.code, refused.message, refused.fields)
        return all_alike(writes, "error", (error,)), None
    except SalesforceProblem as problem:
        return all_alike(writes, "not_sent"), problem
    outcomes: list[Outcome] = []
    problem_found: SalesforceProblem | None = None
    for part, answer in zip(call, answers, strict=True):
        code, _ = answer.error or ("", "")
        if halving and code in REFUSES_ALL_FOR_ONE and len(part.writes) > 1:
            of_part, found = _in_halves(connection, list(part.writes), headers)
        else:
            of_part, found = _read_failure(part.writes, answer) or _read_rows(part, answer.body)
        outcomes += of_part
        problem_found = problem_found or found
    return outcomes, problem_found


def _in_halves(
    connection: "Org", writes: list[Write], headers: Mapping[str, str] | None
) -> _Result:
    """Sends a refused collection again by halves, until what it was refused for is alone.

    Nothing of it was written. Where that takes too many calls, the records are not at fault.
    """
    outcomes: list[Outcome] = []
    refused = [writes]
    for _ in range(HALVINGS):
        chunk = refused.pop()
        for half in (chunk[: len(chunk) // 2], chunk[len(chunk) // 2 :]):
            of_half, problem = _outcomes_of(
                connection, list(collections_of(half)), headers, halving=False
            )
            if not isinstance(problem, AccountStopped) or problem.code not in REFUSES_ALL_FOR_ONE:
                outcomes += of_half
            elif len(half) == 1:
                outcomes += all_alike(half, "error", of_half[0].errors)
                problem = None
            else:
                refused.append(half)
                problem = None
            if problem is not None:
                return _rest_not_sent(writes, outcomes), problem
        if not refused:
            return outcomes, None
    return _rest_not_sent(writes, outcomes), stopped("JSON_PARSER_ERROR", 400)


def _rest_not_sent(writes: Sequence[Write], outcomes: list[Outcome]) -> list[Outcome]:
    known = {outcome.ref for outcome in outcomes}
    return [*outcomes, *all_alike([w for w in writes if w.ref not in known], "not_sent")]


def _exchange(connection: "Org", call: _Call, headers: Mapping[str, str] | None) -> list[SubAnswer]:
    first = call[0]
    if len(call) == 1 and first.body is not None and REFERENCE in first.body:
        answer = connection.request(
            first.action,
            first.method,
            first.path,
            data=first.body,
            headers=_headers_of(first, headers),
            writes=True,
        )
        return [SubAnswer(answer.status, answer.body)]
    subrequests = [
        Subrequest(
            f"c{place}",
            part.method,
            part.path,
            None if part.body is None else orjson.Fragment(part.body),
            part.action,
            _headers_of(part, headers),
        )
        for place, part in enumerate(call)
    ]
    return composite(connection, subrequests, writes=True)


def _headers_of(part: Collection, headers: Mapping[str, str] | None) -> Mapping[str, str] | None:
    """The headers of a collection: without assignment rules where records may be there."""
    if part.action == "create" or not headers or AUTO_ASSIGN not in headers:
        return headers
    return {**headers, AUTO_ASSIGN: "FALSE"}


def _read_failure(writes: Sequence[Write], answer: SubAnswer) -> _Result | None:
    """The outcomes where a subrequest failed as a whole; None where it did not."""
    if answer.error is None:
        return None
    code, message = answer.error
    error = RowError(code, message)
    problem = problem_of(code, message, answer.status)
    if problem is not None:
        return all_alike(writes, "not_sent", (error,)), problem
    if not code or answer.status >= 500 or decide(code, message, 400) is Treatment.RETRY:
        return all_alike(writes, "lost"), None
    return all_alike(writes, "error", (error,)), None


def _read_rows(part: Collection, rows: Any) -> _Result:
    """The outcomes of a collection that was worked on: 200, although rows may have failed."""
    if not isinstance(rows, list) or len(rows) != len(part.writes):
        return all_alike(part.writes, "lost"), None
    new = part.action == "create"
    outcomes = []
    problem: SalesforceProblem | None = None
    for write, row in zip(part.writes, rows, strict=True):
        if not isinstance(row, dict) or (row.get("success") and not _names_a_record(row.get("id"))):
            outcomes.append(Outcome(write.ref, "lost"))
            continue
        if row.get("success"):
            outcomes.append(Outcome(write.ref, "ok", row["id"], new or bool(row.get("created"))))
            continue
        errors = _row_errors(row)
        found = problem_of(errors[0].code, errors[0].message, 400)
        problem = problem or found
        outcomes.append(Outcome(write.ref, "error" if found is None else "not_sent", errors=errors))
    return outcomes, problem


def _names_a_record(value: Any) -> bool:
    return isinstance(value, str) and value.isascii() and value.isalnum()


def _row_errors(row: Mapping[str, Any]) -> tuple[RowError, ...]:
    """A collection says `statusCode` where others say `errorCode`."""
    errors = _dicts(row.get("errors"))
    return tuple(
        RowError(
            known_as_code(error.get("statusCode") or error.get("errorCode")),
            str(error.get("message") or ""),
            tuple(map(str, fields)) if isinstance(fields := error.get("fields"), list) else (),
        )
        for error in errors or [{}]
    )


def _apart(writes: Sequence[Write]) -> list[tuple[bool, list[Write]]]:
    """Creates that a composite would misread, each for itself, and the others together."""
    together: list[Write] = []
    apart: list[tuple[bool, list[Write]]] = []
    for write in writes:
        if REFERENCE in orjson.dumps(write.fields):
            apart.append((True, [write]))
        else:
            together.append(write)
    return [*([(False, together)] if together else []), *apart]


def _create_each(
    connection: "Org",
    writes: Sequence[Write],
    headers: Mapping[str, str] | None,
    *,
    alone: bool,
) -> list[SubAnswer]:
    subrequests = [
        Subrequest(
            f"s{place}", "POST", f"sobjects/{write.sobject}", write.fields, "create", headers
        )
        for place, write in enumerate(writes)
    ]
    if not alone:
        return composite(connection, subrequests, writes=True)
    [only] = subrequests
    try:
        answer = connection.request(
            "create", only.method, only.path, json=only.body, headers=headers, writes=True
        )
    except RequestRefused as refused:
        return [SubAnswer(refused.status, refused.body)]
    return [SubAnswer(answer.status, answer.body)]


def _read_created(write: Write, answer: SubAnswer) -> _Result:
    created = answer.body if isinstance(answer.body, dict) else {}
    if not created.get("success") or not _names_a_record(created.get("id")):
        return all_alike([write], "lost"), None
    return [Outcome(write.ref, "ok", created["id"], created=True)], None


def _duplicates(body: Any) -> list[Duplicate]:
    """The records that DUPLICATES_DETECTED names; the key really is misspelt.

    A rule may name an Account, or what our user does not see: nobody whom an activity belongs to.
    """
    named = []
    for error in _dicts(body):
        result = error.get("duplicateResut") or error.get("duplicateResult")
        for match in _dicts(_of(result, "matchResults")):
            for matched in _dicts(match.get("matchRecords")):
                record = matched.get("record")
                sobject = _of(_of(record, "attributes"), "type") or match.get("entityType")
                record_id = _of(record, "Id")
                if isinstance(sobject, str) and is_record_id(record_id):
                    named.append(Duplicate(sobject, str(record_id)))
    return list(dict.fromkeys(named))


def _naming(outcome: Outcome, named: Sequence[Duplicate]) -> Outcome:
    """The outcome, whose errors say which records the rule named."""
    if not named:
        return outcome
    records = ", ".join(f"{each.sobject} {each.salesforce_id}" for each in named[:_NAMED])
    more = f" and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
    told = f"the duplicate rule names nobody, but {records}{more}"
    errors = [error._replace(message=f"{error.message} ({told})") for error in outcome.errors]
    return outcome._replace(errors=tuple(errors))


def _of(whole: Any, name: str) -> Any:
    return whole.get(name) if isinstance(whole, dict) else None


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
