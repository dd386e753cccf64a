"""Clients that are slow, loud or wrong: each has its answer, and others have theirs."""

import gzip
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import psutil
import pytest

from crm_pipeline import patience
from crm_pipeline.listener import app
from crm_pipeline_tests.listener.conftest import Desk

BUGS = "/api/v1/externalSources/bugs"
WRONG_KEYS = int(os.environ.get("WRONG_KEYS", "600"))
JSON = {"Content-Type": "application/json"}


def line_to(desk: Desk) -> socket.socket:
    host, port = desk.url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=15)


def all_of(line: socket.socket) -> bytes:
    answer = b""
    while part := line.recv(65_536):
        answer += part
    return answer


def said(desk: Desk, body: bytes = b'{"Subject":"a"}', *headers: str) -> bytes:
    head = [
        f"POST {BUGS} HTTP/1.1",
        "Host: x",
        f"X-API-Key: {desk.key}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        *headers,
    ]
    return "\r\n".join([*head, "", ""]).encode() + body


@contextmanager
def no_more_memory_than(megabytes: int) -> Iterator[None]:
    before = psutil.Process().memory_info().rss
    yield
    assert psutil.Process().memory_info().rss - before < megabytes * 1_000_000


def is_well(desk: Desk) -> bool:
    return desk.post(BUGS, json={"Subject": f"{time.monotonic()}"}).status_code == 202


