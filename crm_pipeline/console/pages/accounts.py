"""All accounts, and one."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, get_args

from sqlalchemy import Row

from crm_pipeline.accounts.account import Account
from crm_pipeline.accounts.store import (
    field_mappings,
    filter_strings,
    get_account,
    misfits,
    pushed_sessions,
)
from crm_pipeline.cadence.standing import (
    INCIDENT_COLUMNS,
    incident_rows,
    next_try,
    state_of,
    waiting,
)
from crm_pipeline.console.asked import PageAddress, PageQuestion
from crm_pipeline.console.pages.settings import choice_link
from crm_pipeline.console.paging import PAGE_ROWS, first, more
from crm_pipeline.console.parts import (
    Badge,
    Bars,
    Button,
    ConsolePage,
    Facts,
    Field,
    Form,
    Link,
    PagePart,
    PageTable,
    Plot,
)
from crm_pipeline.console.roles import ConsoleRole
from crm_pipeline.cycle.brake import HOLD_COLUMNS, hold_rows, told
from crm_pipeline.database.statements import statement
from crm_pipeline.delivery.phases import CyclePhase
from crm_pipeline.ledger.campaigns import overview
from crm_pipeline.ledger.holds import PastHold, last_holds, open_hold
from crm_pipeline.ledger.plans import kept_plans
from crm_pipeline.report import Tally

_LAST_CYCLES = 20
_CAMPAIGNS = 200
_FORTNIGHT = 14
_SHOWN_DAYS = 14
_DAYS = ("30", "365")

_TONES = {
    "Complete": "good",
    "Failed": "bad",
    "Held": "warn",
    "Paused": "warn",
}

_STATES = ("", "Complete", "Failed", "Held", "Paused", "Processing", "New", "Draft", "Disabled")


def accounts(asked: PageQuestion) -> ConsolePage:
    """All accounts: how each stands, and what of it waits."""
    text, state = asked.query.get("name", "").casefold(), asked.chosen("state", _STATES)
    after = asked.query.get("after", "")
    wanted = (
        row.account_id
        for row in asked.connection.execute(statement("console/accounts"), {"after": after})
        if (not state or state_of(row) == state)
        and (text in row.name.casefold() or text in row.account_id.casefold())
    )
    found = list(islice(wanted, asked.rows(PAGE_ROWS)))
    shown = first(asked, found)
    which = {"account_ids": list(shown)}
    rows = asked.connection.execute(statement("operations/states"), which).all()
    marks = {
        row.account_id: row for row in asked.connection.execute(statement("console/marks"), which)
    }
    delivered = _delivered(asked, shown)
    choice = Form(
        "/",
        [
            Field("name", "Name", asked.query.get("name", "")),
            Field("state", "State", state, choices=_STATES),
        ],
        [Button("Show")],
    )
    table = PageTable(
        "accounts",
        "",
        (
            "account",
            "name",
            "state",
            "promise",
            "waiting",
            "exhausted",
            "incidents",
            "API share",
            f"delivered in {_FORTNIGHT} days",
            "last cycle",
            "reason",
        ),
        [_line(row, marks.get(row.account_id), delivered[row.account_id]) for row in rows],
        empty="No account is like this." if text or state or after else "There is no account yet.",
        more=more(asked, "/", found, shown[-1] if shown else ""),
    )
    return ConsolePage("Accounts", [choice, table], "Accounts")


def _delivered(asked: PageQuestion, account_ids: Sequence[str]) -> Mapping[str, Bars]:
    """What was delivered to each of some accounts of late, day by day."""
    rows = asked.connection.execute(
        statement("console/fortnight"), {"account_ids": list(account_ids)}
    )
    found = {(row.account_id, row.day): row.delivered for row in rows}
    today = datetime.now(UTC).date()
    days = [today - timedelta(days=ago) for ago in range(_FORTNIGHT - 1, -1, -1)]
    return {
        each: Bars(days, [found.get((each, day), 0) for day in days], "records")
        for each in account_ids
    }


def _line(row: Row[Any], marks: Row[Any] | None, delivered: Bars) -> Sequence[object]:
    return (
        Link(row.account_id, f"/accounts/{row.account_id}"),
        row.name,
        badge(state_of(row)),
        _promise(row, marks),
        waiting(row),
        row.exhausted,
        marks.incidents if marks else 0,
        _share(row),
        delivered,
        row.finished_at or row.started_at,
        row.reason if row.enabled else None,
    )


def badge(state: str) -> Badge:
    """A state of an account or a cycle."""
    return Badge(state, _TONES.get(state, "calm"))


def _promise(row: Row[Any], marks: Row[Any] | None) -> Badge | None:
    """Whether data are in the org in time; None: nothing is promised of this account."""
    if not row.enabled:
        return None
    return Badge("late", "bad") if marks is not None and marks.late else Badge("kept", "good")


def _share(row: Row[Any]) -> str | None:
    """How much of the org's API requests of a day is used, by all programs."""
    return f"{row.api_used / row.api_limit:.1%}" if row.api_limit else None


