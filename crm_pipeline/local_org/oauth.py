"""OAuth 2.0: tokens by client credentials, JWT bearer, password, code and refresh token."""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from crm_pipeline.local_org.config import ConnectedApp
from crm_pipeline.local_org.errors import SalesforceError
from crm_pipeline.local_org.ids import long_id
from crm_pipeline.local_org.logins import Refusal, check_password, open_session, user_of_id
from crm_pipeline.local_org.per_org import PerOrg
from crm_pipeline.local_org.routing import Answer, Call, Route, session_token
from crm_pipeline.local_org.store import Org, User

_JWT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_NOT_APPROVED = "user hasn't approved this consumer"


class _Refused(Exception):  # noqa: N818 - an answer: HTTP 400 with an error and its description
    def __init__(self, error: str, description: str) -> None:
        super().__init__(error)
        self.error = error
        self.description = description


@dataclass(frozen=True, slots=True)
class Grant:
    """What a refresh token or an authorization code stands for."""

    client_id: str
    user_id: str


@dataclass(slots=True)
class _Grants:
    refresh_tokens: dict[str, Grant] = field(default_factory=dict)
    codes: dict[str, Grant] = field(default_factory=dict)


_GRANTS = PerOrg(_Grants)


def issue_refresh_token(org: Org, client_id: str, username: str) -> str:
    """A refresh token as a user who approved the app would have got it (web server flow)."""
    token = f"5Aep861{secrets.token_urlsafe(48)}"
    user = org.users[username.lower()]
    _GRANTS[org].refresh_tokens[token] = Grant(client_id, user.id)
    return token


def token(org: Org, call: Call) -> Answer:
    """`POST /services/oauth2/token`, form-encoded. Refusals are 400 with `error`."""
    try:
        form = dict(parse_qsl(call.body.decode("utf-8", "replace"), keep_blank_values=True))
        form |= _basic_credentials(call.headers.get("authorization", ""))
        grant = _GRANT_TYPES.get(form.get("grant_type", ""), _unsupported)
        return grant(org, call, form)
    except _Refused as refused:
        body = {"error": refused.error, "error_description": refused.description}
        return Answer(status=400, body=body)


def _basic_credentials(header: str) -> dict[str, str]:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return {}
    try:
        client_id, _, secret = base64.b64decode(encoded).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise _Refused("invalid_client", "invalid client credentials") from None
    return {"client_id": client_id, "client_secret": secret}


def _app(org: Org, client_id: str) -> ConnectedApp:
    for app in org.config.connected_apps:
        if app.client_id == client_id:
            return app
    raise _Refused("invalid_client_id", "client identifier invalid")


def _app_with_secret(org: Org, form: Mapping[str, str]) -> ConnectedApp:
    app = _app(org, form.get("client_id", ""))
    if not hmac.compare_digest(form.get("client_secret", "").encode(), app.client_secret.encode()):
        raise _Refused("invalid_client", "invalid client credentials")
    return app


def _client_credentials(org: Org, call: Call, form: Mapping[str, str]) -> Answer:
    if call.headers.get("host", "").startswith(("login.", "test.")):
        raise _Refused("invalid_grant", "request not supported on this domain")
    app = _app_with_secret(org, form)
    user = org.users.get((app.run_as or "").lower())
    if user is None:
        raise _Refused("invalid_grant", "no client credentials user enabled")
    return _tokens(org, call, app, user)


def _password(org: Org, call: Call, form: Mapping[str, str]) -> Answer:
    app = _app_with_secret(org, form)
    if not org.config.logins.password_flow:
        raise _Refused("invalid_grant", Refusal.WRONG.value)
    checked = check_password(org, form.get("username", ""), form.get("password", ""))
    if isinstance(checked, Refusal):
        raise _Refused("invalid_grant", checked.value)
    return _tokens(org, call, app, checked)


