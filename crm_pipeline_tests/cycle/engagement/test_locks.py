"""Many tags and scores of each person, in an org where writing a child locks its parent.

With 1,000 people: `python -m benchmarks engagement --rows 1667 --each 50 --route composite --locks`
fails where more than 5 % of the calls are repeated.
"""

import pytest
from sqlalchemy import text

from crm_pipeline.accounts.engagement import EngagementSettings
from crm_pipeline.sample.org_objects import objects_of_org
from crm_pipeline_tests.cycle.engagement.conftest import Engaged
from crm_pipeline_tests.cycle.engagement.test_calls import PROSPECT, SCORES, TAGS
from crm_pipeline_tests.flows.engagement.warehouse import define_score, define_tag, now
from crm_pipeline_tests.flows.webinars.warehouse import CLIENT

PEOPLE, EACH = 40, 25
CALLS = 15
IN_FLIGHT = 5


@pytest.mark.deep
@pytest.mark.parametrize(("tags_lock", "repeated"), [(False, 0), (True, IN_FLIGHT - 1)])
def test_no_row_is_given_up(engaged: Engaged, tags_lock: bool, repeated: int) -> None:
    """Where all rows lock what they share, calls go one at a time from the first refusal on."""
    objects = objects_of_org(EngagementSettings().org_objects, locking=True)
    org = {"objects": objects, "lock_parents": True, "latency_ms": 20}
    with engaged({**org, "emptied_lookups_lock": tags_lock}) as bench:
        bench.settings(route="composite")
        person = {"LastName": "L", "Company": "C"}
        people = [{**person, "Email": f"p{n}@x.example"} for n in range(1, PEOPLE + 1)]
        half = PEOPLE // 2
        contacts = [{"LastName": "L", "Email": each["Email"]} for each in people[half:]]
        bench.admin("seed", Lead=people[:half], Contact=contacts)
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
        assert sum(report.tally.overall("failed") for report in reports) == 0
        calls = sum(report.counts.api_calls for report in reports)
        assert CALLS <= calls <= CALLS + repeated, [e.api_calls_by_kind for e in reports]
