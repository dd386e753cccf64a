"""A real browser: Debian's Chromium, which asks no host but the console's."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Request, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")

_FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage")


@dataclass
class Screen:
    """A window of the browser, and what went wrong in it."""

    page: Page
    problems: list[str] = field(default_factory=list)

    def findings(self) -> list[str]:
        """What stands in the way of people who see, hear or move otherwise, if it is serious."""
        found: list[dict[str, Any]] = Axe().run(self.page).response["violations"]
        return [
            f"{each['id']}: {[node['target'] for node in each['nodes']][:3]}"
            for each in found
            if each["impact"] in ("serious", "critical")
        ]

    def is_wider_than_it_is(self) -> bool:
        """Whether the page has to be moved sideways."""
        return bool(
            self.page.evaluate("document.documentElement.scrollWidth > window.innerWidth + 1")
        )


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser, for the length of a `with` block."""
    assert CHROMIUM.exists(), "`apt-get install chromium` installs the browser of these tests"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(_FLAGS))
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def screen(
    browser: Browser,
    url: str,
    *,
    width: int = 1400,
    height: int = 900,
    scheme: Literal["light", "dark"] = "light",
) -> Iterator[Screen]:
    """A window with cookies of its own; whatever it complains of, or asks others for, is kept."""
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, base_url=url
    )
    context.set_default_timeout(20_000)
    made = Screen(context.new_page())

    def is_of_the_console(request: Request) -> None:
        if urlsplit(request.url).netloc != urlsplit(url).netloc:
            made.problems.append(f"asks {request.url}")

    made.page.on("request", is_of_the_console)
    made.page.on("pageerror", lambda error: made.problems.append(str(error)))
    made.page.on(
        "console",
        lambda told: made.problems.append(told.text) if told.type in ("error", "warning") else None,
    )
    yield made
    context.close()
