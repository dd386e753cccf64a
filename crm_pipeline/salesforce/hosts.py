r"""Hosts that credentials and sessions may go to. Pure.

An address is compared as a whole with the few forms that are allowed, not taken apart first:
parsers differ (`https://evil.example\.salesforce.com` is a host of Salesforce's to one of them,
and evil.example to the one that connects).
"""

import ipaddress
import re

LOGIN_HOSTS = frozenset(("login.salesforce.com", "test.salesforce.com"))
"""Hosts where everybody may log in, and no org lives."""

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"((?:{_LABEL}\.)+salesforce\.com)(?::443)?", re.ASCII | re.IGNORECASE)
_LAST_PORT = 65_535
_PATH = r"(?:/[A-Za-z0-9._~/-]*)?"
_ADDRESS = re.compile(rf"https://({_HOST.pattern}){_PATH}", re.ASCII | re.IGNORECASE)
_LOCAL = re.compile(
    rf"(http://(localhost|[0-9.]+|\[[0-9a-f:.]+\])(?::([0-9]{{1,5}}))?{_PATH})",
    re.ASCII | re.IGNORECASE,
)


def salesforce_host(host: str) -> str | None:
    """A host of Salesforce's in lower case, without its port 443; None for any other text."""
    found = _HOST.fullmatch(host)
    return found[1].lower() if found else None


def host_of(address: str) -> str | None:
    """The host of an https address of Salesforce's, in lower case; None for any other text."""
    found = _ADDRESS.fullmatch(address)
    return salesforce_host(found[1]) if found else None


def local_address(address: str) -> str | None:
    """An http address of this machine, without a slash at its end; None for any other text."""
    found = _LOCAL.fullmatch(address)
    if found is None:
        return None
    try:
        here = ipaddress.ip_address(found[2].strip("[]")).is_loopback
    except ValueError:
        here = found[2].lower() == "localhost"
    port = found[3]
    is_a_port = port is None or 0 < int(port) <= _LAST_PORT
    return found[1].rstrip("/") if here and is_a_port else None
