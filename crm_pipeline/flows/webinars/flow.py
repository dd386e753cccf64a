"""The webinar cycle's part of an account's cycle: from the warehouse to intents (spec 1)."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, Engine

from crm_pipeline.accounts.account import Account
from crm_pipeline.accounts.store import field_mappings, filter_strings, pushed_sessions
from crm_pipeline.database.statements import statement
from crm_pipeline.flows.webinars import rules
from crm_pipeline.ledger.intents import Intent, PersonEmail
from crm_pipeline.ledger.positions import Position, positions
from crm_pipeline.settings import settings
from crm_pipeline.warehouse import participations
from crm_pipeline.warehouse.mapping import check_columns
from crm_pipeline.warehouse.participations import Source

NAME = "webinars"


@dataclass(frozen=True, slots=True)
class Batch:
    """What some rows of one source ask for.

    Attributes:
        source: where they come from.
        rows: how many were read.
        rows_by_session: the same by event session.
        intents: people and activities, rejected ones among them.
        emails: the address that each of their people has.
        position: how far the source is read with them.
    """

    source: Source
    rows: int
    rows_by_session: Counter[int]
    intents: list[Intent]
    emails: list[PersonEmail]
    position: Position


def batches(
    ledger: Connection,
    warehouse: Engine,
    account: Account,
    sources: Collection[Source] = participations.SOURCES,
    *,
    backfilled: Sequence[int] = (),
) -> Iterator[Batch]:
    """Reads what is new for an account and maps it; the caller records each batch.

    Args:
        ledger: for the account's positions, filters, sessions and mapping.
        warehouse: the warehouse's engine.
        account: whose rows.
        sources: which of the sources.
        backfilled: sessions to be read whole (`unread_sessions`).

    Raises:
        ExtractError: the warehouse cannot be read, or a mapping names what it does not have;
            what was yielded before is good.
    """
    pushed = pushed_sessions(ledger, account.account_id)
    reading = participations.Reading(
        client_id=account.client_id,
        sessions=[session.event_session_id for session in pushed] or None,
        backfilled=backfilled,
        overlap=timedelta(minutes=settings().overlap_minutes),
        chunk_rows=settings().chunk_rows,
        timezone=settings().warehouse_timezone,
    )
    overrides = field_mappings(ledger, account.account_id)
    check_columns(warehouse, overrides)
    maps = rules.field_maps(account.settings, overrides)
    filters = filter_strings(ledger, account.account_id)
    known = positions(ledger, account.account_id)
    for source in sources:
        for chunk in participations.read(warehouse, reading, source, known.get(source)):
            yield Batch(
                source,
                len(chunk.participations),
                Counter(each.event_session_id for each in chunk.participations),
                rules.intents(chunk.participations, maps, filters),
                rules.emails(chunk.participations, filters),
                chunk.position,
            )


def unread_sessions(ledger: Connection, account_id: str) -> list[int]:
    """Sessions that were added to those to push and have not been read whole since."""
    pushed = pushed_sessions(ledger, account_id)
    return [session.event_session_id for session in pushed if session.backfilled_at is None]


def sessions_were_read(ledger: Connection, account_id: str, sessions: Sequence[int]) -> None:
    """Notes that these sessions were read whole, within the caller's transaction."""
    ledger.execute(
        statement("ledger/sessions_were_read"),
        {"account_id": account_id, "sessions": list(sessions)},
    )
