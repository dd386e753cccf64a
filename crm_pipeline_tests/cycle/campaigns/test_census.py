"""The census of campaigns: who is not there is named, and the campaign says if all are."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text

from crm_pipeline.database.statements import statement
from crm_pipeline.ledger.campaign_census import last_campaign_census
from crm_pipeline_tests.cli.conftest import Run, run
from crm_pipeline_tests.cycle.campaigns.scenes import delete, switch_on
from crm_pipeline_tests.cycle.conftest import ACCOUNT, ORG, Bench, bench_of
from crm_pipeline_tests.flows.webinars.warehouse import add_person, register

__all__ = ["run"]

FIELDS = {
    "Members_Expected__c": {"type": "double", "scale": 0},
    "Complete_As_Of__c": {"type": "datetime"},
}


@pytest.fixture
def bench(pipeline: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    org = {"name": ACCOUNT, **ORG, "objects": {"Campaign": {"fields": FIELDS}}}
    with bench_of(org, pipeline, monkeypatch) as made:
        switch_on(made)
        for person in (1, 2, 3):
            add_person(made.connection, person)
            register(made.connection, person, person)
        made.connection.execute(text("UPDATE warehouse.event SET ends_at = now()"))
        yield made


def is_kept(bench: Bench) -> bool:
    asked = {"account_ids": [ACCOUNT], "freshness_minutes": 60}
    [verdict] = bench.connection.execute(statement("checks/campaign_census"), asked)
    return bool(verdict.passed)


def test_who_is_not_there_is_named_and_the_campaign_says_so(run: Run, bench: Bench) -> None:
    bench.cycle()
    assert is_kept(bench), "no census was taken"
    bench.connection.commit()
    assert "none of its campaigns is of the last 90" in run("campaign", "census", ACCOUNT).stdout
    report = bench.cycle()
    assert report.counts.api_calls == 2, "to count, and to tell the campaign"
    [counted] = last_campaign_census(bench.connection, ACCOUNT)
    assert (counted.expected, counted.in_org, counted.missing) == (3, 3, [])
    [campaign] = bench.records("Campaign")
    assert campaign["Members_Expected__c"] == 3
    assert campaign["Complete_As_Of__c"] is not None
    assert is_kept(bench)
    assert bench.cycle().counts.api_calls == 0, "once asked for, once taken"

    # Salespeople take somebody out, set another's status, and add one of their own.
    taken, other, _ = bench.records("CampaignMember")
    delete(bench, "CampaignMember", taken["Id"])
    other["Status"] = "Sent"
    bench.seed(
        "CampaignMember",
        CampaignId=campaign["Id"],
        LeadId=bench.seed("Lead", LastName="Own", Company="C"),
        Status="Sent",
    )
    bench.connection.commit()
    run("campaign", "census", ACCOUNT)
    report = bench.cycle()
    assert report.counts.api_calls == 3, "to count, to compare, and to tell the campaign"
    [counted] = last_campaign_census(bench.connection, ACCOUNT)
    assert (counted.expected, counted.in_org) == (3, 3)
    assert (len(counted.missing), len(counted.changed)) == (1, 1)
    [campaign] = bench.records("Campaign")
    assert campaign["Complete_As_Of__c"] is None
    assert not is_kept(bench)
    bench.connection.commit()
    assert f"person:{counted.missing[0]}" in run("campaign", "census", ACCOUNT).stdout


def test_what_the_org_does_not_take_is_told_and_written_by_the_next_one(
    run: Run, bench: Bench
) -> None:
    bench.cycle()
    bench.connection.commit()
    run("campaign", "census", ACCOUNT)
    bench.admin("faults", kind="collections.update", action="lock", times=1)
    report = bench.cycle()
    assert report.tally["campaign_census", "campaigns_not_told"] == 1
    assert "did not take whether the list is complete, of 1 campaigns" in report.notes
    run("campaign", "census", ACCOUNT)
    assert bench.cycle().tally["campaign_census", "campaigns_not_told"] == 0
    assert bench.records("Campaign")[0]["Members_Expected__c"] == 3


def test_an_account_may_have_one_each_day(bench: Bench) -> None:
    switch_on(bench, census="daily")
    without = bench.cycle().counts.api_calls
    [counted] = last_campaign_census(bench.connection, ACCOUNT)
    assert counted.is_complete
    assert without == 8
    assert bench.cycle().counts.api_calls == 0
    bench.connection.execute(
        text("UPDATE crm.campaign_census SET taken_at = taken_at - interval '2 days'")
    )
    assert bench.cycle().counts.api_calls == 2
