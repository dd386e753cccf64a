"""The ASGI application: finds the org that a request is for, and the route."""

import base64
from collections.abc import Iterable, Mapping
from itertools import count
from urllib.parse import parse_qsl, unquote_plus

from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope, Send

from crm_pipeline.local_org import (
    account_engagement,
    admin,
    bulk1,
    bulk2,
    composite,
    limits,
    oauth,
    query,
    replication,
    rest,
    soap,
    sobject_collections,
)
from crm_pipeline.local_org.exchange import Exchange, html, rendered, send_answer
from crm_pipeline.local_org.routing import Answer, Call, Router, plain_path, session_token
from crm_pipeline.local_org.store import Org

_MAX_HEAD = 16_384
_ORG_PATHS = ("/services", "/id/", "/api/v5/")
_ROOMS = (
    limits,
    sobject_collections,
    composite,
    replication,
    rest,
    query,
    soap,
    oauth,
    account_engagement,
    bulk1,
    bulk2,
)
ROUTER = Router(route for room in _ROOMS for route in room.ROUTES)


class LocalOrgApp:
    """All orgs of one process.

    An org is reached by its name as the first part of the path, by its host, by a session
    token of its own, or, with none of these, if it is the first.
    """

    def __init__(self, orgs: Iterable[Org]) -> None:
        self.orgs = {org.name: org for org in orgs}
        self._names = {org.config.host: org.name for org in self.orgs.values() if org.config.host}
        self._admin = admin.router(self.orgs)
        self._numbers = count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one HTTP request."""
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        try:
            body = await request.body()
        except ClientDisconnect:
            return
        url_length = len(scope["raw_path"]) + len(scope["query_string"])
        head_length = url_length + sum(len(n) + len(v) for n, v in scope["headers"])
        refused = None
        if url_length > _MAX_HEAD:
            refused = html(414, "URI Too Long")
        elif head_length > _MAX_HEAD:
            refused = html(431, "Request Header Fields Too Large")
        answer = refused or await self._answer(request, body, send)
        if answer is not None:
            await send_answer(send, answer, rendered(answer))

    async def _answer(self, request: Request, body: bytes, send: Send) -> Answer | None:
        """The answer, or None where an exchange with an org has sent it."""
        scope, headers = request.scope, dict(request.headers.items())
        host = headers.get("host", "localhost")
        path = plain_path(scope["raw_path"].decode("latin-1"))
        base_url = f"{headers.get('x-forwarded-proto', scope['scheme'])}://{host}"
        first, _, below = path.lstrip("/").partition("/")
        is_named = first in self.orgs
        name = first if is_named else self._names.get(host.partition(":")[0].lower())
        if is_named:
            path = f"/{below}"
        is_for_an_org = path.startswith(_ORG_PATHS)
        if name is None:
            name = self._meant(headers, body) if is_for_an_org else next(iter(self.orgs))
            is_named = len(self.orgs) > 1
        query = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
        method = scope["method"]
        if method == "POST":
            method = query.pop("_HttpMethod", method).upper()
        call = Call(
            method=method,
            path=path.rstrip("/"),
            query=query,
            headers=headers,
            body=body,
            base_url=f"{base_url}/{name}" if is_named else base_url,
            number=next(self._numbers),
            router=ROUTER,
        )
        org = self.orgs[name]
        if not is_for_an_org:
            return admin.respond(self._admin, org, call)
        await Exchange(org, call, send, scope["extensions"]["local_org.cut"]).run()
        return None

    def _meant(self, headers: Mapping[str, str], body: bytes) -> str:
        """The org of a path without its name: by token, or by who wants to log in."""
        token = session_token(headers) or headers.get("x-sfdc-session", "")
        named = "" if token or len(self.orgs) == 1 else _with_claims(body)
        for name, org in self.orgs.items():
            apps = [each.client_id for each in org.config.connected_apps]
            usernames = [each.username for each in org.users.values()]
            if token.startswith(org.id[:15]) or any(each in named for each in (*usernames, *apps)):
                return name
        return next(iter(self.orgs))


def _with_claims(body: bytes) -> str:
    """The text of a login, with the claims of its JWT if it has one."""
    text = unquote_plus(body[:10_000].decode("utf-8", "replace"))
    _, _, assertion = text.partition("assertion=")
    try:
        claims = base64.urlsafe_b64decode(f"{assertion.split('.')[1]}===")
    except (IndexError, ValueError):
        return text
    return text + claims.decode("utf-8", "replace")
