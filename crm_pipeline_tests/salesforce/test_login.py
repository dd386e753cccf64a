"""Logging in: three ways, and what its failures mean."""

import socket
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from crm_pipeline.local_org.logins import LOGINS
from crm_pipeline.salesforce.credentials import ClientCredentials, JwtBearer, PasswordToken
from crm_pipeline.salesforce.errors import (
    AccountPaused,
    AccountStopped,
    CredentialsRefused,
    OrgUnavailable,
)
from crm_pipeline.salesforce.login import log_in
from crm_pipeline_tests.salesforce.orgs import (
    APP,
    HTML_503,
    PASSWORD,
    Canned,
    in_turn,
    token,
)

_ENVELOPE = (
    '<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope '
    'xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
    'xmlns="urn:partner.soap.sforce.com" xmlns:sf="urn:fault.partner.soap.sforce.com" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body>%s</soapenv:Body>'
    "</soapenv:Envelope>"
)


def _soap_fault(code: str, message: str = "no", *, status: int = 500) -> Canned:
    fault = (
        f"<soapenv:Fault><faultcode>{code}</faultcode><faultstring>{code}: {message}"
        f'</faultstring><detail><sf:LoginFault xsi:type="sf:LoginFault"><sf:exceptionCode>{code}'
        f"</sf:exceptionCode><sf:exceptionMessage>{message}</sf:exceptionMessage>"
        "</sf:LoginFault></detail></soapenv:Fault>"
    )
    return Canned(status, (_ENVELOPE % fault).encode(), "text/xml")


def _soap_login(host: str, *, password_expired: bool = False) -> Canned:
    result = (
        f"<loginResponse><result><passwordExpired>{str(password_expired).lower()}"
        f"</passwordExpired><serverUrl>https://{host}/services/Soap/u/62.0/00D000000000001"
        "</serverUrl><sessionId>00D000000000001!AQ</sessionId><userId>005000000000001AAA</userId>"
        "<userInfo><organizationId>00D000000000001AAA</organizationId></userInfo>"
        "</result></loginResponse>"
    )
    return Canned(200, (_ENVELOPE % result).encode(), "text/xml")


def _oauth_error(error: str, description: str | None = None, status: int = 400) -> Canned:
    more = f',"error_description":"{description}"' if description is not None else ""
    return Canned(status, f'{{"error":"{error}"{more}}}'.encode())


def _key_and_certificate() -> tuple[str, str]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "acme")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return private.decode(), certificate.public_bytes(serialization.Encoding.PEM).decode()


@pytest.mark.parametrize("credentials", [APP, PASSWORD], ids=lambda c: c.method)
def test_a_login_gives_a_working_connection_that_knows_its_user(org, credentials):
    connection = org.connect(credentials)

    assert connection.request("limits", "GET", "limits").status == 200
    [user] = org.org.users.values()
    assert connection.user_id == user.id
    assert connection.organization_id == org.org.id


def test_a_jwt_bearer_logs_in_with_its_key(make_org):
    private_key, certificate = _key_and_certificate()
    org = make_org(connected_apps=[{"client_id": "app", "certificate": certificate}])

    connection = org.connect(
        JwtBearer(client_id="app", username="api@acme.test", private_key=private_key)
    )

    assert connection.request("limits", "GET", "limits").status == 200


def test_a_key_that_is_none_stops_the_account_without_a_call(org):
    with pytest.raises(AccountStopped, match="private key") as stopped:
        org.connect(JwtBearer(client_id="app", username="api@acme.test", private_key="s3cret"))

    assert "s3cret" not in str(stopped.value)
    assert org.logins == 0


@pytest.mark.parametrize(
    "credentials",
    [
        ClientCredentials(client_id="app", client_secret="wrong-s3cret"),
        PasswordToken(username="api@acme.test", password="wrong-s3cret", security_token="TOKEN"),
    ],
    ids=lambda c: c.method,
)
def test_bad_credentials_stop_the_account_and_are_tried_once(org, credentials):
    with pytest.raises(AccountStopped) as stopped:
        org.connect(credentials)

    assert org.logins == 1
    assert stopped.value.action
    assert "s3cret" not in str(stopped.value)


