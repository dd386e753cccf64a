"""Who may see and do what, and that nothing of the console is reachable otherwise."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_network

import pytest
import requests
from sqlalchemy import Engine, text

from crm_pipeline.cli.console_settings import CommandDesk
from crm_pipeline.console import sessions as kept
from crm_pipeline.console.logins import LINK_SECONDS, ConsoleLogin, LinkLogin, ProxyLogin
from crm_pipeline.console.pages import ACTIONS, PAGES
from crm_pipeline.console.roles import ConsoleRole, role_of
from crm_pipeline.console.server import Console
from crm_pipeline.console.sessions import Sessions
from crm_pipeline_tests.console.conftest import PROXY, Stage

OPEN = {"/login", "/login/end", "/logout", "/console.css", "/favicon.ico"}


class Clock:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def address(path: str, stage: Stage) -> str:
    """A page's address, with what is there."""
    return path.format(
        account_id="acme",
        plan_id=stage.plan_id,
        number="nothing",
        person_key=1,
        operation_id=stage.refused,
        cycle_id=stage.cycle_id,
    )


@contextmanager
def console(login: ConsoleLogin, pipeline: Engine, clock: Clock | None = None) -> Iterator[str]:
    sessions = Sessions(clock) if clock else None
    with Console(login, pipeline, CommandDesk(), sessions=sessions) as made:
        yield made.url


def test_every_page_and_action_is_for_its_role_and_those_above(stage: Stage) -> None:
    for role in ConsoleRole:
        visitor = stage.visitor(role)
        for page in PAGES:
            may = role >= page.role
            there = 404 if page.path.endswith("/{number}") else 200
            visitor.get(address(page.path, stage), there if may else 403)
        for action in ACTIONS:
            # Nothing is filled in: whoever may do it is told so.
            if "plans" in action.path and role >= action.role:
                continue
            status = 400 if role >= action.role else 403
            visitor.post(address(action.path, stage), status)


def test_nobody_reaches_anything_without_a_login(stage: Stage) -> None:
    with console(LinkLogin("me", lambda _: None), stage.pipeline) as url:
        for page in PAGES:
            answer = requests.get(
                url + address(page.path, stage), allow_redirects=False, timeout=30
            )
            assert (answer.status_code, answer.headers["location"]) == (303, "/login")
        for action in ACTIONS:
            answer = requests.post(
                url + address(action.path, stage), allow_redirects=False, timeout=30
            )
            assert answer.status_code == 401
            assert "not logged in any more, and nothing was done" in answer.text
            assert 'href="/login"' in answer.text
        cookies = {"console": "guessed", "__Host-console": "guessed"}
        answer = requests.get(url, cookies=cookies, allow_redirects=False, timeout=30)
        assert answer.headers["location"] == "/login"


def test_a_link_works_once_and_not_for_long(stage: Stage) -> None:
    links: list[str] = []
    clock = Clock()
    login = LinkLogin("me", links.append, clock)
    with console(login, stage.pipeline, clock) as url:
        assert requests.get(f"{url}/login/end?key=", timeout=30).status_code == 403
        login.new_link()
        browser, other = requests.Session(), requests.Session()
        assert "Log out" in browser.get(url + links[-1], timeout=30).text
        assert other.get(url + links[-1], timeout=30).status_code == 403
        clock.now += 10
        assert "has printed a link" in other.get(url, timeout=30).text
        assert "has printed a link" in other.get(url, timeout=30).text
        assert len(links) == 2
        clock.now += LINK_SECONDS + 1
        assert other.get(url + links[-1], timeout=30).status_code == 403


def test_who_had_to_log_in_is_led_to_what_they_wanted_to_see(stage: Stage) -> None:
    links: list[str] = []
    login = LinkLogin("me", links.append)
    with console(login, stage.pipeline) as url:
        browser = requests.Session()
        said = browser.get(f"{url}/accounts/acme?days=365", timeout=30).text
        assert "has printed a link" in said
        answer = browser.get(url + links[-1], timeout=30)
        assert answer.url == f"{url}/accounts/acme?days=365"
        assert "console-wanted" not in browser.cookies
        for elsewhere in ("//evil.example", "%2F%2Fevil.example", "/%5Cevil.example", "evil"):
            login.new_link()
            cookies = {"console-wanted": elsewhere}
            answer = requests.get(
                url + links[-1], cookies=cookies, allow_redirects=False, timeout=30
            )
            assert answer.headers["location"] == "/"


