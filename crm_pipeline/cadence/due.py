"""Asks both databases which accounts are due, and claims them."""

import logging
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache, lru_cache
from typing import Any, Protocol, TypeVar

import orjson
from sqlalchemy import Connection, Engine

from crm_pipeline.accounts.account import AccountError, AccountSettings
from crm_pipeline.cadence.planner import URGENT, Due, Standing, may_run, own_business
from crm_pipeline.database.engines import engine
from crm_pipeline.database.migrations import migrate
from crm_pipeline.database.statements import statement
from crm_pipeline.declaration import Flow
from crm_pipeline.flows.registry import FLOWS
from crm_pipeline.ledger.positions import positions_of_accounts
from crm_pipeline.settings import settings
from crm_pipeline.sources.errors import ExtractError
from crm_pipeline.sources.org_changes import Watching, not_read_lately
from crm_pipeline.sources.source import Asked, Source

log = logging.getLogger(__name__)

C = TypeVar("C", bound="Chooser")

_FACTS = tuple(name for name in Standing.__dataclass_fields__ if name != "settings")

_FLEET = 20_000
"""Accounts whose settings are kept as they were parsed."""


def pipeline() -> Engine:
    """The pipeline's own database, brought up to date once per process."""
    return _migrated(engine("pipeline"))


@cache
def _migrated(own: Engine) -> Engine:
    migrate(own, "crm")
    return own


def due_accounts(
    *, only_urgent: bool, without: Collection[str] = (), flows: Sequence[Flow[Any]] = FLOWS
) -> list[Due]:
    """The accounts that have something to do and may run now, longest idle first.

    Each source of each flow is asked once, about all accounts that have the flow on. When one
    cannot be asked, what the accounts have to do beside it goes on.

    Args:
        only_urgent: leave out what can wait for the schedule (retries, failed cycles, leftovers).
        without: accounts that wait in a queue already.
        flows: those that there are.

    Raises:
        ExtractError: a source can't be asked, and nothing else is to be done.
    """
    with pipeline().connect() as connection:
        now, standings = read_standings(connection)
        ready = [s for s in standings if s.account_id not in without and may_run(s, now)]
        reasons = {s.account_id: own_business(s) for s in ready}
        idle = [
            s
            for s in ready
            if reasons[s.account_id] is None
            or (only_urgent and reasons[s.account_id] not in URGENT)
        ]
        asked = questions_to_sources(connection, idle, flows)
        unread = not_read_lately(connection, _watched(idle, flows))
        if not only_urgent:
            reasons |= dict.fromkeys(unread.by_pace, "changes to look for")
        reasons |= dict.fromkeys(unread.hinted, "told of changes")
    failures = []
    for source, questions in asked.items():
        try:
            reasons |= dict.fromkeys(source.news(questions), "new rows")
        except ExtractError as error:
            failures.append(error)
    if failures and not any(reasons.values()):
        raise failures[0]
    for line in dict.fromkeys(map(str, failures)):
        log.error("%s", line)
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
    facts = {name: row[name] for name in _FACTS}
    return Standing(**facts, settings=parsed_settings(row["settings"]))


@lru_cache(_FLEET)
def parsed_settings(stored: str) -> AccountSettings | None:
    """An account's settings, as the database has them (JSON); None where they cannot be read."""
    try:
        return AccountSettings.parse("", orjson.loads(stored))
    except AccountError:
        return None


class Chooser(Protocol):
    """An account and its choices, among them the flows that it has on."""

    @property
    def account_id(self) -> str:
        """The account's id."""

    @property
    def client_id(self) -> str:
        """The warehouse's client that it stands for."""

    @property
    def settings(self) -> AccountSettings | None:
        """Its settings; None where they cannot be read: then it has no flow on."""


def questions_to_sources(
    connection: Connection, accounts: Sequence[Chooser], flows: Sequence[Flow[Any]]
) -> dict[Source[Any, Any], list[Asked]]:
    """Returns how far each account has read each source of each flow that it has on."""
    known = positions_of_accounts(connection, [s.account_id for s in accounts])
    asked: defaultdict[Source[Any, Any], list[Asked]] = defaultdict(list)
    for flow in flows:
        on = [s for s, _ in _with(flow, accounts)]
        for source in flow.sources:
            asked[source] += (
                Asked(s.account_id, s.client_id, known.get((s.account_id, flow.name, source.name)))
                for s in on
            )
    return asked


def _watched(standings: Sequence[Standing], flows: Sequence[Flow[Any]]) -> dict[str, Watching]:
    """Returns what each account watches of its org."""
    objects: dict[str, set[str]] = {}
    for flow in flows:
        for s, chosen in _with(flow, standings):
            if watches := flow.watches(chosen):
                objects.setdefault(s.account_id, set()).update(each.sobject for each in watches)
    return {
        s.account_id: Watching(objects[s.account_id], s.settings.read_back_minutes)
        for s in standings
        if s.settings is not None and s.account_id in objects
    }


def _with(flow: Flow[Any], accounts: Sequence[C]) -> Iterator[tuple[C, Any]]:
    """The accounts that have a flow on, each with its settings of the flow."""
    for s in accounts:
        if s.settings is not None and (chosen := flow.settings(s.settings)) is not None:
            yield s, chosen


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


def accounts_with_requests() -> list[str]:
    """The enabled accounts of which something was asked that can be done now, the oldest first.

    None that is at a cycle, or was asked for already.
    """
    with pipeline().connect() as connection:
        return list(connection.scalars(statement("cadence/accounts_with_requests")))


def extend_claims(account_ids: Sequence[str]) -> None:
    """Starts the claims on these accounts anew: their run has waited in the queue until now."""
    with pipeline().begin() as connection:
        connection.execute(
            statement("cadence/extend_claims"),
            {"account_ids": list(account_ids), "minutes": settings().claim_minutes},
        )
