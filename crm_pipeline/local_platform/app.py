"""The platform's HTTP: `POST /messages`, a page for people, and an admin path."""

import asyncio
import time
from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from crm_pipeline.local_platform.inbox import Fault, Inbox, ToldMessage
from crm_pipeline.source_platform.signing import is_genuine

_FAULTS: TypeAdapter[list[Fault]] = TypeAdapter(list[Fault])

MOST_SHOWN = 500
"""Messages on the page and in one answer of the admin path."""


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid")

    messages: list[ToldMessage]


def application(inbox: Inbox, secret: str) -> Starlette:
    """The ASGI application over an inbox; requests have to be signed with the secret.

    `GET /_admin/messages?topic=&about=` lists what was taken, newest first, `/_admin/current` the
    latest states; `POST /_admin/faults` adds failures, `DELETE` takes them away; `POST
    /_admin/reset` begins anew; `GET /_admin/stats` has the counts.
    """

    async def messages(request: Request) -> Response:
        body = await request.body()
        answer = await _taken(inbox, secret, request, body)
        inbox.requests[answer.status_code] += 1
        return answer

    def listed(of: Callable[[], list[ToldMessage]]) -> Callable[[Request], Response]:
        def answer(request: Request) -> Response:
            chosen = [
                told
                for told in of()
                if request.query_params.get("topic", told.topic) == told.topic
                and request.query_params.get("about", told.about) == told.about
            ]
            return _json([told.model_dump(mode="json") for told in chosen[-MOST_SHOWN:][::-1]])

        return answer

    async def faults(request: Request) -> Response:
        if request.method == "DELETE":
            inbox.faults.clear()
        elif request.method == "POST":
            try:
                inbox.faults += _FAULTS.validate_json(await request.body())
            except ValidationError as error:
                return _json({"error": error.errors(include_url=False, include_input=False)}, 422)
        return _json([fault.model_dump() for fault in inbox.faults])

    def reset(_: Request) -> Response:
        inbox.forget()
        return _json({})

    def stats(_: Request) -> Response:
        return _json(
            {
                "messages": len(inbox.messages),
                "things": len(inbox.current),
                "repeated": inbox.repeated,
                "requests": {str(status): number for status, number in inbox.requests.items()},
            }
        )

    return Starlette(
        routes=[
            Route("/messages", messages, methods=["POST"]),
            Route("/", _page),
            Route("/_admin/messages", listed(lambda: list(inbox.messages.values()))),
            Route("/_admin/current", listed(lambda: list(inbox.current.values()))),
            Route("/_admin/faults", faults, methods=["GET", "POST", "DELETE"]),
            Route("/_admin/reset", reset, methods=["POST"]),
            Route("/_admin/stats", stats),
        ]
    )


async def _taken(inbox: Inbox, secret: str, request: Request, body: bytes) -> Response:
    """The answer to `POST /messages`."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    if (refusal := _refusal(inbox, secret, headers, body)) is not None:
        return refusal
    try:
        told = _Request.model_validate_json(body).messages
    except ValidationError as error:
        return _json({"error": error.errors(include_url=False, include_input=False)}, 422)
    fault = inbox.next_fault()
    if fault is None or fault.action in ("refuse", "forget"):
        return _answer(inbox, told, fault)
    if fault.after:
        _answer(inbox, told, None)
    return await _failed(fault)


def _refusal(inbox: Inbox, secret: str, headers: Mapping[str, str], body: bytes) -> Response | None:
    """The answer to a request that is not to be looked into; None for any other."""
    if not is_genuine(secret, headers, body, time.time()):
        return _json({"error": "the signature is not ours, or too old"}, 401)
    key = headers.get("idempotency-key")
    if key is None:
        return _json({"error": "Idempotency-Key is missing"}, 400)
    if inbox.answered.setdefault(key, body) != body:
        return _json({"error": "another body came with this Idempotency-Key"}, 422)
    return None


async def _failed(fault: Fault) -> Response:
    if fault.action == "hang":
        await asyncio.sleep(fault.seconds)
    if fault.action == "reset":
        # An answer that is shorter than it says: the server closes the line.
        return Response(b"", headers={"Content-Length": "1000"})
    headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
    return _json({"error": "on demand"}, fault.status, headers)


def _answer(inbox: Inbox, told: list[ToldMessage], fault: Fault | None) -> Response:
    answers = []
    for each in told:
        if fault is not None and fault.means(each):
            if fault.action == "refuse":
                said = {"status": "refused", "code": "ON_DEMAND", "reason": "asked to refuse it"}
                answers.append({"id": each.id, **said})
            continue
        inbox.take(each)
        answers.append({"id": each.id, "status": "taken"})
    return _json({"answers": answers})


def _page(_: Request) -> Response:
    return HTMLResponse(files(__package__).joinpath("page.html").read_text(encoding="utf-8"))


def _json(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(body), status, headers, media_type="application/json")
