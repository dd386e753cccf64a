"""/composite: up to 25 subrequests in one API call, which may refer to each other's answers."""

import re
from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import parse_qsl

from pydantic import BaseModel, Field, StrictBool

from crm_pipeline.exceptions import PicklableError
from crm_pipeline.local_org.errors import SalesforceError
from crm_pipeline.local_org.rest import body_of
from crm_pipeline.local_org.routing import Answer, Call, Route, plain_path
from crm_pipeline.local_org.store import Org
from crm_pipeline.local_org.tables import Write
from crm_pipeline.local_org.transaction import writing
from crm_pipeline.local_org.weather import AFTER, BEFORE, Interrupted

_MAX_SUBREQUESTS = 25
_MAX_QUERIES_AND_COLLECTIONS = 5
_REFERENCE_ID = re.compile(r"[A-Za-z0-9_]+")
_REFERENCE = re.compile(r"@\{([A-Za-z0-9_]+)((?:\.[A-Za-z0-9_]+|\[\d{1,9}\])*)\}")
_STEP = re.compile(r"\.([A-Za-z0-9_]+)|\[(\d+)\]")
_OWN_TRANSACTION_ONLY = re.compile(r"/services/data/v[\d.]+/(composite(?!/sobjects)|jobs)\b")

_QUERY_OR_COLLECTION = re.compile(
    r"/services/data/v[\d.]+/(query|queryAll|composite/sobjects)\b", re.IGNORECASE
)


class _Subrequest(BaseModel):
    method: Literal["GET", "POST", "PATCH", "PUT", "DELETE", "HEAD"]
    url: str
    reference_id: Any = Field(default=None, alias="referenceId")
    headers: dict[str, str] | None = Field(default=None, alias="httpHeaders")
    body: Any = None


class _Composite(BaseModel):
    all_or_none: StrictBool = Field(default=False, alias="allOrNone")
    subrequests: list[_Subrequest] = Field(min_length=1, alias="compositeRequest")


class _NoValue(PicklableError):  # noqa: N818 - a reference that leads nowhere halts its subrequest
    def __init__(self, path: str, reference_id: str) -> None:
        super().__init__(
            f"Invalid reference specified. No value for {path} found in {reference_id}"
        )


def composite(org: Org, call: Call) -> Answer:
    """`POST /composite`: 200 with an answer to each subrequest, whether it worked or not."""
    given = body_of(call, _Composite)
    _check(given.subrequests)
    refers = _may_refer(call.body)
    with writing(org, call) as context:
        answers: list[Answer] = []
        bodies: dict[str, Any] = {}
        for each in given.subrequests:
            answer = _perform(
                org,
                call,
                each,
                bodies if refers else None,
                context.writes,
                all_or_none=given.all_or_none,
            )
            answers.append(answer)
            bodies[each.reference_id] = answer.body
            if given.all_or_none and _failed(answer):
                context.rollback(context.started_at)
                answers = [_rolled_back() for _ in given.subrequests]
                answers[len(bodies) - 1] = answer
                break
    return Answer(
        body={
            "compositeResponse": [
                {
                    "body": answer.body,
                    "httpHeaders": answer.headers,
                    "httpStatusCode": answer.status,
                    "referenceId": each.reference_id,
                }
                for each, answer in zip(given.subrequests, answers, strict=True)
            ]
        }
    )


def _check(subrequests: list[_Subrequest]) -> None:
    """Salesforce: 25 at most, of which five may be queries or sObject collections."""
    count = len(subrequests)
    if count > _MAX_SUBREQUESTS:
        message = f"The request contains {count} subrequests, the limit is {_MAX_SUBREQUESTS}"
        raise SalesforceError(400, "LIMIT_EXCEEDED", message)
    seen = set()
    for each in subrequests:
        name = each.reference_id
        about = f"Provided referenceId ('{name}')"
        if not isinstance(name, str) or not _REFERENCE_ID.fullmatch(name):
            message = (
                f"{about} must start with a letter or a number, and it can contain only letters, "
                "numbers and underscores ('_')."
            )
            raise SalesforceError(400, "INVALID_REFERENCE_ID", message)
        if name in seen:
            raise SalesforceError(400, "DUPLICATE_REFERENCE_ID", f"{about} is not unique.")
        seen.add(name)
    count = sum(bool(_QUERY_OR_COLLECTION.match(each.url)) for each in subrequests)
    if count > _MAX_QUERIES_AND_COLLECTIONS:
        message = (
            f"The request contains {count} Query, QueryAll or sObject Collections subrequests, "
            f"the limit is {_MAX_QUERIES_AND_COLLECTIONS}"
        )
        raise SalesforceError(400, "LIMIT_EXCEEDED", message)


