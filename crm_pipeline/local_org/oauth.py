"""OAuth 2.0: tokens by client credentials, JWT bearer, password, code and refresh token."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit

from crm_pipeline.exceptions import PicklableError
from crm_pipeline.local_org.config import ConnectedApp
from crm_pipeline.local_org.ids import long_id
from crm_pipeline.local_org.logins import Refusal, check_password, open_session, user_of_id
from crm_pipeline.local_org.per_org import PerOrg
from crm_pipeline.local_org.routing import Answer, Call, Route, not_found, session_token
from crm_pipeline.local_org.store import Org, User

Form = Mapping[str, str]


class _Refused(PicklableError):  # noqa: N818 - an answer: HTTP 400 with an error and its description
    def __init__(self, description: str, error: str = "invalid_grant") -> None:
        super().__init__(description, error)
        self.answer = Answer(400, {"error": error, "error_description": description})


class Grant(NamedTuple):
    """The meaning of a refresh token or an authorization code."""

    client_id: str
    user_id: str


_GRANTS: PerOrg[dict[str, Grant]] = PerOrg(dict)


def issue_refresh_token(org: Org, client_id: str, username: str) -> str:
    """A refresh token as a user who approved the app would have got it (web server flow)."""
    token = f"5Aep861{secrets.token_urlsafe(48)}"
    _GRANTS[org][token] = Grant(client_id, org.users[username.lower()].id)
    return token


def token(org: Org, call: Call) -> Answer:
    """`POST /services/oauth2/token`, form-encoded. Refusals are 400 with `error`."""
    try:
        return Answer(body=_granted(org, call))
    except _Refused as refused:
        return refused.answer


def _granted(org: Org, call: Call) -> dict[str, str]:
    form = _form(call) | _basic_credentials(call.headers.get("authorization", ""))
    grant_type = form.get("grant_type", "")
    if grant_type not in _GRANT_TYPES:
        raise _Refused("grant type not supported", "unsupported_grant_type")
    app, user = _GRANT_TYPES[grant_type](org, call, form)
    if not user.active:
        raise _Refused(Refusal.INACTIVE.value)
    tokens = _tokens(org, call, app, user)
    rotates = grant_type == "refresh_token" and app.rotate_refresh_tokens
    if rotates or grant_type == "authorization_code":
        tokens["refresh_token"] = issue_refresh_token(org, app.client_id, user.username)
    return tokens


def _form(call: Call) -> dict[str, str]:
    return dict(parse_qsl(call.body.decode("utf-8", "replace"), keep_blank_values=True))


def _basic_credentials(header: str) -> dict[str, str]:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return {}
    try:
        client_id, _, secret = base64.b64decode(encoded).decode().partition(":")
    except ValueError:
        raise _Refused("invalid client credentials", "invalid_client") from None
    return {"client_id": client_id, "client_secret": secret}


def _app(org: Org, client_id: str) -> ConnectedApp:
    for app in org.config.connected_apps:
        if app.client_id == client_id:
            return app
    raise _Refused("client identifier invalid", "invalid_client_id")


def _app_with_secret(org: Org, form: Form) -> ConnectedApp:
    app = _app(org, form.get("client_id", ""))
    if not hmac.compare_digest(form.get("client_secret", "").encode(), app.client_secret.encode()):
        raise _Refused("invalid client credentials", "invalid_client")
    return app


def _client_credentials(org: Org, call: Call, form: Form) -> tuple[ConnectedApp, User]:
    if call.headers.get("host", "").startswith(("login.", "test.")):
        raise _Refused("request not supported on this domain")
    app = _app_with_secret(org, form)
    user = org.users.get((app.run_as or "").lower())
    if user is None:
        raise _Refused("no client credentials user enabled")
    return app, user


def _password(org: Org, _call: Call, form: Form) -> tuple[ConnectedApp, User]:
    app = _app_with_secret(org, form)
    if not org.config.logins.password_flow:
        raise _Refused(Refusal.WRONG.value)
    checked = check_password(org, form.get("username", ""), form.get("password", ""))
    if isinstance(checked, Refusal):
        raise _Refused(checked.value)
    return app, checked


def _jwt_bearer(org: Org, call: Call, form: Form) -> tuple[ConnectedApp, User]:
    import jwt

    assertion = form.get("assertion", "")
    try:
        claims: dict[str, Any] = jwt.decode(assertion, options={"verify_signature": False})
        app = _app(org, str(claims.get("iss")))
        if app.certificate is None:
            raise _Refused("invalid assertion")
        jwt.decode(
            assertion,
            _public_key(org, app.certificate),
            algorithms=["RS256"],
            audience=_audiences(org, call),
            options={"require": ["exp", "aud", "sub", "iss"]},
        )
    except jwt.ExpiredSignatureError:
        raise _Refused("expired authorization code") from None
    except jwt.InvalidAudienceError:
        raise _Refused("Audience validation failed") from None
    except jwt.PyJWTError:
        raise _Refused("invalid assertion") from None
    user = org.users.get(str(claims["sub"]).lower())
    if user is None:
        raise _Refused("user hasn't approved this consumer")
    return app, user


def _audiences(org: Org, call: Call) -> list[str]:
    """Salesforce's login host of this kind of org, its My Domain, and where it stands here."""
    here = urlsplit(call.base_url)
    hosts = ["test.salesforce.com" if org.config.sandbox else "login.salesforce.com"]
    hosts += [org.config.host] if org.config.host else []
    return [call.base_url, f"{here.scheme}://{here.netloc}", *(f"https://{each}" for each in hosts)]


