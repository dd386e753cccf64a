"""Broken promises, and the accounts they were made to: pure functions. Times are UTC."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from crm_pipeline.alerts.causes import (
    CAUSES,
    ERASED_FOUND,
    EXHAUSTED,
    FAILING,
    HELD,
    INCIDENT,
    LATE,
    OVERDUE,
    PAUSED,
    REFUSED,
    Cause,
)


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
        failures: cycles that failed, one after the other, up to the last one.
        failed_reason: why the last of these failed.
        incidents: what holds up records of which kinds; empty: nothing.
        removals: people who are to be removed, and are not.
        removals_since: when the first of these removals was asked for.
        erased_in: columns in which the nightly scan found somebody who was erased; empty: none.
        paused: until when, by whom and why the account's alerts are paused; empty: they are not.
    """

    account_id: str
    name: str
    created_at: datetime
    state: str = "Complete"
    reason: str = ""
    refused: str = ""
    exhausted: int = 0
    hold_id: int | None = None
    waiting_since: datetime | None = None
    unread_since: datetime | None = None
    failures: int = 0
    failed_reason: str = ""
    incidents: str = ""
    removals: int = 0
    removals_since: datetime | None = None
    erased_in: str = ""
    paused: str = ""


@dataclass(frozen=True, slots=True)
class Alert:
    """A message for people; told again only when its detail changes.

    `account_id` is None where it is about the installation.
    """

    account_id: str | None
    cause: str
    detail: str
    message: str


def broken_promises(
    standings: Iterable[PromiseFacts],
    now: datetime,
    promise: timedelta,
    at_least: Mapping[str, int] | None = None,
) -> list[Alert]:
    """The alerts of accounts that are due now, of all causes.

    Args:
        standings: how each account stands.
        now: the database's clock.
        promise: within which a record is to be in Salesforce, and a removal done.
        at_least: by cause that counts, from how many on it is one; else what the cause declares.
    """
    chosen = at_least or {}
    alerts = []
    for standing in standings:
        for cause, tell in _TELLS.items():
            for number, detail, message in tell(standing, now, promise):
                if number >= chosen.get(cause, CAUSES[cause].at_least or 0):
                    who = f"{standing.name} ({standing.account_id}): "
                    alerts.append(Alert(standing.account_id, cause, detail, who + message))
    return alerts


def late_since(standing: PromiseFacts) -> datetime | None:
    """Since when the oldest record waits for Salesforce, in the warehouse or in the ledger."""
    moments = [m for m in (standing.waiting_since, standing.unread_since) if m is not None]
    return max(min(moments), standing.created_at) if moments else None


def remedy(cause: Cause, account_id: str | None) -> str:
    """What is to be done about a cause."""
    return cause.remedy.format(account_id=account_id)


def wording(reason: str) -> str:
    """Returns a reason without its numbers: nobody is told again as the org's usage goes on."""
    return re.sub(r"[0-9][0-9.,:]*", "#", reason)


_Told = Iterator[tuple[int, str, str]]
"""How many, where the cause counts something; what has to change to be told again; the message."""


def _refused(standing: PromiseFacts, _now: datetime, _promise: timedelta) -> _Told:
    """At once: it never heals by itself, and nothing of the account goes meanwhile."""
    if standing.refused:
        mend = remedy(REFUSED, standing.account_id)
        yield 1, standing.refused, f"{standing.refused}; nothing is sent before `{mend}`."


def _overdue(standing: PromiseFacts, now: datetime, promise: timedelta) -> _Told:
    since = standing.removals_since
    if since is not None and now - since > promise:
        people = "1 person is" if standing.removals == 1 else f"{standing.removals} people are"
        why = standing.reason or f"the account is {standing.state}"
        asked = f"{since:%Y-%m-%d %H:%M} UTC"
        message = f"{people} to be removed, the first since {asked}, and not yet: {why}."
        yield standing.removals, wording(standing.reason), message


def _erased_found(standing: PromiseFacts, _now: datetime, _promise: timedelta) -> _Told:
    if standing.erased_in:
        found = f"somebody who was erased is still in {standing.erased_in}"
        yield 1, standing.erased_in, f"{found}; `{ERASED_FOUND.remedy}` looks again."


def _held(standing: PromiseFacts, _now: datetime, _promise: timedelta) -> _Told:
    """At once: nothing of the account goes before a person has decided."""
    if standing.hold_id is not None:
        account_id = standing.account_id
        message = (
            "a cycle would do far more than usual, and nothing is sent before "
            f"`{remedy(HELD, account_id)}` or `crm-pipeline reject {account_id}`; "
            f"`crm-pipeline state {account_id}` says what it is."
        )
        yield 1, str(standing.hold_id), message


def _late(standing: PromiseFacts, now: datetime, promise: timedelta) -> _Told:
    since = late_since(standing)
    if since is not None and now - since > promise:
        why = standing.reason or f"the account is {standing.state}"
        message = (
            f"a record of {since:%Y-%m-%d %H:%M} UTC is not in Salesforce, "
            f"{int(promise / timedelta(minutes=1))} minutes were promised: {why}."
        )
        yield 1, f"{standing.state}: {wording(standing.reason)}", message


def _failing(standing: PromiseFacts, _now: datetime, _promise: timedelta) -> _Told:
    """Refused credentials are told as such."""
    if standing.failures and not standing.refused:
        why = standing.failed_reason.rstrip(".")
        message = f"{standing.failures} cycles failed, one after the other: {why}."
        yield standing.failures, wording(standing.failed_reason), message


def _exhausted(standing: PromiseFacts, _now: datetime, _promise: timedelta) -> _Told:
    if standing.exhausted:
        operations = (
            "1 operation" if standing.exhausted == 1 else f"{standing.exhausted} operations"
        )
        yield (
            standing.exhausted,
            str(standing.exhausted),
            f"{operations} failed in every try; see `{remedy(EXHAUSTED, standing.account_id)}`.",
        )


def _incident(standing: PromiseFacts, _now: datetime, _promise: timedelta) -> _Told:
    if standing.incidents:
        mend = remedy(INCIDENT, standing.account_id)
        yield 1, standing.incidents, f"{standing.incidents}; `{mend}` says what to mend."


def _paused(standing: PromiseFacts, _now: datetime, _promise: timedelta) -> _Told:
    if standing.paused:
        mend = remedy(PAUSED, standing.account_id)
        yield 1, standing.paused, f"alerts are paused {standing.paused}; `{mend}` ends it."


_TELLS: Mapping[str, Callable[[PromiseFacts, datetime, timedelta], _Told]] = {
    REFUSED.name: _refused,
    OVERDUE.name: _overdue,
    ERASED_FOUND.name: _erased_found,
    HELD.name: _held,
    LATE.name: _late,
    FAILING.name: _failing,
    EXHAUSTED.name: _exhausted,
    INCIDENT.name: _incident,
    PAUSED.name: _paused,
}
