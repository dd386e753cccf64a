"""A logged-in org: requests with classified answers, counted, on a session that renews itself."""

import random
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING, Any, NamedTuple, NoReturn, Protocol

import orjson
import requests

from crm_pipeline.salesforce.answers import Answer, Passing, SessionExpired, read_answer
from crm_pipeline.salesforce.errors import (
    RETIRED_VERSION,
    AccountPaused,
    AccountStopped,
    LostAnswer,
    OrgUnavailable,
    RequestRefused,
    SalesforceProblem,
    stopped,
)
from crm_pipeline.salesforce.limits import FIRST_WAIT_SECONDS, TRIES
from crm_pipeline.salesforce.transport import OrgSession, in_words, never_sent, timed_out
from crm_pipeline.salesforce.versions import not_spoken

if TYPE_CHECKING:
    from simple_salesforce.api import Salesforce

_USAGE = re.compile(r"(?<![-\w])api-usage=(\d+)/(\d+)")
_SMOOTHING = 0.2
_CHUNK = 1 << 16

# Salesforce knows no path below a version that it has not, and says no more than that.
_PERHAPS_THE_VERSION = RETIRED_VERSION | {"NOT_FOUND"}

Body = bytes | IO[bytes] | None


class Gate(Protocol):
    """Lets requests out, or holds them back; used by several threads."""

    def passing(self, path: str, body: Body) -> AbstractContextManager[Callable[[], None] | None]:
        """Lets a request out within the block; what it yields is called once it has begun to go.

        Raises:
            Withheld: it names somebody who is not to be processed; it is not to be sent.
        """


class TakesWrites(Protocol):
    """Takes in an org's place what would change something there; used by several threads."""

    def answer(self, request: "OrgRequest", org: "Org") -> Answer:
        """Answers a request, with the help of the org where it only reads. Raises as `Org.ask`."""


class ApiUsage(NamedTuple):
    """The org's API requests of the last 24 hours: used by all integrations, and allowed."""

    used: int
    limit: int


class Login(NamedTuple):
    """The result of a login. Its session id is a secret."""

    session_id: str
    host: str
    user_id: str
    organization_id: str

    def __repr__(self) -> str:
        return f"Login(host={self.host!r}, user_id={self.user_id!r})"


@dataclass(eq=False, slots=True)
class _Access:
    """One session id: `renewed` if it replaced an expired one, `proven` once it was taken."""

    salesforce: "Salesforce" = field(repr=False)
    login: Login
    renewed: bool
    proven: bool = False


