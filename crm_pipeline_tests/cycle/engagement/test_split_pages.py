"""People whose change and whose successor are read by different calls, whichever comes first."""

import pytest

from crm_pipeline_tests.cycle.conftest import Bench
from crm_pipeline_tests.cycle.engagement.conftest import complete
from crm_pipeline_tests.cycle.engagement.test_matching import (
    NOTHING,
    contact,
    copies,
    lead,
    shown,
)
from crm_pipeline_tests.flows.engagement.warehouse import define_tag, prospect, tag


@pytest.mark.deep
@pytest.mark.parametrize("winner_first", [True, False])
def test_a_merged_pair_that_is_split_over_two_pages(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, *, winner_first: bool
) -> None:
    """The winner, who has no prospect, kept for ever what it took over."""
    define_tag(bench.connection, "hot")
    prospect(bench.connection, "ada", favorite=True, temperature=70)
    tag(bench.connection, "ada", "hot")
    addresses = ["other@x.example", "ada@x.example"]
    pair = [lead(bench, each) for each in (addresses if winner_first else addresses[::-1])]
    winner, loser = pair if winner_first else pair[::-1]
    complete(bench)
    complete(bench)
    monkeypatch.setattr("crm_pipeline.salesforce.changes.QUERY_PAGE", 1)
    bench.admin("merge", object="Lead", master_id=winner, ids=[loser])
    assert shown(bench, "Lead", winner)["Prospect_Id__c"] == "ada"
    for _ in range(3):
        complete(bench)
    assert shown(bench, "Lead", winner) == NOTHING
    assert copies(bench) == []


def test_a_chain_of_a_conversion_and_a_merge_that_is_split(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    prospect(bench.connection, "ada", favorite=True, temperature=70)
    other, known = contact(bench, "other@x.example"), lead(bench, "ada@x.example")
    complete(bench)
    complete(bench)
    monkeypatch.setattr("crm_pipeline.salesforce.changes.QUERY_PAGE", 1)
    bench.admin("convert", lead_id=known)
    [became] = [each["Id"] for each in bench.records("Contact") if each["Id"] != other]
    bench.admin("merge", object="Contact", master_id=other, ids=[became])
    assert shown(bench, "Contact", other)["Prospect_Id__c"] == "ada"
    for _ in range(3):
        complete(bench)
    assert shown(bench, "Contact", other) == NOTHING
