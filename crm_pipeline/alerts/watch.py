"""Looks after the promises: what is broken is kept as an alert, and people are told once."""

import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from dagster import DefaultSensorStatus, SkipReason, sensor
from sqlalchemy import Connection, Row, RowMapping

from crm_pipeline.accounts.account import AccountSettings
from crm_pipeline.alerts.causes import BAD_FILE, CAUSES, LATE, UNREACHABLE, UNREADABLE
from crm_pipeline.alerts.channels import Notice, Taken, post, send_text, write_log
from crm_pipeline.alerts.digest import days_of_accounts, digest
from crm_pipeline.alerts.promises import Alert, PromiseFacts, broken_promises, remedy, wording
from crm_pipeline.alerts.targets import LOG, AlertChoices, AlertsFileError, choices, of_settings
from crm_pipeline.cadence.due import parsed_settings, pipeline, questions_to_sources
from crm_pipeline.cadence.tick_counts import counted_tick
from crm_pipeline.database.statements import statement
from crm_pipeline.declaration import Flow
from crm_pipeline.flows.registry import FLOWS
from crm_pipeline.settings import settings
from crm_pipeline.sources.errors import ExtractError

log = logging.getLogger(__name__)


def watch(flows: Sequence[Flow[Any]] = FLOWS) -> list[Notice]:
    """Compares the promises with what is so, and tells each target what is new of it.

    One process does so at a time. What a target has not taken it is told next time, and so is, with
    the same key and version, what it took while the process was killed.

    Args:
        flows: those that there are.

    Returns:
        Notices that a target has taken now; where there is none but the log, what that was told.
    """
    with pipeline().begin() as alone:
        if not alone.execute(statement("alerts/alone")).scalar_one():
            return []
        chosen, broken_file = _choices()
        with pipeline().begin() as connection:
            alerts, unknown = _broken(connection, flows, chosen)
            _raise(connection, [*alerts, *broken_file], unknown)
        told = _tell(chosen)
        _send_digests(chosen)
        return told


def _choices() -> tuple[AlertChoices, list[Alert]]:
    """What was chosen; where that cannot be read, what settings say, and an alert."""
    try:
        return choices(settings()), []
    except AlertsFileError as error:
        return of_settings(settings()), [Alert(None, BAD_FILE.name, str(error), f"{error}.")]


def _tell(chosen: AlertChoices) -> list[Notice]:
    """Tells all targets at once what each is to be told, and notes what they have taken."""
    with pipeline().connect() as connection:
        untold = connection.execute(
            statement("alerts/untold"),
            {
                "targets": [LOG, *chosen.targets],
                "causes": list(CAUSES),
                "after_minutes": [chosen.after_minutes(cause) for cause in CAUSES],
            },
        ).all()
    for_target = _routed(untold, chosen)
    if not for_target:
        return []
    notices = {name: [_notice(row, chosen) for row in rows] for name, rows in for_target.items()}
    taken_by = _tell_each(chosen, notices)
    _note(for_target, taken_by)
    seeing = taken_by.keys() - {LOG} if chosen.targets else {LOG}
    return list(
        dict.fromkeys(
            notice
            for name, taken in taken_by.items()
            if name in seeing
            for notice in notices[name][: taken.notices]
        )
    )


def _routed(rows: Sequence[Row[Any]], chosen: AlertChoices) -> dict[str, list[Row[Any]]]:
    """By target what it is to be told, of all that there is; ends go wherever the begin went."""
    routed: dict[str, list[Row[Any]]] = {}
    for row in rows:
        target = chosen.targets.get(row.target)
        severity = chosen.severity(row.cause)
        if target is None or row.closed_at or target.takes(row.account_id, severity):
            routed.setdefault(row.target, []).append(row)
    return routed


def _notice(row: Row[Any], chosen: AlertChoices) -> Notice:
    return Notice(
        row.account_id,
        row.cause,
        row.message if row.closed_at is None else f"It is over: {row.message}",
        row.raised_at.isoformat(),
        over=row.closed_at is not None,
        severity=chosen.severity(row.cause),
        key=f"{row.account_id or 'installation'}/{row.cause.replace(' ', '-')}/{row.alert_id}",
        version=row.version,
        began_at=row.began_at.isoformat(),
        remedy=remedy(CAUSES[row.cause], row.account_id),
        console=row.account_id and settings().account_page(row.account_id),
        run=row.run_id and settings().run_page(row.run_id),
    )


def _tell_each(chosen: AlertChoices, notices: Mapping[str, Sequence[Notice]]) -> dict[str, Taken]:
    """Tells each target in a thread of its own, so that none waits for another."""
    with ThreadPoolExecutor(max_workers=len(notices), thread_name_prefix="alerts") as threads:
        asked = {
            name: threads.submit(write_log, of_target)
            if name == LOG
            else threads.submit(post, chosen.targets[name], of_target)
            for name, of_target in notices.items()
        }
        taken_by = {name: each.result() for name, each in asked.items()}
    for name, taken in taken_by.items():
        if taken.problem:
            log.error("Alerts could not be sent to %s: %s.", name, taken.problem)
    return taken_by


