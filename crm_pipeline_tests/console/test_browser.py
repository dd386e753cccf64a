"""What people do in a browser, from logging in to seeing what came of it."""

import re
from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import text

from crm_pipeline.alerts.watch import watch
from crm_pipeline.cli.console_settings import CommandDesk
from crm_pipeline.console.logins import LinkLogin
from crm_pipeline.console.server import Console
from crm_pipeline_tests.console.browser import Screen, chromium, screen
from crm_pipeline_tests.console.conftest import Stage


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as made:
        yield made


@pytest.fixture(scope="module")
def window(browser: Browser, stage: Stage) -> Iterator[Screen]:
    """A window of somebody who has logged in by a link."""
    links: list[str] = []
    login = LinkLogin("me", links.append)
    with (
        Console(login, stage.pipeline, CommandDesk()) as console,
        screen(browser, console.url) as made,
    ):
        made.page.goto("/")
        expect(made.page.get_by_role("status")).to_contain_text("has printed a link")
        made.page.goto(links[-1])
        expect(made.page.get_by_role("heading", name="Accounts")).to_be_visible()
        yield made
        assert made.problems == []


def test_somebody_is_found_and_their_story_told(window: Screen) -> None:
    page = window.page
    page.get_by_role("link", name="Find").click()
    page.get_by_label("Account").fill("acme")
    page.get_by_label("Email address").fill("p2@example.com")
    page.keyboard.press("Enter")
    story = page.get_by_role("region", name="What happened")
    expect(story).to_contain_text("FIELD_CUSTOM_VALIDATION_EXCEPTION")
    assert "example.com" not in page.url
    page.get_by_role("region", name="How it stands").get_by_role("link").first.click()
    expect(page.get_by_role("table").first).to_contain_text("<script>alert(1)</script>")


def test_what_failed_is_sent_again(window: Screen, stage: Stage) -> None:
    page = window.page
    page.get_by_role("link", name="Queue").click()
    refused = stage.refused
    page.get_by_label(f"Choose {refused}").check()
    page.get_by_role("button", name="Requeue the chosen").click()
    expect(page.get_by_role("status")).to_have_text(
        "1 of 1 operations are tried again from the next cycle."
    )


def test_a_hold_and_a_plan_are_approved(window: Screen, stage: Stage) -> None:
    page = window.page
    page.get_by_role("link", name="Accounts").click()
    page.get_by_role("link", name="acme").first.click()
    page.get_by_label("Why (kept with the hold)").fill("the spring fair")
    page.get_by_role("button", name="Approve: send it").click()
    expect(page.get_by_role("status")).to_have_text("Approved: the next cycle sends it.")
    page.get_by_role("region", name="Last plans").get_by_role("link").first.click()
    expect(page.get_by_role("region", name="Records")).to_contain_text("person:p3@example.com")
    other = page.context.new_page()
    other.goto(page.url)
    page.get_by_role("button", name="Approve: send exactly this").click()
    ended = page.get_by_text("Sending it ended: Complete")
    for _ in range(40):
        if ended.is_visible():
            break
        page.wait_for_timeout(250)
        page.reload()
    expect(ended).to_be_visible()
    # Who has the page open still, and approves as well, is told, and finds back.
    other.get_by_role("button", name="Approve: send exactly this").click()
    expect(other.get_by_role("status")).to_contain_text(
        f"plan {stage.plan_id} was applied by cycle"
    )
    other.get_by_role("link", name="Back to the page").click()
    expect(other.get_by_role("heading", name=f"Plan {stage.plan_id} of acme")).to_be_visible()
    known = {each["Email"] for each in stage.bench.records("Lead")}
    assert {"p3@example.com", "p4@example.com"} <= known


def test_a_setting_is_changed(window: Screen) -> None:
    page = window.page
    page.goto("/accounts/acme")
    page.get_by_role("link", name="settings, mapping, filters, sessions").click()
    page.get_by_role("link", name="retry_share").click()
    page.get_by_label("retry_share").fill("0.3")
    page.get_by_role("button", name="See what that comes to").click()
    page.get_by_role("button", name="Approve: store exactly this").click()
    changes = page.get_by_role("region", name="Last changes of its choices")
    expect(changes.get_by_role("row").nth(1)).to_contain_text("retry_share")
    expect(changes.get_by_role("row").nth(1)).to_contain_text("me")


def test_an_alert_begins_and_is_over(window: Screen, stage: Stage) -> None:
    page = window.page
    exhausted = text("UPDATE crm.operation SET state = :to WHERE operation_id = :id")
    failed = stage.refused
    with stage.pipeline.begin() as connection:
        connection.execute(exhausted, {"to": "exhausted", "id": failed})
    watch()
    page.get_by_role("link", name="Alerts").click()
    expect(page.get_by_role("table")).to_contain_text(re.compile("exhausted"))
    with stage.pipeline.begin() as connection:
        connection.execute(exhausted, {"to": "failed", "id": failed})
    watch()
    page.get_by_label("Which").select_option("all")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("table")).to_contain_text("over")


@pytest.mark.parametrize(("scheme", "width"), [("light", 1400), ("dark", 360)])
def test_everybody_can_use_each_page(
    browser: Browser, stage: Stage, scheme: Literal["light", "dark"], width: int
) -> None:
    links: list[str] = []
    login = LinkLogin("me", links.append)
    with (
        Console(login, stage.pipeline, CommandDesk()) as console,
        screen(browser, console.url, width=width, scheme=scheme) as made,
    ):
        made.page.goto("/login")
        assert made.findings() == []
        made.page.goto(links[-1])
        made.page.keyboard.press("Tab")
        expect(made.page.get_by_role("link", name="Skip to the content")).to_be_focused()
        settings = "/accounts/acme/settings?setting=lead_source"
        paths = ["/", "/accounts/acme", settings, "/queue"]
        if scheme == "light":
            plan, operation = (
                f"/accounts/acme/plans/{stage.plan_id}",
                f"/operations/{stage.refused}",
            )
            paths += [plan, operation, "/find", "/alerts", "/log"]
        for path in paths:
            made.page.goto(path)
            assert made.findings() == [], path
            assert not made.is_wider_than_it_is(), path
        assert made.problems == []
