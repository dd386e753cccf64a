"""Orgs to talk to: the local one, and one that answers exactly what it is told to."""

import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, Self

import orjson
import requests

from crm_pipeline.local_org.config import Fault
from crm_pipeline.local_org.seeding import seed
from crm_pipeline.local_org.server import LocalOrgServer
from crm_pipeline.salesforce.connection import Org
from crm_pipeline.salesforce.credentials import ClientCredentials, Credentials, PasswordToken
from crm_pipeline.salesforce.login import log_in

APP = ClientCredentials(client_id="app", client_secret="app-secret")
PASSWORD = PasswordToken(username="api@acme.test", password="pass & word", security_token="TOKEN")

CONFIG: dict[str, Any] = {
    "name": "acme",
    "users": [{"username": "api@acme.test", "password": "pass & word", "security_token": "TOKEN"}],
    "connected_apps": [
        {"client_id": "app", "client_secret": "app-secret", "run_as": "api@acme.test"}
    ],
}


class LocalOrg:
    """One local org with a user who may log in."""

    def __init__(self, server: LocalOrgServer) -> None:
        self.org = server.org("acme")
        self.url = server.url_of("acme")

    def connect(self, credentials: Credentials = APP, *, read_timeout: float = 20.0) -> Org:
        """A logged-in connection."""
        return log_in(self.url, credentials, read_timeout=read_timeout)

    def connect_to_hang(self) -> Org:
        """A connection that waits for its login as long as it takes, and for no call after it."""
        connection = self.connect()
        connection._session.timeout = (10.0, 0.1)
        return connection

    def lets_go(self) -> None:
        """Ends bad weather; what hangs goes on."""
        requests.delete(f"{self.url}/_admin/faults", timeout=10).raise_for_status()

    def seed(self, sobject: str, *rows: Mapping[str, Any]) -> list[str]:
        """Puts records into the org past all rules; returns their ids."""
        return seed(self.org, {sobject: rows})[sobject]

    def weather(self, kind: str, action: str, **details: Any) -> None:
        """Expects a fault from now on, once unless `times` says otherwise."""
        if not {"nth", "times", "probability"} & details.keys():
            details["times"] = 1
        self.org.weather.add(Fault(kind=kind, action=action, **details))

    def rows(self, sobject: str) -> list[dict[str, Any]]:
        """The live records of an object."""
        table = self.org.table(sobject)
        return [row for row in table.rows.values() if not row["IsDeleted"]]

    @property
    def charged(self) -> int:
        """API calls that the org has counted."""
        return self.org.meter.charged

    @property
    def logins(self) -> int:
        """Logins that were tried."""
        return self.org.meter.calls["login"]


class Asked(NamedTuple):
    """A request that the canned org got."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class Canned(NamedTuple):
    """An answer, told in advance."""

    status: int
    body: bytes = b""
    kind: str = "application/json;charset=UTF-8"
    headers: Mapping[str, str] = {}


class CannedOrg:
    """Answers what it is told to, and remembers what it was asked."""

    def __init__(self, answer: Callable[[Asked], Canned]) -> None:
        self.asked: list[Asked] = []
        self._answer = answer
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.01,), daemon=True
        )

    @property
    def url(self) -> str:
        """The address to log in at."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def paths(self) -> list[str]:
        """Requests that came, in order."""
        return [asked.path for asked in self.asked]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        canned = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                asked = Asked(self.command, self.path, dict(self.headers), self.rfile.read(length))
                canned.asked.append(asked)
                answer = canned._answer(asked)
                self.send_response(answer.status)
                self.send_header("Content-Type", answer.kind)
                self.send_header("Content-Length", str(len(answer.body)))
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer.body)

            do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = answer  # noqa: N815

            def log_message(self, *_: Any) -> None:
                pass

        return Handler


def in_turn(*answers: Canned) -> Callable[[Asked], Canned]:
    """Answers one after another; the last one again and again."""
    waiting = list(answers)
    return lambda _: waiting.pop(0) if len(waiting) > 1 else waiting[0]


def token(host: str = "acme.my.salesforce.com", session_id: str = "00D!session") -> Canned:
    """A successful OAuth login."""
    body = {
        "access_token": session_id,
        "instance_url": f"https://{host}",
        "id": "https://login.salesforce.com/id/00D000000000001AAA/005000000000001AAA",
        "token_type": "Bearer",
        "issued_at": "1763690000000",
        "signature": "x",
    }
    return Canned(200, orjson.dumps(body))


def refusal(status: int, code: str, message: str = "") -> Canned:
    """An error as REST says it."""
    return Canned(status, orjson.dumps([{"errorCode": code, "message": message}]))


def after_login(*answers: Canned) -> Callable[[Asked], Canned]:
    """Every login succeeds with a session of its own; the rest is answered in turn."""
    rest = in_turn(*answers)
    logins = iter(range(1_000))

    def answer(asked: Asked) -> Canned:
        if asked.path == "/services/oauth2/token":
            return token(session_id=f"00D!session{next(logins)}")
        return rest(asked)

    return answer


HTML_503 = Canned(503, b"<html><body>Service Unavailable</body></html>", "text/html")
