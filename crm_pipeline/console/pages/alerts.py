"""What people were told of accounts."""

from crm_pipeline.accounts.store import get_account
from crm_pipeline.console.asked import PageAddress, PageQuestion
from crm_pipeline.console.paging import PAGE_ROWS, first, more, number
from crm_pipeline.console.parts import Badge, Button, ConsolePage, Field, Form, Link, PageTable
from crm_pipeline.console.roles import ConsoleRole
from crm_pipeline.database.statements import statement

_OPEN, _ALL = "open", "all"


def alerts(asked: PageQuestion) -> ConsolePage:
    """Alerts, the newest first: those that are open, or all."""
    which = asked.chosen("which", (_OPEN, _ALL))
    asked.account_id = asked.query.get("account") or None
    if asked.account_id:
        get_account(asked.connection, asked.account_id)
    found = asked.connection.execute(
        statement("console/alerts"),
        {
            "after": number(asked.query.get("after")),
            "account_id": asked.account_id,
            "open_only": which != _ALL,
            "limit": asked.rows(PAGE_ROWS),
        },
    ).all()
    shown = first(asked, found)
    choice = Form(
        "/alerts",
        [
            Field("account", "Account", asked.query.get("account", "")),
            Field("which", "Which", which, choices=(_OPEN, _ALL)),
        ],
        [Button("Show")],
    )
    table = PageTable(
        "alerts",
        "",
        ("account", "cause", "message", "began", "people told", "state", "ended"),
        [
            (
                Link(row.account_id, f"/accounts/{row.account_id}") if row.account_id else None,
                row.cause,
                row.message,
                row.began_at,
                row.told_at,
                Badge("over", "good") if row.closed_at else Badge("open", "bad"),
                row.closed_at,
            )
            for row in shown
        ],
        empty="Nobody has to be told of anything.",
        more=more(asked, "/alerts", found, shown[-1].alert_id if shown else ""),
    )
    return ConsolePage("Alerts", [choice, table], "Alerts")


PAGES = (PageAddress("/alerts", ConsoleRole.viewer, alerts),)
