"""Reading the warehouse: prospects with their tags, scores and pages, and what defines these.

The names of the columns of the statements in `sql/extract/engagement/` are the contract.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import Engine

from crm_pipeline.database.engines import engine
from crm_pipeline.database.rows import the_object
from crm_pipeline.database.statements import statement
from crm_pipeline.database.warehouses import row_reader
from crm_pipeline.ledger.positions import Position
from crm_pipeline.settings import settings
from crm_pipeline.sources.errors import explained
from crm_pipeline.sources.extracts import ExtractStatements, moment, read_extract
from crm_pipeline.sources.shipped import oldest_unread, with_news
from crm_pipeline.sources.source import Asked, Chunk, Start

CHANGED_AT = "changed_at"
"""The column of each extract that says when a row was shipped."""

_NEW_ROWS = "engagement/new_rows"

EngagementRow = Mapping[str, Any]
"""A row by the extract's columns, `changed_at` (UTC) among them, never later than the reading."""


@dataclass(frozen=True, slots=True)
class EngagementReading:
    """The part of a client's rows that is to be read.

    Attributes:
        warehouse: the platform's.
        client_id: the warehouse's client.
        overlap: how far below the watermark to read again, for rows that commit late.
        chunk_rows: rows at a time.
        timezone: the zone of timestamps that carry none.
        prospect_ids: only these prospects; None: all. With them no position is to be kept.
    """

    warehouse: Engine
    client_id: str
    overlap: timedelta
    chunk_rows: int
    timezone: str = "UTC"
    prospect_ids: Collection[str] | None = None


@dataclass(frozen=True, slots=True)
class EngagementRows:
    """A source of the engagement workflow.

    Attributes:
        name: the source's, and the extract's.
        needed: the columns without which nothing can be said, beside `changed_at`.
        start: what an account's start means for its rows.
        is_whole: whether each reading is about all rows, so that one that is taken away is
            noticed.
    """

    name: str
    needed: tuple[str, ...]
    start: Start
    is_whole: bool = False

    def read(
        self,
        reading: EngagementReading,
        position: Position | None,
        read_by: bytes | None = None,
    ) -> Iterator[Chunk[EngagementRow]]:
        """Reads the rows from a position on, oldest shipping first.

        The last chunk (which may be empty) carries a position with the number of rows seen, so
        that rows which become visible below the watermark later are noticed. Where none did, and
        `read_by` (a digest of all that says what becomes of a row) is that of the last reading,
        none is read again; without it those of the overlap are.

        Raises:
            ExtractError: the warehouse is down, or a statement does not fit it.
        """
        ids = reading.prospect_ids
        return read_extract(
            ExtractStatements(
                self.name,
                f"engagement/{self.name}",
                "engagement/end",
                _NEW_ROWS,
                (*self.needed, CHANGED_AT),
                self.is_whole,
            ),
            reading,
            position,
            parameters={"prospect_ids": ids and list(ids)},
            row_of=_row,
            changed_at=itemgetter(CHANGED_AT),
            read_by=read_by,
        )

    def news(self, asked: Sequence[Asked]) -> frozenset[str]:
        """Returns, as `Source`, the accounts with rows shipped after what they have seen."""
        return with_news(asked, self.name, _NEW_ROWS)

    def unread_since(self, asked: Sequence[Asked]) -> dict[str, datetime]:
        """Returns, as `Source`, when the oldest row above the watermark was shipped."""
        return oldest_unread(asked, self.name, _NEW_ROWS)


DEFINITIONS = EngagementRows("definitions", ("what", "id", "name"), Start.OF_OTHERS, is_whole=True)
PROSPECTS = EngagementRows(
    "prospects", ("prospect_id", "email", "life_cycle", "tags", "scores"), Start.CHANGED
)
PAGES = EngagementRows("prospects_with_pages", ("prospect_id",), Start.OF_OTHERS)


def pages_of(
    warehouse: Engine, client_id: str, prospect_ids: Collection[str]
) -> dict[str, list[EngagementRow]]:
    """Returns all pages of some prospects, by prospect; those without any are absent.

    Raises:
        ExtractError: the warehouse is down, or the statement does not fit it.
    """
    found: dict[str, list[EngagementRow]] = {}
    if not prospect_ids:
        return found
    with explained("engagement/pages"), warehouse.connect() as connection:
        rows = connection.execute(
            statement("extract/engagement/pages"),
            {"client_id": client_id, "prospect_ids": list(prospect_ids)},
        )
        columns_of = row_reader(warehouse, list(rows.keys()), settings().warehouse_timezone)
        for columns in map(columns_of, rows):
            found.setdefault(str(columns["prospect_id"]), []).append(columns)
    return found


class Sizes(NamedTuple):
    """The numbers of a client's rows, by the settings' names of the objects that they become."""

    tag: int
    score: int
    prospect: int
    prospect_tag: int
    prospect_score: int
    prospect_page: int

    @property
    def definitions(self) -> int:
        """Those of tags and of scores."""
        return self.tag + self.score

    @property
    def given(self) -> int:
        """Tags and scores of prospects."""
        return self.prospect_tag + self.prospect_score


def sizes_of(client_id: str) -> Sizes:
    """Returns how much the warehouse has of a client.

    Raises:
        ExtractError: the warehouse is down, or the statement does not fit it.
    """
    with explained("engagement/sizes"), engine("warehouse").connect() as connection:
        rows = connection.execute(statement("extract/engagement/sizes"), {"client_id": client_id})
        return the_object(rows, Sizes)


def _row(columns: dict[str, Any], timezone: str, now: datetime) -> EngagementRow:
    """A row as the flow takes it; without a time of shipping it counts as shipped now."""
    changed_at = moment(columns[CHANGED_AT], timezone)
    columns[CHANGED_AT] = now if changed_at is None or changed_at > now else changed_at
    return columns
