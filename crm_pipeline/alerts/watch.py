"""Looks after the promises: what is broken is kept as an alert, and people are told once."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from dagster import DefaultSensorStatus, SkipReason, sensor
from sqlalchemy import Connection, RowMapping

from crm_pipeline.accounts.account import AccountSettings
from crm_pipeline.alerts.channels import Notice, send
from crm_pipeline.alerts.promises import FROM_OWN_TABLES, Alert, PromiseFacts, broken_promises
from crm_pipeline.cadence.due import parsed_settings, pipeline, questions_to_sources
from crm_pipeline.database.statements import statement
from crm_pipeline.declaration import Flow
from crm_pipeline.flows.registry import FLOWS
from crm_pipeline.settings import settings
from crm_pipeline.sources.errors import ExtractError

log = logging.getLogger(__name__)


def watch(flows: Sequence[Flow[Any]] = FLOWS) -> list[Notice]:
    """Compares the promises with what is so, and tells people what is new of it.

    Args:
        flows: those that there are.

    Returns:
        Alerts that people were told now. Those that could not be sent are tried again next time.
    """
    with pipeline().begin() as connection:
        alerts, knows_everything = _broken(connection, flows)
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


class _Account(NamedTuple):
    account_id: str
    client_id: str
    settings: AccountSettings


def _broken(connection: Connection, flows: Sequence[Flow[Any]]) -> tuple[list[Alert], bool]:
    """The broken promises, and whether all sources could be asked for them."""
    now = connection.execute(statement("cadence/now")).scalar_one()
    rows = connection.execute(statement("alerts/standing_of_promises")).mappings().all()
    unread, knows_everything = _unread_since(connection, rows, flows)
    facts = [_facts(row, unread.get(row["account_id"])) for row in rows]
    promise = timedelta(minutes=settings().freshness_minutes)
    return broken_promises(facts, now, promise), knows_everything


def _unread_since(
    connection: Connection, rows: Sequence[RowMapping], flows: Sequence[Flow[Any]]
) -> tuple[dict[str, datetime], bool]:
    """Since when the oldest unread row of each account waits, and whether all sources told."""
    accounts = [
        _Account(
            row["account_id"],
            row["client_id"],
            parsed_settings(row["settings"]) or AccountSettings(),
        )
        for row in rows
    ]
    changed_at = {row["account_id"]: row["changed_at"] for row in rows if row["state"] != "New"}
    unread: dict[str, datetime] = {}
    all_told = True
    for source, asked in questions_to_sources(connection, accounts, flows).items():
        new = {each.account_id for each in asked if each.position is None}
        try:
            since = source.unread_since(asked)
        except ExtractError as error:
            log.error("%s", error)  # noqa: TRY400
            all_told = False
            continue
        for account_id, at in since.items():
            # Of a flow that was switched on just now, old rows wait since then.
            waits = max(at, changed_at.get(account_id, at)) if account_id in new else at
            unread[account_id] = min(waits, unread.get(account_id, waits))
    return unread, all_told


def _facts(row: RowMapping, unread_since: datetime | None) -> PromiseFacts:
    facts = {name: row[name] for name in PromiseFacts.__dataclass_fields__ if name in row}
    return PromiseFacts(**facts, unread_since=unread_since)


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
