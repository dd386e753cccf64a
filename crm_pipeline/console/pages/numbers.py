"""What became of all accounts' data in a week or a month, by account."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta

from crm_pipeline.accounts.store import list_accounts
from crm_pipeline.console.asked import PageAddress, PageQuestion
from crm_pipeline.console.paging import PAGE_ROWS
from crm_pipeline.console.parts import Button, ConsolePage, Facts, Field, Form, Link, PageTable
from crm_pipeline.console.roles import ConsoleRole
from crm_pipeline.reporting.days import NOT_COUNTED, days_by_account, summed

_DAY = timedelta(days=1)


def _last_week(today: date) -> tuple[date, date]:
    monday = today - today.weekday() * _DAY
    return monday - 7 * _DAY, monday - _DAY


def _last_month(today: date) -> tuple[date, date]:
    last = today.replace(day=1) - _DAY
    return last.replace(day=1), last


_PERIODS: Mapping[str, Callable[[date], tuple[date, date]]] = {
    "last week": _last_week,
    "this week": lambda today: (today - today.weekday() * _DAY, today),
    "last month": _last_month,
    "this month": lambda today: (today.replace(day=1), today),
    "yesterday": lambda today: (today - _DAY, today - _DAY),
    "today": lambda today: (today, today),
}
"""The first and the last day (UTC) of each period, weeks from Monday on."""


def numbers(asked: PageQuestion) -> ConsolePage:
    """The numbers of a period, of all accounts together and of each."""
    period = asked.chosen("period", list(_PERIODS))
    first, last = _PERIODS[period](datetime.now(UTC).date())
    rows = days_by_account(asked.connection, first, last)
    sums = summed(rows)
    there = {each.account_id for each in list_accounts(asked.connection)}
    shown = rows if asked.csv else rows[:PAGE_ROWS]
    title = "By account, those first in which something went wrong"
    return ConsolePage(
        f"Numbers of {period}",
        [
            Form(
                "/numbers",
                [Field("period", "Days", period, choices=list(_PERIODS))],
                [Button("Show")],
            ),
            Facts(
                f"All together, {first} to {last} (UTC)",
                [(_told(name), _counted(number)) for name, number in sums.items()],
            ),
            PageTable(
                "numbers",
                title if len(shown) == len(rows) else f"{title} ({len(shown)} of {len(rows)})",
                ("account", "name", *map(_told, sums)),
                [
                    (
                        _account(str(row["account_id"]), there),
                        row["account"],
                        *(_counted(row[name]) for name in sums),
                    )
                    for row in shown
                ],
                empty="Nothing has happened.",
            ),
        ],
        "Numbers",
    )


def _account(account_id: str, there: set[str]) -> object:
    """Leads to an account; one that was removed has numbers, and no page."""
    return Link(account_id, f"/accounts/{account_id}") if account_id in there else account_id


def _counted(number: object) -> object:
    return NOT_COUNTED if number is None else number


def _told(name: str) -> str:
    return name.replace("_", " ")


PAGES = (PageAddress("/numbers", ConsoleRole.viewer, numbers),)