def test_a_wrong_password_counts_once_towards_the_lock_out(org):
    with pytest.raises(AccountStopped):
        org.connect(PasswordToken(username="api@acme.test", password="wrong"))

    assert LOGINS[org.org].refused["api@acme.test"] == 1


@pytest.mark.parametrize("credentials", [APP, PASSWORD], ids=lambda c: c.method)
@pytest.mark.parametrize("action", ["html_503", "reset_before", "truncate", "wrong_length", "hang"])
def test_an_org_that_is_down_at_login_is_not_taken_for_a_wrong_password(org, credentials, action):
    org.weather("login", action, seconds=60)

    with pytest.raises(OrgUnavailable):
        org.connect(credentials, read_timeout=0.2)

    org.lets_go()
    assert org.connect(credentials).user_id


def test_html_at_login_is_the_trap_that_it_is_said_to_be(canned):
    """simple-salesforce raises its class for bad credentials, which would stop the account."""
    from simple_salesforce.exceptions import SalesforceAuthenticationFailed
    from simple_salesforce.login import token_login

    server = canned(in_turn(HTML_503))
    with pytest.raises(SalesforceAuthenticationFailed):
        token_login(f"{server.url}/services/oauth2/token", {}, "acme.my", "app", None, None)

    with pytest.raises(OrgUnavailable, match="HTTP 503"):
        log_in(server.url, APP)
    with pytest.raises(OrgUnavailable, match="HTTP 503"):
        log_in(server.url, PASSWORD)


def test_a_host_with_api_in_its_name_stays_whole(canned):
    """simple-salesforce strips every `-api`: acme-apiary becomes acmeary."""
    from simple_salesforce.login import SalesforceLogin

    from crm_pipeline.salesforce.transport import OrgSession

    server = canned(in_turn(_soap_login("acme-apiary.my.salesforce.com")))
    _, mangled = SalesforceLogin(
        username="u",
        password="p",
        security_token="t",
        session=OrgSession(server.url, read_timeout=30),
    )
    assert mangled == "acmeary.my.salesforce.com"

    connection = log_in(server.url, PASSWORD)

    assert connection.host == "acme-apiary.my.salesforce.com"
    assert connection.user_id == "005000000000001AAA"
    assert connection.organization_id == "00D000000000001AAA"


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (_soap_fault("INVALID_LOGIN", "Invalid username, password"), CredentialsRefused),
        (_soap_fault("LOGIN_MUST_USE_SECURITY_TOKEN"), CredentialsRefused),
        (_soap_fault("PASSWORD_LOCKOUT"), CredentialsRefused),
        (_soap_fault("INVALID_OPERATION", "SOAP API login() is disabled"), CredentialsRefused),
        (_soap_fault("A_CODE_THAT_NOBODY_KNOWS"), CredentialsRefused),
        (_soap_fault("LOGIN_RATE_EXCEEDED"), AccountPaused),
        (_soap_fault("REQUEST_LIMIT_EXCEEDED", "TotalRequests"), AccountPaused),
        (_soap_fault("SERVER_UNAVAILABLE"), OrgUnavailable),
        (_soap_fault("sf:UNKNOWN_EXCEPTION"), OrgUnavailable),
        (_soap_login("acme.my.salesforce.com", password_expired=True), CredentialsRefused),
        (Canned(200, b"<html>Hello</html>", "text/html"), OrgUnavailable),
        (Canned(200, b"Hello & <", "text/html"), OrgUnavailable),
        (Canned(302, b"", headers={"Location": "https://evil.example/"}), OrgUnavailable),
        (Canned(404, b"<html>", "text/html"), OrgUnavailable),
        (Canned(200), OrgUnavailable),
    ],
)
def test_an_answer_to_a_soap_login_means_what_it_says(canned, answer, problem):
    server = canned(in_turn(answer))

    with pytest.raises(problem):
        log_in(server.url, PASSWORD)

    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (_oauth_error("invalid_grant", "authentication failure"), CredentialsRefused),
        (_oauth_error("invalid_grant"), CredentialsRefused),
        (_oauth_error("invalid_client_id", "client identifier invalid"), CredentialsRefused),
        (_oauth_error("something_new", "hm"), CredentialsRefused),
        (_oauth_error("unknown_error", "retry your request"), OrgUnavailable),
        (_oauth_error("invalid_grant", "login rate exceeded"), AccountPaused),
        (
            Canned(403, b'[{"errorCode":"API_DISABLED_FOR_ORG","message":"no"}]'),
            AccountStopped,
        ),
        (Canned(200, b'{"access_token":"x"'), OrgUnavailable),
        (Canned(200, b'{"token_type":"Bearer"}'), OrgUnavailable),
        (Canned(200, b"[]"), OrgUnavailable),
        (Canned(200, b"null"), OrgUnavailable),
        (Canned(500, b"{}"), OrgUnavailable),
        (Canned(429, b"", "text/html"), OrgUnavailable),
        (Canned(307, b"", headers={"Location": "https://evil.example/"}), OrgUnavailable),
    ],
)
def test_an_answer_to_an_oauth_login_means_what_it_says(canned, answer, problem):
    server = canned(in_turn(answer))

    with pytest.raises(problem):
        log_in(server.url, APP)

    assert len(server.asked) == 1