class Org:
    """A logged-in org. Safe to use from several threads.

    Attributes:
        api_version: as `62.0`.
        calls: API requests sent, by kind; logins are none. Salesforce charges no more than
            these, and fewer only where it did not come to work on one (an expired session, an
            outage).
        usage: of the org's day, as the org said last; None before it did.
        latency: seconds that a request takes, smoothed; None before the first.
        gate: asked before each request goes out; None: all may.
        stand_in: takes all requests in the org's place; None: nobody does.
        answered_for: those of `calls` that were answered in the org's place.
    """

    def __init__(
        self, session: OrgSession, authenticate: Callable[[], Login], *, api_version: str
    ) -> None:
        self.api_version = api_version
        self.calls: Counter[str] = Counter()
        self.usage: ApiUsage | None = None
        self.latency: float | None = None
        self.gate: Gate | None = None
        self.stand_in: TakesWrites | None = None
        self.answered_for = 0
        self._session = session
        self._authenticate = authenticate
        self._counting = threading.Lock()
        self._renewing = threading.Lock()
        self._refusal: SalesforceProblem | None = None
        self._version_is_spoken = False
        self._access = self._opened(authenticate(), renewed=False)

    @property
    def api_calls(self) -> int:
        """API requests sent in all."""
        with self._counting:
            return self.calls.total()

    @property
    def host(self) -> str:
        """The host of the org."""
        return self._access.login.host

    @property
    def org_time(self) -> datetime:
        """The org's own time as of its last answer, UTC; ours where it does not say it."""
        return self._session.org_time or datetime.now(UTC)

    @property
    def user_id(self) -> str:
        """The user who is logged in."""
        return self._access.login.user_id

    @property
    def organization_id(self) -> str:
        """The org."""
        return self._access.login.organization_id

    def path(self, path: str) -> str:
        """A path below `/services/data/v…/`; one that begins with a slash is complete already."""
        return path if path.startswith("/") else f"/services/data/v{self.api_version}/{path}"

    def request(
        self,
        kind: str,
        method: str,
        path: str,
        *,
        json: Any = None,
        data: Body = None,
        headers: Mapping[str, str] | None = None,
        writes: bool = False,
        into: IO[bytes] | None = None,
        host: str | None = None,
    ) -> Answer:
        """Sends a request and reads its answer.

        A request that wrote nothing is tried again a few times, with backoff and jitter, if that
        may help; a write whose answer is lost never is.

        Args:
            kind: under what it is counted.
            method: HTTP method.
            path: complete, or below `/services/data/v…/`.
            json: the body, to be written as JSON; orjson fragments in it are taken as they are.
            data: or the body as bytes, or as an open file.
            headers: further headers, kept when it is sent again on a new session.
            writes: whether it may change something in the org.
            into: a file for the body of a successful answer, which is then not in the answer.
            host: another host of Salesforce's that takes the same session; None: the org's.

        Raises:
            AccountStopped, AccountPaused: nothing was written; see there.
            OrgUnavailable: nothing was written.
            LostAnswer: `writes`, and it may have happened.
            RequestRefused: Salesforce refused this request.
            Withheld: the gate holds it back; nothing was written.
        """
        body = orjson.dumps(json) if json is not None else data
        request = OrgRequest(kind, method, self.path(path), body, headers or {}, writes, into, host)
        return self.ask(request) if self.stand_in is None else self.stand_in.answer(request, self)

    def ask(self, request: "OrgRequest") -> Answer:
        """Sends a request to the org itself and reads its answer, as `request`."""
        for attempt in range(TRIES):
            try:
                return self._on_a_session(request)
            except Passing as passing:
                if attempt + 1 == TRIES:
                    _give_up(passing)
            # Jitter is no secret.
            time.sleep(FIRST_WAIT_SECONDS * 2**attempt * random.uniform(0.5, 1.0))  # noqa: S311
        raise AssertionError

    def count(self, kind: str) -> None:
        """Counts a request that was answered in the org's place as if the org had answered it."""
        with self._counting:
            self.calls[kind] += 1
            self.answered_for += 1
            if self.usage is not None:
                self.usage = self.usage._replace(used=self.usage.used + 1)

    def log_out(self) -> bool:
        """Ends the session, and closes the connections.

        Returns:
            Whether the org confirmed it; if it did not, the session ends by itself in time.
        """
        access = self._access
        with self._session:
            try:
                answer = self._session.post(
                    f"https://{access.login.host}/services/oauth2/revoke",
                    data={"token": access.login.session_id},
                )
            except requests.RequestException:
                return False
            return answer.status_code == 200

    def _on_a_session(self, sending: "OrgRequest") -> Answer:
        access = self._access
        for _ in range(TRIES):
            try:
                return self._exchange(access, sending)
            except SessionExpired:
                access = self._renewed(access)
        raise _useless_sessions()

    def _exchange(self, access: _Access, sending: "OrgRequest") -> Answer:
        started = time.monotonic()
        body, gate = sending.rewound(), self.gate
        passing = nullcontext() if gate is None else gate.passing(sending.path, body)
        with passing as begun, self._reading(sending):
            response = self._session.request(
                sending.method,
                f"https://{sending.host or access.salesforce.sf_instance}{sending.path}",
                data=body,
                begun=begun,
                headers={
                    "Accept": "application/json",
                    "Content-Type": "application/json",
                    **sending.headers,
                    "Authorization": f"Bearer {access.salesforce.session_id}",
                },
                stream=True,
            )
            with response:
                content = _read(response, sending.into)
        self._note(sending.kind, response.headers, time.monotonic() - started)
        try:
            answer = read_answer(
                response.status_code, response.headers, content, writes=sending.writes
            )
        except (AccountStopped, RequestRefused) as refused:
            raise self._not_spoken(refused.code) or refused from None
        access.proven = True
        return answer

    def _not_spoken(self, code: str) -> AccountStopped | None:
        """Returns why a request is refused for the version of the API; asked until it was not."""
        if self._version_is_spoken or code not in _PERHAPS_THE_VERSION:
            return None
        refusal = not_spoken(self._session, self.host, self.api_version)
        self._version_is_spoken = refusal is None
        return refusal

    @contextmanager
    def _reading(self, sending: "OrgRequest") -> Iterator[None]:
        """Tells what it means when the way to the org breaks."""
        try:
            yield
        except requests.RequestException as error:
            if never_sent(error):
                raise _unreachable(error) from None
            with self._counting:
                self.calls[sending.kind] += 1
            if sending.writes:
                raise LostAnswer(f"The answer to a write is lost: {in_words(error)}") from None
            raise _unreachable(error) from None

    def _note(self, kind: str, headers: Mapping[str, str], seconds: float) -> None:
        found = _USAGE.search(headers.get("Sforce-Limit-Info", ""))
        with self._counting:
            self.calls[kind] += 1
            if found:
                self.usage = ApiUsage(int(found[1]) + self.answered_for, int(found[2]))
            before = seconds if self.latency is None else self.latency
            self.latency = before + _SMOOTHING * (seconds - before)

    def _renewed(self, expired: _Access) -> _Access:
        """A session in place of one that expired: one login, however many threads ask."""
        with self._renewing:
            if self._refusal is not None:
                raise self._refusal
            if self._access is expired:
                if expired.renewed and not expired.proven:
                    raise _useless_sessions()
                try:
                    login = self._authenticate()
                except (AccountStopped, AccountPaused) as refusal:
                    self._refusal = refusal
                    raise
                if login.organization_id != expired.login.organization_id:
                    self._refusal = _elsewhere(login, expired.login)
                    raise self._refusal
                self._access = self._opened(login, renewed=True)
            return self._access

    def _opened(self, login: Login, *, renewed: bool) -> _Access:
        from simple_salesforce.api import Salesforce

        salesforce = Salesforce(
            session_id=login.session_id,
            instance_url=f"https://{login.host}",
            session=self._session,
            version=self.api_version,
        )
        return _Access(salesforce, login, renewed)


