"""Cycles that brought prospects, tags and scores are taken back, and are not sent again."""

import pytest

from crm_pipeline_tests.cycle.conftest import Bench
from crm_pipeline_tests.cycle.engagement.conftest import complete
from crm_pipeline_tests.cycle.test_undo import nothing_more_goes, taken_back
from crm_pipeline_tests.flows.engagement.warehouse import (
    define_score,
    define_tag,
    prospect,
    score,
    tag,
)

MADE = (
    "SW_Tag__c",
    "Score__c",
    "Prospect__c",
    "SW_Prospect_Tag__c",
    "Prospect_Score__c",
    "SW_Tag_Segment_Trigger__c",
    "Prospect_Score_Instance__c",
)


def numbers(bench: Bench) -> set[int]:
    return {len(bench.records(name)) for name in MADE}


@pytest.mark.deep
def test_prospects_go_with_what_belongs_to_them_once_their_changes_are_taken_back(
    bench: Bench,
) -> None:
    bench.settings(keep_replaced_values=True)
    lead = bench.seed("Lead", LastName="L", Company="C", Email="p1@x.example")
    define_tag(bench.connection, "hot")
    define_score(bench.connection, "fit")
    prospect(bench.connection, "p1", temperature=70)
    tag(bench.connection, "p1", "hot")
    score(bench.connection, "p1", "fit", 12.5)
    made_by = complete(bench).cycle_id
    assert numbers(bench) == {1}
    prospect(bench.connection, "p1", temperature=80)
    score(bench.connection, "p1", "fit", 13)
    changed_by = complete(bench).cycle_id
    assert set(taken_back(bench, changed_by).values()) == {"restore"}
    complete(bench)
    [record] = bench.records("Prospect__c")
    [value] = bench.records("Prospect_Score__c")
    assert (record["Temperature__c"], value["Value__c"]) == (70, 12.5), "nor are they sent again"
    outcomes = taken_back(bench, made_by)
    assert outcomes.pop(lead) == "restore"
    assert list(outcomes.values()) == ["delete"] * len(MADE)
    assert bench.org.table("Lead").rows[lead]["Prospect_Id__c"] is None
    complete(bench)
    assert numbers(bench) == {0}
    nothing_more_goes(bench)
    prospect(bench.connection, "p1", temperature=50)
    complete(bench)
    assert len(bench.records("Prospect__c")) == 1, "the source says otherwise"
