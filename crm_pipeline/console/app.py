"""The ASGI application: lets nobody pass who is not logged in; answers everything with a page."""

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from urllib.parse import parse_qs, quote, unquote

from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from crm_pipeline.accounts.account import AccountError, UnknownAccountError
from crm_pipeline.console.asked import MOST_ROWS, ActionAddress, Order, PageAddress, PageQuestion
from crm_pipeline.console.databases import ConsoleDatabases
from crm_pipeline.console.errors import ConsoleError, log_bug, log_database
from crm_pipeline.console.log import note, note_look
from crm_pipeline.console.logins import ConsoleLogin
from crm_pipeline.console.pages import ACTIONS, PAGES
from crm_pipeline.console.parts import ConsolePage, Facts, Link, Note, PageTable
from crm_pipeline.console.rendering import STYLES, csv, html, redirection
from crm_pipeline.console.roles import ConsoleRole, Somebody
from crm_pipeline.console.sessions import LONGEST_SECONDS, ConsoleSession, Sessions
from crm_pipeline.console.under_way import WorkUnderWay
from crm_pipeline.database.refusals import refused_value

log = logging.getLogger("crm_pipeline.console")

MOST_BYTES = 1_000_000
"""Of a form: some thousand operations that are chosen."""

BODY_SECONDS = 20.0
"""Within which a form has to come."""

_WANTED_SECONDS = 10 * 60
"""So long after having been sent to log in somebody is led to what they wanted to see."""

_LONGEST_WANTED = 2_000
"""Of an address, as it is kept in a cookie meanwhile."""

_HOME = Link("All accounts", "/")

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'self'; script-src 'none'; object-src 'none';"
    " base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


ConsoleEndpoint = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class PublicAddress:
    """How the console is reached: by which host names, and whether over TLS."""

    hosts: Sequence[str]
    is_secure: bool

    @property
    def cookie(self) -> str:
        """The session's cookie; by its name browsers keep other hosts and paths from setting it."""
        return "__Host-console" if self.is_secure else "console"

    @property
    def wanted(self) -> str:
        """The cookie of what somebody wanted to see before they were sent to log in."""
        return f"{self.cookie}-wanted"


def application(
    login: ConsoleLogin,
    databases: ConsoleDatabases,
    work: WorkUnderWay,
    outside: PublicAddress,
    sessions: Sessions | None = None,
) -> Starlette:
    """Returns the application.

    Args:
        login: the way to log in.
        databases: where it reads and writes.
        work: does what takes longer than a page.
        outside: how it is reached.
        sessions: those that there are already, for a clock of a test's own.
    """
    gate = _Gate(login, databases, work, outside, sessions or Sessions())
    made = Starlette(
        routes=[
            Route("/login", gate.open(gate.log_in)),
            Route("/login/end", gate.open(gate.logged_in)),
            Route("/logout", gate.open(gate.log_out), methods=["POST"]),
            Route("/console.css", _styles),
            Route("/favicon.ico", _nothing),
            *(Route(each.path, gate.page(each), methods=["GET"]) for each in PAGES),
            *(Route(each.path, gate.action(each), methods=["POST"]) for each in ACTIONS),
            *(Route(each.path, _form_page(each), methods=["GET"]) for each in ACTIONS if each.page),
        ],
        middleware=[
            Middleware(_SafeHeaders),
            Middleware(TrustedHostMiddleware, allowed_hosts=outside.hosts, www_redirect=False),
        ],
        exception_handlers={HTTPException: gate.not_found},
    )
    made.router.redirect_slashes = False
    return made


