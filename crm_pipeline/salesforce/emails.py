"""Email addresses: which Salesforce takes, and when two are the same."""

import re
from functools import lru_cache

from crm_pipeline.salesforce.limits import EMAIL_CHARS

# Salesforce refuses anything else with INVALID_EMAIL_ADDRESS: no quoted local parts, no
# addresses outside of ASCII, and the domain has at least two labels.
_ATOM = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
_EMAIL = re.compile(
    rf"{_ATOM}(\.{_ATOM})*@([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]([a-z0-9-]*[a-z0-9])",
)


# Asked several times about each row.
@lru_cache(maxsize=32_768)
def email_key(text: str | None) -> str | None:
    """What identifies a person by email: the address without blanks around it, in lower case.

    Returns:
        None where it is no address that Salesforce would take.
    """
    key = (text or "").strip().casefold()
    return key if len(key) <= EMAIL_CHARS and _EMAIL.fullmatch(key) else None