def test_a_session_ends_by_itself_and_when_its_person_says_so(stage: Stage) -> None:
    links: list[str] = []
    clock = Clock()
    login = LinkLogin("me", links.append, clock)
    with console(login, stage.pipeline, clock) as url:
        browser = requests.Session()

        def is_in() -> bool:
            return browser.get(url, timeout=30, allow_redirects=False).status_code == 200

        def log_in() -> None:
            login.new_link()
            browser.get(url + links[-1], timeout=30)
            assert is_in()

        log_in()
        clock.now += kept.IDLE_SECONDS + 1
        assert not is_in()
        log_in()
        for _ in range(int(kept.LONGEST_SECONDS / kept.IDLE_SECONDS) * 2 - 1):
            clock.now += kept.IDLE_SECONDS / 2
            assert is_in()
        clock.now += kept.IDLE_SECONDS
        assert not is_in()
        log_in()
        cookie = dict(browser.cookies)
        [csrf] = re.findall(r'name="csrf" value="([^"]+)"', browser.get(url, timeout=30).text)
        assert browser.post(f"{url}/logout", timeout=30).status_code == 403
        assert is_in()
        said = browser.post(f"{url}/logout", data={"csrf": csrf}, timeout=30)
        assert "You are logged out." in said.text
        answer = requests.get(url, cookies=cookie, allow_redirects=False, timeout=30)
        assert answer.headers["location"] == "/login"


def test_a_form_of_another_site_or_session_does_nothing(stage: Stage) -> None:
    visitor, other = stage.visitor(ConsoleRole.operator), stage.visitor(ConsoleRole.operator)
    [theirs] = re.findall(r'name="csrf" value="([^"]+)"', other.get("/"))[:1]
    visitor.get("/")
    for csrf in ({}, {"csrf": ""}, {"csrf": theirs}, {"csrf": "ü"}):
        fields = {"do": "requeue", "chosen": stage.refused, **csrf}
        answer = visitor.web.post(f"{stage.url}/queue", data=fields, timeout=30)
        assert answer.status_code == 403
        assert "earlier session" in answer.text
        assert '<a href="/queue"><bdi>Back to the page' in answer.text


def test_a_proxy_names_exactly_one_user_and_nobody_else_does(stage: Stage) -> None:
    def answer(headers: object) -> requests.Response:
        return requests.get(stage.url, headers=headers, timeout=30)  # type: ignore[arg-type]

    assert answer({}).status_code == 401
    assert answer({"X-Forwarded-User": ""}).status_code == 401
    assert "You have no role here" in answer({"X-Forwarded-User": "eve"}).text
    assert answer({"X-Forwarded-User": "ANN"}).status_code == 200
    # Who is called like a group is not of it, nor is a group somebody who is called like it.
    for name in ("ops", "group:ops", "Group:OPS"):
        assert answer({"X-Forwarded-User": name}).status_code == 403, name
    of_a_group = {"X-Forwarded-User": "eve", "X-Forwarded-Groups": "ann, group:ops,"}
    assert answer(of_a_group).status_code == 403
    # The user of a session is who the proxy says now.
    visitor = stage.visitor(ConsoleRole.operator)
    assert "otto, operator" in visitor.get("/")
    visitor.web.headers.update({"X-Forwarded-User": "val", "X-Forwarded-Groups": "sales"})
    assert "val, viewer" in visitor.get("/")
    elsewhere = ProxyLogin(
        [ip_network("10.0.0.0/8")], "X-Forwarded-User", "X-Forwarded-Groups", PROXY.members
    )
    with console(elsewhere, stage.pipeline) as url:
        said = requests.get(url, headers={"X-Forwarded-User": "ann"}, timeout=30)
        assert (said.status_code, "its proxy only" in said.text) == (403, True)


