"""What the warehouse holds that was not read yet, for many accounts in one question."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from crm_pipeline.database.engines import engine
from crm_pipeline.database.statements import statement
from crm_pipeline.sources.participations import explained


@dataclass(frozen=True, slots=True)
class Question:
    """An account's source, and the shipping time after which rows count. UTC."""

    account_id: str
    client_id: str
    source: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Shipped:
    """What the warehouse holds of a source after some moment; times of shipping, UTC.

    `seconds` are the times of all rows as seconds after that moment, added up.
    """

    rows: int
    oldest: datetime | None
    newest: datetime | None
    seconds: Decimal


def shipped_since(questions: Sequence[Question]) -> dict[str, dict[str, Shipped]]:
    """The answers by account and source.

    Raises:
        ExtractError: the warehouse is down, or `sql/extract/new_rows.sql` does not fit it.
    """
    shipped: dict[str, dict[str, Shipped]] = defaultdict(dict)
    if not questions:
        return shipped
    with explained("new_rows"), engine("warehouse").connect() as connection:
        rows = connection.execute(
            statement("extract/new_rows"),
            {
                "keys": [question.account_id for question in questions],
                "client_ids": [question.client_id for question in questions],
                "sources": [question.source for question in questions],
                "sinces": [question.since for question in questions],
            },
        ).all()
    for row in rows:
        shipped[row.key][row.source] = Shipped(row.rows, row.oldest, row.newest, row.seconds)
    return shipped
