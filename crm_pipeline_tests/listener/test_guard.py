"""Who may ask, how much, and what comes of everything that is no request."""

import json
import logging
import socket
import time
from typing import Any

import psutil
import pytest
from sqlalchemy import create_engine

from crm_pipeline.accounts.store import disable_account
from crm_pipeline.inbound.keys import make_key, revoke_key
from crm_pipeline.listener import app
from crm_pipeline.listener.server import Listener
from crm_pipeline_tests.listener.conftest import Desk

BUGS = "/api/v1/externalSources/bugs"
WRONG = "crm_aaaaaaaaaaaa_" + "A" * 43


@pytest.mark.parametrize(
    "how",
    [
        {"headers": {}},
        {"headers": {"Authorization": f"Bearer {WRONG}"}},
        {"headers": {"X-API-Key": WRONG}},
        {"headers": {"Authorization": "Basic dG9tOnRvbQ=="}},
        {"headers": {"X-API-Key": "schlüssel".encode().decode("latin-1")}},
        {"params": {"apiKey": WRONG}},
        {"params": {"apiKey": "ü"}},
    ],
)
def test_nobody_without_a_key_of_ours(desk: Desk, how: dict[str, Any]):
    answer = desk.post(BUGS, key=None, json={"Subject": "a"}, **how)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert WRONG not in answer.text


def test_a_key_comes_in_a_header_and_in_the_address_only_where_that_is_chosen(desk: Desk):
    def asked(**how: Any) -> int:
        return desk.post(BUGS, key=None, json={"Subject": "a"}, **how).status_code

    assert asked(headers={"X-API-Key": desk.key}) == 202
    assert asked(headers={"Authorization": f"bearer {desk.key}"}) == 202
    assert asked(params={"apiKey": desk.key}) == 401
    desk.settings(keys_in_query=True)
    assert asked(params={"APIKEY": desk.key}) == 202
    assert asked(params={"apiKey": desk.key}, headers={"X-API-Key": desk.key}) == 202
    assert asked(params={"apiKey": desk.key}, headers={"X-API-Key": WRONG}) == 400


def test_keys_rotate(desk: Desk):
    with desk.database.begin() as connection:
        second = make_key(connection, "acme")
    for key in (desk.key, second):
        assert desk.post(BUGS, key=key, json={"Subject": "a"}).status_code == 202
    with desk.database.begin() as connection:
        assert revoke_key(connection, "acme", desk.key[:16])
    assert desk.post(BUGS, json={"Subject": "a"}).status_code == 401
    assert desk.post(BUGS, key=second, json={"Subject": "a"}).status_code == 202


def test_an_account_that_takes_nothing_says_so(desk: Desk):
    with desk.database.begin() as connection:
        disable_account(connection, "acme")
    assert desk.post(BUGS, json={"Subject": "a"}).status_code == 409


@pytest.mark.parametrize(
    ("method", "path", "how", "status"),
    [
        ("GET", "/nothing", {}, 404),
        ("GET", BUGS, {}, 405),
        ("POST", "/api/v1/userMacroListeners/gdpr/?find=a@b.cc", {"allow_redirects": False}, 404),
        ("DELETE", "/requests", {}, 405),
        ("POST", "/api/v1/externalSources/none", {"json": {}}, 404),
        ("POST", "/api/v1/userMacroListeners/none?find=a@b.cc", {}, 404),
        ("POST", BUGS, {"data": "Subject=a"}, 415),
        ("POST", BUGS, {"data": "{", "headers": {"Content-Type": "application/json"}}, 400),
        ("POST", BUGS, {"data": "", "headers": {"Content-Type": "application/json"}}, 400),
        ("POST", BUGS, {"json": []}, 422),
        ("POST", BUGS, {"json": {"Subject": "a\x00b"}}, 202),
        ("GET", "/requests/1", {}, 404),
        ("GET", "/requests/6f1e9c3a-6a52-4f0b-9d0c-0e1f5a7c2b11", {}, 404),
    ],
)
def test_each_mistake_has_its_answer(
    desk: Desk, method: str, path: str, how: dict[str, Any], status: int
):
    answer = desk.ask(method, path, **how)
    assert answer.status_code == status, answer.text
    if status >= 400:
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json()["status"] == status
        assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("depth", [40, 1_000, 10_000])
def test_json_that_is_nested_deeply_is_refused(desk: Desk, depth: int):
    body = '{"Subject":' + "[" * depth + "]" * depth + "}"
    answer = desk.post(BUGS, data=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422)


