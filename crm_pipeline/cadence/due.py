"""Asks both databases which accounts are due, and claims them."""

import logging
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, Engine

from crm_pipeline.cadence.news import Question, Shipped, shipped_since
from crm_pipeline.cadence.planner import URGENT, Due, Standing, has_news, may_run, own_business
from crm_pipeline.database.engines import engine
from crm_pipeline.database.migrations import migrate
from crm_pipeline.database.statements import statement
from crm_pipeline.ledger.positions import Position
from crm_pipeline.settings import settings
from crm_pipeline.sources.participations import SOURCES, ExtractError

log = logging.getLogger(__name__)

_FACTS = tuple(name for name in Standing.__dataclass_fields__ if name != "positions")


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
        ExtractError: the warehouse can't be asked, and nothing else is to be done.
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
        shipped = _unread(idle)
    except ExtractError as error:
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
    names = list(rows.keys())
    return now, [_standing(dict(zip(names, row, strict=True))) for row in rows.all()]


def _standing(row: Mapping[str, Any]) -> Standing:
    positions: dict[str, Position] = {
        source: Position(
            source,
            watermark=row[f"{source}_watermark"],
            seen_since=row[f"{source}_seen_since"],
            seen_rows=row[f"{source}_seen_rows"],
            seen_seconds=row[f"{source}_seen_seconds"],
        )
        for source in SOURCES
        if row[f"{source}_watermark"] is not None
    }
    return Standing(**{name: row[name] for name in _FACTS}, positions=positions)


def _unread(standings: Sequence[Standing]) -> dict[str, dict[str, Shipped]]:
    """What the warehouse holds of each account's sources after what was seen of them."""
    return shipped_since(
        [
            Question(s.account_id, s.client_id, position.source, since=position.seen_since)
            for s in standings
            for position in s.positions.values()
        ]
    )


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