def _perform(
    org: Org,
    outer: Call,
    given: _Subrequest,
    bodies: Mapping[str, Any] | None,
    writes: list[Write],
    *,
    all_or_none: bool,
) -> Answer:
    """Does one subrequest, weather included; `bodies` is None where nothing refers to them.

    Raises `Interrupted` if the line is to be cut.
    """
    try:
        url = given.url if bodies is None else _resolved_text(given.url, bodies)
        body = given.body if bodies is None else _resolved(given.body, bodies)
    except _NoValue as error:
        return _error("PROCESSING_HALTED", str(error))
    raw_path, _, query = url.partition("?")
    path = plain_path(raw_path).rstrip("/")
    if _OWN_TRANSACTION_ONLY.match(path):
        return _error("INVALID_SUBREQUEST", f"The url {given.url} is not supported here")
    call = Call(
        method=given.method,
        path=path,
        query=dict(parse_qsl(query, keep_blank_values=True)),
        headers={key.lower(): value for key, value in (given.headers or {}).items()},
        body=b"null",
        base_url=outer.base_url,
        session=outer.session,
        locker=outer.locker,
        router=outer.router,
        number=outer.number,
        value=body,
        writes=writes,
        all_or_none=True if all_or_none else None,
    )
    try:
        return _handle(org, outer, call)
    except SalesforceError as error:
        return Answer(status=error.http_status, body=error.body())


def _handle(org: Org, outer: Call, call: Call) -> Answer:
    route, call.params = outer.router.find(call.method, call.path)
    taken = {
        "updated": org.config.updated_in_composite,
        "deleted": org.config.updated_in_composite,
        "collections.retrieve": org.config.retrieve_many_in_composite,
    }
    if not taken.get(route.kind, True):
        message = f"The url {call.path} is not supported here"
        raise SalesforceError(400, "INVALID_SUBREQUEST", message)
    struck = org.weather.take(route.kind)
    if struck is not None:
        fault = struck.fault
        if fault.action in BEFORE:
            raise Interrupted(fault)
        if fault.action == "error":
            raise SalesforceError(fault.status, fault.code, fault.message)
        if fault.action in AFTER:
            outer.fault_after = fault
        if fault.action == "hold":
            outer.hold_seconds = fault.seconds
        call.locker = org.weather.locker(call.number, struck)
    return route.handler(org, call)


def _failed(answer: Answer) -> bool:
    """Returns whether a subrequest fails the whole: an error, or a collection's failed record."""
    if answer.status >= 300:
        return True
    return isinstance(answer.body, list) and any(
        isinstance(each, dict) and each.get("success") is False for each in answer.body
    )


def _rolled_back() -> Answer:
    text = "The transaction was rolled back since another operation in the same transaction failed."
    return _error("PROCESSING_HALTED", text)


def _error(code: str, message: str) -> Answer:
    return Answer(status=400, body=[{"errorCode": code, "message": message}])


def _may_refer(body: bytes) -> bool:
    """Returns whether a reference may be somewhere: a look that spares a walk over every value."""
    return b"@{" in body or b"\\u" in body


def _resolved(value: Any, bodies: Mapping[str, Any]) -> Any:
    """Replaces the references in a subrequest's body. Raises `_NoValue`."""
    if isinstance(value, str):
        whole = _REFERENCE.fullmatch(value)
        return _referenced(whole, bodies) if whole else _resolved_text(value, bodies)
    if isinstance(value, dict):
        return {key: _resolved(each, bodies) for key, each in value.items()}
    if isinstance(value, list):
        return [_resolved(each, bodies) for each in value]
    return value


def _resolved_text(text: str, bodies: Mapping[str, Any]) -> str:
    if "@{" not in text:
        return text
    return _REFERENCE.sub(lambda match: str(_referenced(match, bodies)), text)


def _referenced(match: re.Match[str], bodies: Mapping[str, Any]) -> Any:
    reference_id, steps = match.groups()
    if reference_id not in bodies:
        raise _NoValue(reference_id + steps, reference_id)
    value = bodies[reference_id]
    for name, place in _STEP.findall(steps):
        try:
            value = value[int(place)] if place else value[name]
        except (KeyError, IndexError, TypeError):
            raise _NoValue(reference_id + steps, reference_id) from None
    if value is None:
        raise _NoValue(reference_id + steps, reference_id)
    return value


ROUTES = (Route("POST", "/services/data/v{version}/composite", "composite", composite),)
