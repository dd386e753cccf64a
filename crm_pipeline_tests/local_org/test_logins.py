import base64
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from crm_pipeline.local_org.logins import LOGINS, MAX_BAD_PASSWORDS
from crm_pipeline.local_org.oauth import issue_refresh_token
from crm_pipeline.local_org.server import LocalOrgServer
from crm_pipeline_tests.local_org.wire import Caller, serving, serving_afresh

USERS = [
    {"username": "ada@acme.test", "password": "p&ss", "security_token": "TOKEN"},
    {"username": "bob@acme.test", "password": "bob"},
    {"username": "gone@acme.test", "password": "gone", "active": False},
]
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
CLIENT = {"client_id": "3MVG9", "client_secret": "shhh"}

# simple-salesforce tests/test_login.py and WWW::Salesforce have recorded this answer.
INVALID_LOGIN = (
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
    'xmlns:sf="urn:fault.partner.soap.sforce.com" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body><soapenv:Fault>'
    "<faultcode>INVALID_LOGIN</faultcode><faultstring>INVALID_LOGIN: Invalid username, password, "
    "security token; or user locked out.</faultstring><detail>"
    '<sf:LoginFault xsi:type="sf:LoginFault"><sf:exceptionCode>INVALID_LOGIN</sf:exceptionCode>'
    "<sf:exceptionMessage>Invalid username, password, security token; or user locked out."
    "</sf:exceptionMessage></sf:LoginFault></detail></soapenv:Fault></soapenv:Body>"
    "</soapenv:Envelope>"
)


@pytest.fixture(scope="module")
def keys():
    """A private key and its certificate, both as PEM."""
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
    return private, certificate.public_bytes(serialization.Encoding.PEM).decode()


@pytest.fixture(scope="module")
def fresh(keys):
    app = {**CLIENT, "run_as": "bob@acme.test", "certificate": keys[1]}
    nobody = {"client_id": "nobody", "client_secret": "x"}
    with serving_afresh(users=USERS, connected_apps=[app, nobody]) as fresh:
        yield fresh


@pytest.fixture
def caller(fresh):
    caller = fresh()
    caller.http.headers.pop("Authorization")
    return caller


def soap(caller: Caller, username: str, password: str, version: str = "59.0") -> requests.Response:
    body = (
        '<?xml version="1.0" encoding="utf-8" ?><env:Envelope '
        'xmlns:env="http://schemas.xmlsoap.org/soap/envelope/"><env:Body>'
        '<n1:login xmlns:n1="urn:partner.soap.sforce.com">'
        f"<n1:username>{username}</n1:username><n1:password>{password}</n1:password></n1:login>"
        "</env:Body></env:Envelope>"
    )
    headers = {"Content-Type": "text/xml", "SOAPAction": "login"}
    return caller.post(f"/services/Soap/u/{version}", data=body, headers=headers)


def element(answer: requests.Response, name: str) -> str:
    found = re.search(f"<{name}>([^<]*)</{name}>", answer.text)
    assert found, answer.text
    return found[1]


def token(caller: Caller, **form: str) -> requests.Response:
    return caller.post("/services/oauth2/token", data=form)


def refusal(answer: requests.Response) -> tuple[str, str]:
    assert answer.status_code == 400, answer.text
    body = answer.json()
    assert body.keys() == {"error", "error_description"}
    return body["error"], body["error_description"]


