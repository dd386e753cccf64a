"""Fields of campaigns: mapped ones, the status by days, and what follows the event."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from crm_pipeline.accounts.store import FieldMapping, set_field_mapping
from crm_pipeline.flows.campaigns.wanted import status_on
from crm_pipeline_tests.cli.conftest import Run, run
from crm_pipeline_tests.cycle.campaigns.scenes import one_registration, switch_on
from crm_pipeline_tests.cycle.conftest import ACCOUNT, ORG, Bench, bench_of

__all__ = ["run"]

SETS = ("account", "mapping", "set", ACCOUNT)

FIELDS = {
    "Series__c": {"type": "string", "length": 80},
    "Region__c": {"type": "string", "length": 40, "required": True},
}


@pytest.fixture
def bench(pipeline: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    of_members = {"Source__c": {"type": "string", "length": 80}}
    objects = {"Campaign": {"fields": FIELDS}, "CampaignMember": {"fields": of_members}}
    org = {"name": ACCOUNT, **ORG, "objects": objects}
    with bench_of(org, pipeline, monkeypatch) as made:
        yield made


def maps(bench: Bench, **constants: str) -> None:
    for name, value in constants.items():
        mapping = FieldMapping("Campaign", name, constant=value)
        set_field_mapping(bench.connection, ACCOUNT, mapping)
    bench.connection.commit()


def event_is(bench: Bench, *, hours: int = 0, **columns: Any) -> None:
    names = ", ".join(f"{name} = :{name}" for name in columns)
    shipped = datetime(2026, 3, 1, 12, tzinfo=UTC) + timedelta(hours=hours)
    bench.connection.execute(
        text(f"UPDATE warehouse.event SET {names}, shipped_at = :at"), {**columns, "at": shipped}
    )


def test_a_required_field_is_named_and_can_be_filled(run: Run, bench: Bench) -> None:
    switch_on(bench)
    one_registration(bench)
    bench.connection.commit()
    said = run("account", "test-login", ACCOUNT, fails=1).stderr
    assert "the org wants of each new Campaign: Region__c" in said
    run(*SETS, "campaign.Region__c", "--constant", "EMEA", "--yes")
    run("account", "test-login", ACCOUNT)
    bench.cycle()
    assert bench.records("Campaign")[0]["Region__c"] == "EMEA"


def test_members_and_campaigns_get_what_was_hidden_once_it_is_asked_for(
    bench: Bench, run: Run
) -> None:
    """Sending again brought people and activities what the org had hidden, and nothing else."""
    switch_on(bench)
    maps(bench, Region__c="EMEA", Series__c="Tuesdays")
    run(*SETS, "CampaignMember.Source__c", "--constant", "Webinar", "--yes")
    one_registration(bench)
    bench.admin("settings", hidden_fields=["Campaign.Series__c", "CampaignMember.Source__c"])
    assert bench.cycle().state == "Complete"
    bench.admin("settings", hidden_fields=[])
    told = run("account", "send-again", ACCOUNT, "Series__c", "source__c", "--yes").stdout
    assert "Campaigns that went without them (1) get them now." in told
    assert "Memberships that went without them (1) get them now." in told
    assert bench.cycle().state == "Complete"
    assert bench.records("Campaign")[0]["Series__c"] == "Tuesdays"
    assert bench.records("CampaignMember")[0]["Source__c"] == "Webinar"
    assert bench.cycle().counts.api_calls == 0


def test_a_column_of_the_event_fills_a_field_and_follows_it(run: Run, bench: Bench) -> None:
    switch_on(bench)
    maps(bench, Region__c="EMEA")
    one_registration(bench)
    event_is(bench, series="Tuesdays", budget=500)
    bench.connection.commit()
    wrong = run(*SETS, "Campaign.Series__c", "--source", "serie", fails=1)
    assert "sql/extract/events.sql gives no column 'serie'" in wrong.stderr
    for field, column in (("Series__c", "series"), ("BudgetedCost", "budget")):
        run(*SETS, f"Campaign.{field}", "--source", column, "--yes")
    bench.cycle()
    [made] = bench.records("Campaign")
    assert (made["Series__c"], made["BudgetedCost"]) == ("Tuesdays", 500)
    event_is(bench, hours=2, series="Wednesdays")
    bench.cycle()
    assert bench.records("Campaign")[0]["Series__c"] == "Wednesdays"
    bench.records("Campaign")[0]["Series__c"] = "By hand"
    event_is(bench, hours=4, series="Fridays", budget=700)
    bench.cycle()
    [made] = bench.records("Campaign")
    assert (made["Series__c"], made["BudgetedCost"]) == ("By hand", 700)
    assert bench.cycle().counts.api_calls == 0


def test_a_campaign_may_stay_as_it_was_made(bench: Bench) -> None:
    switch_on(bench, keep_campaigns="never")
    maps(bench, Region__c="EMEA")
    one_registration(bench)
    bench.cycle()
    event_is(bench, hours=2, name="Other")
    bench.cycle()
    assert bench.records("Campaign")[0]["Name"] == "Expo"


@pytest.mark.parametrize(
    ("day", "status"),
    [(1, "Planned"), (2, "In Progress"), (4, "In Progress"), (5, "Completed")],
)
def test_the_status_goes_by_the_days(day: int, status: str) -> None:
    assert status_on(date(2026, 3, day), "2026-03-02", "2026-03-04") == status
    assert status_on(date(2026, 3, day), "", None) == "In Progress"


def test_days_alone_change_the_status_of_what_we_made(bench: Bench) -> None:
    switch_on(bench, campaign_status=True)
    maps(bench, Region__c="EMEA")
    one_registration(bench)
    soon = datetime.now(UTC) + timedelta(days=3)
    event_is(bench, starts_at=soon, ends_at=soon)
    bench.cycle()
    assert bench.records("Campaign")[0]["Status"] == "Planned"
    # Three days pass: nothing is shipped, and what was wanted lies in the past.
    past = datetime.now(UTC) - timedelta(days=1)
    bench.connection.execute(
        text("UPDATE warehouse.event SET starts_at = :at, ends_at = :at"), {"at": past}
    )
    for day in ("StartDate", "EndDate"):
        bench.connection.execute(
            text(
                "UPDATE crm.operation SET intent = jsonb_set(intent, ARRAY['campaign', :day],"
                " to_jsonb(CAST(:at AS text))) WHERE kind = 'campaign'"
            ),
            {"day": day, "at": past.date().isoformat()},
        )
    report = bench.cycle()
    assert bench.records("Campaign")[0]["Status"] == "Completed"
    assert report.counts.api_calls == 2
    assert bench.cycle().counts.api_calls == 0
