"""Logging in at an OpenID provider: a small one of our own, over HTTP, with real signatures."""

import hashlib
import json
import secrets
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from sqlalchemy import Engine

from crm_pipeline.cli.console_settings import CommandDesk
from crm_pipeline.console.openid import LOGIN_SECONDS, OpenIdLogin
from crm_pipeline.console.roles import ConsoleRole
from crm_pipeline.console.server import Console

CLIENT, SECRET = "crm-console", "a secret of the client"


@dataclass
class Provider:
    """An OpenID provider, at which everybody is Ann; `lies` is what it says otherwise."""

    url: str = ""
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "1"}))
    stranger: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "1"}))
    lies: dict[str, Any] = field(default_factory=dict)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def configuration(self) -> dict[str, Any]:
        return {
            "issuer": self.lies.get("configured", self.url),
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
        }

    def sent(self, asked: dict[str, str]) -> str:
        """Where a browser goes that has logged in."""
        code = secrets.token_urlsafe(8)
        self.codes[code] = asked
        answer = {"state": asked["state"], **({} if self.lies.get("denied") else {"code": code})}
        return f"{asked['redirect_uri']}?{urlencode(answer)}"

    def token(self, said: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        asked = self.codes.pop(said["code"], None)
        digest = hashlib.sha256(said.get("code_verifier", "").encode()).digest()
        challenge = urlsafe_b64encode(digest).rstrip(b"=").decode()
        if (
            asked is None
            or challenge != asked["code_challenge"]
            or not authorization.startswith("Basic ")
            or said["redirect_uri"] != asked["redirect_uri"]
        ):
            return 400, {"error": "invalid_grant"}
        now = int(time.time())
        claims = {
            "iss": self.url,
            "sub": "4711",
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
            "email": "Ann@example.com",
            "email_verified": True,
            "groups": ["support"],
        } | self.lies.get("claims", {})
        header = {"alg": "RS256", "kid": "1"}
        signed = jwt.encode(header, claims, self.lies.get("key", self.key))
        if self.lies.get("by_secret"):
            secret = OctKey.import_key(SECRET + " " * 32)
            signed = jwt.encode({"alg": "HS256"}, claims, secret)
        answer = {"access_token": "x", "token_type": "Bearer", "id_token": signed}
        return 200, {k: v for k, v in answer.items() if k not in self.lies.get("without", ())}


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    made = Provider()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Says nothing."""

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
            if parts.path == "/authorize":
                self.send_response(302)
                self.send_header("Location", made.sent(asked))
                self.end_headers()
            elif parts.path == "/keys":
                self._say(200, {"keys": [made.key.as_dict(private=False)]})
            else:
                self._say(200, made.configuration())

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            said = {name: values[0] for name, values in parse_qs(body).items()}
            self._say(*made.token(said, self.headers.get("Authorization", "")))

        def _say(self, status: int, answer: dict[str, Any]) -> None:
            body = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield made
    server.shutdown()
    thread.join()
    server.server_close()


class Site:
    """The console on its port, whose address the provider sends browsers to."""

    def __init__(self, pipeline: Engine, provider: Provider) -> None:
        self.now = 0.0
        self._pipeline, self._provider = pipeline, provider

    def __enter__(self) -> "Site":
        placeholder = _Later()
        self._console = Console(placeholder, self._pipeline, CommandDesk())
        self.url = self._console.url
        placeholder.login = OpenIdLogin(
            issuer=self._provider.url,
            client_id=CLIENT,
            client_secret=SECRET,
            console_url=self.url,
            groups_claim="groups",
            members={
                ConsoleRole.support: ["group:support"],
                ConsoleRole.operator: ["ann@example.com"],
            },
            now=lambda: self.now,
        )
        self._console.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._console.__exit__()


class _Later:
    """The way to log in, once the console's port is known."""

    login: OpenIdLogin

    def __getattr__(self, name: str) -> Any:
        return getattr(self.login, name)


@pytest.fixture(scope="module")
def site(module_pipeline: Engine, provider: Provider) -> Iterator[Site]:
    with Site(module_pipeline, provider) as made:
        yield made


def test_somebody_logs_in_and_has_their_highest_role(site: Site) -> None:
    browser = requests.Session()
    page = browser.get(site.url, timeout=30)
    assert "Ann@example.com, operator" in page.text
    assert page.url == f"{site.url}/"


@pytest.mark.parametrize(
    ("lies", "told"),
    [
        ({"claims": {"aud": "another console"}}, "cannot be believed"),
        ({"claims": {"iss": "https://elsewhere.example"}}, "cannot be believed"),
        ({"claims": {"exp": 1_000_000_000}}, "cannot be believed"),
        ({"claims": {"nonce": "of another login"}}, "cannot be believed"),
        ({"claims": {"azp": "another console"}}, "cannot be believed"),
        ({"by_secret": True}, "cannot be believed"),
        ({"key": "stranger"}, "cannot be believed"),
        ({"without": ["id_token"]}, "did not say who you are"),
        ({"denied": True}, "did not let you in"),
        ({"claims": {"email": "eve@example.com", "groups": ["staff"]}}, "You have no role here"),
        ({"claims": {"email_verified": False, "groups": []}}, "You have no role here"),
        ({"claims": {"email_verified": "false", "groups": []}}, "You have no role here"),
        ({"claims": {"email_verified": None, "groups": []}}, "You have no role here"),
        (
            {"claims": {"email": "", "preferred_username": "support", "groups": []}},
            "You have no role here",
        ),
    ],
    ids=str,
)
def test_what_a_provider_says_is_believed_only_if_it_is_for_this_login(
    site: Site, provider: Provider, monkeypatch: pytest.MonkeyPatch, lies: dict[str, Any], told: str
) -> None:
    if lies.get("key"):
        lies = {"key": provider.stranger}
    monkeypatch.setattr(provider, "lies", lies)
    answer = requests.Session().get(site.url, timeout=30)
    assert answer.status_code == 403
    assert told in answer.text
    assert "Log out" not in answer.text


def test_a_login_that_this_browser_did_not_begin_is_none(site: Site) -> None:
    """Whoever is sent another one's link back would work, and be noted, as that one."""

    def came_back(browser: requests.Session) -> str:
        begun = browser.get(f"{site.url}/login", allow_redirects=False, timeout=30)
        there = browser.get(begun.headers["location"], allow_redirects=False, timeout=30)
        return there.headers["location"]

    mallory, victim = requests.Session(), requests.Session()
    back = came_back(mallory)
    assert victim.get(back, timeout=30).status_code == 403
    assert mallory.get(back, timeout=30).status_code == 403
    again = came_back(mallory)
    assert "operator" in mallory.get(again, timeout=30).text
    assert mallory.get(again, timeout=30).status_code == 403
    late = came_back(victim)
    site.now += LOGIN_SECONDS + 1
    assert victim.get(late, timeout=30).status_code == 403
    assert victim.get(f"{site.url}/login/end?code=x", timeout=30).status_code == 403


def test_a_provider_that_is_another_one_or_away_is_told(
    module_pipeline: Engine, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provider, "lies", {"configured": "https://elsewhere.example"})
    with Site(module_pipeline, provider) as site:
        answer = requests.get(site.url, timeout=30)
        assert (answer.status_code, "CONSOLE_OIDC_ISSUER" in answer.text) == (403, True)
    with Site(module_pipeline, Provider("http://127.0.0.1:9")) as site:
        answer = requests.get(site.url, timeout=30)
        assert (answer.status_code, "does not answer" in answer.text) == (502, True)
