"""Values that PostgreSQL does not take, told apart from a database that does not work."""

from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError

if TYPE_CHECKING:
    from psycopg import Error

_OF_A_VALUE = frozenset(
    (
        *("22001", "22003", "22007", "22008", "22021", "22P05"),
        *("23502", "23514", "54000"),
    )
)
"""Too long, out of range, no time, no text, no character, null, against a check, beyond a limit."""


def refused_value(error: "Error | DBAPIError") -> str | None:
    """The SQLSTATE where one value is refused, at no fault of the statement's; else None."""
    from psycopg import DataError

    cause = error.orig if isinstance(error, DBAPIError) else error
    state = getattr(cause, "sqlstate", None)
    if state is None and isinstance(cause, DataError):
        return "22000"  # psycopg itself refuses it: NUL in a text
    return state if state in _OF_A_VALUE else None
