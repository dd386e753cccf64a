"""Errors of PostgreSQL without the values of rows, which its messages quote."""

import re
from typing import TYPE_CHECKING

from sqlalchemy import Engine, event
from sqlalchemy.exc import DBAPIError

if TYPE_CHECKING:
    from psycopg import Error
    from sqlalchemy.engine.interfaces import ExceptionContext

_SAYS_NO_VALUES = ("08", "25", "28", "3D", "40", "53", "55", "57", "58")
"""Classes of SQLSTATE that are about connections, locks and the server."""

_NO_RIGHTS = "42501"

_OF_NO_ROW = ("BinderException", "CatalogException", "IOException", "ParserException")
"""Errors of DuckDB, which has no SQLSTATE: of a file, or found before a statement runs."""


def without_values(error: "Error", statement: str | None = None) -> str:
    """Returns what an error is, in one line: the statement's name, the SQLSTATE and its meaning.

    PostgreSQL's words come along where they cannot quote a row: of errors of the server, and of
    those found before a statement runs.

    Args:
        error: psycopg's.
        statement: the name of the statement below `sql/`, where it is known.
    """
    diagnosis = error.diag
    code = error.sqlstate
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(error).__name__).lower().rstrip("_")
    where = f"sql/{statement}.sql" if statement else ""
    said = ""
    if code is None and type(error).__name__ == "OperationalError":
        return str(error).strip().partition("\n")[0]
    if code is not None and (
        code.startswith(_SAYS_NO_VALUES)
        or code == _NO_RIGHTS
        or (code.startswith("42") and diagnosis.statement_position)
    ):
        said = str(diagnosis.message_primary or "")
    known = f"{name} (SQLSTATE {code})" if code else name
    return ": ".join(filter(None, (where, known, said)))


def in_words(error: DBAPIError) -> str:
    """Returns what an error of the database is, in one line and without the values of rows."""
    return _in_words(error.orig)


def _in_words(error: BaseException | None, statement: str | None = None) -> str:
    """As `without_values`, also of another driver's: with its words where they quote no row."""
    from psycopg import Error

    if isinstance(error, Error):
        return without_values(error, statement)
    kind, code = type(error).__name__, getattr(error, "sqlstate", None)
    has_no_row = kind in _OF_NO_ROW or str(code).startswith((*_SAYS_NO_VALUES, "42"))
    known = f"{kind} (SQLSTATE {code})" if code else kind
    said = str(error).strip().partition("\n")[0].removeprefix(f"{known}: ")
    return f"{known}: {said}" if has_no_row else known


def tell_no_values(engine: Engine) -> None:
    """Takes the values of rows out of all errors of an engine, before anybody can log them.

    The reason of a failed connection stays as it is: no row has been read then.
    """

    @event.listens_for(engine, "handle_error")
    def _scrub(context: "ExceptionContext") -> None:
        error = context.original_exception
        if context.connection is None or not isinstance(context.sqlalchemy_exception, DBAPIError):
            return
        running = context.execution_context
        name = running.execution_options.get("statement") if running else None
        words = _in_words(error, name)
        error.args = (words,)
        context.sqlalchemy_exception.args = (words,)