def _public_key(org: Org, certificate: str) -> Any:
    """The key of a PEM certificate or public key, given as text or as a file's path."""
    from cryptography.x509 import load_pem_x509_certificate

    if not certificate.lstrip().startswith("-----BEGIN"):
        certificate = (org.config.folder / certificate).read_text()
    if "BEGIN CERTIFICATE" in certificate:
        return load_pem_x509_certificate(certificate.encode()).public_key()
    return certificate


def _code_or_refresh_token(org: Org, _call: Call, form: Form) -> tuple[ConnectedApp, User]:
    app, held = _app_with_secret(org, form), _GRANTS[org]
    is_code = form["grant_type"] == "authorization_code"
    given = form.get("code" if is_code else "refresh_token", "")
    grant = held.get(given)
    user = user_of_id(org, grant.user_id) if grant else None
    if grant is None or user is None or grant.client_id != app.client_id:
        raise _Refused(f"expired {'authorization code' if is_code else 'access/refresh token'}")
    if is_code or app.rotate_refresh_tokens:
        del held[given]
    return app, user


_GRANT_TYPES = {
    "client_credentials": _client_credentials,
    "password": _password,
    "authorization_code": _code_or_refresh_token,
    "refresh_token": _code_or_refresh_token,
    "urn:ietf:params:oauth:grant-type:jwt-bearer": _jwt_bearer,
}


def _tokens(org: Org, call: Call, app: ConnectedApp, user: User) -> dict[str, str]:
    identity = f"{call.base_url}/id/{org.id}/{user.id}"
    issued_at = str(int(org.now().timestamp() * 1000))
    secret, signed = app.client_secret.encode(), (identity + issued_at).encode()
    return {
        "access_token": open_session(org, user, app.scopes).token,
        "signature": base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode(),
        "scope": " ".join(app.scopes),
        "instance_url": call.base_url,
        "id": identity,
        "token_type": "Bearer",
        "issued_at": issued_at,
    }


