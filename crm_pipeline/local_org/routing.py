"""A call and its answer, and the table of routes: the same for the wire and for subrequests."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import orjson
from starlette.routing import compile_path

from crm_pipeline.local_org.config import Fault
from crm_pipeline.local_org.errors import SalesforceError
from crm_pipeline.local_org.open_transactions import OpenTransaction
from crm_pipeline.local_org.store import Org, Session
from crm_pipeline.local_org.tables import Locker, Write

FIRST_VERSION = 46
LAST_VERSION = 68
_LAST_RETIRED = 30
_SLASHES = re.compile("//+")


@dataclass(slots=True)
class Call:
    """One request to an org: from the wire, or inside a composite.

    `path` starts at `/services` (the org's prefix is gone); `query` holds the query string's
    parameters; `headers` have lower-case names; `params` are what the route's pattern took out
    of the path; `base_url` is the address under which the client reaches this org, without a
    slash at the end.
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    base_url: str
    router: Router
    number: int = 0
    """Tells the calls of an org apart."""
    params: dict[str, str] = field(default_factory=dict)
    session: Session | None = None
    locker: Locker | None = None
    value: Any = None
    """The body of a subrequest, already parsed; `json()` prefers it."""
    writes: list[Write] | None = None
    """Inside a composite: what it has written so far, for it to keep or undo."""
    fault_after: Fault | None = None
    """A fault that a subrequest met and that strikes the answer of the composite."""
    hold_seconds: float | None = None
    """Seconds that a fault holds the transaction open that this call writes in."""
    transaction: OpenTransaction | None = None
    """The transaction of this call if it is still open: the answer waits for its end."""
    all_or_none: bool | None = None
    """Inside a composite with allOrNone: overrides that of sObject collections."""

    @property
    def version(self) -> str:
        """The API version of the path, as `59.0`."""
        return self.params["version"]

    @property
    def user_id(self) -> str:
        """The caller's id; empty without a login."""
        return self.session.user_id if self.session else ""

    def json(self) -> Any:
        """The body as JSON. Raises JSON_PARSER_ERROR or UNSUPPORTED_MEDIA_TYPE."""
        if self.value is not None:
            return self.value
        media_type = self.headers.get("content-type", "application/json")
        if "json" not in media_type.lower():
            raise SalesforceError(
                415,
                "UNSUPPORTED_MEDIA_TYPE",
                f"Content-Type header specified in HTTP request is not supported: {media_type}",
            )
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError as error:
            at = f"[line:{error.lineno}, column:{error.colno}]"
            raise SalesforceError(400, "JSON_PARSER_ERROR", f"{error.msg} at {at}") from None


@dataclass(slots=True)
class Answer:
    """The answer to a request. `body` is JSON-able, bytes or str of the media type, or None."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    media_type: str = "application/json;charset=UTF-8"


Handler = Callable[[Org, Call], Answer]


@dataclass(frozen=True, slots=True)
class Route:
    """A route of calls: a method and a pattern, and the handler.

    `kind` names it for faults, statistics and the request log (`collections.create`). `counted`
    says whether it is charged to the daily API requests, `session` whether it needs a login.
    `{version}` in a pattern takes `59.0`.
    """

    method: str
    pattern: str
    kind: str
    handler: Handler
    counted: bool = True
    session: bool = True
    kind_of: Callable[[Call], str] | None = None
    """Tells the kinds of calls apart that have one address; None: they are all of `kind`."""


class Router:
    """Finds the route of a call; the first that matches wins."""

    def __init__(self, routes: Iterable[Route]) -> None:
        by_pattern: dict[str, dict[str, Route]] = {}
        for route in routes:
            by_pattern.setdefault(route.pattern, {})[route.method] = route
        self._routes = [(compile_path(each)[0], found) for each, found in by_pattern.items()]

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]]:
        """Returns the route and the path's parameters.

        Raises:
            SalesforceError: NOT_FOUND, METHOD_NOT_ALLOWED or, for a retired version, GONE.
        """
        allowed: set[str] = set()
        for pattern, methods in self._routes:
            match = pattern.match(path)
            if match:
                params = match.groupdict()
                if "version" in params:
                    check_version(params["version"])
                route = methods.get(method) or methods.get("GET" if method == "HEAD" else "")
                if route:
                    return route, params
                allowed |= methods.keys()
        if not allowed:
            raise not_found()
        told = f"HTTP Method '{method}' not allowed. Allowed are {','.join(sorted(allowed))}"
        raise SalesforceError(405, "METHOD_NOT_ALLOWED", told)


def not_found() -> SalesforceError:
    """The answer for a path that leads nowhere."""
    return SalesforceError(404, "NOT_FOUND", "The requested resource does not exist")


def check_version(version: str) -> None:
    """Refuses API versions that do not exist (404) or are retired (410, up to v30)."""
    number, dot, rest = version.partition(".")
    if not (number.isascii() and number.isdigit() and len(number) < 4 and dot and rest == "0"):
        raise not_found()
    if not 7 <= int(number) <= LAST_VERSION:
        raise not_found()
    if int(number) <= _LAST_RETIRED:
        raise SalesforceError(
            410, "UNSUPPORTED_API_VERSION", f"API version v{version} is not available"
        )


def json_object(call: Call) -> dict[str, Any]:
    """The body of a call that must be a JSON object. Raises JSON_PARSER_ERROR."""
    body = call.json()
    if not isinstance(body, dict):
        raise malformed_json("the body is not an object")
    return body


def malformed_json(what: str) -> SalesforceError:
    """The answer to JSON of another shape than the resource takes."""
    return SalesforceError(400, "JSON_PARSER_ERROR", f"Malformed request: {what}")


def plain_path(raw: str) -> str:
    """A path without escapes; doubled slashes that are not escaped count as one."""
    return unquote(_SLASHES.sub("/", raw))


def path_of(call: Call, rest: str) -> str:
    """An address below the API version of the call: `/services/data/v59.0/<rest>`."""
    return f"/services/data/v{call.version}/{rest}"


def session_token(headers: Mapping[str, str]) -> str:
    """The token of the Authorization header, or an empty text."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() in ("bearer", "oauth") else ""
