"""Asks both databases which accounts are due, and claims them."""

import logging
from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from functools import cache

from sqlalchemy import Connection, Engine, RowMapping
from sqlalchemy.exc import DBAPIError

from crm_pipeline.cadence.planner import (
    SOURCES,
    URGENT,
    Due,
    Shipped,
    Standing,
    has_news,
    may_run,
    own_business,
)
from crm_pipeline.database.engines import engine
from crm_pipeline.database.migrations import migrate
from crm_pipeline.database.statements import statement
from crm_pipeline.ledger.positions import Position
from crm_pipeline.settings import settings

log = logging.getLogger(__name__)


class WarehouseError(RuntimeError):
    """The warehouse can't be asked; the message says why and names the setting."""


def pipeline() -> Engine:
    """The pipeline's own database, brought up to date once per process."""
    return _migrated(engine("pipeline"))


@cache
def _migrated(own: Engine) -> Engine:
    migrate(own, "crm")
    return own


def due_accounts(*, only_urgent: bool, without: Collection[str] = ()) -> list[Due]:
    """The accounts that have something to do and may run now, longest idle first.

    When the warehouse can't be asked, what the accounts have to do of their own goes on.

    Args:
        only_urgent: leave out what can wait for the schedule (retries, failed cycles, leftovers).
        without: accounts that wait in a queue already.

    Raises:
        WarehouseError: the warehouse can't be asked, and nothing else is to be done.
    """
    with pipeline().connect() as connection:
        now, standings = read_standings(connection)
    ready = [s for s in standings if s.account_id not in without and may_run(s, now)]
    reasons = {s.account_id: own_business(s) for s in ready}
    idle = [
        s
        for s in ready
        if reasons[s.account_id] is None or (only_urgent and reasons[s.account_id] not in URGENT)
    ]
    try:
        shipped = new_rows(idle)
    except WarehouseError as error:
        if not any(reasons.values()):
            raise
        log.error("%s", error)  # noqa: TRY400
    else:
        for standing in idle:
            if has_news(standing.positions, shipped.get(standing.account_id, {})):
                reasons[standing.account_id] = "new rows"
    return [
        Due(
            account_id=s.account_id,
            reason=reason,
            failed_last_time=s.state in ("Failed", "Processing"),
        )
        for s in ready
        if (reason := reasons[s.account_id]) is not None and (reason in URGENT or not only_urgent)
    ]


def read_standings(connection: Connection) -> tuple[datetime, list[Standing]]:
    """The database's clock, and how each enabled account stands; longest idle first."""
    now = connection.execute(statement("cadence/now")).scalar_one()
    rows = connection.execute(
        statement("cadence/standings"),
        {"grace_seconds": settings().lost_answer_grace_seconds},
    )
    return now, [_standing(row) for row in rows.mappings()]


def _standing(row: RowMapping) -> Standing:
    positions = {
        source: Position(
            source,
            watermark=row[f"{source}_watermark"],
            seen_since=row[f"{source}_seen_since"],
            seen_rows=row[f"{source}_seen_rows"],
        )
        for source in SOURCES
        if row[f"{source}_watermark"] is not None
    }
    facts = {name: row[name] for name in Standing.__dataclass_fields__ if name in row}
    return Standing(**facts, positions=positions)


def new_rows(standings: Sequence[Standing]) -> dict[str, dict[str, Shipped]]:
    """What the warehouse holds of each account's sources after the last reading, by account.

    Raises:
        WarehouseError: the warehouse is down, or `sql/extract/new_rows.sql` does not fit it.
    """
    asked = [(s, position) for s in standings for position in s.positions.values()]
    shipped: dict[str, dict[str, Shipped]] = defaultdict(dict)
    if not asked:
        return shipped
    try:
        with engine("warehouse").connect() as connection:
            rows = connection.execute(
                statement("extract/new_rows"),
                {
                    "keys": [s.account_id for s, _ in asked],
                    "client_ids": [s.client_id for s, _ in asked],
                    "sources": [position.source for _, position in asked],
                    "sinces": [position.seen_since for _, position in asked],
                },
            ).all()
    except DBAPIError as error:
        raise WarehouseError(_explained(error)) from None
    for row in rows:
        shipped[row.key][row.source] = Shipped(rows=row.rows, newest=row.newest)
    return shipped


def _explained(error: DBAPIError) -> str:
    cause = str(error.orig).strip().splitlines()[0] if str(error.orig).strip() else "no answer"
    if error.connection_invalidated or type(error.orig).__name__ == "OperationalError":
        return f"The warehouse does not answer ({cause}); check WAREHOUSE_URL and the server."
    return f"sql/extract/new_rows.sql does not fit the warehouse: {cause}"


def claim(account_ids: Sequence[str]) -> set[str]:
    """Claims accounts for the caller's run, and returns those that nobody else has claimed."""
    if not account_ids:
        return set()
    with pipeline().begin() as connection:
        claimed = connection.scalars(
            statement("cadence/claim"),
            {"account_ids": list(account_ids), "minutes": settings().claim_minutes},
        )
        return set(claimed)


def extend_claims(account_ids: Sequence[str]) -> None:
    """Starts the claims on these accounts anew: their run has waited in the queue until now."""
    with pipeline().begin() as connection:
        connection.execute(
            statement("cadence/extend_claims"),
            {"account_ids": list(account_ids), "minutes": settings().claim_minutes},
        )
