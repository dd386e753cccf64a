"""Many tags and scores of each person, in an org where writing a child locks its parent.

With 1,000 people: `python -m benchmarks engagement --rows 1667 --each 50 --locks`, which fails
where more than 5 % of the calls are repeated.
"""

from sqlalchemy import text

from crm_pipeline_tests.cycle.engagement.conftest import Engaged
from crm_pipeline_tests.cycle.engagement.test_calls import PROSPECT, SCORES, TAGS, seed
from crm_pipeline_tests.flows.engagement.warehouse import define_score, define_tag, now
from crm_pipeline_tests.flows.webinars.warehouse import CLIENT

PEOPLE, EACH = 20, 50


def test_no_row_is_given_up(engaged: Engaged) -> None:
    with engaged({"lock_parents": True, "latency_ms": 20}) as bench:
        bench.settings(route="composite")
        seed(bench, PEOPLE)
        for number in range(EACH):
            define_tag(bench.connection, f"t{number}")
            define_score(bench.connection, f"s{number}")
        shipped = {"client": CLIENT, "prospects": PEOPLE, "each": EACH - 1, "at": now()}
        for statement in (PROSPECT, TAGS, SCORES):
            bench.connection.execute(text(statement), shipped)
        reports = [bench.cycle() for _ in range(2)]
        assert {report.state for report in reports} == {"Complete"}
        for sobject in ("SW_Tag_Segment_Trigger__c", "Prospect_Score_Instance__c"):
            assert len(bench.records(sobject)) == PEOPLE * EACH
        assert set(bench.states().values()) == {"done"}
        refused = sum(report.tally.overall("failed") for report in reports)
        assert refused == 0  # What was locked went again in the same cycle.