def test_two_headers_are_no_user(stage: Stage) -> None:
    import http.client

    host = stage.url.removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=30)
    connection.putrequest("GET", "/")
    connection.putheader("X-Forwarded-User", "otto")
    connection.putheader("X-Forwarded-User", "ann")
    connection.endheaders()
    assert connection.getresponse().status == 401
    connection.close()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/accounts/nobody", 404),
        ("GET", "/accounts/acme/plans/99", 404),
        ("GET", "/operations/99999999", 404),
        ("GET", "/operations/9999999999999999999999", 400),
        ("GET", "/queue?account=nobody%0d%0a&csv=operations", 404),
        ("GET", "/alerts?account=nobody", 404),
        ("GET", "/queue?after=x", 400),
        ("GET", "/queue?state=odd", 400),
        ("GET", "/queue?kind=odd", 400),
        ("GET", "/alerts?which=odd", 400),
        ("GET", "/?state=odd", 400),
        ("GET", "/accounts/acme?days=7", 400),
        ("GET", "/queue?code=%00", 400),
        ("GET", "/?csv=nothing", 404),
        ("PUT", "/queue", 405),
        ("DELETE", "/", 405),
        ("POST", "/accounts/acme", 405),
    ],
)
def test_what_goes_wrong_is_a_page_with_a_sentence(
    stage: Stage, method: str, path: str, status: int
) -> None:
    visitor = stage.visitor(ConsoleRole.operator)
    answer = visitor.web.request(method, f"{stage.url}{path}", timeout=30)
    assert answer.status_code == status
    assert re.search(r'<p class="note bad"[^>]*>[A-Z][^<]+[.]</p>', answer.text)


def test_a_form_that_is_too_large_is_refused(stage: Stage) -> None:
    visitor = stage.visitor(ConsoleRole.support)
    visitor.get("/")
    answer = visitor.web.post(f"{stage.url}/queue", data=b"x" * 1_000_001, timeout=30)
    assert answer.status_code == 413
    assert "too much at once" in answer.text


def test_nobody_is_waited_for_who_says_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    import socket

    from crm_pipeline import patience
    from crm_pipeline.console import app

    monkeypatch.setattr(patience, "HEAD_SECONDS", 0.3)
    monkeypatch.setattr(app, "BODY_SECONDS", 0.3)
    host, port = stage.url.removeprefix("http://").split(":")
    slow_form = b"POST /logout HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\n{"
    for said, answer in (
        (b"", b""),
        (b"GET / HTTP/1.1\r\nHost", b""),
        (slow_form, b"HTTP/1.1 408"),
    ):
        with socket.create_connection((host, int(port)), timeout=10) as line:
            line.sendall(said)
            assert line.recv(65_536)[:12] == answer


def test_no_page_is_kept_framed_or_asked_for_by_another_name(stage: Stage) -> None:
    visitor = stage.visitor(ConsoleRole.operator)
    for path in ("/", "/nowhere", "/queue", "/console.css", "/login"):
        said = visitor.web.get(f"{stage.url}{path}", timeout=30).headers
        policy = said["content-security-policy"]
        assert "default-src 'self'; script-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert said["x-content-type-options"] == "nosniff"
        assert path == "/console.css" or said["cache-control"] == "no-store"
    rebound = visitor.web.get(stage.url, headers={"Host": "evil.example"}, timeout=30)
    assert rebound.status_code == 400
    with Console(
        PROXY, stage.pipeline, CommandDesk(), public_url="https://console.example"
    ) as behind_tls:
        headers = {**dict(visitor.web.headers), "Host": "console.example"}
        answer = requests.get(behind_tls.url, headers=headers, timeout=30)
        assert answer.status_code == 200
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-console=")
        assert all(each in cookie for each in ("; HttpOnly", "; Secure", "; SameSite=lax"))
        answer = requests.get(behind_tls.url, headers=visitor.web.headers, timeout=30)
        assert answer.status_code == 400


def test_who_looked_at_whom_and_who_did_what_is_kept(stage: Stage) -> None:
    visitor = stage.visitor(ConsoleRole.support)
    visitor.get("/queue")
    with stage.pipeline.connect() as connection:
        person = connection.scalar(
            text("SELECT person_key FROM crm.person WHERE address = 'p2@example.com'")
        )
    log = stage.visitor(ConsoleRole.operator).get(f"/log?person={person}&csv=log")
    assert any(",ann,support,look," in line and str(person) in line for line in log.splitlines()), (
        log
    )
    assert "p2@example.com" not in log


def test_the_highest_role_counts() -> None:
    members = {ConsoleRole.viewer: ["Group:All"], ConsoleRole.operator: ["ann@example.com"]}
    assert role_of("bob", ["all"], members) is ConsoleRole.viewer
    assert role_of("Ann@Example.com", ["all"], members) is ConsoleRole.operator
    assert role_of("", ["bob", ""], {ConsoleRole.viewer: ["", "group:"]}) is None
