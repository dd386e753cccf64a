"""Due accounts, and how they are dealt out to runs. Pure functions; times are UTC."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from crm_pipeline.accounts.account import AccountSettings

Reason = Literal[
    "never run",
    "new rows",
    "sessions to backfill",
    "settings changed",
    "changed after a failure",
    "after a failure",
    "unfinished",
    "events to read again",
    "sessions that are over",
    "conversions to look for",
    "rows to count",
    "retries",
    "changes to look for",
    "told of changes",
    "asked for something",
]

# Reasons not to wait for the schedule's next tick; the rest is dealt with in fewer, fuller runs.
URGENT: frozenset[Reason] = frozenset(
    (
        "never run",
        "new rows",
        "sessions to backfill",
        "settings changed",
        "changed after a failure",
        "told of changes",
    )
)

FIRST_WAIT = timedelta(minutes=15)
# Not longer than the promise of an hour: an org that is back is soon served again.
LONGEST_WAIT = timedelta(minutes=60)

# Above this many, failures have a common cause, and a process for each only adds to it.
MOST_ISOLATED = 8


_DEFAULTS = AccountSettings()


@dataclass(frozen=True, slots=True)
class Standing:
    """An enabled account as the pipeline's own tables show it.

    Attributes:
        state: New, Processing, Complete, Failed, Paused or Held (`crm.sync_state`).
        in_flight: a planner has asked for it, or a process holds it.
        refused: Salesforce refused its credentials, and they are still the same.
        changed_at: when its settings or credentials were changed last.
        retries: failed operations whose time has come.
        unfinished: operations that could be sent or looked up now.
        unread_sessions: sessions newly configured to be pushed.
        settings_changed: since the last cycle began; what they switch on may be there already.
        events_to_read_again: events of which a share is read again in each cycle.
        sessions_over: sessions ended some hours ago whose absentees are to be no-shows.
        uncounted: the warehouse's rows were last counted against what was read a day ago.
        conversions_unseen: nobody has asked for a day which members' leads were converted.
        settings: what the account chose; None: they cannot be read, which its cycle will tell.
    """

    account_id: str
    client_id: str
    state: str = "Complete"
    in_flight: bool = False
    refused: bool = False
    failures_in_a_row: int = 0
    finished_at: datetime | None = None
    changed_at: datetime | None = None
    paused_until: datetime | None = None
    retries: bool = False
    unfinished: bool = False
    unread_sessions: bool = False
    settings_changed: bool = False
    events_to_read_again: bool = False
    sessions_over: bool = False
    conversions_unseen: bool = False
    uncounted: bool = False
    settings: AccountSettings | None = _DEFAULTS


@dataclass(frozen=True, slots=True)
class Due:
    """An account to be asked for, and why."""

    account_id: str
    reason: Reason
    failed_last_time: bool = False


def may_run(standing: Standing, now: datetime) -> bool:
    """Returns whether the account may be asked for at all, whatever there is to do.

    One in flight may not, nor one that is paused, nor one whose credentials were refused:
    logging in with them again locks the user out. One that failed waits 15 minutes, then 30,
    then 60, unless its settings or credentials have changed since.
    """
    if standing.in_flight or standing.refused:
        return False
    if standing.paused_until is not None and standing.paused_until > now:
        return False
    if standing.failures_in_a_row == 0 or standing.finished_at is None or _was_changed(standing):
        return True
    return now >= standing.finished_at + wait_after(standing.failures_in_a_row)


def wait_after(failures_in_a_row: int) -> timedelta:
    """Returns how long an account rests after so many failed cycles in a row."""
    doublings = min(failures_in_a_row - 1, 10)
    return min(FIRST_WAIT * (1 << doublings), LONGEST_WAIT)


def own_business(standing: Standing) -> Reason | None:
    """Returns why the account is due even without news at a source, if it is."""
    if standing.state == "New":
        return "never run"
    if standing.state == "Failed":
        return "changed after a failure" if _was_changed(standing) else "after a failure"
    # What is held goes on when somebody has decided, which is a change of the account.
    may_send = standing.state != "Held"
    left_over = standing.state in ("Processing", "Paused") or standing.unfinished
    reasons: dict[Reason, bool] = {
        "sessions to backfill": standing.unread_sessions,
        "settings changed": standing.settings_changed or standing.settings is None,
        "unfinished": left_over and may_send,
        "events to read again": standing.events_to_read_again,
        "sessions that are over": standing.sessions_over,
        "conversions to look for": standing.conversions_unseen,
        "rows to count": standing.uncounted,
        "retries": standing.retries and may_send,
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


def _was_changed(standing: Standing) -> bool:
    return (
        standing.finished_at is not None
        and standing.changed_at is not None
        and standing.changed_at > standing.finished_at
    )


def chunks(due: Sequence[Due], accounts_per_run: int) -> list[list[str]]:
    """Deals accounts out to runs: full ones of about equal size, in the order given.

    An account that failed last time gets a run of its own, so that it harms no other and has
    a log of its own; when many failed, they share runs as well, but not with healthy ones.
    """
    healthy = [account.account_id for account in due if not account.failed_last_time]
    failed = [account.account_id for account in due if account.failed_last_time]
    return _dealt(healthy, accounts_per_run) + _dealt(
        failed, 1 if len(failed) <= MOST_ISOLATED else accounts_per_run
    )


def _dealt(account_ids: Sequence[str], most: int) -> list[list[str]]:
    if not account_ids:
        return []
    runs = -(-len(account_ids) // most)
    return [list(account_ids[i::runs]) for i in range(runs)]
