"""/composite: up to 25 subrequests in one API call, which may refer to each other's answers."""

import re
from collections.abc import Iterable, Mapping, MutableSequence
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from crm_pipeline.local_org.errors import SalesforceError
from crm_pipeline.local_org.routing import Answer, Call, Route, json_object, malformed_json
from crm_pipeline.local_org.store import Org
from crm_pipeline.local_org.transaction import Write
from crm_pipeline.local_org.weather import AFTER, BEFORE, Interrupted
from crm_pipeline.local_org.writing import writing

_MAX_SUBREQUESTS = 25
_MAX_QUERIES_AND_COLLECTIONS = 5
_METHODS = frozenset({"GET", "POST", "PATCH", "PUT", "DELETE", "HEAD"})
_REFERENCE_ID = re.compile(r"[A-Za-z0-9_]+")
_REFERENCE = re.compile(r"@\{([A-Za-z0-9_]+)((?:\.[A-Za-z0-9_]+|\[\d+\])*)\}")
_STEP = re.compile(r"\.([A-Za-z0-9_]+)|\[(\d+)\]")
_OWN_TRANSACTION_ONLY = re.compile(r"/services/data/v[\d.]+/(composite(?!/sobjects)|jobs)\b")

_QUERY_OR_COLLECTION = re.compile(
    r"/services/data/v[\d.]+/(query|queryAll|composite/sobjects)\b", re.IGNORECASE
)

Subrequest = Mapping[str, Any]


class _NoValue(Exception):  # noqa: N818 - a reference that leads nowhere halts its subrequest
    def __init__(self, path: str, reference_id: str) -> None:
        super().__init__(
            f"Invalid reference specified. No value for {path} found in {reference_id}"
        )


def composite(org: Org, call: Call) -> Answer:
    """`POST /composite`: 200 with an answer to each subrequest, whether it worked or not."""
    body = json_object(call)
    all_or_none = body.get("allOrNone", False)
    if not isinstance(all_or_none, bool):
        raise malformed_json("allOrNone is not a boolean")
    subrequests = _checked_subrequests(body.get("compositeRequest"))
    _check_reference_ids(subrequests)
    _refuse_too_many_queries(subrequests)
    with writing(org, call) as context:
        answers: list[Answer] = []
        bodies: dict[str, Any] = {}
        for each in subrequests:
            answer = _perform(org, call, each, bodies, context.writes, all_or_none=all_or_none)
            answers.append(answer)
            bodies[each["referenceId"]] = answer.body
            if all_or_none and _failed(answer):
                context.rollback(context.started_at)
                answers = [_rolled_back() for _ in subrequests]
                answers[len(bodies) - 1] = answer
                break
    return Answer(
        body={
            "compositeResponse": [
                {
                    "body": answer.body,
                    "httpHeaders": answer.headers,
                    "httpStatusCode": answer.status,
                    "referenceId": each["referenceId"],
                }
                for each, answer in zip(subrequests, answers, strict=True)
            ]
        }
    )


def _checked_subrequests(given: Any) -> list[Subrequest]:
    """The subrequests of a body, each with a method and a url. Raises for all other shapes."""
    if not isinstance(given, list) or not given:
        raise malformed_json("compositeRequest is not a list of subrequests")
    if len(given) > _MAX_SUBREQUESTS:
        raise SalesforceError(
            400,
            "LIMIT_EXCEEDED",
            f"The request contains {len(given)} subrequests, the limit is {_MAX_SUBREQUESTS}",
        )
    for each in given:
        if not isinstance(each, dict) or not isinstance(each.get("url"), str):
            raise malformed_json("a subrequest has no url")
        method = each.get("method")
        if not isinstance(method, str) or method not in _METHODS:
            raise malformed_json("a subrequest has no valid method")
        headers = each.get("httpHeaders")
        if headers is not None and not _is_map_of_texts(headers):
            raise malformed_json("httpHeaders of a subrequest is not a map of strings")
    return given


def _is_map_of_texts(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(each, str) for each in value.values())


