"""Campaigns of sessions and of series: below one another, each person once in each."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from crm_pipeline.ledger.campaign_census import last_campaign_census
from crm_pipeline_tests.cli.conftest import Run, run
from crm_pipeline_tests.cycle.campaigns.scenes import delete, event_id, switch_on
from crm_pipeline_tests.cycle.conftest import ACCOUNT, Bench
from crm_pipeline_tests.flows.webinars.warehouse import (
    CLIENT,
    LONG_AGO,
    add_person,
    attend,
    insert,
    register,
)

__all__ = ["run"]

EXPO, DEMO, SESSION_1, SESSION_2 = (
    "Expo",
    "Tuesdays",
    "Expo: Session 1, 2026-03-01",
    "Expo: Session 2, 2026-03-01",
)


def is_now(bench: Bench, table: str, key: int, *, hour: float, **columns: Any) -> None:
    names = ", ".join(f"{name} = :{name}" for name in columns)
    shipped = LONG_AGO + timedelta(hours=hour)
    bench.connection.execute(
        text(f"UPDATE warehouse.{table} SET {names}, shipped_at = :at WHERE {table}_id = :key"),
        {**columns, "at": shipped, "key": key},
    )


def campaigns(bench: Bench) -> dict[str, str | None]:
    """The name of the campaign above each, by its name."""
    records = {each["Id"]: each for each in bench.records("Campaign")}
    return {
        each["Name"]: records[each["ParentId"]]["Name"] if each.get("ParentId") else None
        for each in records.values()
    }


def members(bench: Bench) -> dict[str, list[str]]:
    """The statuses of the members of each campaign, by its name."""
    found: dict[str, list[str]] = {each["Name"]: [] for each in bench.records("Campaign")}
    names = {each["Id"]: each["Name"] for each in bench.records("Campaign")}
    for each in bench.records("CampaignMember"):
        found[names[each["CampaignId"]]].append(each["Status"])
    return {name: sorted(statuses) for name, statuses in found.items()}


def two_people_of_two_sessions(bench: Bench) -> None:
    for person in (1, 2):
        add_person(bench.connection, person)
        register(bench.connection, person, person)
    register(bench.connection, 3, 1, session=2)
    attend(bench.connection, 1, 1)


def test_each_session_below_its_event_below_its_series(run: Run, bench: Bench) -> None:
    switch_on(bench, grain="both", series_parent="series", census="daily")
    two_people_of_two_sessions(bench)
    times = dict.fromkeys(("starts_at", "ends_at"), datetime.now(UTC) - timedelta(days=2))
    day = times["ends_at"].date().isoformat()
    is_now(bench, "event", event_id(bench), hour=0, series="Tuesdays", budget=500, **times)
    for session in (1, 2):
        is_now(bench, "event_session", session, hour=0, **times)
    is_now(bench, "attendance", 1, hour=0, attended_at=times["starts_at"])
    bench.connection.execute(
        text("INSERT INTO crm.field_mapping VALUES (:acme, 'Campaign', 'BudgetedCost', 'budget')"),
        {"acme": ACCOUNT},
    )
    report = bench.cycle()
    first, second = f"Expo: Session 1, {day}", f"Expo: Session 2, {day}"
    hierarchy = {DEMO: None, EXPO: DEMO, first: EXPO, second: EXPO}
    assert campaigns(bench) == hierarchy
    statuses = {
        DEMO: [],
        EXPO: ["Attended", "No Show"],
        first: ["Attended", "No Show"],
        second: ["Registered"],
    }
    assert members(bench) == statuses
    days = {
        (each["Name"], each["StartDate"], each["EndDate"]) for each in bench.records("Campaign")
    }
    assert days == {(name, day, day) for name in hierarchy}
    # What Salesforce sums up over the hierarchy is there once.
    costs = [each.get("BudgetedCost") for each in bench.records("Campaign")]
    assert costs == [None, 500, None, None]
    # Of a hierarchy of three levels two are made by a call each, beside those of its members.
    assert report.tally["campaign_members", "members_created"] == 5
    calls = report.counts.api_calls
    assert bench.cycle().counts.api_calls == 0

    said = run("campaign", "list", ACCOUNT).stdout
    assert [said.index(key) for key in ("session:1", "session:2", "series:tuesdays")] == sorted(
        said.index(key) for key in ("session:1", "session:2", "series:tuesdays")
    )
    said = run("campaign", "explain", ACCOUNT, event_id(bench), "p1@example.com").stdout
    assert "in the campaign of session 2" in said
    assert f"in the campaign of event {event_id(bench)}" in said
    counted = {
        each.campaign_key: each.expected for each in last_campaign_census(bench.connection, ACCOUNT)
    }
    assert counted == {str(event_id(bench)): 2, "session:1": 2, "session:2": 1}
    # Under other settings what is left of a grain that is past has a status that they do not send.
    said = run("campaign", "what-if", ACCOUNT, 'campaigns={"no_show": null}').stdout
    assert "1 member of 5 would change" in said
    bench.connection.rollback()

    # Renamed, moved in time: what is ours follows.
    is_now(
        bench, "event_session", 2, hour=2, title="Closing", starts_at=LONG_AGO + timedelta(days=9)
    )
    bench.cycle()
    assert campaigns(bench)["Expo: Closing, 2026-03-10"] == EXPO
    assert calls < 30


def test_a_session_that_moves_takes_its_members_along(bench: Bench) -> None:
    switch_on(bench, grain="both")
    two_people_of_two_sessions(bench)
    bench.cycle()
    other = event_id(bench) + 1
    times = {"starts_at": LONG_AGO, "ends_at": LONG_AGO, "shipped_at": LONG_AGO}
    insert(bench.connection, "event", event_id=other, client_id=CLIENT, name="Fair", **times)
    is_now(bench, "event_session", 2, hour=2, event_id=other)
    bench.cycle()
    there = campaigns(bench)
    assert there["Fair: Session 2, 2026-03-01"] == "Fair"
    assert SESSION_2 not in there
    assert members(bench)["Fair: Session 2, 2026-03-01"] == ["Registered"]
    assert members(bench)["Fair"] == ["Registered"]
    assert members(bench)[EXPO] == ["Attended", "No Show"]
    assert bench.cycle().counts.api_calls == 0


@pytest.mark.deep
def test_a_series_whose_campaign_is_deleted_holds_nobody_up(run: Run, bench: Bench) -> None:
    switch_on(bench, series_parent="series")
    two_people_of_two_sessions(bench)
    is_now(bench, "event", event_id(bench), hour=0, series=" Tuesdays ")
    bench.cycle()
    assert campaigns(bench) == {DEMO: None, EXPO: DEMO}
    delete(bench, "Campaign", bench.records("Campaign")[0]["Id"])
    other = event_id(bench) + 1
    times = {"starts_at": LONG_AGO, "ends_at": LONG_AGO, "shipped_at": LONG_AGO}
    insert(
        bench.connection,
        "event",
        event_id=other,
        client_id=CLIENT,
        name="Next",
        series="tuesdays",
        **times,
    )
    insert(
        bench.connection,
        "event_session",
        event_session_id=9,
        event_id=other,
        client_id=CLIENT,
        title="S",
        **times,
    )
    register(bench.connection, 9, 1, session=9, minute=1)
    bench.cycle()
    assert campaigns(bench) == {EXPO: None, "Next": None}
    assert members(bench)["Next"] == ["Registered"]
    assert bench.states()["campaign:series:tuesdays"] == "failed"
    # Named anew, all of it go below the one that was named.
    mine = bench.seed("Campaign", Name="All Tuesdays")
    wrong = run("campaign", "link", ACCOUNT, "serie:Tuesdays", mine, fails=1).stderr
    assert "neither an event's id" in wrong
    run("campaign", "link", ACCOUNT, "series:TUESDAYS", mine)
    bench.cycle()
    assert campaigns(bench) == {EXPO: "All Tuesdays", "Next": "All Tuesdays", "All Tuesdays": None}
    # The platform takes one out of the series, and puts it back.
    is_now(bench, "event", other, hour=2, series=" ")
    bench.cycle()
    assert campaigns(bench) == {EXPO: "All Tuesdays", "Next": None, "All Tuesdays": None}
    assert bench.cycle().counts.api_calls == 0
    is_now(bench, "event", other, hour=2.5, series="Tuesdays")
    bench.cycle()
    assert campaigns(bench)["Next"] == "All Tuesdays"
    # People took one out of the series, and put another one elsewhere: both stay so.
    elsewhere = bench.seed("Campaign", Name="Elsewhere")
    next(each for each in bench.records("Campaign") if each["Name"] == "Next")["ParentId"] = (
        elsewhere
    )
    is_now(bench, "event", other, hour=2.7, series=None)
    next(each for each in bench.records("Campaign") if each["Name"] == EXPO)["ParentId"] = None
    is_now(bench, "event", event_id(bench), hour=3, name="Expo 2")
    bench.cycle()
    assert campaigns(bench)["Expo 2"] is None
    assert campaigns(bench)["Next"] == "Elsewhere"


@pytest.mark.deep
@pytest.mark.parametrize("grain", ["session", "both"])
def test_another_grain_is_told_first_and_leaves_what_is_there(
    run: Run, bench: Bench, grain: str
) -> None:
    switch_on(bench)
    two_people_of_two_sessions(bench)
    bench.cycle()
    bench.connection.commit()
    chosen = f'campaigns={{"grain": "{grain}"}}'
    said = " ".join(run("campaign", "what-if", ACCOUNT, chosen).stdout.replace("│", " ").split())
    assert "none Attended 1 1" in said
    assert "none Registered 1 0" in said
    assert "3 members of 5 would change" in said
    refused = run("account", "set", ACCOUNT, chosen, fails=1)
    assert "1 event with 4 registrations and attendances are to be read" in refused.stderr
    run("account", "set", ACCOUNT, chosen, "--yes")
    bench.cycle()
    above = EXPO if grain == "both" else None
    assert campaigns(bench) == {EXPO: None, SESSION_1: above, SESSION_2: above}
    assert members(bench)[SESSION_1] == ["Attended", "No Show"]
    assert members(bench)[EXPO] == ["Attended", "No Show"]
    # A newcomer is where the grain says.
    add_person(bench.connection, 3, shipped_at=LONG_AGO + timedelta(hours=1))
    register(bench.connection, 7, 3, session=2, minute=60)
    bench.cycle()
    assert members(bench)[SESSION_2] == ["Registered", "Registered"]
    assert len(members(bench)[EXPO]) == (3 if grain == "both" else 2)


def test_a_column_that_is_none_is_named(run: Run, bench: Bench) -> None:
    wrong = run("account", "set", ACCOUNT, 'campaigns={"series_parent": "serie"}', fails=1).stderr
    assert "series_parent of the account's campaigns names 'serie'" in wrong
    wrong = run("account", "set", ACCOUNT, 'campaigns={"grain": "sessions"}', fails=1).stderr
    assert "grain" in wrong
    run("account", "set", ACCOUNT, "campaigns={}", "--yes")
    wrong = run("campaign", "link", ACCOUNT, "session:1", "701Hs000000abcd", fails=1).stderr
    assert "has no campaigns of sessions: grain" in wrong


def test_lost_answers_make_nothing_twice_on_any_level(bench: Bench) -> None:
    switch_on(bench, grain="both", series_parent="series")
    two_people_of_two_sessions(bench)
    is_now(bench, "event", event_id(bench), hour=0, series="Tuesdays")
    for nth in (2, 4, 6):
        bench.fault("composite", "reset_after", nth=nth, times=1)
    reports = [bench.cycle() for _ in range(4)]
    assert campaigns(bench) == {DEMO: None, EXPO: DEMO, SESSION_1: EXPO, SESSION_2: EXPO}
    assert len(bench.records("Campaign")) == 4
    assert members(bench)[SESSION_1] == members(bench)[EXPO] == ["Attended", "No Show"]
    assert members(bench)[SESSION_2] == ["Registered"]
    assert reports[-1].counts.api_calls == 0


def test_two_sessions_may_be_one_campaign(run: Run, bench: Bench) -> None:
    switch_on(bench, grain="session")
    two_people_of_two_sessions(bench)
    bench.connection.commit()
    mine = bench.seed("Campaign", Name="Both days")
    wrong = run("campaign", "link", ACCOUNT, "session:99", mine, "--yes", fails=1).stderr
    assert "The warehouse has no session 99 of this client" in wrong
    wrong = run("campaign", "link", ACCOUNT, event_id(bench), mine, "--yes", fails=1).stderr
    assert "has no campaigns of events: grain" in wrong
    bench.connection.rollback()
    for session in ("session:1", "Session: 2"):
        run("campaign", "link", ACCOUNT, session, mine, "--yes")
    bench.cycle()
    assert members(bench) == {"Both days": ["Attended", "No Show"]}
    assert bench.cycle().counts.api_calls == 0