def test_large_bodies_are_refused_while_they_come_and_take_no_memory(desk: Desk):
    before = psutil.Process().memory_info().rss

    def pieces() -> Any:
        for _ in range(20):
            yield b"x" * 1_000_000

    as_json = {"Content-Type": "application/json"}
    statuses = []
    for body in (b"x" * 20_000_000, pieces()):
        try:
            statuses.append(desk.post(BUGS, data=body, headers=as_json).status_code)
        except OSError:
            statuses.append(413)  # The line was cut before all was sent.
    assert statuses == [413, 413]
    assert desk.ask("GET", "/health", key=None).status_code == 200
    assert psutil.Process().memory_info().rss - before < 100_000_000


def raw(desk: Desk, said: bytes, *, wait: float = 15) -> bytes:
    host, port = desk.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=wait) as line:
        line.sendall(said)
        answer = b""
        while part := line.recv(65_536):
            answer += part
        return answer


def test_broken_chunks_and_bad_heads_are_malformed(desk: Desk):
    head = f"POST {BUGS} HTTP/1.1\r\nHost: x\r\nX-API-Key: {desk.key}\r\n".encode()
    chunked = b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n"
    assert raw(desk, head + chunked).startswith(b"HTTP/1.1 400")
    assert raw(desk, head + b"X-Long: " + b"a" * 20_000 + b"\r\n\r\n").startswith(b"HTTP/1.1 4")
    assert raw(desk, b"no http\r\n\r\n").startswith(b"HTTP/1.1 400")
    assert desk.ask("GET", "/health", key=None).status_code == 200


def test_a_body_that_does_not_come_is_not_awaited_for_ever(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(app, "BODY_SECONDS", 0.3)
    begun = time.monotonic()
    answer = raw(desk, f"POST {BUGS} HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{{".encode())
    assert answer.startswith(b"HTTP/1.1 408")
    assert time.monotonic() - begun < 8


def test_a_key_has_so_many_requests_a_minute_over_all_processes(desk: Desk):
    desk.settings(requests_per_minute=5)
    with Listener(desk.database) as another:
        answers = [
            desk.ask("GET", "/discovery") if n % 2 else _ask_another(desk, another)
            for n in range(9)
        ]
    allowed = [answer for answer in answers if answer.status_code == 200]
    refused = [answer for answer in answers if answer.status_code == 429]
    # A minute may end meanwhile.
    assert len(allowed) in range(5, 11)
    assert len(allowed) + len(refused) == 9
    assert allowed[0].headers["RateLimit-Policy"] == '"default";q=5;w=60'
    if refused:
        assert int(refused[0].headers["Retry-After"]) <= 60
        assert '"default";r=0' in refused[0].headers["RateLimit"]


def _ask_another(desk: Desk, another: Listener) -> Any:
    return Desk(another.url, desk.key, desk.database).ask("GET", "/discovery")


def test_while_the_database_is_away_nothing_is_accepted(desk: Desk):
    nowhere = create_engine("postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    with Listener(nowhere) as listener:
        away = Desk(listener.url, desk.key, desk.database)
        answers = [away.post(BUGS, json={"Subject": "a"}), away.ask("GET", "/health", key=None)]
    for answer in answers:
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "5"


def test_neither_keys_nor_addresses_are_logged(
    desk: Desk, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    # A run of Dagster's in this process has set the levels of the pipeline's own loggers.
    for name in ("", "crm_pipeline", "crm_pipeline.listener", "uvicorn"):
        caplog.set_level(logging.DEBUG, name)
    desk.settings(keys_in_query=True)
    canary = "canary@example.com"
    for path in (
        f"/api/v1/userMacroListeners/gdpr?find={canary}&apiKey={desk.key}",
        f"/unknown/{canary}?apiKey={desk.key}",
        f"/api/v1/outboundMessages/{desk.key}/gdpr?find={canary}",
    ):
        desk.post(path, key=None, data=canary)

    def broken(*_: Any) -> Any:
        raise RuntimeError(canary + desk.key)

    monkeypatch.setattr(app, "_of_account", broken)
    answer = desk.remove(canary)
    assert answer.status_code == 500
    ours = [r for r in caplog.records if r.name.startswith(("crm_pipeline", "uvicorn"))]
    said = "\n".join(logging.Formatter().format(record) for record in ours)
    assert "POST /api/v1/userMacroListeners/{name} acme 404" in said
    assert "RuntimeError" in said
    assert canary not in said
    assert "canary%40" not in said
    assert desk.key not in said
    assert canary not in answer.text


def test_the_page_of_addresses_is_open_api_and_complete(desk: Desk):
    said = json.loads(desk.ask("GET", "/openapi.json", key=None).content)
    assert said["openapi"] == "3.1.0"
    described = {
        (method.upper(), path) for path, methods in said["paths"].items() for method in methods
    }
    assert described == {(each.method, each.path) for each in app.ADDRESSES} | {("GET", "/health")}
