"""The HTTP session of one org: timeouts on every call, verified TLS, no retries of its own."""

import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import MaxRetryError, NewConnectionError, ReadTimeoutError

from crm_pipeline.salesforce.errors import AccountStopped
from crm_pipeline.salesforce.hosts import local_address
from crm_pipeline.salesforce.limits import CONNECT_TIMEOUT_SECONDS
from crm_pipeline.tracing import span

POOL_SIZE = 16
"""Connections kept per org; more threads than that open further ones."""


class OrgSession(requests.Session):
    """A requests session that only ever talks to one org.

    simple-salesforce sets no timeout and offers no way to pass one, hence it is set here. The
    session follows no redirect (credentials go to the configured host and to no other), keeps
    no cookie (the session id travels as a header) and, though it reads proxies and
    REQUESTS_CA_BUNDLE from the environment, lets no `.netrc` replace its authorization.
    """

    def __init__(self, login_url: str, *, read_timeout: float) -> None:
        super().__init__()
        self.timeout = (CONNECT_TIMEOUT_SECONDS, read_timeout)
        self.org_time: datetime | None = None
        self.auth = _keep_authorization
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
        local = local_base(login_url)
        self.mount("http://", _Refusing())
        self.mount("https://", _LocalOrg(local) if local else _ToldOfTheBegin())

    def request(  # type: ignore[override]  # all that it takes is passed on
        self,
        method: str,
        url: str,
        *args: Any,
        begun: Callable[[], None] | None = None,
        **kwargs: Any,
    ) -> requests.Response:
        """Sends a request as requests does, with this session's timeouts and without redirects.

        `begun` is called once its first bytes are out.
        """
        kwargs["timeout"] = self.timeout
        kwargs["allow_redirects"] = False
        _going_out.begun = begun
        kind = _kind_of_call(url)
        try:
            with span(f"{method} {kind}", http_request_method=method, url_path=kind) as note:
                answer = super().request(method, url, *args, **kwargs)
                note(http_response_status_code=answer.status_code)
        finally:
            _going_out.begun = None
        if (said := answer.headers.get("Date")) is not None:
            with suppress(ValueError):
                self.org_time = parsedate_to_datetime(said)
        return answer


def _kind_of_call(url: str) -> str:
    """The begin of an address's path, for traces: what follows may be about somebody."""
    parts = [part for part in urlsplit(url).path.split("/") if part]
    kept = parts[: 3 if parts[:1] == ["services"] and parts[1:2] != ["data"] else 5]
    return "/" + "/".join(kept)


def local_base(login_url: str) -> str | None:
    """Returns the address of an org of this machine, or None if the login URL is elsewhere.

    Raises:
        AccountStopped: plain http to another machine would show credentials to the network.
    """
    if login_url.lower().startswith("https://"):
        return None
    local = local_address(login_url)
    if local is not None:
        return local
    raise AccountStopped(
        "The login URL is not https",
        "use https; plain http is for orgs on this machine only",
    )


def never_sent(error: requests.RequestException) -> bool:
    """Returns whether the org cannot have seen the request, as no connection to it came about."""
    if isinstance(error, requests.ConnectTimeout | requests.exceptions.ProxyError):
        return True
    cause = error.args[0] if error.args else None
    return isinstance(cause, MaxRetryError) and isinstance(cause.reason, NewConnectionError)


def timed_out(error: requests.RequestException) -> bool:
    """Returns whether the wait was as long as it may be: another one would be as long again."""
    # A body that stalls ends in a ConnectionError around urllib3's own.
    cause = error.args[0] if error.args else None
    return isinstance(error, requests.Timeout) or isinstance(cause, ReadTimeoutError)


def in_words(error: requests.RequestException) -> str:
    """Returns what went wrong on the way, without addresses or contents."""
    match error:
        case requests.ConnectTimeout():
            return f"no connection within {CONNECT_TIMEOUT_SECONDS:.0f} s"
        case _ if timed_out(error):
            return "no answer in time"
        case requests.exceptions.SSLError():
            return "its TLS certificate was not accepted (REQUESTS_CA_BUNDLE names authorities)"
        case requests.exceptions.ProxyError():
            return "the proxy does not let us through"
        case requests.ConnectionError() if never_sent(error):
            return "no connection"
        case _:
            return "the connection broke"


_going_out = threading.local()
"""Of each thread, who is told that its request has begun to go out."""


def _first_bytes_are_out() -> None:
    begun: Callable[[], None] | None = getattr(_going_out, "begun", None)
    if begun is not None:
        _going_out.begun = None
        begun()


class _Connection(HTTPConnection):
    def send(self, data: Any) -> None:
        super().send(data)
        _first_bytes_are_out()


class _TlsConnection(HTTPSConnection):
    def send(self, data: Any) -> None:
        super().send(data)
        _first_bytes_are_out()


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class _ToldOfTheBegin(HTTPAdapter):
    """Tells when the first bytes of a request are out."""

    def __init__(self) -> None:
        super().__init__(pool_maxsize=POOL_SIZE)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        _with_our_pools(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> PoolManager:
        manager: PoolManager = super().proxy_manager_for(proxy, **kwargs)
        _with_our_pools(manager)
        return manager


def _with_our_pools(manager: PoolManager) -> None:
    manager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}


class _LocalOrg(_ToldOfTheBegin):
    """Takes what simple-salesforce sends to https://<any host>/… to an org of this machine."""

    def __init__(self, base: str) -> None:
        super().__init__()
        self._base = base

    def send(  # type: ignore[override]  # requests gives all of it by name
        self, request: requests.PreparedRequest, **kwargs: Any
    ) -> requests.Response:
        parts = urlsplit(request.url or "")
        query = f"?{parts.query}" if parts.query else ""
        request.url = f"{self._base}{parts.path}{query}"
        # No proxy stands between this machine and itself.
        return super().send(request, **{**kwargs, "proxies": None})


class _Refusing(HTTPAdapter):
    """Stands where plain http would be."""

    def send(self, *_: Any, **__: Any) -> requests.Response:
        raise AccountStopped("Something asked for plain http", "use https URLs only")


def _keep_authorization(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request
