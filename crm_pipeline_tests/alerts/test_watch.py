"""Alerts on a real database, sent to a real HTTP server and a real SMTP socket."""

import json
import logging
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, ClassVar

import pytest
from sqlalchemy import Connection, Engine, text

from crm_pipeline.accounts.credentials import mark_refused, set_credentials
from crm_pipeline.alerts.watch import watch
from crm_pipeline.database.engines import engine
from crm_pipeline.flows.registry import FLOWS
from crm_pipeline.ledger.positions import advance
from crm_pipeline.salesforce.credentials import PasswordToken
from crm_pipeline.settings import settings
from crm_pipeline_tests.cadence.rows import (
    LONG_AGO,
    a_shipped_person,
    an_account,
    an_idle_account,
    an_operation,
)
from crm_pipeline_tests.small_flow.badges import Badge, badges_flow


@contextmanager
def serving(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Webhook(BaseHTTPRequestHandler):
    received: ClassVar[list[dict[str, Any]]]
    answer: ClassVar[int]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.received.append(json.loads(body))
        self.send_response(self.answer)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def webhook(pipeline: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Webhook]]:
    Webhook.received, Webhook.answer = [], 200
    server = HTTPServer(("127.0.0.1", 0), Webhook)
    monkeypatch.setenv(
        "ALERT_WEBHOOK_URL", f"http://user:hunter2@127.0.0.1:{server.server_port}/hook"
    )
    settings.cache_clear()
    with serving(server):
        yield Webhook


def causes() -> list[tuple[str | None, str]]:
    return [(notice.account_id, notice.cause) for notice in watch()]


def exhaust(connection: Connection, account_id: str, key: str) -> None:
    an_operation(connection, account_id, key, state="exhausted", attempts_left=0)
    connection.commit()


def test_where_all_is_well_nobody_is_told_anything(connection):
    an_idle_account(connection, "a")
    an_account(connection, "new")
    connection.commit()
    assert watch() == []


def test_people_are_told_once_and_again_when_it_changes(connection):
    an_idle_account(connection, "a")
    exhaust(connection, "a", "person:1")
    assert causes() == [("a", "exhausted retries")]
    assert causes() == []
    exhaust(connection, "a", "person:2")
    assert causes() == [("a", "exhausted retries")]
    assert causes() == []


def test_what_was_repaired_and_breaks_again_is_told_again(connection):
    an_idle_account(connection, "a")
    exhaust(connection, "a", "person:1")
    watch()
    connection.execute(text("UPDATE crm.operation SET state = 'dropped'"))
    connection.commit()
    (end,) = watch()
    assert (end.cause, end.over) == ("exhausted retries", True)
    assert end.message.startswith("It is over: A (a): 1 operation failed")
    assert causes() == []
    exhaust(connection, "a", "person:2")
    assert causes() == [("a", "exhausted retries")]


def test_refused_credentials_are_told_at_once_and_when_others_are_set(connection, webhook):
    an_idle_account(connection, "a")
    credentials = PasswordToken(username="a", password="b")
    set_credentials(connection, "a", credentials)
    mark_refused(connection, "a", "Salesforce refuses this account: INVALID_LOGIN")
    connection.commit()
    assert causes() == [("a", "refused credentials")]
    assert causes() == []
    set_credentials(connection, "a", credentials)
    connection.commit()
    assert causes() == [("a", "refused credentials")]
    assert causes() == []
    told, ended = (each["alerts"][0] for each in webhook.received)
    assert (
        "INVALID_LOGIN; nothing is sent before `crm-pipeline account credentials a`."
        in (told["message"])
    )
    assert (told["over"], ended["over"]) == (False, True)
    assert ended["message"] == f"It is over: {told['message']}"


