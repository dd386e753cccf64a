"""Logging in, through simple-salesforce's own login code.

That code raises one exception for a wrong password and for an org that is down, strips every
`-api` from the host that the org names, and sets no timeout. So the answer itself is looked
at here: what a person must mend stops the account, and is never tried twice, since that locks
the user out; what passes is for another time.
"""

import re
import warnings
from collections.abc import Mapping
from functools import partial
from html import escape, unescape
from typing import Any
from urllib.parse import urlsplit
from xml.parsers.expat import ExpatError

import orjson
import requests

from crm_pipeline.salesforce.answers import error_of, known_as_code, parsed
from crm_pipeline.salesforce.connection import Login, Org
from crm_pipeline.salesforce.credentials import (
    ClientCredentials,
    Credentials,
    JwtBearer,
    PasswordToken,
)
from crm_pipeline.salesforce.errors import (
    ERROR_TABLE,
    RAISE_VERSION,
    RETIRED_VERSION,
    AccountStopped,
    CredentialsRefused,
    OrgUnavailable,
    SalesforceProblem,
    Treatment,
    decide,
    moved,
    paused,
    stopped,
)
from crm_pipeline.salesforce.hosts import host_of, salesforce_host
from crm_pipeline.salesforce.limits import LAST_SOAP_LOGIN_VERSION
from crm_pipeline.salesforce.transport import OrgSession, in_words, local_base
from crm_pipeline.salesforce.versions import not_spoken

_SALESFORCE = ".salesforce.com"
_NO_SOAP = "SOAP login has no later API version: use OAuth client credentials or JWT bearer instead"
_STUMBLES = (ValueError, TypeError, AttributeError)


def log_in(
    login_url: str,
    credentials: Credentials,
    *,
    api_version: str = "62.0",
    read_timeout: float = 120.0,
) -> Org:
    """Logs in to an org.

    Args:
        login_url: `https://<my domain>.my.salesforce.com`, `https://login.salesforce.com` or
            `https://test.salesforce.com`; plain http for orgs of this machine only.
        credentials: in one of the three ways.
        api_version: as `62.0`.
        read_timeout: longest wait for an answer, in seconds, now and later.

    Raises:
        CredentialsRefused: do not try again unchanged.
        AccountStopped: the login URL or the API version is to be changed; no login was counted.
        AccountPaused: too many logins for now.
        OrgUnavailable: no usable answer; the credentials may be right.
    """
    authenticate = partial(
        _authenticate, login_url, credentials, api_version=api_version, read_timeout=read_timeout
    )
    session = OrgSession(login_url, read_timeout=read_timeout)
    return Org(session, authenticate, api_version=api_version)


def _authenticate(
    login_url: str, credentials: Credentials, *, api_version: str, read_timeout: float
) -> Login:
    from jwt.exceptions import PyJWTError
    from simple_salesforce.exceptions import SalesforceAuthenticationFailed
    from simple_salesforce.login import SalesforceLogin

    # It would print the app's id and an address to standard error.
    warnings.filterwarnings("ignore", module=r"simple_salesforce\.login")
    arguments = _arguments(login_url, credentials, api_version)
    answers: list[requests.Response] = []
    with OrgSession(login_url, read_timeout=read_timeout) as session:
        session.hooks["response"].append(lambda answer, **_: answers.append(answer))
        try:
            session_id, _ = SalesforceLogin(session=session, **arguments)
        except requests.RequestException as error:
            raise OrgUnavailable(f"Login: {in_words(error)}") from None
        except PyJWTError:
            raise _bad_key() from None
        # Beside its own exception: what it stumbles over in answers that are no login's.
        except (SalesforceAuthenticationFailed, ExpatError, *_STUMBLES):
            if not answers:
                if isinstance(credentials, JwtBearer):
                    raise _bad_key() from None
                raise
            refusal = _refusal(answers[-1], arguments)
            if isinstance(refusal, AccountStopped) and refusal.action == RAISE_VERSION:
                named = urlsplit(answers[-1].url).netloc
                refusal = not_spoken(session, named, arguments["sf_version"]) or refusal
            raise refusal from None
    if not session_id:
        raise OrgUnavailable("Login: the answer is not readable")
    login = _login(str(session_id), answers[-1].content)
    host = login.host if local_base(login_url) else salesforce_host(login.host)
    if host is None:
        raise AccountStopped(
            "The login's answer names a host that is not one of Salesforce's",
            "check the account's login URL",
        )
    return login._replace(host=host)