def _note(rows: Mapping[str, Sequence[Row[Any]]], taken_by: Mapping[str, Taken]) -> None:
    taken = [row for name, taken in taken_by.items() for row in rows[name][: taken.notices]]
    with pipeline().begin() as connection:
        connection.execute(
            statement("alerts/mark_told"),
            {
                "targets": [row.target for row in taken],
                "alert_ids": [row.alert_id for row in taken],
                "versions": [row.version for row in taken],
                "over": [row.closed_at is not None for row in taken],
            },
        )
        connection.execute(
            statement("alerts/note_targets"),
            {"targets": list(taken_by), "problems": [each.problem for each in taken_by.values()]},
        )


def _send_digests(chosen: AlertChoices) -> None:
    """Sends the digest of today to each target that wants one and has not got it, from its hour on.

    One that cannot be reached gets it later, and is an alert to the others meanwhile.
    """
    hour = settings().alert_digest_hour
    wanting = [name for name, target in chosen.targets.items() if target.wants_digest]
    if hour is None or not wanting:
        return
    with pipeline().connect() as connection:
        due = connection.execute(
            statement("alerts/undigested"), {"targets": wanting, "hour": hour}
        ).all()
        if not due:
            return
        until = due[0].digested_at.astimezone(UTC)
        days = days_of_accounts(connection, until)
    targets = [row.target for row in due]
    with ThreadPoolExecutor(max_workers=len(targets), thread_name_prefix="digest") as threads:
        problems = dict(
            zip(
                targets,
                threads.map(
                    lambda name: send_text(
                        chosen.targets[name], *digest(chosen.targets[name], days, until)
                    ),
                    targets,
                ),
                strict=True,
            )
        )
    for name, problem in problems.items():
        if problem:
            log.error("The digest could not be sent to %s: %s.", name, problem)
    taken = [name for name, problem in problems.items() if problem is None]
    with pipeline().begin() as connection:
        connection.execute(
            statement("alerts/mark_digested"), {"digested_at": until, "targets": taken}
        )
        connection.execute(
            statement("alerts/note_targets"),
            {"targets": targets, "problems": list(problems.values())},
        )


class _Account(NamedTuple):
    account_id: str
    client_id: str
    settings: AccountSettings


def _broken(
    connection: Connection, flows: Sequence[Flow[Any]], chosen: AlertChoices
) -> tuple[list[Alert], frozenset[str]]:
    """The broken promises, and the causes of which nobody can say now whether they are over."""
    now = connection.execute(statement("cadence/now")).scalar_one()
    rows = connection.execute(statement("alerts/standing_of_promises")).mappings().all()
    unread, failures = _unread_since(connection, rows, flows)
    facts = [_facts(row, unread.get(row["account_id"])) for row in rows]
    promise = timedelta(minutes=settings().freshness_minutes)
    alerts = broken_promises(facts, now, promise, chosen.at_least())
    if failures:
        message = f"{'; '.join(failures)}. Until it can be asked, nobody knows who is late."
        alerts.append(Alert(None, UNREADABLE.name, wording("; ".join(failures)), message))
    failing = connection.execute(
        statement("alerts/failing_targets"), {"targets": list(chosen.targets)}
    ).all()
    if failing:
        told = "; ".join(f"alerts do not reach {row.target}: {row.problem}" for row in failing)
        alerts.append(Alert(None, UNREACHABLE.name, wording(told), f"{told}."))
    return alerts, frozenset({LATE.name} if failures else ())


def _unread_since(
    connection: Connection, rows: Sequence[RowMapping], flows: Sequence[Flow[Any]]
) -> tuple[dict[str, datetime], list[str]]:
    """Since when the oldest unread row of each account waits; why sources could not be asked."""
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
    failures: list[str] = []
    for source, asked in questions_to_sources(connection, accounts, flows).items():
        new = {each.account_id for each in asked if each.position is None}
        try:
            since = source.unread_since(asked)
        except ExtractError as error:
            log.error("%s", error)  # noqa: TRY400
            failures.append(str(error).rstrip("."))
            continue
        for account_id, at in since.items():
            # Of a flow that was switched on just now, old rows wait since then.
            waits = max(at, changed_at.get(account_id, at)) if account_id in new else at
            unread[account_id] = min(waits, unread.get(account_id, waits))
    return unread, list(dict.fromkeys(failures))


def _facts(row: RowMapping, unread_since: datetime | None) -> PromiseFacts:
    facts = {name: row[name] for name in PromiseFacts.__dataclass_fields__ if name in row}
    return PromiseFacts(**facts, unread_since=unread_since)


def _raise(connection: Connection, alerts: Sequence[Alert], unknown: frozenset[str]) -> None:
    """Opens what is so, and closes what is not, but for causes of which nobody knows."""
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
    closing = [cause for cause in CAUSES if cause not in unknown]
    connection.execute(statement("alerts/close"), {**columns, "closing": closing})


@sensor(
    minimum_interval_seconds=60,
    default_status=DefaultSensorStatus.RUNNING,
    description="Tells people, in the log and wherever ALERTS_FILE and the settings say, what "
    "needs them: refused credentials, holds, records and removals that are late, cycles and "
    "operations that fail; and when it is over.",
)
def broken_promises_alert() -> SkipReason:
    """A tick of the watch."""
    with counted_tick("broken_promises_alert"):
        told = watch()
    return SkipReason(f"{len(told)} new alerts.")