def _jwt_bearer(org: Org, call: Call, form: Mapping[str, str]) -> Answer:
    import jwt

    assertion = form.get("assertion", "")
    try:
        claims: dict[str, Any] = jwt.decode(assertion, options={"verify_signature": False})
        app = _app(org, str(claims.get("iss")))
        if app.certificate is None:
            raise _Refused("invalid_grant", "invalid assertion")
        jwt.decode(
            assertion,
            _public_key(org, app.certificate),
            algorithms=["RS256"],
            audience=_audiences(org, call),
            options={"require": ["exp", "aud", "sub", "iss"]},
        )
    except jwt.ExpiredSignatureError:
        raise _Refused("invalid_grant", "expired authorization code") from None
    except jwt.InvalidAudienceError:
        raise _Refused("invalid_grant", "Audience validation failed") from None
    except jwt.PyJWTError:
        raise _Refused("invalid_grant", "invalid assertion") from None
    user = org.users.get(str(claims["sub"]).lower())
    if user is None:
        raise _Refused("invalid_grant", _NOT_APPROVED)
    return _tokens(org, call, app, user)


def _audiences(org: Org, call: Call) -> list[str]:
    """Salesforce's login host of this kind of org, its My Domain, and where it stands here."""
    origin = urlsplit(call.base_url)
    login = "test" if org.config.sandbox else "login"
    audiences = [
        f"https://{login}.salesforce.com",
        call.base_url,
        f"{origin.scheme}://{origin.netloc}",
    ]
    return [*audiences, f"https://{org.config.host}"] if org.config.host else audiences


def _public_key(org: Org, certificate: str) -> Any:
    """The key of a PEM certificate or public key, given as text or as a file's path."""
    from cryptography.hazmat.primitives.serialization import load_pem_public_key
    from cryptography.x509 import load_pem_x509_certificate

    if not certificate.lstrip().startswith("-----BEGIN"):
        certificate = (org.config.folder / certificate).read_text()
    pem = certificate.encode()
    if b"BEGIN CERTIFICATE" in pem:
        return load_pem_x509_certificate(pem).public_key()
    return load_pem_public_key(pem)


def _authorization_code(org: Org, call: Call, form: Mapping[str, str]) -> Answer:
    app = _app_with_secret(org, form)
    grant = _GRANTS[org].codes.pop(form.get("code", ""), None)
    user = user_of_id(org, grant.user_id) if grant else None
    if grant is None or user is None or grant.client_id != app.client_id:
        raise _Refused("invalid_grant", "expired authorization code")
    answer = _tokens(org, call, app, user)
    answer.body["refresh_token"] = issue_refresh_token(org, app.client_id, user.username)
    return answer


def _refresh(org: Org, call: Call, form: Mapping[str, str]) -> Answer:
    app = _app_with_secret(org, form)
    held = _GRANTS[org].refresh_tokens
    given = form.get("refresh_token", "")
    grant = held.get(given)
    user = user_of_id(org, grant.user_id) if grant else None
    if grant is None or user is None or grant.client_id != app.client_id:
        raise _Refused("invalid_grant", "expired access/refresh token")
    answer = _tokens(org, call, app, user)
    if app.rotate_refresh_tokens:
        del held[given]
        answer.body["refresh_token"] = issue_refresh_token(org, app.client_id, user.username)
    return answer


def _unsupported(_org: Org, _call: Call, _form: Mapping[str, str]) -> Answer:
    raise _Refused("unsupported_grant_type", "grant type not supported")


_GRANT_TYPES = {
    "client_credentials": _client_credentials,
    "password": _password,
    "authorization_code": _authorization_code,
    "refresh_token": _refresh,
    _JWT: _jwt_bearer,
}


def _tokens(org: Org, call: Call, app: ConnectedApp, user: User) -> Answer:
    if not user.active:
        raise _Refused("invalid_grant", Refusal.INACTIVE.value)
    identity = f"{call.base_url}/id/{org.id}/{user.id}"
    issued_at = str(int(org.now().timestamp() * 1000))
    secret, signed = app.client_secret.encode(), (identity + issued_at).encode()
    signature = base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()
    return Answer(
        body={
            "access_token": open_session(org, user).token,
            "signature": signature,
            "scope": "api",
            "instance_url": call.base_url,
            "id": identity,
            "token_type": "Bearer",
            "issued_at": issued_at,
        }
    )


def authorize(org: Org, call: Call) -> Answer:
    """`GET /services/oauth2/authorize`: approves at once, for `login_hint` or the first user."""
    user = org.users.get(call.query.get("login_hint", "").lower()) or next(iter(org.users.values()))
    redirect = call.query.get("redirect_uri", "")
    apps = [app.client_id for app in org.config.connected_apps]
    if call.query.get("client_id") not in apps or not redirect:
        body = {"error": "invalid_client_id", "error_description": "client identifier invalid"}
        return Answer(status=400, body=body)
    code = f"aPrx{secrets.token_urlsafe(40)}"
    _GRANTS[org].codes[code] = Grant(call.query["client_id"], user.id)
    answer = {"code": code}
    if "state" in call.query:
        answer["state"] = call.query["state"]
    return Answer(status=302, headers={"Location": f"{redirect}?{urlencode(answer)}"})


