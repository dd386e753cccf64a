"""The census: numbers in the org, the ledger and at the source; what differs is named."""

from typing import Any

import pytest
from sqlalchemy import text

from crm_pipeline.flows.engagement.topics import CENSUS
from crm_pipeline.ledger.engagement_census import Counted, last_census, request_census
from crm_pipeline.report import CycleReport
from crm_pipeline_tests.cycle.conftest import ACCOUNT, Bench
from crm_pipeline_tests.cycle.engagement.conftest import Engaged, complete
from crm_pipeline_tests.cycle.engagement.test_calls import PROSPECT
from crm_pipeline_tests.flows.engagement.warehouse import define_tag, now, prospect, tag
from crm_pipeline_tests.flows.webinars.warehouse import CLIENT

ALL = {"pages": True, "accounts": True, "opportunity_tags": True, "opportunity_scores": True}


def census(bench: Bench) -> tuple[CycleReport, dict[str, Counted]]:
    request_census(bench.connection, ACCOUNT)
    report = bench.cycle(steps=frozenset((CENSUS,)))
    assert report.state == "Complete", report.reason
    return report, {each.sobject: each for each in last_census(bench.connection, ACCOUNT)}


def test_the_census_of_thirteen_objects_takes_three_calls(engaged: Engaged) -> None:
    with engaged(**ALL) as bench:
        define_tag(bench.connection, "hot")
        for name in ("ada", "bob"):
            prospect(bench.connection, name)
            tag(bench.connection, name, "hot")
        tag(bench.connection, "bob", "undefined")
        complete(bench)
        report, counted = census(bench)
        assert report.counts.api_calls == 3
        assert len(counted) == 13
        assert counted["Prospect__c"] == Counted("Prospect__c", 2, 2, 2, [], [])
        assert counted["SW_Prospect_Tag__c"] == Counted("SW_Prospect_Tag__c", 3, 2, 2, [], [])
        assert counted["Account_Score__c"].at_source is None
        assert (report.tally[CENSUS, "differing"], report.tally[CENSUS, "told"]) == (0, 1)
        # Only what was asked for is done, once.
        assert bench.cycle(steps=frozenset((CENSUS,))).counts.api_calls == 0


@pytest.fixture
def filled(bench: Bench) -> Bench:
    """An org with 4,100 prospects."""
    shipped = {"client": CLIENT, "prospects": 4_100, "at": now()}
    bench.connection.execute(text(PROSPECT), shipped)
    complete(bench)
    return bench


@pytest.mark.deep
def test_what_differs_is_named_and_left_as_it_is(filled: Bench) -> None:
    rows = [e for e in filled.records("Prospect__c") if e["Prospect_Id__c"] in ("p7", "p4000")]
    for each in rows:
        each["IsDeleted"] = True  # As if a right had been taken away: no trace of a deletion.
    assert len(rows) == 2
    report, counted = census(filled)
    found = counted["Prospect__c"]
    assert (found.at_source, found.in_ledger, found.in_org) == (4_100, 4_100, 4_098)
    assert sorted(found.not_seen) == ["prospect:p4000", "prospect:p7"]
    # The counts of seven objects, and one more for the keys of one.
    assert report.counts.api_calls == 3
    assert report.tally[CENSUS, "differing"] == 1
    for each in rows:
        each["IsDeleted"] = False
    made: Any = filled.admin(
        "create", object="Prospect__c", fields={"Name": "By hand", "Prospect_Id__c": "hand"}
    )
    report, counted = census(filled)
    assert counted["Prospect__c"].not_seen == []
    assert counted["Prospect__c"].not_ours == [made["id"]]
    assert len(filled.records("Prospect__c")) == 4_101
    told = filled.connection.scalars(
        text(
            "SELECT body FROM platform_inbox.message WHERE topic = 'engagement_census'"
            " ORDER BY version"
        )
    ).all()
    [of_prospects] = [e for e in told[-1]["objects"] if e["sobject"] == "Prospect__c"]
    assert of_prospects["not_ours"] == [made["id"]]
