"""The error of a warehouse that cannot be read."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, OperationalError

from crm_pipeline.database.errors import in_words
from crm_pipeline.database.statements import extract_shown
from crm_pipeline.settings import settings

_NO_TABLE = "42P01"


class ExtractError(Exception):
    """The warehouse cannot be read: one line that says why and what to do."""


def _is_down(error: DBAPIError) -> bool:
    """Whether the warehouse is it; some drivers call a statement that does not fit operational."""
    return isinstance(error, OperationalError) and (_is_postgresql() or error.statement is None)


def _is_postgresql() -> bool:
    return settings().warehouse_dialect == "postgresql"


def _where() -> str:
    return "in psql for PostgreSQL's" if _is_postgresql() else "there for the warehouse's"


@contextmanager
def explained(extract: str) -> Iterator[None]:
    """Raises what goes wrong with the extract of this name as an ExtractError."""
    try:
        yield
    except DBAPIError as error:
        if _is_down(error):
            raise ExtractError(
                "The warehouse does not answer; check WAREHOUSE_URL and that it is up"
                f" ({in_words(error)})"
            ) from None
        state = getattr(error.orig, "sqlstate", None)
        if state == _NO_TABLE and settings().warehouse_url is None:
            raise ExtractError(
                "The embedded PostgreSQL has no warehouse; set WAREHOUSE_URL, or have"
                " `crm-pipeline sample create` make one to try with"
            ) from None
        raise ExtractError(
            f"{extract_shown(extract)} does not fit the warehouse: {in_words(error)}; run it"
            f" {_where()} own words, which may quote a row"
        ) from None
