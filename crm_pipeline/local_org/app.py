"""The ASGI application: finds the org that a request is for, and the route."""

import base64
import binascii
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from itertools import count
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

from crm_pipeline.local_org import (
    admin,
    bulk1,
    bulk2,
    composite,
    limits,
    oauth,
    query,
    rest,
    soap_login,
    sobject_collections,
)
from crm_pipeline.local_org.exchange import (
    Exchange,
    Message,
    Send,
    html,
    send_answer,
)
from crm_pipeline.local_org.routing import Call, Router, session_token
from crm_pipeline.local_org.store import Org

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]

_MAX_HEAD = 16_384
_ORG_PATHS = ("/services", "/id/")
ROUTER = Router(
    [
        *limits.ROUTES,
        *sobject_collections.ROUTES,
        *composite.ROUTES,
        *rest.ROUTES,
        *query.ROUTES,
        *soap_login.ROUTES,
        *oauth.ROUTES,
        *bulk1.ROUTES,
        *bulk2.ROUTES,
    ]
)


class LocalOrgApp:
    """All orgs of one process.

    An org is reached by its name as the first part of the path, by its host, by a session
    token of its own, or, with none of these, if it is the first.
    """

    def __init__(self, orgs: Iterable[Org]) -> None:
        self.orgs = {org.name: org for org in orgs}
        self._names = {org.config.host: org.name for org in self.orgs.values() if org.config.host}
        self._numbers = count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one HTTP request."""
        if scope["type"] != "http":
            return
        body = await _read_body(receive)
        if body is None:
            return
        headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        url_length = len(scope["raw_path"]) + len(scope["query_string"])
        head_length = url_length + sum(len(n) + len(v) for n, v in scope["headers"])
        if url_length > _MAX_HEAD:
            await send_answer(send, html(414, "URI Too Long"))
        elif head_length > _MAX_HEAD:
            await send_answer(send, html(431, "Request Header Fields Too Large"))
        else:
            await self._route(scope, headers, body, send)

    async def _route(self, scope: Scope, headers: dict[str, str], body: bytes, send: Send) -> None:
        path: str = scope["path"]
        scheme = headers.get("x-forwarded-proto", scope["scheme"])
        origin = f"{scheme}://{headers.get('host', 'localhost')}"
        first, _, rest_of_path = path.lstrip("/").partition("/")
        org = self.orgs.get(first)
        if org is not None:
            path, base_url = f"/{rest_of_path}", f"{origin}/{org.name}"
        else:
            org = self._by_host(headers.get("host", ""))
            base_url = origin
            if org is None and path.startswith(_ORG_PATHS):
                org = self._meant(headers, body)
                if len(self.orgs) > 1:
                    base_url = f"{origin}/{org.name}"
        query = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
        if org is not None and path.startswith(_ORG_PATHS):
            method = scope["method"]
            if method == "POST" and "_HttpMethod" in query:
                method = query.pop("_HttpMethod").upper()
            call = Call(
                method=method,
                path=path.rstrip("/"),
                query=query,
                headers=headers,
                body=body,
                base_url=base_url,
                number=next(self._numbers),
                router=ROUTER,
            )
            await Exchange(org, call, send, scope["extensions"]["local_org.cut"]).run()
            return
        asked = admin.AdminCall(scope["method"], path, query, body)
        await send_answer(send, admin.respond(self.orgs, org, asked))

    def _by_host(self, host: str) -> Org | None:
        name = self._names.get(host.partition(":")[0].lower())
        return None if name is None else self.orgs[name]

    def _meant(self, headers: Mapping[str, str], body: bytes) -> Org:
        """The org of a path without its name: by token, or by who wants to log in."""
        token = session_token(headers) or headers.get("x-sfdc-session", "")
        named = unquote_plus(body[:10_000].decode("utf-8", "replace"))
        named += _jwt_payload(named)
        for org in self.orgs.values():
            if token.startswith(org.id[:15]):
                return org
        for org in self.orgs.values():
            apps = [each.client_id for each in org.config.connected_apps]
            usernames = [each.username for each in org.users.values()]
            if not token and any(each in named for each in (*usernames, *apps)):
                return org
        return next(iter(self.orgs.values()))


def _jwt_payload(body: str) -> str:
    _, _, assertion = body.partition("assertion=")
    parts = assertion.partition("&")[0].split(".")
    if len(parts) != 3:
        return ""
    try:
        padded = parts[1] + "=" * (-len(parts[1]) % 4)
        return base64.urlsafe_b64decode(padded).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""


async def _read_body(receive: Receive) -> bytes | None:
    """The whole body, or None if the client went away."""
    message = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body"):
        return None if message["type"] == "http.disconnect" else body
    chunks = [body]
    while message.get("more_body"):
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        chunks.append(message.get("body", b""))
    return b"".join(chunks)
