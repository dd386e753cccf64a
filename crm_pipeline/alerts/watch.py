"""Looks after the promises: what is broken is kept as an alert, and people are told once."""

import logging
from collections.abc import Sequence
from datetime import timedelta

from dagster import DefaultSensorStatus, SkipReason, sensor
from sqlalchemy import Connection, RowMapping

from crm_pipeline.alerts.channels import Notice, send
from crm_pipeline.alerts.promises import FROM_OWN_TABLES, Alert, PromiseFacts, broken_promises
from crm_pipeline.cadence.due import pipeline
from crm_pipeline.database.statements import statement
from crm_pipeline.settings import settings
from crm_pipeline.sources.errors import ExtractError
from crm_pipeline.sources.participations import EXTRACT_NAMES
from crm_pipeline.sources.shipped import NEVER, Question, Shipped, shipped_since

log = logging.getLogger(__name__)


def watch() -> list[Notice]:
    """Compares the promises with what is so, and tells people what is new of it.

    Returns:
        Alerts that people were told now. Those that could not be sent are tried again next time.
    """
    with pipeline().begin() as connection:
        alerts, knows_everything = _broken(connection)
        _raise(connection, alerts, closing_late=knows_everything)
    with pipeline().begin() as connection:
        unsent = connection.execute(statement("alerts/unsent")).all()
        notices = [
            Notice(
                row.account_id,
                row.cause,
                row.message if row.closed_at is None else f"It is over: {row.message}",
                row.raised_at.isoformat(),
                over=row.closed_at is not None,
            )
            for row in unsent
        ]
        if not notices or not send(notices):
            return []
        connection.execute(
            statement("alerts/mark_sent"), {"alert_ids": [row.alert_id for row in unsent]}
        )
    return notices


def _broken(connection: Connection) -> tuple[list[Alert], bool]:
    """The broken promises, and whether the warehouse could be asked for them."""
    now = connection.execute(statement("cadence/now")).scalar_one()
    rows = connection.execute(statement("alerts/standing_of_promises")).mappings().all()
    questions = {
        row["account_id"]: [
            Question(row["client_id"], name, row[f"{name}_watermark"] or NEVER)
            for name in EXTRACT_NAMES
        ]
        for row in rows
    }
    try:
        shipped = shipped_since([each for asked in questions.values() for each in asked])
        knows_everything = True
    except ExtractError as error:
        log.error("%s", error)  # noqa: TRY400
        shipped, knows_everything = {}, False
    standings = [
        _standing(row, [shipped[each] for each in questions[row["account_id"]] if each in shipped])
        for row in rows
    ]
    promise = timedelta(minutes=settings().freshness_minutes)
    return broken_promises(standings, now, promise), knows_everything


def _standing(row: RowMapping, unread: Sequence[Shipped]) -> PromiseFacts:
    oldest = [shipped.oldest for shipped in unread if shipped.oldest is not None]
    facts = {name: row[name] for name in PromiseFacts.__dataclass_fields__ if name in row}
    return PromiseFacts(**facts, unread_since=min(oldest, default=None))


def _raise(connection: Connection, alerts: list[Alert], *, closing_late: bool) -> None:
    columns = {
        "account_ids": [alert.account_id for alert in alerts],
        "causes": [alert.cause for alert in alerts],
    }
    connection.execute(
        statement("alerts/raise"),
        {
            **columns,
            "details": [alert.detail for alert in alerts],
            "messages": [alert.message for alert in alerts],
        },
    )
    closing = FROM_OWN_TABLES | {"late"} if closing_late else FROM_OWN_TABLES
    connection.execute(statement("alerts/close"), {**columns, "closing": list(closing)})


@sensor(
    minimum_interval_seconds=60,
    default_status=DefaultSensorStatus.RUNNING,
    description="Tells people, in the log and where set by webhook or e-mail, of refused "
    "credentials at once, of operations that failed in all their tries, and of records older than "
    "the promise that are not in Salesforce; and when it is over.",
)
def broken_promises_alert() -> SkipReason:
    """A tick of the watch."""
    return SkipReason(f"{len(watch())} new alerts.")
