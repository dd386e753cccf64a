"""Alerts by mail to a server that speaks TLS from the first byte."""

import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from socketserver import StreamRequestHandler, TCPServer
from typing import ClassVar

import pytest

from crm_pipeline.alerts.channels import Notice, Taken, post
from crm_pipeline.alerts.targets import AlertTarget
from crm_pipeline.settings import settings
from crm_pipeline_tests.alerts.receiver import a_certificate

NOTICE = Notice("acme", "late", "Account acme is late", "2026-11-29T12:00:00+00:00")


class Mailbox(StreamRequestHandler):
    """Takes a login and a message, line by line."""

    lines: ClassVar[list[str]] = []

    def handle(self) -> None:
        self.wfile.write(b"220 mail\r\n")
        in_data = False
        for raw in self.rfile:
            line = raw.decode().rstrip("\r\n")
            self.lines.append(line)
            verb = line.split(" ")[0].lower()
            if in_data and line != ".":
                continue
            taken_by = {"ehlo": b"250-mail\r\n250 AUTH PLAIN\r\n", "auth": b"235 welcome\r\n"}
            answer = taken_by.get(verb, b"250 ok\r\n")
            if verb == "data":
                in_data, answer = True, b"354 go on\r\n"
            elif line == ".":
                in_data = False
            elif verb == "quit":
                answer = b"221 bye\r\n"
            self.wfile.write(answer)


@pytest.fixture
def mail_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a server whose certificate is trusted."""
    certificate, key = a_certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    Mailbox.lines = []
    with TCPServer(("127.0.0.1", 0), Mailbox) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_mail_goes_to_an_smtps_address(mail_server: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SMTP_URL", f"smtps://me:hunter2@{mail_server}")
    monkeypatch.setenv("ALERT_EMAIL_TO", "ops@example.test")
    settings.cache_clear()
    assert post(AlertTarget(email="ops@example.test"), [NOTICE]) == Taken(1)
    settings.cache_clear()
    assert any(line.startswith("AUTH PLAIN ") for line in Mailbox.lines)
    assert "To: ops@example.test" in Mailbox.lines
    assert f"[warning] {NOTICE.message}" in Mailbox.lines
