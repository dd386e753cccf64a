"""The digest of a day: what was done for each account in 24 hours, and what is amiss."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from crm_pipeline.alerts.channels import MOST_LINES
from crm_pipeline.alerts.targets import AlertTarget
from crm_pipeline.database.rows import objects
from crm_pipeline.database.statements import statement


@dataclass(frozen=True, slots=True)
class AccountDay:
    """24 hours of an account.

    Attributes:
        account_id: its id.
        name: its name.
        created: records that were made in the org.
        updated: records that were changed there.
        deleted: records that were deleted there.
        failed: writes that the org refused.
        calls: API calls.
        share: percent of the org's API requests of 24 hours that were used, by all who use it, when
            it told last; None: it has not.
        late: whether a record was later than promised.
        held: whether a cycle was held.
    """

    account_id: str
    name: str
    created: int
    updated: int
    deleted: int
    failed: int
    calls: int
    share: float | None
    late: bool
    held: bool

    @property
    def is_worth_a_line(self) -> bool:
        """Whether anything was done, or is amiss."""
        return self.is_amiss or bool(self.created or self.updated or self.deleted)

    @property
    def is_amiss(self) -> bool:
        """Whether people may want to look."""
        return self.late or self.held or self.failed > 0


def days_of_accounts(connection: Connection, until: datetime) -> list[AccountDay]:
    """Returns the 24 hours up to a moment, of each enabled account."""
    return objects(connection.execute(statement("alerts/digest"), {"until": until}), AccountDay)


def digest(target: AlertTarget, days: Sequence[AccountDay], until: datetime) -> tuple[str, str]:
    """Returns subject and text for a target, of the accounts that it is told of."""
    mine = [each for each in days if target.takes(each.account_id, "critical")]
    told = sorted(
        (each for each in mine if each.is_worth_a_line),
        key=lambda each: (not each.is_amiss, -(each.created + each.updated), each.account_id),
    )
    lines = [
        f"24 hours to {until:%Y-%m-%d %H:%M} UTC, {_number(len(mine), 'account')}: {_sums(mine)}",
        *(f"{each.name} ({each.account_id}): {_of(each)}" for each in told[:MOST_LINES]),
    ]
    if len(told) > MOST_LINES:
        lines.append(f"{_number(len(told) - MOST_LINES, 'more account')} with less to tell.")
    if quiet := len(mine) - len(told):
        lines.append(f"Nothing was to be done for {_number(quiet, 'account')}.")
    return f"CRM pipeline: digest of {until:%Y-%m-%d}", "\n".join(lines)


def _sums(days: Sequence[AccountDay]) -> str:
    return ", ".join(
        (
            f"{sum(each.created for each in days):,} new",
            f"{sum(each.updated for each in days):,} changed",
            f"{sum(each.deleted for each in days):,} deleted",
            f"{sum(each.failed for each in days):,} failed",
            f"{sum(each.late for each in days):,} late",
            f"{sum(each.held for each in days):,} held",
            f"{_number(sum(each.calls for each in days), 'API call')}.",
        )
    )


def _of(day: AccountDay) -> str:
    parts = [
        f"{number:,} {what}"
        for number, what in (
            (day.created, "new"),
            (day.updated, "changed"),
            (day.deleted, "deleted"),
            (day.failed, "failed"),
        )
        if number
    ]
    parts += [word for word, so in (("late", day.late), ("held", day.held)) if so]
    parts.append(_number(day.calls, "API call"))
    if day.share is not None:
        parts.append(f"{day.share:.0f} % of the org's requests used")
    return ", ".join(parts) + "."


def _number(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
