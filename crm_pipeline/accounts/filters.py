"""Filters: parts of email addresses that a client does not want as new leads (spec 1, step 5)."""

from collections.abc import Iterable
from functools import lru_cache

from crm_pipeline.salesforce.emails import bare_address, folded


def matches(email: str, filter_strings: Iterable[str]) -> str | None:
    """The first filter string that the address contains, or None.

    Case and blanks around either of them do not count; a blank filter string matches nothing.
    """
    address = folded(email)
    for filter_string in filter_strings:
        part = wanted(filter_string)
        if part and part in address:
            return filter_string
    return None


def named_filter(email: str, filter_strings: Iterable[str]) -> str:
    """Returns the filter that an address contains, as numbers that are kept for ever may name it.

    One that its domain has, with the @ or without, is named; another one may name somebody.
    """
    part = wanted(matches(email, filter_strings) or "")
    _, at, domain = folded(email).rpartition("@")
    return part if part in at + domain else "part of an address"


@lru_cache
def wanted(filter_string: str) -> str:
    """A filter string as it is sought in an address in lower case; empty: in none."""
    return folded(bare_address(filter_string))