def account(asked: PageQuestion) -> ConsolePage:
    """One account."""
    account_id = asked.path["account_id"]
    asked.account_id = account_id
    which = {"account_ids": [account_id]}
    of = get_account(asked.connection, account_id)
    row = asked.connection.execute(statement("operations/states"), which).one()
    marks = asked.connection.execute(statement("console/marks"), which).one()
    parts = [
        Facts("", _facts(row, marks, misfits(asked.connection, account_id))),
        *_hold(asked, account_id),
        *_days(asked, account_id),
        _incidents(asked, account_id),
        _cycles(asked, account_id),
        _holds(last_holds(asked.connection, account_id)),
        _plans(asked, account_id),
        _sessions(asked, account_id),
        _campaigns(asked, account_id),
    ]
    if asked.somebody.role >= ConsoleRole.operator:
        all_settings = Link(
            "settings, mapping, filters, sessions", f"/accounts/{account_id}/settings"
        )
        parts.append(Facts("Settings", [("to look at and change", all_settings)]))
        parts.append(
            PageTable(
                "settings",
                "Settings that are not the default",
                ("setting", "value"),
                [
                    (choice_link(account_id, name), of.settings.typed(name))
                    for name in sorted(of.settings.model_fields_set)
                ],
                empty="All settings are the default.",
            )
        )
        if not of.draft:
            parts.append(_switch(of))
        parts += [_mapping(asked, account_id), _filters(asked, account_id)]
    return ConsolePage(f"{of.name} ({account_id})", parts, "Accounts")


def _switch(of: Account) -> Form:
    does, note = Button("Enable: run its cycles again", "enable"), "No cycle of it starts."
    if of.enabled:
        does = Button("Disable: start no further cycle", "disable", danger=True)
        note = "Its cycles run. Disabled, it keeps all that it has."
    where = f"/accounts/{of.account_id}/enabled"
    return Form(where, [], [does], method="post", title="Cycles", note=note)


def _facts(row: Row[Any], marks: Row[Any], unfit: "dict[str, Any]") -> Iterator[tuple[str, object]]:
    account_id = row.account_id
    yield "state", badge(state_of(row))
    yield "since", row.since
    yield "reason", row.reason
    yield "notes", row.notes
    yield "promise", _promise(row, marks)
    yield "read until", row.watermark
    yield "last cycle began", row.started_at
    yield "last cycle ended", row.finished_at
    yield "last Complete", row.complete_at
    yield "next try", next_try(row)
    yield "failures in a row", row.failures_in_a_row
    spent = f"{row.api_used} of {row.api_limit} ({_share(row)})" if row.api_limit else None
    yield "API requests of the org's day", spent
    for state in ("pending", "held", "in_flight", "failed", "exhausted"):
        number = getattr(row, state)
        yield state, Link(number, f"/queue?account={account_id}&state={state}") if number else 0
    yield "mapped in vain", "; ".join(f"{n}: {why}" for n, why in unfit.items()) or None


def _hold(asked: PageQuestion, account_id: str) -> Iterator[PagePart]:
    """What the account is held for, and the decision about it."""
    held = open_hold(asked.connection, account_id)
    if held is None:
        return
    is_operator = asked.somebody.role >= ConsoleRole.operator
    yield Form(
        f"/accounts/{account_id}/hold",
        [
            Field("hold", "", str(held.hold_id), hidden=True),
            Field("why", "Why (kept with the hold)"),
        ]
        if is_operator
        else [],
        [Button("Approve: send it", "approve"), Button("Reject: drop it", "reject", danger=True)]
        if is_operator
        else [],
        method="post",
        title="Held",
        note=f"{told(held.exceeded)}."
        + ("" if is_operator else " An operator decides whether it is sent."),
    )


def _days(asked: PageQuestion, account_id: str) -> Iterator[PagePart]:
    """What became of its data, day by day, and why not all of it went."""
    days = asked.chosen("days", _DAYS)
    whose = {"account_id": account_id, "days": int(days)}
    rows = asked.connection.execute(statement("console/days"), whose).all()
    yield Form(
        f"/accounts/{account_id}", [Field("days", "Days", days, choices=_DAYS)], [Button("Show")]
    )
    for title, column, unit in (
        ("Delivered", "delivered", "records"),
        ("Of these late", "late", "records"),
        ("Rejected", "rejected", "of what was read"),
        ("Refused by the org", "refused", "tries"),
        ("API calls", "api_calls", "calls"),
    ):
        numbers = [getattr(row, column) for row in rows]
        yield Plot(title, Bars([row.day for row in rows], numbers, unit))
    told = [["not counted" if each is None else each for each in row] for row in rows]
    yield PageTable(
        "days",
        f"Last days on which something happened (UTC), of {days}",
        ("day", "delivered", "late", "rejected", "refused", "API calls"),
        told if asked.csv else [row for row in reversed(told) if any(row[1:])][:_SHOWN_DAYS],
        empty="Nothing has happened.",
    )
    yield PageTable(
        "reasons",
        f"Most frequent reasons of {days} days",
        ("what", "about", "reason", "number"),
        asked.connection.execute(statement("console/reasons"), whose).all(),
        empty="Nothing was rejected or refused.",
    )


