"""The page for people: what the orgs hold, and the last calls."""

from functools import cache
from pathlib import Path

from crm_pipeline.local_org.routing import Answer


@cache
def _html() -> str:
    return Path(__file__).with_name("page.html").read_text(encoding="utf-8")


def page() -> Answer:
    """The page; it asks the admin path for what it shows."""
    return Answer(body=_html(), media_type="text/html; charset=UTF-8")