def test_a_hold_is_told_when_it_begins_and_when_somebody_has_decided(connection, webhook):
    an_idle_account(connection, "a")
    connection.execute(
        text(
            "INSERT INTO crm.hold (account_id, cycle_id, after_operation, last_operation, exceeded)"
            " VALUES ('a', 1, 0, 1, '[]')"
        )
    )
    connection.commit()
    assert causes() == [("a", "held")]
    assert causes() == []
    connection.execute(text("UPDATE crm.hold SET decision = 'approved'"))
    connection.commit()
    assert causes() == [("a", "held")]
    told, ended = (each["alerts"][0] for each in webhook.received)
    assert "nothing is sent before `crm-pipeline approve a` or" in told["message"]
    assert (told["over"], ended["over"]) == (False, True)


def test_what_was_over_before_anybody_could_be_told_is_not_told(connection, webhook):
    webhook.answer = 500
    an_idle_account(connection, "a")
    exhaust(connection, "a", "person:1")
    assert causes() == []
    connection.execute(text("UPDATE crm.operation SET state = 'dropped'"))
    connection.commit()
    webhook.answer = 200
    assert causes() == []


def test_the_end_is_told_until_somebody_has_taken_it(connection, webhook):
    an_idle_account(connection, "a")
    exhaust(connection, "a", "person:1")
    assert len(watch()) == 1
    connection.execute(text("UPDATE crm.operation SET state = 'dropped'"))
    connection.commit()
    webhook.answer = 500
    assert watch() == []
    webhook.answer = 200
    assert [notice.over for notice in watch()] == [True]


def made_long_ago(connection: Connection) -> None:
    connection.execute(text("UPDATE crm.account SET created_at = :at"), {"at": LONG_AGO})
    connection.commit()


def test_a_row_that_nobody_read_within_the_hour_breaks_the_promise(connection):
    an_idle_account(connection, "a")
    an_account(connection, "never-run")
    an_idle_account(connection, "in-time")
    now = datetime.now(UTC)
    a_shipped_person(connection, "a", 1, now - timedelta(minutes=61))
    a_shipped_person(connection, "never-run", 2, now - timedelta(minutes=61))
    a_shipped_person(connection, "in-time", 3, now - timedelta(minutes=59))
    made_long_ago(connection)
    assert sorted(map(str, causes())) == ["('a', 'late')", "('never-run', 'late')"]


def test_what_waits_in_the_ledger_breaks_the_promise_too(connection):
    an_idle_account(connection, "a")
    made_long_ago(connection)
    hours_ago = datetime.now(UTC) - timedelta(hours=2)
    an_operation(connection, "a", "person:1", state="failed", created_at=hours_ago)
    connection.commit()
    assert causes() == [("a", "late")]


def test_an_account_that_was_just_made_is_not_late_with_old_rows(connection):
    an_account(connection, "a")
    a_shipped_person(connection, "a", 1, LONG_AGO)
    connection.commit()
    assert causes() == []


def test_without_the_warehouse_open_alerts_stay_open(connection, monkeypatch, caplog):
    an_idle_account(connection, "a")
    a_shipped_person(connection, "a", 1, LONG_AGO + timedelta(minutes=1))
    made_long_ago(connection)
    assert causes() == [("a", "late")]

    monkeypatch.setenv("WAREHOUSE_URL", "postgresql://nobody@127.0.0.1:1/none")
    settings.cache_clear()
    engine.cache_clear()
    assert causes() == []
    assert "WAREHOUSE_URL" in caplog.text
    assert connection.scalar(text("SELECT closed_at FROM crm.alert")) is None
    engine("pipeline").dispose()


def test_alerts_go_to_the_log_and_to_the_webhook(connection, webhook, caplog):
    an_idle_account(connection, "a")
    exhaust(connection, "a", "person:1")
    with caplog.at_level(logging.WARNING):
        watch()
    (posted,) = webhook.received
    assert posted["alerts"][0]["account_id"] == "a"
    assert "operations list a" in posted["text"]
    assert "ALERT [warning] A (a): 1 operation failed in every try" in caplog.text


