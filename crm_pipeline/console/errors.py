"""What is answered where a page cannot be shown, or something cannot be done."""

import logging
import traceback
from http import HTTPStatus

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from crm_pipeline.database.errors import in_words
from crm_pipeline.exceptions import PicklableError

log = logging.getLogger("crm_pipeline.console")


class ConsoleError(PicklableError):
    """A page is not shown, or something is not done: one sentence for people.

    Attributes:
        status: the HTTP status.
        sentence: what happened and what to do; no personal data, no secrets.
    """

    def __init__(self, status: HTTPStatus, sentence: str) -> None:
        self.status, self.sentence = status, sentence
        super().__init__(sentence)


def log_database(error: SQLAlchemyError) -> None:
    """Logs what is wrong with the pipeline's database, in one line and without values of rows."""
    told = in_words(error) if isinstance(error, DBAPIError) else "no connection is free"
    log.error("The pipeline's database: %s", told)


def log_bug(error: Exception) -> None:
    """Logs where an error happened that nobody foresaw; what it says may have personal data."""
    where = "".join(traceback.format_tb(error.__traceback__))
    log.error("%s\n%s", type(error).__name__, where)
