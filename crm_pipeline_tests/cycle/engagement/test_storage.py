"""New records wait where the org's data storage is used above a share of it."""

import pytest
from sqlalchemy import text

from crm_pipeline_tests.cycle.engagement.conftest import Engaged, complete
from crm_pipeline_tests.cycle.engagement.test_calls import PROSPECT
from crm_pipeline_tests.flows.engagement.warehouse import now, prospect
from crm_pipeline_tests.flows.webinars.warehouse import CLIENT


@pytest.mark.deep
def test_new_records_wait_above_a_share_of_the_storage(engaged: Engaged) -> None:
    with engaged({"limits": {"data_storage_mb": 8}}, storage_share=0.5) as bench:
        shipped = {"client": CLIENT, "prospects": 3_000, "at": now()}
        bench.connection.execute(text(PROSPECT), shipped)
        report = complete(bench)
        # 4 MB less the one that the org may have rounded down, with 500 records each.
        assert len(bench.records("Prospect__c")) == 1_500
        assert "1500 new records of engagement wait: 0 of 8 MB" in report.notes
        assert "may use 50%" in report.notes
        assert report.counts.waiting == 1_500
        assert report.api_calls_by_kind["limits"] == 1
        complete(bench)
        # What is there is kept true; what is new waits until there is room.
        prospect(bench.connection, "p1", temperature=77)
        complete(bench)
        there = bench.records("Prospect__c")
        assert len(there) == 2_000
        assert [e["Temperature__c"] for e in there if e["Prospect_Id__c"] == "p1"] == [77]
        bench.settings(engagement={"storage_share": 1})
        report = complete(bench)
        assert len(bench.records("Prospect__c")) == 3_000
        assert "data storage" not in report.notes


def test_a_few_new_ones_in_each_cycle_are_held_as_well(engaged: Engaged) -> None:
    """Fewer than 200 at a time filled the org up unseen."""
    with engaged({"limits": {"data_storage_mb": 1}}, storage_share=0.5) as bench:
        calls = []
        for cycle in range(5):
            for number in range(60):
                prospect(bench.connection, f"p{cycle}-{number}")
            report = complete(bench)
            calls.append(report.api_calls_by_kind.get("limits", 0))
        assert calls == [0, 0, 0, 1, 1]
        assert len(bench.records("Prospect__c")) == 180
        assert "120 new records of engagement wait" in report.notes