class _SafeHeaders:
    """Has each answer say that it is of nobody's cache, frame or site but the console's own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, with_headers)


@dataclass(frozen=True, slots=True)
class _Gate:
    """What stands before all pages."""

    login: ConsoleLogin
    databases: ConsoleDatabases
    work: WorkUnderWay
    outside: PublicAddress
    sessions: Sessions

    def open(self, answer: Callable[[Request, bytes], Response]) -> ConsoleEndpoint:
        """An endpoint that somebody reaches without a session."""

        async def endpoint(request: Request) -> Response:
            try:
                body = await _body(request)
                return await run_in_threadpool(answer, request, body)
            except Exception as error:  # noqa: BLE001 - an answer for everything
                return _refusal_page(_of_error(error), None)

        return endpoint

    def page(self, address: PageAddress) -> ConsoleEndpoint:
        """The endpoint of a page."""

        def answer(request: Request, _: bytes, session: ConsoleSession) -> Response:
            return self._shown(address, request, session)

        return self._inside(address.role, answer, lambda _: _HOME)

    def action(self, address: ActionAddress) -> ConsoleEndpoint:
        """The endpoint of an action, whose form has to be one of the session's own."""

        def answer(request: Request, body: bytes, session: ConsoleSession) -> Response:
            form = _form(body)
            _demand_own_form(session, form)
            if address.writes and not self.databases.primary_answers():
                raise ConsoleError(
                    HTTPStatus.SERVICE_UNAVAILABLE,
                    "The primary database is away: nothing can be done now, only looked at.",
                )
            done = address.do(Order(session, self.databases, self.work, _path(request), form))
            session.said = done.sentence
            return redirection(done.address)

        def way_on(request: Request) -> Link:
            return Link("Back to the page", _filled_in(address.form_page, request))

        return self._inside(address.role, answer, way_on)

    def log_in(self, request: Request, _: bytes) -> Response:
        """Sends somebody to log in, or says how."""
        begun = self.login.begin(request)
        return begun if isinstance(begun, Response) else _told("Log in", begun)

    def logged_in(self, request: Request, _: bytes) -> Response:
        """Begins the session of somebody who has logged in."""
        somebody = self.login.end(request)
        if somebody is None:
            raise ConsoleError(
                HTTPStatus.FORBIDDEN, "This link works no more: open /login for a new one."
            )
        answer = redirection(self._wanted(request))
        answer.delete_cookie(
            self.outside.wanted, secure=self.outside.is_secure, httponly=True, samesite="lax"
        )
        return self._with_session(answer, somebody)

    def log_out(self, request: Request, body: bytes) -> Response:
        """Ends the session, where the form is its own."""
        session = self._session(request)
        if session is not None:
            _demand_own_form(session, _form(body))
            self.sessions.end(request.cookies.get(self.outside.cookie, ""))
        answer = _told("Logged out", "You are logged out.")
        answer.delete_cookie(
            self.outside.cookie, secure=self.outside.is_secure, httponly=True, samesite="lax"
        )
        return answer

    async def not_found(self, request: Request, error: Exception) -> Response:
        """Answers an address that is none, or by a method that it has not."""
        status = HTTPStatus(error.status_code if isinstance(error, HTTPException) else 500)
        sentence = {
            HTTPStatus.NOT_FOUND: "There is no such page.",
            HTTPStatus.METHOD_NOT_ALLOWED: "This address cannot be used in that way.",
        }.get(status, "The request cannot be answered.")
        return _refusal_page(ConsoleError(status, sentence), self._session(request))

    def _inside(
        self,
        role: ConsoleRole,
        answer: Callable[[Request, bytes, ConsoleSession], Response],
        way_on: Callable[[Request], Link],
    ) -> ConsoleEndpoint:
        async def endpoint(request: Request) -> Response:
            session = None
            try:
                session, token = self._standing(request)
                if session is None:
                    return self._without_session(request)
                _demand_role(session, role)
                body = await _body(request)
                response = await run_in_threadpool(answer, request, body, session)
            except Exception as error:  # noqa: BLE001 - an answer for everything
                response = _refusal_page(_of_error(error), session, way_on(request))
                token = ""
            if token:
                self._set_cookie(response, token)
            return response

        return endpoint

    def _standing(self, request: Request) -> tuple[ConsoleSession | None, str]:
        """The session of a request, and what its cookie is to say where it was begun just now.

        Where each request says who it is, a session that was somebody else's, or of another role,
        is no more.
        """
        somebody = self.login.standing(request)
        session = self._session(request)
        if somebody is None or (session is not None and session.somebody == somebody):
            return session, ""
        self.sessions.end(request.cookies.get(self.outside.cookie, ""))
        token = self.sessions.begin(somebody)
        return self.sessions.of(token), token

    def _without_session(self, request: Request) -> Response:
        """Sends somebody to log in, and then to what they wanted to see; does nothing for them."""
        if request.method == "POST":
            raise ConsoleError(
                HTTPStatus.UNAUTHORIZED,
                "You are not logged in any more, and nothing was done: log in, and do it again.",
            )
        answer = redirection("/login")
        wanted = quote(f"{request.url.path}?{request.url.query}".rstrip("?"))
        if len(wanted) <= _LONGEST_WANTED:
            answer.set_cookie(
                self.outside.wanted,
                wanted,
                max_age=_WANTED_SECONDS,
                secure=self.outside.is_secure,
                httponly=True,
                samesite="lax",
            )
        return answer

    def _wanted(self, request: Request) -> str:
        """The page of this console that somebody wanted before they were sent to log in."""
        wanted = unquote(request.cookies.get(self.outside.wanted, ""))
        return wanted if wanted.startswith("/") and wanted[1:2] not in ("/", "\\") else "/"

    def _session(self, request: Request) -> ConsoleSession | None:
        token = request.cookies.get(self.outside.cookie, "")
        return self.sessions.of(token) if token else None

    def _with_session(self, response: Response, somebody: Somebody) -> Response:
        self._set_cookie(response, self.sessions.begin(somebody))
        if self.databases.primary_answers():
            with self.databases.pipeline.begin() as connection:
                note(connection, somebody, "log in")
        return response

    def _set_cookie(self, response: Response, token: str) -> None:
        response.set_cookie(
            self.outside.cookie,
            token,
            max_age=int(LONGEST_SECONDS),
            secure=self.outside.is_secure,
            httponly=True,
            samesite="lax",
        )

    def _shown(self, address: PageAddress, request: Request, session: ConsoleSession) -> Response:
        query = {name: value.strip() for name, value in request.query_params.items()}
        with self.databases.reading() as connection:
            wanted = query.get("csv", "")
            asked = PageQuestion(session, connection, _path(request), query, wanted, self.work)
            page = address.page(asked)
        if asked.looked_at:
            what = f"{page.place}{' as CSV' if asked.csv else ''}"
            note_look(self.databases, session.somebody, what, asked.account_id, asked.looked_at)
        if asked.csv:
            return csv(_table(page, asked.csv), f"{asked.account_id or 'all'}-{asked.csv}")
        if session.said:
            page = replace(page, parts=[Note(session.said, "good"), *page.parts])
            session.said = ""
        return html(page, session, path=request.url.path, query=query, warning=self._warning())

    def _warning(self) -> str:
        if self.databases.primary_answers():
            return ""
        source = "a standby, which may be behind" if self.databases.are_two else "what is left"
        return f"The primary database is away: this is from {source}, and nothing can be done now."


