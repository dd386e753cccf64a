"""`python -m crm_pipeline_tests.console.pictures`: docs/*.png anew, of a demo that runs."""

from pathlib import Path
from typing import Annotated
from urllib.parse import urljoin

import typer

from crm_pipeline.cli.console_settings import CommandDesk
from crm_pipeline.console.logins import LinkLogin
from crm_pipeline.console.server import Console
from crm_pipeline.database.engines import engine
from crm_pipeline.settings import PROJECT
from crm_pipeline_tests.console.browser import chromium, screen

LINEAGE = "/locations/crm_pipeline/asset-groups/webinars/lineage"


def pictures(
    ui: Annotated[str, typer.Option(help="Dagster's UI; empty: no picture of it.")] = "",
    folder: Annotated[Path, typer.Option(help="Where the pictures go.")] = PROJECT / "docs",
) -> None:
    """Take pictures of the console, and of the lineage in Dagster's UI."""
    links: list[str] = []
    login = LinkLogin("demo", links.append)
    with chromium() as browser, Console(login, engine("pipeline"), CommandDesk()) as console:
        login.new_link()
        with screen(browser, console.url, width=1500, height=760) as window:
            page = window.page
            page.goto(links[-1])
            page.screenshot(path=folder / "console.png")
        if ui:
            with screen(browser, ui, width=1800, height=1100) as window:
                window.page.goto(urljoin(ui, LINEAGE), wait_until="networkidle")
                # No function is waited for: Dagster's pages let none be evaluated.
                for asset in ("registrations", "load_results"):
                    window.page.get_by_text(asset, exact=True).first.wait_for(timeout=120_000)
                for passing in ("Loading", "Materializing"):
                    shown = window.page.get_by_text(passing).first
                    shown.wait_for(state="hidden", timeout=120_000)
                window.page.screenshot(path=folder / "lineage.png")


if __name__ == "__main__":
    typer.run(pictures)
