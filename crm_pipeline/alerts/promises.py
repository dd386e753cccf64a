"""Broken promises, and the accounts they were made to: pure functions. Times are UTC."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

Cause = Literal["refused credentials", "exhausted retries", "held", "late"]

FROM_OWN_TABLES: frozenset[Cause] = frozenset(("refused credentials", "exhausted retries", "held"))
"""Causes that are known without the warehouse."""


@dataclass(frozen=True, slots=True)
class PromiseFacts:
    """The state of an account, as far as its promises depend on it.

    Attributes:
        created_at: when the account was made; nothing is late before the promised time after.
        refused: with which words Salesforce refused the account's credentials; empty: it did not.
        exhausted: operations that have used up their tries.
        hold_id: the hold about which a person is to decide; None: there is none.
        waiting_since: when the oldest operation was recorded that is not in Salesforce yet.
        unread_since: when the oldest row was shipped that has not been read yet.
    """

    account_id: str
    name: str
    created_at: datetime
    state: str
    reason: str
    refused: str
    exhausted: int
    hold_id: int | None
    waiting_since: datetime | None
    unread_since: datetime | None


@dataclass(frozen=True, slots=True)
class Alert:
    """A message for people; told again only when its detail changes."""

    account_id: str
    cause: Cause
    detail: str
    message: str


def broken_promises(
    standings: Iterable[PromiseFacts], now: datetime, promise: timedelta
) -> list[Alert]:
    """The alerts that are due now, of all causes."""
    alerts = []
    for standing in standings:
        if standing.refused:
            alerts.append(_refused(standing))
        if standing.exhausted:
            alerts.append(_exhausted(standing))
        if standing.hold_id is not None:
            alerts.append(_held(standing, standing.hold_id))
        since = late_since(standing)
        if since is not None and now - since > promise:
            alerts.append(_late(standing, since, promise))
    return alerts


def late_since(standing: PromiseFacts) -> datetime | None:
    """Since when the oldest record waits for Salesforce, in the warehouse or in the ledger."""
    moments = [m for m in (standing.waiting_since, standing.unread_since) if m is not None]
    return max(min(moments), standing.created_at) if moments else None


def _refused(standing: PromiseFacts) -> Alert:
    """At once: it never heals by itself, and nothing of the account goes meanwhile."""
    account_id = standing.account_id
    return Alert(
        account_id,
        "refused credentials",
        standing.refused,
        f"{standing.name} ({account_id}): {standing.refused}; nothing is sent before `crm-pipeline "
        f"account credentials {account_id}`.",
    )


def _exhausted(standing: PromiseFacts) -> Alert:
    operations = "1 operation" if standing.exhausted == 1 else f"{standing.exhausted} operations"
    return Alert(
        standing.account_id,
        "exhausted retries",
        str(standing.exhausted),
        f"{standing.name} ({standing.account_id}): {operations} failed in every "
        f"try; see `crm-pipeline operations list {standing.account_id}`.",
    )


def _held(standing: PromiseFacts, hold_id: int) -> Alert:
    """At once: nothing of the account goes before a person has decided."""
    account_id = standing.account_id
    return Alert(
        account_id,
        "held",
        str(hold_id),
        f"{standing.name} ({account_id}): a cycle would do far more than usual, and nothing is "
        f"sent before `crm-pipeline approve {account_id}` or `crm-pipeline reject {account_id}`; "
        f"`crm-pipeline state {account_id}` says what it is.",
    )


def _late(standing: PromiseFacts, since: datetime, promise: timedelta) -> Alert:
    why = standing.reason or f"the account is {standing.state}"
    return Alert(
        standing.account_id,
        "late",
        f"{standing.state}: {standing.reason}",
        f"{standing.name} ({standing.account_id}): a record of {since:%Y-%m-%d %H:%M} UTC is not "
        f"in Salesforce, {int(promise / timedelta(minutes=1))} minutes were promised: {why}.",
    )