def _arguments(login_url: str, credentials: Credentials, api_version: str) -> dict[str, Any]:
    """Returns simple-salesforce's arguments: it builds https://<domain>.salesforce.com of them."""
    domain = _domain(login_url)
    match credentials:
        case ClientCredentials():
            if domain in {"login", "test"}:
                raise AccountStopped(
                    "Client credentials do not work at login or test.salesforce.com",
                    "set the org's My Domain address (https://….my.salesforce.com) as login URL",
                )
            return {
                "domain": domain or "local.my",
                "consumer_key": credentials.client_id,
                "consumer_secret": credentials.client_secret.get_secret_value(),
            }
        case JwtBearer():
            sandbox = domain == "test" or ".sandbox." in f".{domain}." or "--" in domain
            return {
                # The audience is one of these two whatever host is asked.
                "domain": "test" if sandbox else "login",
                "instance_url": domain if domain not in {"", "login", "test"} else None,
                "username": credentials.username,
                "consumer_key": credentials.client_id,
                "privatekey": credentials.private_key.get_secret_value(),
            }
        case PasswordToken():
            version = min(float(api_version), LAST_SOAP_LOGIN_VERSION)
            return {
                "domain": domain or "login",
                "username": credentials.username,
                "password": credentials.password.get_secret_value(),
                "security_token": escape(credentials.security_token.get_secret_value()),
                "sf_version": f"{version:.1f}",
            }


def _domain(login_url: str) -> str:
    """The part before `.salesforce.com`; empty for an org of this machine."""
    if local_base(login_url):
        return ""
    host = host_of(login_url)
    if host is None:
        raise AccountStopped(
            "The login URL's host is not one of Salesforce's",
            "use https://<my domain>.my.salesforce.com, login.salesforce.com or "
            "test.salesforce.com (not lightning.force.com)",
        )
    return host.removesuffix(_SALESFORCE)


def _bad_key() -> CredentialsRefused:
    return CredentialsRefused(
        "The private key of the account's credentials cannot be used",
        "set the credentials again with an RSA private key in PEM form",
    )


def _login(session_id: str, content: bytes) -> Login:
    """Host and user, from the answer as it came."""
    if content.lstrip().startswith(b"{"):
        body = orjson.loads(content)
        host = urlsplit(str(body["instance_url"])).netloc
        *_, organization_id, user_id = str(body.get("id") or "//").split("/")
        return Login(session_id, host, user_id, organization_id)
    text = content.decode()
    if _element(text, "passwordExpired") == "true":
        raise CredentialsRefused(
            "The user's password has expired", "set a new password for the user"
        )
    return Login(
        session_id,
        urlsplit(_element(text, "serverUrl")).netloc,
        _element(text, "userId"),
        _element(text, "organizationId"),
    )


def _refusal(answer: requests.Response, arguments: Mapping[str, Any]) -> SalesforceProblem:
    """Returns why a login failed, by what the org answered rather than by the exception's class."""
    status = answer.status_code
    if 300 < status < 400:
        return moved(answer.headers.get("Location", ""), status)
    code, message, _ = error_of(parsed(answer.content))
    if not code:
        text = answer.content.decode(errors="replace")
        code = _element(text, "exceptionCode") or _element(text, "faultcode")
        code = known_as_code(code.rpartition(":")[2])
    if not code:
        return OrgUnavailable(f"Login: the org's answer is not one to a login (HTTP {status})")
    treatment = decide(code, message, status) if code in ERROR_TABLE else Treatment.STOP_ACCOUNT
    if treatment is Treatment.RETRY:
        return OrgUnavailable(f"Login: the org cannot answer now: {code} (HTTP {status})")
    if treatment is Treatment.PAUSE_ACCOUNT:
        return paused(code, status)
    return _stopped(code, message, status, arguments)


def _stopped(code: str, message: str, status: int, arguments: Mapping[str, Any]) -> AccountStopped:
    """A login that a person has to mend: the credentials, or the version of the API."""
    stop = stopped(code, status)
    if code in RETIRED_VERSION:
        last = arguments.get("sf_version") == f"{LAST_SOAP_LOGIN_VERSION:.1f}"
        return AccountStopped(stop.reason, _NO_SOAP, code=code) if last else stop
    said = f" {message!r}" if message and "@" not in message and len(message) < 200 else ""
    return CredentialsRefused(f"{stop.reason}{said}", stop.action, code=code)


def _element(xml: str, name: str) -> str:
    """The text of the first element of this name, in whatever namespace."""
    found = re.search(rf"<(?:\w+:)?{name}(?:\s[^>]*)?>([^<]*)</", xml)
    return unescape(found[1]).strip() if found else ""
