"""Logging in by OpenID Connect: the code flow with PKCE, by a client that keeps a secret."""

import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from authlib.common.security import generate_token
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from requests import RequestException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from crm_pipeline.console.errors import ConsoleError
from crm_pipeline.console.logins import entitled
from crm_pipeline.console.roles import ConsoleRole, Somebody

log = logging.getLogger("crm_pipeline.console")

LOGIN_SECONDS = 600.0
"""So long somebody may take to log in there."""

_MOST_LOGINS = 10_000
_WAIT_SECONDS = 10
_LEEWAY_SECONDS = 60
_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"]
"""Signatures by a key that only the provider has; the client's secret is known to others."""

_BEGUN = "console-login"
"""The cookie of a browser that was sent to log in."""


@dataclass(frozen=True, slots=True)
class _Begun:
    """Somebody who was sent to log in."""

    browser: str
    nonce: str
    verifier: str
    at: float


class OpenIdLogin:
    """People log in at an OpenID provider, which says who they are and which groups they have."""

    def __init__(
        self,
        *,
        issuer: str,
        client_id: str,
        client_secret: str,
        console_url: str,
        groups_claim: str,
        members: Mapping[ConsoleRole, Sequence[str]],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepares; the provider is asked when the first one logs in.

        Args:
            issuer: the provider's address, below which its configuration is.
            client_id: as which it knows the console.
            client_secret: by which it knows the console.
            console_url: where browsers reach the console; they return to `/login/end` there.
            groups_claim: the claim with somebody's groups.
            members: by role the users and groups that have it.
            now: a clock, in seconds.
        """
        self._issuer, self._client_id, self._client_secret = issuer, client_id, client_secret
        self._redirect = f"{console_url}/login/end"
        self._is_secure = console_url.startswith("https:")
        self._groups_claim, self._members, self._now = groups_claim, members, now
        self._lock = threading.Lock()
        self._begun: dict[str, _Begun] = {}
        self._provider: Mapping[str, Any] = {}

    def standing(self, _: Request) -> Somebody | None:
        """Nobody: a request says nothing by itself."""
        return None

    def begin(self, _: Request) -> Response:
        """Sends somebody to the provider.

        Raises:
            ConsoleError: the provider does not answer.
        """
        with self._answers(), self._client() as client:
            provider = self._configuration(client)
            begun = _Begun(
                secrets.token_urlsafe(32), generate_token(32), generate_token(64), self._now()
            )
            address, state = client.create_authorization_url(
                provider["authorization_endpoint"], nonce=begun.nonce, code_verifier=begun.verifier
            )
        with self._lock:
            self._begun[state] = begun
            while len(self._begun) > _MOST_LOGINS:
                del self._begun[next(iter(self._begun))]
        response = RedirectResponse(address, HTTPStatus.SEE_OTHER)
        response.set_cookie(
            _BEGUN,
            begun.browser,
            max_age=int(LOGIN_SECONDS),
            secure=self._is_secure,
            httponly=True,
            samesite="lax",
        )
        return response

    def end(self, request: Request) -> Somebody | None:
        """Who comes back, as the provider says; None: this browser was not sent, or long ago.

        Raises:
            ConsoleError: the provider refuses, does not answer or is not to be believed; or they
                have no role.
        """
        with self._lock:
            begun = self._begun.pop(request.query_params.get("state", ""), None)
        browser = request.cookies.get(_BEGUN, "")
        if (
            begun is None
            or self._now() - begun.at > LOGIN_SECONDS
            or not secrets.compare_digest(browser.encode(), begun.browser.encode())
        ):
            return None
        if "code" not in request.query_params:
            raise _refused("it did not let you in")
        with self._answers(), self._client() as client:
            provider = self._configuration(client)
            token = client.fetch_token(
                provider["token_endpoint"],
                code=request.query_params["code"],
                code_verifier=begun.verifier,
            )
            keys = KeySet.import_key_set(_json(client, provider["jwks_uri"]))
            claims = self._claims(token, keys, begun.nonce)
        # People may choose other names of theirs, and that of another user. Some say it as text.
        is_verified = claims.get("email_verified") in (True, "true")
        user = str((is_verified and claims.get("email")) or claims["sub"])
        groups = claims.get(self._groups_claim) or []
        named = [groups] if isinstance(groups, str) else [str(each) for each in groups]
        return entitled(user, named, self._members)

    def _claims(self, token: Mapping[str, Any], keys: KeySet, nonce: str) -> dict[str, Any]:
        """What the provider says of somebody, as far as it is for this console and this login."""
        if "id_token" not in token:
            raise _refused("it did not say who you are")
        decoded = jwt.decode(token["id_token"], keys, algorithms=_ALGORITHMS)
        claims = CodeIDToken(
            decoded.claims,
            decoded.header,
            {
                "iss": {"essential": True, "value": self._issuer},
                "aud": {"essential": True, "value": self._client_id},
                "exp": {"essential": True},
            },
            {
                "nonce": nonce,
                "client_id": self._client_id,
                "access_token": token.get("access_token"),
            },
        )
        claims.validate(leeway=_LEEWAY_SECONDS)
        return dict(claims)

    def _client(self) -> OAuth2Session:
        return OAuth2Session(
            self._client_id,
            self._client_secret,
            scope="openid email profile",
            redirect_uri=self._redirect,
            code_challenge_method="S256",
            default_timeout=_WAIT_SECONDS,
        )

    def _configuration(self, client: OAuth2Session) -> Mapping[str, Any]:
        """The provider's addresses, which have to be of the issuer that was set."""
        if not self._provider:
            found = _json(client, f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
            if found.get("issuer") != self._issuer:
                raise _refused("its configuration is another one's: see CONSOLE_OIDC_ISSUER")
            self._provider = found
        return self._provider

    @contextmanager
    def _answers(self) -> Iterator[None]:
        """Says what is wrong with the provider's answers, without what they say of people."""
        try:
            yield
        except OAuthError as error:
            raise _refused(f"it answers {error.error}") from None
        except JoseError as error:
            raise _refused(f"what it says cannot be believed ({error.error})") from None
        except (RequestException, ValueError, KeyError, TypeError) as error:
            log.warning("The OpenID provider: %s", type(error).__name__)
            raise ConsoleError(
                HTTPStatus.BAD_GATEWAY,
                "The OpenID provider does not answer as it should: try again.",
            ) from None


def _json(client: OAuth2Session, url: str) -> Any:
    answer = client.request("GET", url, withhold_token=True)
    answer.raise_for_status()
    return answer.json()


def _refused(why: str) -> ConsoleError:
    return ConsoleError(HTTPStatus.FORBIDDEN, f"The OpenID provider logs nobody in here: {why}.")
