"""Which email addresses a client does not want as new leads (spec 1, step 5)."""

from collections.abc import Iterable


def matches(email: str, filter_strings: Iterable[str]) -> str | None:
    """The first filter string that the address contains, or None.

    Case and blanks around either of them do not count; a blank filter string matches nothing.
    """
    address = email.strip().casefold()
    for filter_string in filter_strings:
        wanted = filter_string.strip().casefold()
        if wanted and wanted in address:
            return filter_string
    return None
