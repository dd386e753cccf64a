"""Options of PostgreSQL's addresses (`?sslmode=require`): which there are, and their values."""

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from crm_pipeline.near_names import misspelt

if TYPE_CHECKING:
    from sqlalchemy import URL

_SWITCH = ("0", "1")
_TLS = ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")

VALUES: Mapping[str, Sequence[str]] = {
    "channel_binding": ("disable", "prefer", "require"),
    "gssencmode": ("disable", "prefer", "require"),
    "keepalives": _SWITCH,
    "load_balance_hosts": ("disable", "random"),
    "ssl_max_protocol_version": _TLS,
    "ssl_min_protocol_version": _TLS,
    "sslcertmode": ("disable", "allow", "require"),
    "sslmode": ("disable", "allow", "prefer", "require", "verify-ca", "verify-full"),
    "sslnegotiation": ("postgres", "direct"),
    "sslsni": _SWITCH,
    "target_session_attrs": (
        "any",
        "read-write",
        "read-only",
        "primary",
        "standby",
        "prefer-standby",
    ),
}
"""The values that libpq takes, of the options that take words."""

_NUMBER = re.compile(r"-?\d{1,9}", re.ASCII)
_NUMBERS = frozenset(
    (
        "connect_timeout",
        "keepalives_count",
        "keepalives_idle",
        "keepalives_interval",
        "tcp_user_timeout",
    )
)


def refuse_impossible(options: Mapping[str, str | Sequence[str]]) -> None:
    """Refuses options that libpq does not know, or not with these values.

    Args:
        options: of an address, by name; of one that is given several times a sequence.

    Raises:
        ValueError: it names the option and what it may be, and not its value, which may be secret.
    """
    from psycopg.pq import Conninfo

    known = frozenset(option.keyword.decode() for option in Conninfo.get_defaults())
    for name, value in sorted(options.items()):
        if name not in known:
            meant = misspelt(name.lower(), known) or (name.lower() if name.lower() in known else "")
            raise ValueError(
                f"PostgreSQL knows no option {name!r}; "
                + (f"did you mean {meant}?" if meant else "take it out of the address")
            )
        values = [value] if isinstance(value, str) else value
        if len(values) > 1:
            raise ValueError(f"its option {name} is there several times")
        if name in VALUES and values[0] not in VALUES[name]:
            raise ValueError(f"its option {name} is one of {', '.join(VALUES[name])}")
        if name in _NUMBERS and not _NUMBER.fullmatch(values[0]):
            raise ValueError(f"its option {name} is a whole number")


def unless_said(url: "URL", **ours: Any) -> dict[str, Any]:
    """Returns the options of ours of which an address says nothing itself."""
    return {name: value for name, value in ours.items() if name not in url.query}