def authorize(org: Org, call: Call) -> Answer:
    """`GET /services/oauth2/authorize`: approves at once, for `login_hint` or the first user."""
    user = org.users.get(call.query.get("login_hint", "").lower()) or next(iter(org.users.values()))
    try:
        app = _app(org, call.query.get("client_id", ""))
    except _Refused as refused:
        return refused.answer
    redirect_uri = call.query.get("redirect_uri", "")
    if not (redirect_uri.isascii() and redirect_uri.isprintable()):
        mismatch = "redirect_uri must match configuration"
        return _Refused(mismatch, "redirect_uri_mismatch").answer
    code = f"aPrx{secrets.token_urlsafe(40)}"
    _GRANTS[org][code] = Grant(app.client_id, user.id)
    given = {"code": code} | {key: text for key, text in call.query.items() if key == "state"}
    return Answer(status=302, headers={"Location": f"{redirect_uri}?{urlencode(given)}"})


def revoke(org: Org, call: Call) -> Answer:
    """`POST /services/oauth2/revoke`: ends the session or the refresh token."""
    given = {**call.query, **_form(call)}.get("token", "")
    if not (org.sessions.pop(given, None) or _GRANTS[org].pop(given, None)):
        return _Refused("invalid token", "invalid_token").answer
    return Answer()


def userinfo(org: Org, call: Call) -> Answer:
    """`/services/oauth2/userinfo` and `/id/<org>/<user>`, the identity URL that comes with a token.

    Salesforce's first tells the token's user (403 for a bad one), its second any; ours are alike.
    """
    session = org.session(session_token(call.headers) or call.query.get("access_token", ""))
    if session is None:
        return Answer(status=403, body="Bad_OAuth_Token", media_type="text/html;charset=UTF-8")
    user = user_of_id(org, long_id(call.params.get("user", session.user_id)) or "")
    if user is None or long_id(call.params.get("organization", org.id)) != org.id:
        raise not_found()
    row = org.table("User").rows[user.id]
    identity = f"{call.base_url}/id/{org.id}/{user.id}"
    data = f"{call.base_url}/services/data/v{{version}}/"
    soap = f"{call.base_url}/services/Soap"
    about = {
        "id": identity,
        "sub": identity,
        "asserted_user": session.user_id == user.id,
        "user_id": user.id,
        "organization_id": org.id,
        "email": row.get("Email"),
        "email_verified": True,
        "urls": {
            "enterprise": f"{soap}/c/{{version}}/{org.id[:15]}",
            "partner": f"{soap}/u/{{version}}/{org.id[:15]}",
            "rest": data,
            "sobjects": f"{data}sobjects/",
            "query": f"{data}query/",
            "profile": f"{call.base_url}/{user.id}",
        },
        "photos": {
            "picture": f"{call.base_url}/profilephoto/005/F",
            "thumbnail": f"{call.base_url}/profilephoto/005/T",
        },
        "active": user.active,
        "user_type": "STANDARD",
        "language": "en_US",
        "locale": "en_US",
        "utcOffset": 0,
        "is_app_installed": True,
    }
    named_twice = {
        ("preferred_username", "username"): user.username,
        ("nickname", "nick_name"): row.get("CommunityNickname"),
        ("name", "display_name"): row.get("Name"),
        ("given_name", "first_name"): row.get("FirstName"),
        ("family_name", "last_name"): row.get("LastName"),
        ("zoneinfo", "timezone"): "GMT",
        ("updated_at", "last_modified_date"): row["LastModifiedDate"],
    }
    return Answer(body=about | {key: v for keys, v in named_twice.items() for key in keys})


_OAUTH = "/services/oauth2"

ROUTES = (
    Route("POST", f"{_OAUTH}/token", "login", token, counted=False, session=False),
    Route("GET", f"{_OAUTH}/authorize", "authorize", authorize, counted=False, session=False),
    Route("POST", f"{_OAUTH}/revoke", "revoke", revoke, counted=False, session=False),
    Route("GET", f"{_OAUTH}/userinfo", "userinfo", userinfo, counted=False, session=False),
    Route("POST", f"{_OAUTH}/userinfo", "userinfo", userinfo, counted=False, session=False),
    Route("GET", "/id/{organization}/{user}", "userinfo", userinfo, counted=False, session=False),
)