def revoke(org: Org, call: Call) -> Answer:
    """`POST /services/oauth2/revoke`: ends the session or the refresh token."""
    form = {**call.query, **dict(parse_qsl(call.body.decode("utf-8", "replace")))}
    given = form.get("token", "")
    known = org.sessions.pop(given, None) or _GRANTS[org].refresh_tokens.pop(given, None)
    if known is None:
        body = {"error": "invalid_token", "error_description": "invalid token"}
        return Answer(status=400, body=body)
    return Answer()


def userinfo(org: Org, call: Call) -> Answer:
    """`GET /services/oauth2/userinfo`: who the token belongs to; 403 for a bad one."""
    user = _caller(org, call)
    if user is None:
        return Answer(status=403, body="Bad_OAuth_Token", media_type="text/html;charset=UTF-8")
    return Answer(body={"sub": f"{call.base_url}/id/{org.id}/{user.id}", **_about(org, call, user)})


def identity(org: Org, call: Call) -> Answer:
    """`GET /id/<org>/<user>`: the identity URL that comes with a token."""
    caller = _caller(org, call)
    user = user_of_id(org, long_id(call.params["user"]) or "")
    if caller is None:
        return Answer(status=403, body="Bad_OAuth_Token", media_type="text/html;charset=UTF-8")
    if user is None or long_id(call.params["organization"]) != org.id:
        raise SalesforceError(404, "NOT_FOUND", "The requested resource does not exist")
    about = _about(org, call, user)
    row = org.table("User").rows[user.id]
    return Answer(
        body={
            "id": f"{call.base_url}/id/{org.id}/{user.id}",
            "asserted_user": caller.id == user.id,
            "username": user.username,
            "nick_name": about["nickname"],
            "display_name": about["name"],
            "first_name": about["given_name"],
            "last_name": about["family_name"],
            "timezone": "GMT",
            "last_modified_date": row["LastModifiedDate"],
            "is_app_installed": True,
            **about,
        }
    )


def _caller(org: Org, call: Call) -> User | None:
    token = session_token(call.headers)
    session = org.session(token) or org.session(call.query.get("access_token", ""))
    return user_of_id(org, session.user_id) if session else None


def _about(org: Org, call: Call, user: User) -> dict[str, Any]:
    row = org.table("User").rows[user.id]
    data = f"{call.base_url}/services/data/v{{version}}/"
    soap = f"{call.base_url}/services/Soap"
    return {
        "user_id": user.id,
        "organization_id": org.id,
        "preferred_username": user.username,
        "nickname": row.get("CommunityNickname"),
        "name": row.get("Name"),
        "email": row.get("Email"),
        "email_verified": True,
        "given_name": row.get("FirstName"),
        "family_name": row.get("LastName"),
        "zoneinfo": "GMT",
        "urls": {
            "enterprise": f"{soap}/c/{{version}}/{org.id[:15]}",
            "partner": f"{soap}/u/{{version}}/{org.id[:15]}",
            "rest": data,
            "sobjects": f"{data}sobjects/",
            "query": f"{data}query/",
            "profile": f"{call.base_url}/{user.id}",
        },
        "active": user.active,
        "user_type": "STANDARD",
        "language": "en_US",
        "locale": "en_US",
        "utcOffset": 0,
        "updated_at": row["LastModifiedDate"],
    }


_OAUTH = "/services/oauth2"

ROUTES = (
    Route("POST", f"{_OAUTH}/token", "login", token, counted=False, session=False),
    Route("GET", f"{_OAUTH}/authorize", "authorize", authorize, counted=False, session=False),
    Route("POST", f"{_OAUTH}/revoke", "revoke", revoke, counted=False, session=False),
    Route("GET", f"{_OAUTH}/userinfo", "userinfo", userinfo, counted=False, session=False),
    Route("POST", f"{_OAUTH}/userinfo", "userinfo", userinfo, counted=False, session=False),
    Route("GET", "/id/{organization}/{user}", "userinfo", identity, counted=False, session=False),
)
