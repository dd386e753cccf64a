"""A plan of prospects, as the cycle then sends them."""

from crm_pipeline_tests.cycle.conftest import Bench
from crm_pipeline_tests.cycle.engagement.conftest import complete
from crm_pipeline_tests.cycle.plans import applied, foresee_and_see, plan_of
from crm_pipeline_tests.flows.engagement.warehouse import (
    define_score,
    define_tag,
    prospect,
    score,
    tag,
    take_away,
)


def test_prospects_with_their_tags_and_scores_are_foreseen(bench: Bench) -> None:
    """New ones, whose children name them by keys; changed ones; and what is to be gone."""
    bench.seed("Lead", LastName="Byron", Company="C", Email="p2@example.com")
    for each in ("hot", "cold"):
        define_tag(bench.connection, each)
    define_score(bench.connection, "fit")
    prospect(bench.connection, "p1", first_name="Ada")
    tag(bench.connection, "p1", "hot", times=3)
    assert foresee_and_see(bench) >= {"Prospect__c create", "SW_Prospect_Tag__c create"}
    complete(bench)
    prospect(bench.connection, "p1", first_name="Augusta")
    prospect(bench.connection, "p2", email="p2@example.com")
    score(bench.connection, "p1", "fit", 12.5, grade="B")
    take_away(bench.connection, "prospect_tag", tag_id="hot")
    assert foresee_and_see(bench) >= {
        "Prospect__c create",
        "Prospect__c update",
        "Prospect_Score__c create",
        "SW_Prospect_Tag__c delete",
    }
    prospect(bench.connection, "p1", first_name="Ada", temperature=71.5)
    prospect(bench.connection, "p3")
    tag(bench.connection, "p3", "cold", times=2)
    assert applied(bench, plan_of(bench)).departures == []
    assert len(bench.records("SW_Prospect_Tag__c")) == 1
