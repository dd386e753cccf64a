"""Reading the warehouse: the platform's users, and the feedback tickets that they submitted.

The names of the columns of the statements in `sql/extract/platform/` are the contract.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any, ClassVar

from sqlalchemy import Engine

from crm_pipeline.inbound.tombstones import REMOVED, Tombstones, sign_of
from crm_pipeline.ledger.positions import Position
from crm_pipeline.sources.extracts import ExtractStatements, moment, read_extract
from crm_pipeline.sources.participations import tidy_person
from crm_pipeline.sources.shipped import oldest_unread, with_news
from crm_pipeline.sources.source import Asked, Chunk, Start


@dataclass(frozen=True, slots=True)
class PlatformRow:
    """A user or a ticket.

    Attributes:
        columns: every column of the extract, by name, and `street`; person_id and email are those
            of the user.
        changed_at: when it was shipped to the warehouse, UTC; never later than when it was read.
        flaw: why it is not to be sent, whatever the account chose, or None.
    """

    columns: Mapping[str, Any]
    changed_at: datetime
    flaw: str | None = None


@dataclass(frozen=True, slots=True)
class PlatformReading:
    """The part of a client's rows that is to be read.

    Attributes:
        warehouse: the platform's.
        client_id: the warehouse's client.
        overlap: how far below the watermark to read again, for rows that commit late.
        chunk_rows: rows at a time.
        timezone: the zone of timestamps that carry none.
        read_by: digest of all that says what becomes of a row.
        named: further columns that the account's settings name.
    """

    warehouse: Engine
    client_id: str
    overlap: timedelta
    chunk_rows: int
    timezone: str
    read_by: bytes
    named: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class PlatformRows:
    """A source: `sql/extract/platform/<name>.sql`; `needed` are its columns beside changed_at."""

    name: str
    needed: tuple[str, ...]
    start: ClassVar[Start] = Start.CHANGED

    def read(
        self, reading: PlatformReading, position: Position | None
    ) -> Iterator[Chunk[PlatformRow]]:
        """Reads the rows from a position on, oldest shipping first, as `read_extract`.

        From the start where they were read by something else than `reading.read_by`.

        Raises:
            ExtractError: the warehouse is down, or a statement does not fit it, or a setting.
        """
        return read_extract(
            ExtractStatements(
                self.name,
                f"platform/{self.name}",
                f"platform/end_of_{self.name}",
                self._new_rows,
                (*self.needed, "changed_at", *reading.named),
            ),
            reading,
            position if position is not None and position.read_by == reading.read_by else None,
            parameters={},
            row_of=_row,
            changed_at=attrgetter("changed_at"),
            read_by=reading.read_by,
        )

    def news(self, asked: Sequence[Asked]) -> frozenset[str]:
        """Returns, as `Source`, the accounts with rows shipped after what they have seen."""
        return with_news(asked, self.name, self._new_rows)

    def unread_since(self, asked: Sequence[Asked]) -> dict[str, datetime]:
        """Returns, as `Source`, when the oldest row above the watermark was shipped."""
        return oldest_unread(asked, self.name, self._new_rows)

    @property
    def _new_rows(self) -> str:
        return f"platform/new_{self.name}"


USERS = PlatformRows("users", ("person_id", "email"))
FEEDBACK_TICKETS = PlatformRows("feedback_tickets", ("ticket_id", "person_id", "email"))


def without_removed(
    rows: Sequence[PlatformRow], tombstones: Tombstones | None
) -> Sequence[PlatformRow]:
    """Returns rows of which those of people who were removed say that, and nothing else. Pure.

    A ticket of somebody who was removed is known by its id as well, as the user may be gone.
    """
    return rows if tombstones is None else [_screened(row, tombstones) for row in rows]


def _screened(row: PlatformRow, tombstones: Tombstones) -> PlatformRow:
    ticket = row.columns.get("ticket_id")
    if tombstones.hold(row.columns["email"]) or (
        ticket is not None and tombstones.hold_sign(sign_of("ticket", ticket))
    ):
        kept = {name: row.columns.get(name) for name in ("ticket_id", "person_id", "email")}
        return replace(row, columns=kept, flaw=REMOVED)
    said = {
        name: tombstones.blotted(value) if isinstance(value, str) and "@" in value else value
        for name, value in row.columns.items()
    }
    return replace(row, columns=said)


def _row(columns: dict[str, Any], timezone: str, now: datetime) -> PlatformRow:
    """A row as the flows take it; without a time of shipping it counts as shipped now."""
    tidy_person(columns)
    changed_at = moment(columns["changed_at"], timezone)
    return PlatformRow(columns, now if changed_at is None or changed_at > now else changed_at)
