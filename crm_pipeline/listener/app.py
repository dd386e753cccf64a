"""The ASGI application: reads requests, lets them be answered, and says in the log that it did."""

import asyncio
import logging
import time
import traceback
from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import orjson
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from crm_pipeline.accounts.account import AccountError
from crm_pipeline.database.errors import in_words
from crm_pipeline.database.refusals import refused_value
from crm_pipeline.database.statements import statement
from crm_pipeline.listener.access import Access, Caller
from crm_pipeline.listener.answers import TITLES, HttpAnswer, Refused
from crm_pipeline.listener.asked import MOST_BYTES, HttpQuestion
from crm_pipeline.listener.connections import AT_ONCE
from crm_pipeline.listener.feedback import feedback, user_data
from crm_pipeline.listener.macros import discovery, open_dsr, outbound_message, status, trigger
from crm_pipeline.listener.openapi import described

T = TypeVar("T")

log = logging.getLogger("crm_pipeline.listener")

BODY_SECONDS = 8.0
"""Within which a body has to come: Salesforce itself waits ten seconds for the answer."""

MOST_AT_ONCE = 200
"""Requests under way; whoever comes on top of them is asked to come again (503)."""

_TAKES_LONG = frozenset(("55P03", "57014"))
"""SQLSTATEs of a lock, or a statement, that was not waited for any longer."""

Handler = Callable[[Connection, Caller, HttpQuestion], HttpAnswer]


@dataclass(frozen=True, slots=True)
class Address:
    """An address of the listener, and what answers there."""

    method: str
    path: str
    handler: Handler


ADDRESSES = (
    Address("POST", "/api/v1/userMacroListeners/{name}", trigger),
    Address("POST", "/api/v1/externalSources/{name}", feedback),
    Address("POST", "/api/v1/userData/{name}", user_data),
    Address("POST", "/api/v1/outboundMessages/{key}/{name}", outbound_message),
    Address("POST", "/requests", open_dsr),
    Address("GET", "/requests/{id}", status),
    Address("GET", "/discovery", discovery),
)


def application(database: Engine) -> Starlette:
    """Returns the application over the pipeline's database, of which it asks in short."""
    access = Access(database)
    threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="listener")
    places = RequestPlaces()

    def health(_: Request) -> Response:
        with database.connect() as connection:
            connection.execute(statement("inbound/is_there"))
        return _response(HttpAnswer(200, b'{"status":"ok"}'))

    def openapi(_: Request) -> Response:
        return _response(HttpAnswer(200, orjson.dumps(described())))

    made = Starlette(
        routes=[
            *(
                Route(
                    each.path,
                    _logged(each.path, _answering(access, database, threads, places, each)),
                    methods=[each.method],
                )
                for each in ADDRESSES
            ),
            Route("/health", _logged("/health", _in_thread(threads, health))),
            Route("/openapi.json", _logged("/openapi.json", _in_thread(threads, openapi))),
        ],
        exception_handlers={HTTPException: _of_starlette},
    )
    # A redirection would say the whole address once more, people's and keys among it.
    made.router.redirect_slashes = False
    return made


Endpoint = Callable[[Request], Awaitable[Response]]


def _in_thread(threads: ThreadPoolExecutor, answer: Callable[[Request], Response]) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        return await asyncio.get_running_loop().run_in_executor(threads, answer, request)

    return endpoint


class RequestPlaces:
    """The requests under way: so many, whatever they wait for; used by one thread."""

    def __init__(self) -> None:
        self._taken = 0

    @contextmanager
    def one(self) -> Iterator[None]:
        """Takes a place for the length of the block.

        Raises:
            Refused: none is left.
        """
        if self._taken >= MOST_AT_ONCE:
            headers = {"Retry-After": "1", "Connection": "close"}
            raise Refused(503, "too many requests are under way", (), headers)
        self._taken += 1
        try:
            yield
        finally:
            self._taken -= 1


def _answering(
    access: Access,
    database: Engine,
    threads: ThreadPoolExecutor,
    places: RequestPlaces,
    address: Address,
) -> Endpoint:
    async def placed(request: Request) -> Response:
        with places.one():
            return await endpoint(request)

    async def endpoint(request: Request) -> Response:
        asked = HttpQuestion(
            request.method,
            request.scope["query_string"],
            dict(request.headers.items()),
            await _body(request),
            {name: str(value) for name, value in request.path_params.items()},
        )
        answer, account = await asyncio.get_running_loop().run_in_executor(
            threads, _answered, access, database, address, asked
        )
        request.state.account = account
        return _response(answer)

    return placed


