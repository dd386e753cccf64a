"""Rows of the warehouse that were shipped after some moments, for many accounts at once."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import Row

from crm_pipeline.database.engines import engine
from crm_pipeline.database.statements import statement
from crm_pipeline.database.warehouses import as_decimal, as_time
from crm_pipeline.ledger.positions import Position
from crm_pipeline.settings import settings
from crm_pipeline.sources.errors import explained
from crm_pipeline.sources.source import Asked

NEVER = datetime(1970, 1, 1, tzinfo=UTC)
"""Watermark of a source of which nothing has been read."""


class RowQuestion(NamedTuple):
    """A client's rows of an extract, and the shipping time after which they count. UTC."""

    client_id: str
    extract: str
    since: datetime


class Shipped(NamedTuple):
    """The warehouse's rows of an extract after some moment; times of shipping, UTC.

    `seconds` are the times of all rows as seconds after that moment, added up.
    """

    rows: int
    oldest: datetime | None
    newest: datetime | None
    seconds: Decimal

    def has_news(self, position: Position | None) -> bool:
        """Returns whether some of these rows, shipped after its `seen_since`, were not read.

        Those above the watermark, and those that became visible or were shipped anew below it:
        then the rows that were seen have another number, or other times.
        """
        if position is None:
            return self.rows > 0
        if self.newest is not None and self.newest > position.watermark:
            return True
        return (self.rows, self.seconds) != (position.seen_rows, position.seen_seconds)


def shipped_since(
    questions: Sequence[RowQuestion], extract: str = "new_rows"
) -> dict[RowQuestion, Shipped]:
    """The answers, each question asked once.

    Args:
        questions: any number.
        extract: the statement below `sql/extract/` that knows the sources asked about.

    Raises:
        ExtractError: the warehouse is down, or the statement does not fit it.
    """
    distinct = list(dict.fromkeys(questions))
    if not distinct:
        return {}
    with explained(extract), engine("warehouse").connect() as connection:
        rows = connection.execute(
            statement(f"extract/{extract}"),
            {
                "keys": [str(number) for number in range(len(distinct))],
                "client_ids": [question.client_id for question in distinct],
                "sources": [question.extract for question in distinct],
                "sinces": [question.since for question in distinct],
            },
        ).all()
    return {distinct[int(row.key)]: shipped_of(row, settings().warehouse_timezone) for row in rows}


def shipped_of(row: Row[Any], timezone: str) -> Shipped:
    """Returns what a row of an extract of new rows says; times without a zone are of `timezone`."""
    return Shipped(
        row.rows,
        as_time(row.oldest, timezone),
        as_time(row.newest, timezone),
        as_decimal(row.seconds),
    )


def with_news(asked: Sequence[Asked], source: str, extract: str = "new_rows") -> frozenset[str]:
    """Returns, as `Source.news`, the accounts with rows shipped after what they have seen."""
    questions = [
        RowQuestion(
            each.client_id, source, NEVER if each.position is None else each.position.seen_since
        )
        for each in asked
    ]
    shipped = shipped_since(questions, extract)
    return frozenset(
        each.account_id
        for each, question in zip(asked, questions, strict=True)
        if shipped[question].has_news(each.position)
    )


def oldest_unread(
    asked: Sequence[Asked], source: str, extract: str = "new_rows"
) -> dict[str, datetime]:
    """Returns, as `Source.unread_since`, when the oldest row above the watermark was shipped."""
    questions = {
        each.account_id: RowQuestion(
            each.client_id, source, NEVER if each.position is None else each.position.watermark
        )
        for each in asked
    }
    shipped = shipped_since(list(questions.values()), extract)
    return {
        account_id: oldest
        for account_id, question in questions.items()
        if (oldest := shipped[question].oldest) is not None
    }