def works(caller: Caller, session: str) -> bool:
    headers = {"Authorization": f"Bearer {session}"}
    answer = caller.get("query", params={"q": "SELECT Id FROM Lead"}, headers=headers)
    assert answer.status_code in (200, 401)
    if answer.status_code == 401:
        assert answer.json() == [
            {"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}
        ]
    return answer.status_code == 200


def test_soap_login_answers_with_a_session_and_where_to_use_it(caller):
    answer = soap(caller, "ADA@acme.test", "p&amp;ssTOKEN")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/xml")
    assert works(caller, element(answer, "sessionId"))
    assert element(answer, "passwordExpired") == "false"
    assert element(answer, "organizationId") == caller.org.id
    assert element(answer, "userId") == caller.org.users["ada@acme.test"].id
    server_url = f"{caller.url}/services/Soap/u/59.0/{caller.org.id[:15]}"
    assert element(answer, "serverUrl") == server_url


@pytest.mark.parametrize(
    ("username", "password"),
    [("ada@acme.test", "wrongTOKEN"), ("nobody@acme.test", "x"), ("gone@acme.test", "gone")],
)
def test_a_refused_soap_login_is_worded_as_salesforce_words_it(caller, username, password):
    answer = soap(caller, username, password)
    assert answer.status_code == 500
    assert answer.text.removeprefix('<?xml version="1.0" encoding="UTF-8"?>') == INVALID_LOGIN


def test_a_password_without_its_security_token_is_told_apart(caller):
    answer = soap(caller, "ada@acme.test", "p&amp;ss")
    assert answer.status_code == 500
    assert element(answer, "sf:exceptionCode") == "LOGIN_MUST_USE_SECURITY_TOKEN"
    assert "Are you at a new location?" in element(answer, "faultstring")


def test_from_the_organizations_own_network_no_token_is_needed(caller):
    scope = (
        '<env:Envelope xmlns:env="http://schemas.xmlsoap.org/soap/envelope/" '
        'xmlns:urn="urn:partner.soap.sforce.com"><env:Header><urn:LoginScopeHeader>'
        f"<urn:organizationId>{caller.org.id}</urn:organizationId></urn:LoginScopeHeader>"
        "</env:Header><env:Body><urn:login><urn:username>ada@acme.test</urn:username>"
        "<urn:password>p&amp;ss</urn:password></urn:login></env:Body></env:Envelope>"
    )
    answer = caller.post("/services/Soap/u/59.0", data=scope)
    assert works(caller, element(answer, "sessionId"))


@pytest.mark.parametrize(
    ("version", "code"),
    [
        ("65.0", "INVALID_OPERATION"),
        ("68.0", "INVALID_OPERATION"),
        ("30.0", "UNSUPPORTED_API_VERSION"),
        ("x", "UNSUPPORTED_API_VERSION"),
    ],
)
def test_soap_login_is_gone_from_v65_on_and_for_retired_versions(caller, version, code):
    answer = soap(caller, "bob@acme.test", "bob", version)
    assert answer.status_code == 500
    assert element(answer, "faultcode") == f"sf:{code}"
    assert element(answer, "sf:exceptionCode") == code


def test_soap_login_can_be_disabled_for_the_org():
    with serving(users=USERS, logins={"soap": False}) as caller:
        answer = soap(caller, "bob@acme.test", "bob")
        assert answer.status_code == 500
        assert element(answer, "faultstring").startswith(
            "INVALID_OPERATION: SOAP API login() is disabled by default in this org. Contact the "
            "org administrator"
        )


@pytest.mark.parametrize(
    "body",
    [
        "",
        "<",
        "<a/>",
        "<!DOCTYPE a><login/>",
        "<!DOCTYPE a><login/>".encode("utf-16"),
        "\x00",
        "<b>" * 99,
        '<?xml version="1.0" encoding="none"?><a/>',
        '<?xml version="1.0" encoding="utf-7"?><a/>',
    ],
)
def test_a_soap_body_that_is_no_login_is_a_fault(caller, body):
    answer = caller.post("/services/Soap/u/59.0", data=body)
    assert answer.status_code == 500
    assert "<faultcode>" in answer.text


@pytest.mark.parametrize("version", ["x", "²", "9" * 5_000])
def test_a_soap_address_without_a_version_is_a_fault(caller, version):
    assert element(soap(caller, "bob@acme.test", "bob", version), "faultcode") == (
        "sf:UNSUPPORTED_API_VERSION"
    )


@pytest.mark.parametrize("credentials", ["x", "\xff", "YTpi\xff", "/w=="])
def test_basic_credentials_that_are_none_are_refused(caller, credentials):
    headers = {"Authorization": f"Basic {credentials}".encode("latin-1")}
    form = {"grant_type": "client_credentials"}
    answer = caller.post("/services/oauth2/token", data=form, headers=headers)
    assert refusal(answer) == ("invalid_client", "invalid client credentials")


@pytest.mark.parametrize("redirect_uri", ["http://x/\r\nSet-Cookie: a", "http://x/\ud7ff", "\x00"])
def test_an_address_that_cannot_be_redirected_to_is_refused(caller, redirect_uri):
    asked = {"client_id": CLIENT["client_id"], "redirect_uri": redirect_uri}
    answer = caller.get("/services/oauth2/authorize", params=asked, allow_redirects=False)
    assert refusal(answer)[0] == "redirect_uri_mismatch"


def test_an_expired_password_is_told_within_a_successful_login(caller):
    caller.org.users["bob@acme.test"].password_expired = True
    answer = soap(caller, "bob@acme.test", "bob")
    assert (answer.status_code, element(answer, "passwordExpired")) == (200, "true")


def test_soap_logout_ends_the_session(caller):
    session = element(soap(caller, "bob@acme.test", "bob"), "sessionId")
    assert works(caller, session)
    body = (
        '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Header>'
        f"<SessionHeader><sessionId>{session}</sessionId></SessionHeader></soapenv:Header>"
        "<soapenv:Body><logout/></soapenv:Body></soapenv:Envelope>"
    )
    assert caller.post("/services/Soap/u/59.0", data=body).status_code == 200
    assert not works(caller, session)


def test_too_many_wrong_passwords_lock_the_user_out_for_a_while(caller):
    for _ in range(MAX_BAD_PASSWORDS):
        assert soap(caller, "bob@acme.test", "wrong").status_code == 500
    assert soap(caller, "bob@acme.test", "bob").status_code == 500
    locked = token(
        caller, grant_type="password", username="bob@acme.test", password="bob", **CLIENT
    )
    assert refusal(locked) == ("invalid_grant", "user is locked")
    assert LOGINS[caller.org].refused["bob@acme.test"] == MAX_BAD_PASSWORDS + 2
    caller.org.clock_shift += timedelta(minutes=16)
    assert soap(caller, "bob@acme.test", "bob").status_code == 200


def test_refused_passwords_are_counted_for_each_user_by_himself(caller):
    soap(caller, "bob@acme.test", "wrong")
    soap(caller, "bob@acme.test", "bob")
    stats = caller.get("/_admin/stats").json()
    assert stats["refused_logins"] == {"bob@acme.test": 1}


def test_client_credentials_log_in_as_the_run_as_user(caller):
    answer = token(caller, grant_type="client_credentials", **CLIENT)
    assert answer.status_code == 200
    body = answer.json()
    bob = caller.org.users["bob@acme.test"]
    assert works(caller, body["access_token"])
    assert body["instance_url"] == caller.url
    assert body["token_type"] == "Bearer"
    assert body["id"].endswith(f"/id/{caller.org.id}/{bob.id}")
    assert body["issued_at"].isdigit()
    assert body["signature"]


def test_client_credentials_may_come_as_basic_authentication(caller):
    pair = base64.b64encode(b"3MVG9:shhh").decode()
    form = {"grant_type": "client_credentials"}
    headers = {"Authorization": f"Basic {pair}"}
    assert caller.post("/services/oauth2/token", data=form, headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("form", "error", "description"),
    [
        ({}, "unsupported_grant_type", "grant type not supported"),
        ({"grant_type": "magic"}, "unsupported_grant_type", "grant type not supported"),
        (
            {"grant_type": "client_credentials", "client_id": "x", "client_secret": "shhh"},
            "invalid_client_id",
            "client identifier invalid",
        ),
        (
            {"grant_type": "client_credentials", "client_id": "3MVG9", "client_secret": "é"},
            "invalid_client",
            "invalid client credentials",
        ),
        (
            {"grant_type": "client_credentials", "client_id": "nobody", "client_secret": "x"},
            "invalid_grant",
            "no client credentials user enabled",
        ),
        (
            {"grant_type": "password", "username": "bob@acme.test", "password": "no", **CLIENT},
            "invalid_grant",
            "authentication failure",
        ),
        (
            {"grant_type": "password", "username": "gone@acme.test", "password": "gone", **CLIENT},
            "invalid_grant",
            "inactive user",
        ),
        (
            {"grant_type": "refresh_token", "refresh_token": "x", **CLIENT},
            "invalid_grant",
            "expired access/refresh token",
        ),
        (
            {"grant_type": "authorization_code", "code": "x", **CLIENT},
            "invalid_grant",
            "expired authorization code",
        ),
    ],
)
def test_a_refused_token_request_is_400_with_an_error(caller, form, error, description):
    assert refusal(token(caller, **form)) == (error, description)


def test_client_credentials_are_refused_on_the_login_host(caller):
    form = {"grant_type": "client_credentials", **CLIENT}
    headers = {"Host": "login.salesforce.com"}
    answer = caller.post("/services/oauth2/token", data=form, headers=headers)
    assert refusal(answer) == ("invalid_grant", "request not supported on this domain")


def test_the_password_flow_needs_the_security_token_and_can_be_blocked(caller, monkeypatch):
    form = {"grant_type": "password", "username": "ada@acme.test", **CLIENT}
    answer = token(caller, password="p&ssTOKEN", **form)
    assert works(caller, answer.json()["access_token"])
    assert refusal(token(caller, password="p&ss", **form)) == (
        "invalid_grant",
        "authentication failure - Invalid Password",
    )
    monkeypatch.setattr(caller.org.config.logins, "password_flow", False)
    assert refusal(token(caller, password="p&ssTOKEN", **form)) == (
        "invalid_grant",
        "authentication failure",
    )


def assertion(private_key: bytes, **changes: object) -> str:
    claims = {
        "iss": "3MVG9",
        "sub": "ada@acme.test",
        "aud": "https://login.salesforce.com",
        "exp": int(datetime.now(UTC).timestamp()) + 180,
        **changes,
    }
    return jwt.encode(claims, private_key, algorithm="RS256")


def test_a_jwt_signed_with_the_apps_key_logs_its_subject_in(caller, keys):
    answer = token(caller, grant_type=JWT_BEARER, assertion=assertion(keys[0]))
    assert answer.status_code == 200, answer.text
    assert answer.json()["id"].endswith(caller.org.users["ada@acme.test"].id)
    assert works(caller, answer.json()["access_token"])


def test_the_audience_may_also_be_the_org_itself(caller, keys):
    signed = assertion(keys[0], aud=caller.url)
    assert token(caller, grant_type=JWT_BEARER, assertion=signed).status_code == 200


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"aud": "https://test.salesforce.com"}, ("invalid_grant", "Audience validation failed")),
        ({"exp": 1}, ("invalid_grant", "expired authorization code")),
        ({"sub": "x@acme.test"}, ("invalid_grant", "user hasn't approved this consumer")),
        ({"sub": "gone@acme.test"}, ("invalid_grant", "inactive user")),
        ({"iss": "x"}, ("invalid_client_id", "client identifier invalid")),
        ({"iss": "nobody"}, ("invalid_grant", "invalid assertion")),
        ({"exp": None}, ("invalid_grant", "invalid assertion")),
    ],
)
def test_a_jwt_with_a_wrong_claim_is_refused(caller, keys, changes, error):
    signed = assertion(keys[0], **changes)
    assert refusal(token(caller, grant_type=JWT_BEARER, assertion=signed)) == error


