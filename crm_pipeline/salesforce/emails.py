"""Email addresses: which Salesforce takes, and when two are the same."""

import re
from functools import lru_cache

from crm_pipeline.salesforce.limits import EMAIL_CHARS
from crm_pipeline.text import UNSEEN

# Salesforce refuses anything else with INVALID_EMAIL_ADDRESS: no quoted local parts, no
# addresses outside of ASCII, and the domain has at least two labels.
_ATOM = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
_EMAIL = re.compile(
    rf"{_ATOM}(\.{_ATOM})*@([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]([a-z0-9-]*[a-z0-9])",
)

_ASCII_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


def bare_address(text: str) -> str:
    """An address without what nobody sees around it."""
    return text.strip(UNSEEN)


def folded(text: str) -> str:
    """Text with its ASCII letters in lower case, as addresses are compared.

    Others stay: to fold a sharp s, a Kelvin sign or a ligature makes one person of two.
    """
    return text.lower() if text.isascii() else text.translate(_ASCII_LOWER)


# Asked several times about each row.
@lru_cache(maxsize=32_768)
def email_key(text: str | None) -> str | None:
    """Returns the key of a person by email: the bare address in lower case.

    Returns:
        None where it is no address that Salesforce would take.
    """
    key = folded((text or "").strip())
    if not _EMAIL.fullmatch(key):
        key = bare_address(key)
        if not _EMAIL.fullmatch(key):
            return None
    return key if len(key) < _LONG or _has_usual_parts(key) else None


_LONG = 64


def _has_usual_parts(address: str) -> bool:
    """Returns whether its parts are no longer than mail systems take (RFC 5321, RFC 1035)."""
    local, _, domain = address.partition("@")
    labels = domain.split(".")
    return len(address) <= EMAIL_CHARS and len(local) <= 64 and max(map(len, labels)) <= 63


def same_address(one: str, other: str) -> bool:
    """Returns whether two texts are one address; Salesforce compares them without case."""
    return one == other or folded(bare_address(one)) == folded(bare_address(other))