def _answered(
    access: Access, database: Engine, address: Address, asked: HttpQuestion
) -> tuple[HttpAnswer, str]:
    """Returns the answer, and whose account it is about."""
    account_id = ""
    try:
        caller = _anew_where_dead(lambda: access.caller(asked))
        account_id = caller.account.account_id
        left = _anew_where_dead(lambda: access.take(caller))
        answer = _anew_where_dead(lambda: _of_account(database, address, caller, asked))
    except Refused as refused:
        return refused.answer, account_id
    headers = {**answer.headers, **left.headers()}
    return HttpAnswer(answer.status, answer.body, answer.media_type, headers), account_id


def _anew_where_dead(do: Callable[[], T]) -> T:
    """Does something once more where the connection was dead: what is asked twice is the same."""
    try:
        return do()
    except DBAPIError as error:
        if not error.connection_invalidated:
            raise
        return do()


def _of_account(
    database: Engine, address: Address, caller: Caller, asked: HttpQuestion
) -> HttpAnswer:
    """Returns the answer once it is committed.

    Also where nobody is found: their address is not imported for a while.

    Raises:
        Refused: nothing was written.
    """
    if not caller.account.enabled or caller.account.settings.inbound is None:
        raise Refused(409, "the account takes no requests at present")
    with database.begin() as connection:
        try:
            return address.handler(connection, caller, asked)
        except Refused as refused:
            if refused.status != 404:
                raise
            return refused.answer


async def _body(request: Request) -> bytes:
    """Returns the body, counted while it comes.

    Raises:
        Refused: it is too large, too slow, or was broken off.
    """
    too_large = Refused(413, f"a body has {MOST_BYTES} bytes at most", (), {"Connection": "close"})
    said = request.headers.get("content-length", "")
    if said.isdigit() and int(said) > MOST_BYTES:
        raise too_large
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MOST_BYTES:
                    raise too_large
    except TimeoutError:
        raise Refused(408, "", (), {"Connection": "close"}) from None
    except ClientDisconnect:
        raise Refused(400, "the request was broken off") from None
    return bytes(body)


def _logged(path: str, endpoint: Endpoint) -> Endpoint:
    """An endpoint that says in the log what it answered, and answers whatever goes wrong.

    The line has the address's form, never the address itself: its query may have a key or a
    person's address.
    """

    async def logged(request: Request) -> Response:
        begun = time.monotonic()
        try:
            response = await endpoint(request)
        except Refused as refused:
            response = _response(refused.answer)
        except Exception as error:  # noqa: BLE001 - an answer for everything
            response = _response(_of_error(error).answer)
        log.info(
            "%s %s %s %d %.1f ms",
            request.method,
            path,
            getattr(request.state, "account", "") or "-",
            response.status_code,
            (time.monotonic() - begun) * 1000,
        )
        return response

    return logged


def _of_error(error: Exception) -> Refused:
    """Returns the refusal for an error; of a bug only where it happened is logged."""
    if isinstance(error, DBAPIError) and refused_value(error) is not None:
        return Refused(422, "something in the request cannot be stored")
    state = getattr(getattr(error, "orig", None), "sqlstate", None)
    if state in _TAKES_LONG:
        return Refused(503, "something about the account takes long", (), {"Retry-After": "1"})
    if isinstance(error, OperationalError | PoolTimeoutError):
        told = in_words(error) if isinstance(error, DBAPIError) else "no connection is free"
        log.error("The pipeline's database: %s", told)
        return Refused(503, "the database is away", (), {"Retry-After": "5"})
    if isinstance(error, OSError):
        log.error("The file of tombstones: %s", error.strerror)
        return Refused(503, "removals cannot be kept now", (), {"Retry-After": "30"})
    if isinstance(error, AccountError):
        log.error("%s", error)
        return Refused(409, "the account's settings cannot be read")
    where = "".join(traceback.format_tb(error.__traceback__))
    log.error("%s\n%s", type(error).__name__, where)
    return Refused(500)


async def _of_starlette(_: Request, error: Exception) -> Response:
    status_code = error.status_code if isinstance(error, HTTPException) else 500
    headers: Mapping[str, Any] = getattr(error, "headers", None) or {}
    known = status_code if status_code in TITLES else 400
    log.info("- - - %d", known)
    return _response(Refused(known, "", (), {k: str(v) for k, v in headers.items()}).answer)


def _response(answer: HttpAnswer) -> Response:
    headers = {"Cache-Control": "no-store", **answer.headers}
    return Response(answer.body, answer.status, headers, media_type=answer.media_type)
