"""Who looked at whom, and who did what."""

from crm_pipeline.console.asked import PageAddress, PageQuestion
from crm_pipeline.console.paging import PAGE_ROWS, first, more, number
from crm_pipeline.console.parts import Button, ConsolePage, Field, Form, PageTable
from crm_pipeline.console.roles import ConsoleRole
from crm_pipeline.database.statements import statement

_NAMED = 20
"""People of a line that are named by their numbers; CSV has all."""


def log(asked: PageQuestion) -> ConsolePage:
    """What was looked at and done in the console, the newest first."""
    found = asked.connection.execute(
        statement("console/log"),
        {
            "after": number(asked.query.get("after")),
            "person": number(asked.query.get("person")),
            "who": asked.query.get("who") or None,
            "limit": asked.rows(PAGE_ROWS),
        },
    ).all()
    shown = first(asked, found)
    choice = Form(
        "/log",
        [
            Field("who", "Who", asked.query.get("who", "")),
            Field("person", "Person's number", asked.query.get("person", "")),
        ],
        [Button("Show")],
    )
    table = PageTable(
        "log",
        "",
        ("when", "who", "role", "what", "account", "people", "detail"),
        [
            (
                row.noted_at,
                row.who,
                row.role,
                row.action,
                row.account_id,
                _people(row.people, len(row.people) if asked.csv else _NAMED),
                row.detail,
            )
            for row in shown
        ],
        empty="Nothing is noted.",
        more=more(asked, "/log", found, shown[-1].log_id if shown else ""),
    )
    return ConsolePage("Log", [choice, table], "Log")


def _people(numbers: list[int], most: int) -> str:
    named = ", ".join(map(str, numbers[:most]))
    return f"{named} and {len(numbers) - most} more" if len(numbers) > most else named


PAGES = (PageAddress("/log", ConsoleRole.operator, log),)