def test_a_jwt_signed_with_another_key_is_refused(caller):
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = stranger.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    for bad in (assertion(pem), "a.b.c", ""):
        answer = token(caller, grant_type=JWT_BEARER, assertion=bad)
        assert refusal(answer) == ("invalid_grant", "invalid assertion")


def test_a_certificate_may_be_a_file_beside_the_orgs_own(keys, tmp_path):
    (tmp_path / "acme.crt").write_text(keys[1])
    app = {**CLIENT, "certificate": "acme.crt"}
    with serving(users=USERS, connected_apps=[app], folder=tmp_path) as caller:
        answer = token(caller, grant_type=JWT_BEARER, assertion=assertion(keys[0]))
        assert answer.status_code == 200


def test_the_web_server_flow_gives_a_refresh_token_that_logs_in_again(caller):
    redirect = "http://localhost:1717/OauthRedirect"
    asked = {"response_type": "code", "client_id": "3MVG9", "redirect_uri": redirect, "state": "s"}
    answer = caller.get("/services/oauth2/authorize", params=asked, allow_redirects=False)
    assert answer.status_code == 302
    given = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert given["state"] == ["s"]
    form = {"grant_type": "authorization_code", "code": given["code"][0], **CLIENT}
    refresh_token = token(caller, **form).json()["refresh_token"]
    assert refusal(token(caller, **form)) == ("invalid_grant", "expired authorization code")
    for _ in range(2):
        again = token(caller, grant_type="refresh_token", refresh_token=refresh_token, **CLIENT)
        assert works(caller, again.json()["access_token"])
        assert "refresh_token" not in again.json()