def test_what_salesforce_says_of_a_refused_login_reaches_the_people(canned):
    server = canned(in_turn(_oauth_error("invalid_grant", "no client credentials user enabled")))

    with pytest.raises(AccountStopped, match="no client credentials user enabled") as stopped:
        log_in(server.url, APP)

    assert stopped.value.code == "invalid_grant"


@pytest.mark.parametrize(
    ("login_url", "credentials"),
    [
        ("http://acme.my.salesforce.com", APP),
        ("http://10.0.0.7:8080/acme", PASSWORD),
        ("ftp://localhost", APP),
        ("acme.my.salesforce.com", APP),
        ("https://acme.example.com", APP),
        ("https://salesforce.com.evil.example", APP),
        ("https://acme.lightning.force.com", APP),
        (r"https://evil.example\.salesforce.com", APP),
        (r"https://evil.example\.salesforce.com", PASSWORD),
        (r"http://evil.example\@127.0.0.1", APP),
        ("https://.salesforce.com", APP),
        ("https://evil.example/.salesforce.com", APP),
        ("https://u@acme.my.salesforce.com", APP),
        ("https://login.salesforce.com", APP),
        ("https://test.salesforce.com", APP),
    ],
)
def test_a_login_url_where_credentials_must_not_go_is_refused_at_once(
    login_url, credentials, monkeypatch
):
    looked_up = []
    monkeypatch.setattr(socket, "getaddrinfo", lambda *asked, **_: looked_up.append(asked))

    with pytest.raises(AccountStopped):
        log_in(login_url, credentials)

    assert not looked_up


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "acme.my.salesforce.com@evil.example",
        "acme.my.salesforce.com:8443",
        r"evil.example\\.salesforce.com",
        "acme.my.salesforce.com.evil.example",
        "",
    ],
)
def test_a_session_is_not_taken_to_a_host_that_is_not_salesforce_s(canned, host, monkeypatch):
    """The answer of a login names where the org is; the session id would go there."""
    server = canned(in_turn(token(host)))
    monkeypatch.setattr("crm_pipeline.salesforce.transport.local_base", lambda _: server.url)

    with pytest.raises(AccountStopped, match="not one of Salesforce's") as stopped:
        log_in("https://acme.my.salesforce.com", APP)

    assert not isinstance(stopped.value, CredentialsRefused)
    assert len(server.asked) == 1


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("credentials", [APP, PASSWORD], ids=lambda c: c.method)
def test_an_org_that_has_moved_says_where_to(canned, status, credentials):
    location = {"Location": "https://acme-new.my.salesforce.com/services/oauth2/token?x=1"}
    server = canned(in_turn(Canned(status, b"", headers=location)))

    with pytest.raises(
        AccountStopped, match=r"--login-url https://acme-new\.my\.salesforce\.com`$"
    ) as e:
        log_in(server.url, credentials)

    assert not isinstance(e.value, CredentialsRefused)