def _check_reference_ids(subrequests: Iterable[Subrequest]) -> None:
    seen = set()
    for each in subrequests:
        reference_id = each.get("referenceId")
        if not isinstance(reference_id, str) or not _REFERENCE_ID.fullmatch(reference_id):
            raise SalesforceError(
                400,
                "INVALID_REFERENCE_ID",
                f"Provided referenceId ('{reference_id}') must start with a letter or a number, "
                "and it can contain only letters, numbers and underscores ('_').",
            )
        if reference_id in seen:
            raise SalesforceError(
                400,
                "DUPLICATE_REFERENCE_ID",
                f"Provided referenceId ('{reference_id}') is not unique.",
            )
        seen.add(reference_id)


def _refuse_too_many_queries(subrequests: Iterable[Subrequest]) -> None:
    """Salesforce: at most five of the subrequests may be queries or sObject collections."""
    count = sum(bool(_QUERY_OR_COLLECTION.match(each["url"])) for each in subrequests)
    if count > _MAX_QUERIES_AND_COLLECTIONS:
        raise SalesforceError(
            400,
            "LIMIT_EXCEEDED",
            f"The request contains {count} Query, QueryAll or sObject Collections subrequests, "
            f"the limit is {_MAX_QUERIES_AND_COLLECTIONS}",
        )


def _perform(
    org: Org,
    outer: Call,
    given: Subrequest,
    bodies: Mapping[str, Any],
    writes: list[Write],
    *,
    all_or_none: bool,
) -> Answer:
    """Does one subrequest, weather included. Raises `Interrupted` if the line is to be cut."""
    try:
        path, query = _split_url(_resolved_text(given["url"], bodies))
        body = _resolved(given.get("body"), bodies)
    except _NoValue as error:
        return _error(400, "PROCESSING_HALTED", str(error))
    except ValueError:
        return _error(400, "INVALID_SUBREQUEST", f"The url {given['url']} is malformed")
    if _OWN_TRANSACTION_ONLY.match(path):
        return _error(400, "INVALID_SUBREQUEST", f"The url {given['url']} is not supported here")
    call = Call(
        method=given["method"],
        path=path,
        query=query,
        headers={key.lower(): value for key, value in (given.get("httpHeaders") or {}).items()},
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


def _split_url(url: str) -> tuple[str, dict[str, str]]:
    parts = urlsplit(url)
    return unquote(parts.path).rstrip("/"), dict(parse_qsl(parts.query, keep_blank_values=True))


def _handle(org: Org, outer: Call, call: Call) -> Answer:
    route, call.params = outer.router.find(call.method, call.path)
    struck = org.weather.take(route.kind_of(call))
    if struck is not None:
        fault = struck.fault
        if fault.action in BEFORE:
            raise Interrupted(fault)
        if fault.action == "error":
            raise SalesforceError(fault.status, fault.code, fault.message)
        if fault.action in AFTER:
            outer.fault_after = fault
        call.locker = org.weather.locker(call.number, struck)
    return route.handler(org, call)


def _failed(answer: Answer) -> bool:
    """Whether a subrequest fails the whole: an error, or a collection's record that failed."""
    if answer.status >= 300:
        return True
    return isinstance(answer.body, list) and any(
        isinstance(each, dict) and each.get("success") is False for each in answer.body
    )


def _rolled_back() -> Answer:
    return _error(
        400,
        "PROCESSING_HALTED",
        "The transaction was rolled back since another operation in the same transaction failed.",
    )


def _error(status: int, code: str, message: str) -> Answer:
    return Answer(status=status, body=[{"errorCode": code, "message": message}])


def _resolved(value: Any, bodies: Mapping[str, Any]) -> Any:
    """Replaces the references in a subrequest's body. Raises `_NoValue`."""
    if isinstance(value, str):
        whole = _REFERENCE.fullmatch(value)
        return _referenced(whole, bodies) if whole else _resolved_text(value, bodies)
    if isinstance(value, dict):
        return {key: _resolved(each, bodies) for key, each in value.items()}
    if isinstance(value, MutableSequence):
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