def _table(page: ConsolePage, name: str) -> PageTable:
    for part in page.parts:
        if isinstance(part, PageTable) and part.name == name:
            if len(part.rows) > MOST_ROWS:
                raise ConsoleError(
                    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                    f"These are more than {MOST_ROWS} rows: choose fewer, then export them.",
                )
            return part
    raise ConsoleError(HTTPStatus.NOT_FOUND, "This page has no such table.")


async def _styles(_: Request) -> Response:
    return Response(STYLES, media_type="text/css", headers={"Cache-Control": "max-age=3600"})


async def _nothing(_: Request) -> Response:
    return Response(status_code=HTTPStatus.NO_CONTENT)


async def _body(request: Request) -> bytes:
    """Returns the body of a form.

    Raises:
        ConsoleError: it is too large, too slow, or was broken off.
    """
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MOST_BYTES:
                    raise ConsoleError(
                        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                        "That is too much at once: choose fewer.",
                    )
    except TimeoutError:
        raise ConsoleError(
            HTTPStatus.REQUEST_TIMEOUT, "The form took too long to come: send it again."
        ) from None
    except ClientDisconnect:
        raise ConsoleError(HTTPStatus.BAD_REQUEST, "The request was broken off.") from None
    return bytes(body)


def _form(body: bytes) -> dict[str, list[str]]:
    try:
        return parse_qs(body.decode("utf-8"), keep_blank_values=True, max_num_fields=20_000)
    except ValueError:
        raise ConsoleError(HTTPStatus.BAD_REQUEST, "The form cannot be read.") from None


def _demand_role(session: ConsoleSession, role: ConsoleRole) -> None:
    theirs = session.somebody.role
    if theirs < role:
        raise ConsoleError(
            HTTPStatus.FORBIDDEN, f"This is for the role {role.name}; yours is {theirs.name}."
        )


def _demand_own_form(session: ConsoleSession, form: dict[str, list[str]]) -> None:
    """Raises where a form was made by another site: it cannot know the session's token."""
    [said] = form.get("csrf", [""])[:1]
    if not secrets.compare_digest(said.encode(), session.csrf.encode()):
        raise ConsoleError(
            HTTPStatus.FORBIDDEN, "The form is of an earlier session: open its page anew."
        )


def _path(request: Request) -> dict[str, str]:
    return {name: str(value) for name, value in request.path_params.items()}


def _told(title: str, sentence: str) -> Response:
    return html(ConsolePage(title, [Note(sentence)]), None)


def _filled_in(address: str, request: Request) -> str:
    return address.format_map({k: quote(v, safe="") for k, v in _path(request).items()})


def _form_page(address: ActionAddress) -> ConsoleEndpoint:
    """Leads to the page that has an action's form: where the browser is once that was refused."""

    async def endpoint(request: Request) -> Response:
        return redirection(_filled_in(address.page, request))

    return endpoint


def _refusal_page(
    refusal: ConsoleError, session: ConsoleSession | None, way_on: Link | None = None
) -> Response:
    onward = (way_on or _HOME) if session else Link("Log in", "/login")
    is_late = refusal.status == HTTPStatus.CONFLICT
    title = "Not done" if is_late else refusal.status.phrase
    page = ConsolePage(title, [Note(refusal.sentence, "bad"), Facts("", [("go on", onward)])])
    return html(page, session, status=refusal.status)


def _of_error(error: Exception) -> ConsoleError:
    """Returns what is answered for an error; of a bug only where it happened is logged."""
    if isinstance(error, ConsoleError):
        return error
    if isinstance(error, AccountError):
        is_unknown = isinstance(error, UnknownAccountError)
        status = HTTPStatus.NOT_FOUND if is_unknown else HTTPStatus.CONFLICT
        return ConsoleError(status, str(error))
    if isinstance(error, DBAPIError) and refused_value(error) is not None:
        return ConsoleError(HTTPStatus.BAD_REQUEST, "Something in the request is no such value.")
    if isinstance(error, OperationalError | PoolTimeoutError):
        log_database(error)
        return ConsoleError(
            HTTPStatus.SERVICE_UNAVAILABLE, "The database is away, or takes too long: try again."
        )
    log_bug(error)
    return ConsoleError(
        HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong here; the console's log says where."
    )