@pytest.mark.parametrize(
    "location",
    [
        "",
        "/maintenance",
        "https://evil.example/services/data",
        r"https://evil.example\.salesforce.com/services/data",
        "https://acme.my.salesforce.com/?ec=302&startURL=/services/data",
        "https://login.salesforce.com/services/data",
        "https://acme.my.salesforce.com/maintenance/services/data",
    ],
)
def test_a_redirect_to_what_is_no_org_is_not_followed_nor_advised(canned, location):
    server = canned(in_turn(Canned(302, b"", headers={"Location": location})))

    with pytest.raises(OrgUnavailable):
        log_in(server.url, APP)


@pytest.mark.parametrize(
    ("version", "advice"), [("62.0", "api_version=64.0"), ("66.0", "use OAuth client credentials")]
)
def test_a_retired_version_is_not_taken_for_bad_credentials(canned, version, advice):
    server = canned(in_turn(_soap_fault("UNSUPPORTED_API_VERSION", "Invalid Api version")))

    with pytest.raises(AccountStopped, match=advice) as stopped:
        log_in(server.url, PASSWORD, api_version=version)

    assert not isinstance(stopped.value, CredentialsRefused)


def test_nothing_listening_is_an_org_that_is_down():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]

    with pytest.raises(OrgUnavailable, match="no connection"):
        log_in(f"http://127.0.0.1:{port}", APP, read_timeout=1)


@pytest.mark.parametrize(
    ("login_url", "domain", "token_host"),
    [
        ("https://login.salesforce.com", "login", None),
        ("https://test.salesforce.com", "test", None),
        ("https://acme.my.salesforce.com", "login", "acme.my"),
        ("https://acme--uat.sandbox.my.salesforce.com", "test", "acme--uat.sandbox.my"),
    ],
)
def test_a_jwt_names_the_right_audience(login_url, domain, token_host):
    from crm_pipeline.salesforce.login import _arguments

    arguments = _arguments(
        login_url, JwtBearer(client_id="a", username="u", private_key="k"), "62.0"
    )

    assert (arguments["domain"], arguments["instance_url"]) == (domain, token_host)


def test_a_soap_login_uses_the_last_version_that_has_it(canned):
    server = canned(in_turn(_soap_login("acme.my.salesforce.com")))

    connection = log_in(server.url, PASSWORD, api_version="66.0")

    assert server.paths() == ["/services/Soap/u/64.0"]
    assert connection.path("limits") == "/services/data/v66.0/limits"


def test_a_netrc_does_not_replace_the_authorization(canned, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("default login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    server = canned(in_turn(token(), Canned(200, b"{}")))

    log_in(server.url, APP).request("limits", "GET", "limits")

    assert server.asked[0].headers["Authorization"].startswith("Basic YXBwOmFwcC1zZWNyZXQ")
    assert server.asked[1].headers["Authorization"] == "Bearer 00D!session"


def test_nothing_that_is_logged_or_shown_holds_a_secret(org, caplog):
    caplog.set_level("DEBUG")

    connection = org.connect(PASSWORD)
    connection.request("limits", "GET", "limits")
    shown = f"{connection!r} {vars(connection)} {caplog.text}"
    with pytest.raises(AccountStopped) as stopped:
        org.connect(PasswordToken(username="api@acme.test", password="pass & wrong"))

    session_id = next(iter(org.org.sessions))
    for secret in ("pass & word", "pass &amp; word", "TOKEN", session_id, "pass & wrong"):
        assert secret not in shown + caplog.text + repr(stopped.value)


def test_logging_out_ends_the_session(org):
    connection = org.connect()

    assert connection.log_out()
    assert not org.org.sessions


def test_a_logout_that_fails_is_no_problem(org):
    connection = org.connect()
    org.weather("revoke", "reset_before")

    assert not connection.log_out()