def test_a_webhook_that_fails_is_tried_again_and_named_without_its_secret(
    connection, webhook, caplog
):
    webhook.answer = 500
    an_idle_account(connection, "a")
    exhaust(connection, "a", "person:1")
    assert causes() == []
    assert "ALERT_WEBHOOK_URL" in caplog.text
    assert "hunter2" not in caplog.text

    webhook.answer = 200
    assert causes() == [("a", "exhausted retries")]
    assert len(webhook.received) == 2


class Mailbox(socketserver.StreamRequestHandler):
    """As much of SMTP (RFC 5321) as a client without TLS speaks."""

    lines: ClassVar[list[str]]

    def handle(self) -> None:
        self.wfile.write(b"220 ready\r\n")
        in_data = False
        for raw in self.rfile:
            line = raw.decode().rstrip("\r\n")
            if in_data and line != ".":
                self.lines.append(line)
                continue
            answer = b"250 ok\r\n"
            if line.lower() == "data":
                in_data, answer = True, b"354 go on\r\n"
            elif line == ".":
                in_data = False
            elif line.lower() == "quit":
                answer = b"221 bye\r\n"
            self.wfile.write(answer)


def test_alerts_go_by_mail(connection, monkeypatch):
    an_idle_account(connection, "a")
    exhaust(connection, "a", "person:1")
    Mailbox.lines = []
    server = socketserver.TCPServer(("127.0.0.1", 0), Mailbox)
    port = server.server_address[1]
    monkeypatch.setenv("SMTP_URL", f"smtp://127.0.0.1:{port}")
    monkeypatch.setenv("ALERT_EMAIL_TO", "ops@example.test")
    settings.cache_clear()
    with serving(server):
        assert causes() == [("a", "exhausted retries")]
    assert "To: ops@example.test" in Mailbox.lines


def test_a_password_is_not_sent_to_a_server_without_tls(connection, monkeypatch, caplog):
    an_idle_account(connection, "a")
    exhaust(connection, "a", "person:1")
    Mailbox.lines = []
    server = socketserver.TCPServer(("127.0.0.1", 0), Mailbox)
    port = server.server_address[1]
    monkeypatch.setenv("SMTP_URL", f"smtp://me:hunter2@127.0.0.1:{port}")
    monkeypatch.setenv("ALERT_EMAIL_TO", "ops@example.test")
    settings.cache_clear()
    with serving(server):
        assert causes() == []
    assert "SMTP_URL" in caplog.text
    assert Mailbox.lines == []


def test_what_an_incident_holds_up_is_late_because_of_it(connection):
    """The account is Complete and has no reason; how many are held up changes by the cycle."""
    an_idle_account(connection, "a")
    made_long_ago(connection)
    hours_ago = datetime.now(UTC) - timedelta(hours=2)
    an_operation(connection, "a", "person:1", state="failed", created_at=hours_ago)
    incident = "INSERT INTO crm.incident (account_id, code, subject, message, operations)"
    connection.execute(text(f"{incident} VALUES ('a', 'STORAGE', 'Lead', 'full', 60)"))
    connection.commit()
    late, incident_itself = watch()
    assert late.message.endswith(": STORAGE holds up Lead records.")
    assert incident_itself.cause == "incident"
    connection.execute(text("UPDATE crm.incident SET operations = 61"))
    connection.commit()
    assert watch() == []


def test_unread_rows_of_every_flow_break_the_promise(connection: Connection) -> None:
    """Also of one whose rows are in no extract; old rows wait since the flow was switched on."""
    an_idle_account(connection, "a")
    made_long_ago(connection)
    flows = [*FLOWS, badges_flow([Badge(1)])]
    changed = text("UPDATE crm.account SET updated_at = :at")
    connection.execute(changed, {"at": datetime.now(UTC)})
    connection.commit()
    assert [each.cause for each in watch(flows)] == []
    connection.execute(changed, {"at": LONG_AGO})
    connection.commit()
    assert [each.cause for each in watch(flows)] == ["late"]
    [source] = flows[-1].sources
    *_, last = source.read(connection, None)
    advance(connection, "a", "badges", last.position)
    connection.commit()
    assert [each.over for each in watch(flows)] == [True]