def test_whoever_connects_and_says_nothing_keeps_nobody_out(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(patience, "HEAD_SECONDS", 1.0)
    with no_more_memory_than(60), ExitStack() as lines:
        silent = []
        for number in range(450):
            silent.append(line := lines.enter_context(line_to(desk)))
            if number % 3 == 0:
                line.sendall(f"POST {BUGS} HTTP/1.1\r\nHost: x\r\nX-A".encode())
        assert is_well(desk)
        begun = time.monotonic()
        assert all(all_of(line) == b"" for line in silent)
        assert time.monotonic() - begun < 10


def test_a_slow_head_behind_an_answered_request_is_not_awaited(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(patience, "HEAD_SECONDS", 0.5)
    with line_to(desk) as line:
        line.sendall(said(desk))
        assert line.recv(65_536).startswith(b"HTTP/1.1 202")
        line.sendall(b"POST /")
        begun = time.monotonic()
        assert b"HTTP/1.1" not in all_of(line)
    assert time.monotonic() - begun < 4


def test_a_body_that_trickles_is_given_up_and_others_are_served(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(app, "BODY_SECONDS", 0.6)
    with ExitStack() as lines:
        slow = [lines.enter_context(line_to(desk)) for _ in range(40)]
        for line in slow:
            line.sendall(said(desk, b"{").replace(b"Content-Length: 1", b"Content-Length: 9"))
        assert is_well(desk)
        answers = [all_of(line) for line in slow]
    assert {answer[:12] for answer in answers} == {b"HTTP/1.1 408"}


def test_too_many_at_once_are_asked_to_come_again(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(app, "MOST_AT_ONCE", 3)
    monkeypatch.setattr(app, "BODY_SECONDS", 60.0)
    with ExitStack() as lines:
        for _ in range(3):
            line = lines.enter_context(line_to(desk))
            line.sendall(said(desk).replace(b"Content-Length: 15", b"Content-Length: 99"))
        # What is sent at once may come in before the three.
        deadline = time.monotonic() + 60
        while (refused := desk.post(BUGS, json={"Subject": "a"})).status_code == 202:
            assert time.monotonic() < deadline
        assert refused.status_code == 503
        assert refused.headers["Retry-After"] == "1"
        assert refused.headers["Content-Type"] == "application/problem+json"
        assert desk.ask("GET", "/health", key=None).status_code == 200
    while not is_well(desk):
        assert time.monotonic() < deadline


def test_many_large_bodies_at_once_take_little_room(desk: Desk):
    statuses: list[int] = []

    def send() -> None:
        with line_to(desk) as line:
            try:
                chunked = b"Transfer-Encoding: chunked"
                line.sendall(said(desk, b"").replace(b"Content-Length: 0", chunked))
                for _ in range(20):
                    line.sendall(b"F4240\r\n" + b"x" * 1_000_000 + b"\r\n")
            except OSError:
                pass  # The line was cut before all was sent.
            try:
                statuses.append(int(all_of(line)[9:12]))
            except (OSError, ValueError):
                statuses.append(413)

    with no_more_memory_than(120):
        threads = [threading.Thread(target=send) for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert statuses == [413] * 12
    assert is_well(desk)


def test_ever_new_wrong_keys_leave_nothing_behind(desk: Desk):
    letters = "abcdefghijklmnopqrstuvwxyz234567"
    with no_more_memory_than(40), line_to(desk) as line:
        answers = b""
        for number in range(0, WRONG_KEYS, 50):
            for each in range(number, number + 50):
                key_id = "".join(letters[(each >> shift) & 31] for shift in (10, 5, 0)) * 4
                key = f"crm_{key_id}_{'A' * 43}"
                head = f"GET /discovery HTTP/1.1\r\nHost: x\r\nX-API-Key: {key}\r\n\r\n"
                line.sendall(head.encode())
            while answers.count(b"HTTP/1.1 401") < number + 50:
                answers += line.recv(1 << 20)
    assert answers.count(b"HTTP/1.1") == answers.count(b"HTTP/1.1 401")
    assert desk.ask("GET", "/discovery").status_code == 200


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"Content-Encoding": "gzip"}, gzip.compress(b'{"Subject":"a"}', mtime=0), 415),
        ({"Content-Encoding": "identity"}, b'{"Subject":"a"}', 202),
        ({"Content-Type": "application/json; charset=UTF-8"}, b'\xef\xbb\xbf{"Subject":"a"}', 202),
        ({"Content-Type": "APPLICATION/JSON"}, b'{"Subject":"a"}', 202),
        ({"Content-Type": "application/json"}, '{"Subject":"ä"}'.encode("latin-1"), 400),
        ({"Content-Type": "application/json"}, '{"Subject":"a"}'.encode("utf-16"), 400),
        ({"Content-Type": "application/json"}, b'{"Subject":"a","Count__c":NaN}', 400),
        ({"Content-Type": "application/json"}, b'{"Subject":"a","Count__c":1e999}', 400),
        ({"Content-Type": "application/json"}, b'{"Subject":"\\ud800"}', 400),
        ({"Content-Type": "application/json"}, b'{"Subject":"a"} trailing', 400),
        ({"Content-Type": "application/json"}, b'"a"', 422),
        ({"Content-Type": "application/json"}, b"null", 422),
        ({"Content-Type": "application/json"}, b'{"' + b"a" * 200_000 + b'":1}', 422),
        ({"Content-Type": "multipart/form-data; boundary=x"}, b"--x--", 415),
        ({"Content-Type": ""}, b'{"Subject":"a"}', 415),
    ],
)
def test_each_odd_body_has_its_answer(
    desk: Desk, headers: dict[str, str], body: bytes, status: int
):
    answer = desk.post(BUGS, headers={**JSON, **headers}, data=body)
    assert answer.status_code == status, answer.text
    assert len(answer.content) < 250_000


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", b"400"),
        (b"POST %b HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", b"400"),
        (b"POST %b HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", b"400"),
        (b"POST %b HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n", b"4"),
        (b"POST %b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n", b"400"),
        (b"POST %b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", b"4"),
        (b"PUT %b HTTP/1.1\r\nHost: x\r\n\r\n", b"405"),
        (b"OPTIONS %b HTTP/1.1\r\nHost: x\r\n\r\n", b"405"),
        (b"POST /%%2e%%2e/%%00 HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", b"404"),
        (b"POST %b?" + b"a=1&" * 3_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", b"4"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"4"),
        (b"\x16\x03\x01\x02\x00\x01", b"400"),
    ],
)
def test_each_odd_head_has_its_answer(desk: Desk, request_: bytes, status: bytes):
    whole = request_ % BUGS.encode() if b"%b" in request_ else request_.replace(b"%%", b"%")
    with line_to(desk) as line:
        line.sendall(whole.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1))
        answer = all_of(line)
    assert answer.startswith(b"HTTP/1.1 " + status), answer[:200]
    assert is_well(desk)


def test_a_client_that_waits_to_be_told_to_go_on_is_told(desk: Desk):
    with line_to(desk) as line:
        whole = said(desk, b'{"Subject":"a"}', "Expect: 100-continue", "Connection: close")
        head, _, body = whole.partition(b"\r\n\r\n")
        line.sendall(head + b"\r\n\r\n")
        assert line.recv(4_096).startswith(b"HTTP/1.1 100")
        line.sendall(body)
        assert all_of(line).startswith(b"HTTP/1.1 202")


def test_a_method_that_is_not_taken_is_told_which_is(desk: Desk):
    answer: Any = desk.ask("GET", BUGS)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
