"""Pages as HTML and tables as CSV. All text is escaped: names and titles come from strangers."""

import io
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from functools import cache
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, RedirectResponse, Response

from crm_pipeline.console.parts import Badge, Bars, ConsolePage, Link, PageTable
from crm_pipeline.console.roles import ConsoleRole
from crm_pipeline.console.sessions import ConsoleSession
from crm_pipeline.spreadsheets import write_csv
from crm_pipeline.text import shown

_TEMPLATES = Path(__file__).parent / "templates"

STYLES = (_TEMPLATES / "console.css").read_bytes()


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["shown"] = shown
    made.tests["link"] = lambda value: isinstance(value, Link)
    made.tests["badge"] = lambda value: isinstance(value, Badge)
    made.tests["bars"] = lambda value: isinstance(value, Bars)
    made.tests["moment"] = lambda value: isinstance(value, datetime)
    made.tests["amount"] = _is_amount
    made.globals["NAVIGATION"] = _NAVIGATION
    return made


def _is_amount(value: object) -> bool:
    """Whether a cell is a number, which stands at the right, below its column's name."""
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


_NAVIGATION = (
    ("/", "Accounts", ConsoleRole.viewer),
    ("/numbers", "Numbers", ConsoleRole.viewer),
    ("/alerts", "Alerts", ConsoleRole.viewer),
    ("/find", "Find", ConsoleRole.support),
    ("/queue", "Queue", ConsoleRole.support),
    ("/log", "Log", ConsoleRole.operator),
)


def html(
    page: ConsolePage,
    session: ConsoleSession | None,
    *,
    status: HTTPStatus = HTTPStatus.OK,
    path: str = "/",
    query: Mapping[str, str] | None = None,
    warning: str = "",
) -> Response:
    """A page as HTML.

    Args:
        page: what is on it.
        session: whose; None: of somebody who is not logged in.
        status: of HTTP.
        path: of the page, to which its tables' CSV belongs.
        query: with which it was asked for.
        warning: what stands above all of it.
    """
    asked = {k: v for k, v in (query or {}).items() if k not in ("csv", "after") and v}
    text = (
        _environment()
        .get_template("page.html")
        .render(
            page=page,
            session=session,
            warning=warning,
            csv=lambda name: f"{path}?{urlencode({**asked, 'csv': name})}",
        )
    )
    return HTMLResponse(text, status)


def csv(table: PageTable, file_name: str) -> Response:
    """A table as a file that spreadsheets open, and carry nothing out of."""
    written = io.StringIO()
    write_csv(written, table.columns, table.rows)
    return Response(
        written.getvalue(),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{file_name}.csv"'},
    )


def redirection(address: str) -> Response:
    """Has the browser get another page, of the console."""
    return RedirectResponse(address, HTTPStatus.SEE_OTHER)
