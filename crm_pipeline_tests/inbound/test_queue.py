"""The queue of requests tells repetitions, whoever comes when."""

import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import Connection, Engine, text

from crm_pipeline.inbound.queue import (
    NewRequest,
    finish,
    pending,
    put_off,
    receive,
    status_of,
)

FEEDBACK = NewRequest("feedback", "listener", "bugs", b"same", b"content", body={"a": 1})


@pytest.fixture
def connection(pipeline: Engine) -> Iterator[Connection]:
    with pipeline.connect() as connection:
        yield connection


def test_the_same_asked_again_is_the_first_request(connection: Connection):
    first = receive(connection, "acme", FEEDBACK)
    again = receive(connection, "acme", FEEDBACK)
    assert first.is_new
    assert not again.is_new
    assert again.request_id == first.request_id
    assert again.asks_the_same
    other = receive(connection, "other", FEEDBACK)
    assert other.is_new


def test_the_same_key_with_something_else_is_told(connection: Connection):
    receive(connection, "acme", FEEDBACK)
    assert not receive(connection, "acme", replace(FEEDBACK, content=b"else")).asks_the_same


def test_what_says_the_same_long_afterwards_is_another_thing(connection: Connection):
    within = replace(FEEDBACK, within_hours=24)
    first = receive(connection, "acme", within)
    connection.execute(text("UPDATE crm.request SET received_at = now() - interval '23 hours'"))
    assert receive(connection, "acme", within).request_id == first.request_id
    connection.execute(text("UPDATE crm.request SET received_at = now() - interval '25 hours'"))
    assert receive(connection, "acme", within).is_new
    assert len(pending(connection, "acme", ("feedback",))) == 2


def test_of_two_who_come_at_once_one_is_first(pipeline: Engine):
    found = []

    def ask() -> None:
        with pipeline.begin() as connection:
            found.append(receive(connection, "acme", FEEDBACK))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({each.request_id for each in found}) == 1
    assert [each.is_new for each in found].count(True) == 1


def test_what_is_done_keeps_nothing_of_the_person(connection: Connection):
    asked = replace(FEEDBACK, kind="removal", address="tom@example.com", digest=b"d")
    received = receive(connection, "acme", asked)
    [request] = pending(connection, "acme", ("removal",))
    assert (request.address, request.body) == ("tom@example.com", {"a": 1})
    finish(connection, request, cycle_id=7, receipt={"places": []})
    assert pending(connection, "acme", ("removal",)) == []
    row = connection.execute(text("SELECT address, body, state FROM crm.request")).one()
    assert row == (None, None, "done")
    status = status_of(connection, "acme", received.request_id)
    assert status is not None
    assert (status.state, status.receipt) == ("done", {"places": []})
    assert status_of(connection, "other", received.request_id) is None


def test_what_cannot_be_done_now_waits(connection: Connection):
    receive(connection, "acme", FEEDBACK)
    [request] = pending(connection, "acme", ("feedback",))
    put_off(connection, request, "the org is down")
    assert pending(connection, "acme", ("feedback",)) == []
    connection.execute(text("UPDATE crm.request SET next_attempt_at = now()"))
    [request] = pending(connection, "acme", ("feedback",))
    assert request.attempts == 1
