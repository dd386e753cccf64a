"""Fields that nothing is created without: hidden, or filled by nobody. Rows wait, and are told."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from sqlalchemy import Engine, text

from crm_pipeline.accounts.store import FieldMapping, set_field_mapping
from crm_pipeline_tests.cli.conftest import Run, run
from crm_pipeline_tests.cycle.campaigns.scenes import event_id, members, switch_on
from crm_pipeline_tests.cycle.conftest import ACCOUNT, ORG, Bench, bench_of
from crm_pipeline_tests.depth import deep_but_first
from crm_pipeline_tests.flows.webinars.warehouse import add_person, register

__all__ = ["run"]

REGION: Mapping[str, Any] = {"Region__c": {"type": "string", "length": 40, "required": True}}
ROUTES = pytest.mark.parametrize("route", ["composite", "bulk"])


@pytest.fixture(
    params=deep_but_first(2, ["Lead", "CampaignMember", "Contact", "Event", "Campaign"])
)
def demanding(
    request: pytest.FixtureRequest, pipeline: Engine, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Bench, str]]:
    """An org that requires a field of its own of one object."""
    org = {"name": ACCOUNT, **ORG, "objects": {request.param: {"fields": REGION}}}
    with bench_of(org, pipeline, monkeypatch) as bench:
        yield bench, request.param


def one_person(bench: Bench, number: int = 1, **columns: Any) -> None:
    add_person(bench.connection, number, **columns)
    register(bench.connection, number, number)


@ROUTES
@pytest.mark.parametrize(
    ("hidden", "unknown_email"),
    [
        ("Lead.Company", "Lead"),
        ("Lead.LastName", "Lead"),
        ("Contact.LastName", "Contact"),
        ("Event.DurationInMinutes", "Lead"),
        ("Campaign.Name", "Lead"),
    ],
)
def test_a_required_field_that_is_hidden_stops_the_account_until_it_is_shown(
    bench: Bench, route: str, hidden: str, unknown_email: str
) -> None:
    """People ended exhausted, within a Complete cycle."""
    switch_on(bench)
    bench.settings(route=route, unknown_email=unknown_email)
    bench.admin("settings", hidden_fields=[hidden])
    one_person(bench)
    for _ in range(2):
        report = bench.cycle()
        assert report.state == "Failed"
        assert hidden in report.reason
        assert "Read and Edit" in report.remedy
        assert report.counts.exhausted == 0
    bench.admin("settings", hidden_fields=[])
    assert bench.cycle().state == "Complete"
    assert set(bench.states().values()) == {"done"}
    assert members(bench) == [("Registered", False)]


def test_who_creates_no_leads_needs_no_company_of_them(bench: Bench) -> None:
    bench.settings(unknown_email="neither")
    bench.seed("Lead", LastName="Old", Email="p1@example.com", Company="x")
    bench.admin("settings", hidden_fields=["Lead.Company"])
    one_person(bench)
    assert bench.cycle().state == "Complete"
    assert set(bench.states().values()) == {"done"}


@pytest.mark.deep
@ROUTES
def test_a_required_field_that_is_hidden_between_two_cycles_costs_no_try(
    bench: Bench, route: str
) -> None:
    bench.settings(route=route)
    one_person(bench)
    bench.cycle()
    bench.admin("settings", hidden_fields=["Lead.Company"])
    one_person(bench, 2)
    for _ in range(2):
        report = bench.cycle()
        assert (report.state, report.counts.exhausted) == ("Failed", 0)
        assert "Lead.Company" in report.reason
    bench.admin("settings", hidden_fields=[])
    assert bench.cycle().state == "Complete"
    assert set(bench.states().values()) == {"done"}


@pytest.mark.deep
@ROUTES
def test_a_required_field_that_nobody_fills_is_named_and_its_records_wait(
    demanding: tuple[Bench, str], route: str, run: Run
) -> None:
    bench, sobject = demanding
    switch_on(bench)
    bench.settings(route=route, unknown_email="Contact" if sobject == "Contact" else "Lead")
    one_person(bench, county="Wessex")
    for _ in range(7):
        report = bench.cycle()
        assert report.state == "Complete"
        assert report.counts.exhausted == 0
        assert report.counts.waiting > 0
        assert f"REQUIRED_FIELD_MISSING holds up 1 records ({sobject})" in report.notes
        assert "they go when it is mended in the org (next try at " in report.notes
        assert "requeue --account acme --code REQUIRED_FIELD_MISSING`)" in report.notes
        assert f"{sobject}.Region__c; give the user Read and Edit" in report.notes
        assert "`crm-pipeline account mapping set acme`" in report.notes
    assert f"{sobject}.Region__c" in run("state", ACCOUNT).stdout
    if sobject == "Campaign":
        campaign = bench.seed("Campaign", Name="Ours", Region__c="x")
        run("campaign", "link", ACCOUNT, event_id(bench), campaign, "--yes")
    else:
        run(
            "account", "mapping", "set", ACCOUNT, f"{sobject}.Region__c", "--constant", "x", "--yes"
        )
        run("account", "send-again", ACCOUNT, "--yes")
    assert bench.cycle().state == "Complete"
    assert set(bench.states().values()) == {"done"}
    assert members(bench) == [("Registered", False)]
    assert bench.cycle().notes == ""


@ROUTES
def test_whom_the_source_says_nothing_for_a_required_field_waits_alone(
    pipeline: Engine, monkeypatch: pytest.MonkeyPatch, route: str
) -> None:
    org = {"name": ACCOUNT, **ORG, "objects": {"Lead": {"fields": REGION}}}
    with bench_of(org, pipeline, monkeypatch) as bench:
        bench.settings(route=route)
        mapping = FieldMapping("Lead", "Region__c", source="county")
        set_field_mapping(bench.connection, ACCOUNT, mapping)
        one_person(bench, county="Kent")
        one_person(bench, 2)
        report = bench.cycle()
        assert [lead["Region__c"] for lead in bench.records("Lead")] == ["Kent"]
        assert "holds up 1 records (Lead)" in report.notes
        bench.connection.execute(
            text("UPDATE warehouse.person SET county = 'Wessex', shipped_at = now()")
        )
        assert bench.cycle().notes == ""
        assert set(bench.states().values()) == {"done"}


@ROUTES
def test_a_right_to_create_that_is_taken_away_is_told_and_costs_no_try(
    bench: Bench, route: str, run: Run
) -> None:
    bench.settings(route=route)
    one_person(bench)
    bench.org.table("Lead").type.describe["createable"] = False
    for _ in range(6):
        report = bench.cycle()
        assert (report.state, report.counts.exhausted) == ("Complete", 0)
        assert "INSUFFICIENT_ACCESS_OR_READONLY holds up 1 records (Lead)" in report.notes
        assert "give the user Create on the object" in report.notes
    bench.org.table("Lead").type.describe["createable"] = True
    assert bench.cycle().state == "Complete"
    assert set(bench.states().values()) == {"done"}
