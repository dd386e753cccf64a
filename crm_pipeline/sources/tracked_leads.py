"""Reading the warehouse: the leads of a tracker, each with where it came from.

The names of the columns of `sql/extract/tracked_leads.sql` are the contract.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any, ClassVar

from sqlalchemy import Connection, Engine

from crm_pipeline.accounts.account import Account
from crm_pipeline.database.statements import extract_shown, statement
from crm_pipeline.inbound.tombstones import sign_of, tombstones_of
from crm_pipeline.ledger.positions import Position
from crm_pipeline.sources.errors import ExtractError, explained
from crm_pipeline.sources.extracts import ExtractStatements, moment, read_extract
from crm_pipeline.sources.shipped import NEVER, RowQuestion, oldest_unread, shipped_since, with_news
from crm_pipeline.sources.source import Asked, Chunk, Start
from crm_pipeline.text import storable_json

NAME = "tracked_leads"

NEEDED = ("lead_id", "kind", "happened_at", "is_spam", "is_duplicate", "email", "phone")
"""The columns without which nothing can be said of a lead, beside changed_at."""

_STATEMENTS = ExtractStatements(
    NAME, NAME, "tracked_leads_end", "new_tracked_leads", (*NEEDED, "changed_at")
)

_OF_NO_PERSON = frozenset(
    ("lead_id", "kind", "happened_at", "changed_at", "is_spam", "is_duplicate")
)
"""Columns that say nothing of whoever a lead is about."""


@dataclass(slots=True)
class TrackedLeadRow:
    """A lead as the warehouse has it.

    Attributes:
        columns: every column of the extract, by name.
        happened_at: when the person got in touch, UTC; None where the row has no usable time.
        changed_at: when it was shipped to the warehouse, UTC; never later than when it was read.
    """

    columns: Mapping[str, Any]
    happened_at: datetime | None
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class LeadsReading:
    """The part of a client's leads that is to be read.

    Attributes:
        warehouse: the platform's.
        client_id: the warehouse's client.
        overlap: how far below the watermark to read again, for rows that commit late.
        chunk_rows: leads at a time.
        timezone: the zone of timestamps that carry none.
    """

    warehouse: Engine
    client_id: str
    overlap: timedelta
    chunk_rows: int
    timezone: str = "UTC"


@dataclass(frozen=True, slots=True)
class TrackedLeads:
    """The source of tracked leads."""

    name: str = NAME
    start: ClassVar[Start] = Start.HAPPENED

    def read(
        self, reading: LeadsReading, position: Position | None
    ) -> Iterator[Chunk[TrackedLeadRow]]:
        """Reads the leads from a position on, oldest shipping first.

        The last chunk (which may be empty) carries a position with the number of rows seen, so
        that rows which become visible below the watermark later are noticed.

        Raises:
            ExtractError: the warehouse is down, or a statement does not fit it.
        """
        return read_extract(
            _STATEMENTS,
            reading,
            position,
            parameters={},
            row_of=_lead,
            changed_at=attrgetter("changed_at"),
        )

    def news(self, asked: Sequence[Asked]) -> frozenset[str]:
        """Returns, as `Source`, the accounts with leads shipped after what they have seen."""
        return with_news(asked, self.name, _STATEMENTS.new_rows)

    def unread_since(self, asked: Sequence[Asked]) -> dict[str, datetime]:
        """Returns, as `Source`, when the oldest lead above the watermark was shipped."""
        return oldest_unread(asked, self.name, _STATEMENTS.new_rows)


TRACKED_LEADS = TrackedLeads()


def without_removed(
    ledger: Connection,
    account: Account,
    rows: Sequence[TrackedLeadRow],
    number_of: Callable[[TrackedLeadRow], str | None],
) -> Sequence[TrackedLeadRow]:
    """Returns the leads without what they say of people who were removed: only that they are there.

    A lead of somebody who was removed is known by its id as well, as it may give a number only; one
    that gives no address, by its number (`number_of`).
    """
    tombstones = tombstones_of(ledger, account) if rows else None
    if tombstones is None:
        return rows
    screened = []
    for row in rows:
        email, lead_id = row.columns["email"], row.columns["lead_id"]
        whole = storable_json(row.columns)
        if (
            tombstones.hold_sign(sign_of("tracked_lead", lead_id))
            or (isinstance(email, str) and tombstones.hold(email))
            or (not email and tombstones.hold(number_of(row)))
        ):
            kept = {n: v if n in _OF_NO_PERSON else None for n, v in row.columns.items()}
            screened.append(replace(row, columns=kept))
        elif tombstones.named_in(whole):
            blotted = {
                name: tombstones.blotted(value) if isinstance(value, str) else value
                for name, value in row.columns.items()
            }
            screened.append(replace(row, columns=blotted))
        else:
            screened.append(row)
    return screened


def check_columns(warehouse: Engine, named: Collection[str]) -> None:
    """Refuses names of `further_fields` that are columns of no extract: they would send nothing.

    Raises:
        ExtractError: it is so; the warehouse is down, or the statement does not fit it.
    """
    if not named:
        return
    nobody = {"client_id": "", "since": NEVER}
    with explained(NAME), warehouse.connect() as connection:
        known = connection.execute(statement("extract/tracked_leads"), nobody).keys()
    if unknown := sorted(set(named).difference(known)):
        raise ExtractError(
            f"attribution.further_fields names {unknown[0]!r}, a column that "
            f"{extract_shown(NAME)} does not give; add it there, or mend the setting"
        )


def count_leads(client_id: str) -> int:
    """Counts a client's tracked leads.

    Raises:
        ExtractError: the warehouse is down, or `sql/extract/new_tracked_leads.sql` does not fit it.
    """
    question = RowQuestion(client_id, NAME, NEVER)
    return shipped_since([question], _STATEMENTS.new_rows)[question].rows


def _lead(columns: dict[str, Any], timezone: str, now: datetime) -> TrackedLeadRow:
    """A row as the flow takes it; without a time of shipping it counts as shipped now."""
    changed_at = moment(columns["changed_at"], timezone)
    return TrackedLeadRow(
        columns,
        moment(columns["happened_at"], timezone),
        now if changed_at is None or changed_at > now else changed_at,
    )