def _incidents(asked: PageQuestion, account_id: str) -> PageTable:
    rows = asked.connection.execute(
        statement("operations/open_incidents"), {"account_id": account_id}
    )
    return PageTable(
        "incidents",
        "Open incidents",
        INCIDENT_COLUMNS,
        incident_rows(rows, account_id),
        empty="Nothing holds it up.",
    )


def _cycles(asked: PageQuestion, account_id: str) -> PageTable:
    rows = asked.connection.execute(
        statement("operations/last_cycles"),
        {"account_id": account_id, "limit": asked.rows(_LAST_CYCLES) - 1},
    )
    return PageTable(
        "cycles",
        "Last cycles",
        (
            "cycle",
            "state",
            "began",
            "seconds",
            "by phase",
            "new rows",
            "known",
            "activities",
            "failed",
            "API calls",
            "by kind",
            "by topic",
            "reason or notes",
        ),
        [_cycle(account_id, row) for row in rows],
        empty="No cycle has run yet.",
    )


def _cycle(account_id: str, row: Row[Any]) -> Sequence[object]:
    tally = Tally.stored(row.counts)
    took = (row.finished_at - row.started_at).total_seconds() if row.finished_at else None
    kinds = row.counts.get("api_calls_by_kind", {})
    return (
        Link(row.cycle_id, f"/accounts/{account_id}/cycles/{row.cycle_id}"),
        badge(row.state),
        row.started_at,
        took,
        phases(row.counts),
        tally.overall("rows"),
        tally.overall("known_already"),
        tally.overall("activities_created") + tally.overall("activities_updated"),
        tally.overall("failed"),
        row.counts.get("api_calls", 0),
        ", ".join(f"{kind} {number}" for kind, number in sorted(kinds.items())),
        "; ".join(
            f"{topic}: {', '.join(f'{number} {outcome}' for outcome, number in of.items())}"
            for topic, of in sorted(tally.by_topic.items())
        ),
        row.reason or row.notes,
    )


def phases(counts: Mapping[str, Any]) -> str:
    """The seconds of a cycle by phase, in the order of a cycle; without those that took none."""
    seconds = counts.get("seconds_by_phase", {})
    told = ((phase, f"{seconds.get(phase, 0):.2f}") for phase in get_args(CyclePhase))
    return ", ".join(f"{phase} {took}" for phase, took in told if took != "0.00")


def _holds(found: Sequence[PastHold]) -> PageTable:
    return PageTable(
        "holds",
        "Last holds",
        HOLD_COLUMNS,
        hold_rows(found),
        empty="No cycle of it was held.",
    )


def _plans(asked: PageQuestion, account_id: str) -> PageTable:
    return PageTable(
        "plans",
        "Last plans",
        ("plan", "made", "cycle", "as planned", "otherwise", "of these unexplained"),
        [
            (
                Link(each.plan_id, f"/accounts/{account_id}/plans/{each.plan_id}"),
                each.made_at,
                each.seen_by if each.as_planned is not None else None,
                each.as_planned,
                None if each.explained is None else each.explained + (each.unexplained or 0),
                each.unexplained,
            )
            for each in kept_plans(asked.connection, account_id)
        ],
        empty=f"There is no plan; `crm-pipeline plan {account_id}` makes one.",
    )


def _sessions(asked: PageQuestion, account_id: str) -> PageTable:
    return PageTable(
        "sessions",
        "Sessions that go to the org",
        ("session", "read whole at", "members read whole at"),
        [
            (each.event_session_id, each.backfilled_at, each.members_read_at)
            for each in pushed_sessions(asked.connection, account_id)
        ],
        empty="No session is named: all go by the account's settings.",
    )


def _campaigns(asked: PageQuestion, account_id: str) -> PageTable:
    rows = overview(asked.connection, account_id)
    return PageTable(
        "campaigns",
        f"Campaigns (the first {_CAMPAIGNS} of {len(rows)})"
        if len(rows) > _CAMPAIGNS
        else "Campaigns",
        ("event, session or series", "campaign", "how", "members", "waiting"),
        [
            (row.campaign_key, row.campaign_id, row.link, row.members, row.waiting)
            for row in (rows if asked.csv else rows[:_CAMPAIGNS])
        ],
        empty="It has no campaigns.",
    )


def _mapping(asked: PageQuestion, account_id: str) -> PageTable:
    return PageTable(
        "mapping",
        "Field mapping that is not the default",
        ("object", "field", "comes from", "constant"),
        [
            (each.sobject, each.field, each.source, each.constant)
            for each in field_mappings(asked.connection, account_id)
        ],
        empty="All fields are mapped as by default.",
    )


def _filters(asked: PageQuestion, account_id: str) -> PageTable:
    return PageTable(
        "filters",
        "Filters",
        ("addresses that contain this go nowhere",),
        [(each,) for each in filter_strings(asked.connection, account_id)],
        empty="Nobody is filtered out by their address.",
    )


PAGES = (
    PageAddress("/", ConsoleRole.viewer, accounts),
    PageAddress("/accounts/{account_id}", ConsoleRole.viewer, account),
)
