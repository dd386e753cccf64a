"""The way to an org: encrypted and verified, or on this machine."""

import ssl
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_address

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from crm_pipeline.salesforce.errors import AccountStopped
from crm_pipeline.salesforce.transport import OrgSession, in_words, local_base


@pytest.fixture
def tls_server(tmp_path):
    """A server with a certificate of its own making; gives its URL and the certificate."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    pem, private = tmp_path / "certificate.pem", tmp_path / "key.pem"
    pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, private)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield f"https://127.0.0.1:{server.server_address[1]}", pem
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_certificate_that_nobody_vouches_for_is_refused(tls_server, monkeypatch):
    url, _ = tls_server
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)

    with (
        OrgSession("https://acme.my.salesforce.com", read_timeout=30) as session,
        pytest.raises(requests.exceptions.SSLError) as refused,
    ):
        session.get(url)

    assert "REQUESTS_CA_BUNDLE" in in_words(refused.value)


def test_authorities_of_the_environment_are_believed(tls_server, monkeypatch):
    url, certificate = tls_server
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))

    with OrgSession("https://acme.my.salesforce.com", read_timeout=30) as session:
        assert session.get(url).status_code == 204


def test_plain_http_is_spoken_to_this_machine_only():
    assert local_base("https://acme.my.salesforce.com") is None
    assert local_base("http://127.0.0.1:8080/acme/") == "http://127.0.0.1:8080/acme"
    assert local_base("http://localhost:8080") == "http://localhost:8080"
    assert local_base("http://[::1]:8080/a") == "http://[::1]:8080/a"
    for url in ("http://acme.my.salesforce.com", "http://127.0.0.1.evil.example", "ws://localhost"):
        with pytest.raises(AccountStopped, match="https"):
            local_base(url)


def test_a_session_of_an_org_elsewhere_never_speaks_plain_http():
    with (
        OrgSession("https://acme.my.salesforce.com", read_timeout=30) as session,
        pytest.raises(AccountStopped, match="http"),
    ):
        session.get("http://127.0.0.1:9/")


def test_what_goes_to_this_machine_goes_past_proxies(canned, monkeypatch):
    from crm_pipeline_tests.salesforce.orgs import Canned, in_turn

    server = canned(in_turn(Canned(200, b"{}")))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")

    with OrgSession(f"{server.url}/acme", read_timeout=30) as session:
        session.get("https://acme.my.salesforce.com/services/data?x=1%2B1")

    assert server.paths() == ["/acme/services/data?x=1%2B1"]