def test_a_rotating_refresh_token_is_good_for_one_use(caller, monkeypatch):
    app = caller.org.config.connected_apps[0]
    monkeypatch.setattr(app, "rotate_refresh_tokens", True)
    first = issue_refresh_token(caller.org, "3MVG9", "bob@acme.test")
    form = {"grant_type": "refresh_token", **CLIENT}
    second = token(caller, refresh_token=first, **form).json()["refresh_token"]
    assert second != first
    assert refusal(token(caller, refresh_token=first, **form)) == (
        "invalid_grant",
        "expired access/refresh token",
    )
    assert token(caller, refresh_token=second, **form).status_code == 200


def test_userinfo_and_the_identity_url_tell_who_the_token_belongs_to(caller):
    body = token(caller, grant_type="client_credentials", **CLIENT).json()
    bearer = {"Authorization": f"Bearer {body['access_token']}"}
    info = caller.get("/services/oauth2/userinfo", headers=bearer).json()
    assert info["preferred_username"] == "bob@acme.test"
    assert info["organization_id"] == caller.org.id
    assert info["sub"] == body["id"]
    who = requests.get(body["id"], headers=bearer, timeout=10).json()
    assert (who["username"], who["asserted_user"]) == ("bob@acme.test", True)
    assert who["urls"]["rest"].endswith("/services/data/v{version}/")
    assert who["photos"].keys() == {"picture", "thumbnail"}
    resources = caller.get("/services/data/v66.0", headers=bearer).json()
    assert resources["identity"] == body["id"]
    for url in (f"{caller.url}/services/oauth2/userinfo", body["id"]):
        answer = requests.get(url, headers={"Authorization": "Bearer x"}, timeout=10)
        assert (answer.status_code, answer.text) == (403, "Bad_OAuth_Token")


def test_a_session_ends_after_its_time_or_when_it_is_revoked(caller):
    body = token(caller, grant_type="client_credentials", **CLIENT).json()
    session = body["access_token"]
    assert works(caller, session)
    caller.org.clock_shift += timedelta(minutes=121)
    assert not works(caller, session)
    session = token(caller, grant_type="client_credentials", **CLIENT).json()["access_token"]
    assert caller.post("/services/oauth2/revoke", data={"token": session}).status_code == 200
    assert not works(caller, session)
    assert caller.post("/services/oauth2/revoke", data={"token": session}).status_code == 400


def test_logins_are_not_charged_as_api_requests(caller):
    token(caller, grant_type="client_credentials", **CLIENT)
    soap(caller, "bob@acme.test", "bob")
    assert caller.org.meter.charged == 0
    assert caller.org.meter.calls["login"] == 2


def test_a_login_without_the_orgs_name_in_the_path_finds_the_users_org():
    orgs = [{"name": name, "users": [{"username": f"u@{name}.test"}]} for name in ("one", "two")]
    with LocalOrgServer(*orgs) as server:
        two = Caller(server.org("two"), server.url, requests.Session())
        answer = soap(two, "u@two.test", "password")
        assert element(answer, "organizationId") == two.org.id