@dataclass(slots=True)
class OrgRequest:
    """A request, ready to be sent, and sent again; the attributes are as `Org.request` has them.

    `path` is complete, `body` is None, bytes or an open file.
    """

    kind: str
    method: str
    path: str
    body: Body
    headers: Mapping[str, str]
    writes: bool
    into: IO[bytes] | None
    host: str | None

    def rewound(self) -> Body:
        """The body from its beginning."""
        if self.body is not None and not isinstance(self.body, bytes):
            self.body.seek(0)
        return self.body


def _read(response: requests.Response, into: IO[bytes] | None) -> bytes:
    if into is None or response.status_code != 200:
        return response.content
    into.seek(0)
    into.truncate()
    for chunk in response.iter_content(_CHUNK):
        into.write(chunk)
    return b""


def _unreachable(error: requests.RequestException) -> OrgUnavailable:
    reason = f"The org cannot be reached: {in_words(error)}"
    return OrgUnavailable(reason) if timed_out(error) else Passing(reason)


def _give_up(passing: Passing) -> NoReturn:
    if passing.code == "TXN_SECURITY_METERING_ERROR":
        raise stopped(passing.code, passing.status) from None
    raise OrgUnavailable(str(passing)) from None


def _elsewhere(login: Login, before: Login) -> AccountStopped:
    return AccountStopped(
        f"The login leads to org {login.organization_id} now, and led to {before.organization_id} "
        "a moment ago",
        "look at the login URL; the next cycle says what there is to decide",
    )


def _useless_sessions() -> AccountStopped:
    return AccountStopped(
        "Salesforce refuses the session that it has just given",
        "check in the org that the user may use the API from this machine's address, and that "
        "its sessions are not locked to another address or domain",
        code="INVALID_SESSION_ID",
    )
