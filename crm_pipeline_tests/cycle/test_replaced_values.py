"""What an update replaces is kept: of matched people at no call, of all others where wanted."""

from typing import Any

import pytest
from sqlalchemy import text

from crm_pipeline.cadence.purge import purge_replaced
from crm_pipeline.database.engines import engine
from crm_pipeline_tests.cycle.campaigns.scenes import switch_on
from crm_pipeline_tests.cycle.conftest import Bench
from crm_pipeline_tests.cycle.test_field_policy import arrives, lead, says
from crm_pipeline_tests.cycle.test_removals import ask

ROUTES = pytest.mark.parametrize(
    "route", ["composite", pytest.param("bulk", marks=pytest.mark.deep)]
)


def kept(bench: Bench) -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Object, former values and ours of what went out, the latest last."""
    rows = bench.connection.execute(
        text(
            "SELECT sobject, former, written FROM crm.replaced_value WHERE sent_at IS NOT NULL"
            " ORDER BY cycle_id, kept_at"
        )
    )
    found = [(row.sobject, row.former, row.written) for row in rows]
    bench.connection.rollback()
    return found


@ROUTES
def test_of_whoever_is_matched_anew_the_look_up_tells_it(bench: Bench, route: str) -> None:
    bench.settings(route=route)
    bench.seed("Lead", LastName="Old", Company="x", Email="p1@example.com", Title=None)
    arrives(bench, job_title="CTO", company_name="Acme")
    [(sobject, former, written)] = kept(bench)
    assert sobject == "Lead"
    assert (former["LastName"], former["Company"], former["Title"]) == ("Old", "x", None)
    assert written == {name: lead(bench)[name] for name in former}
    says(bench, "job_title", "CEO")
    assert len(kept(bench)) == 1, "of known people nothing is asked"


def test_of_known_people_it_costs_a_call_where_it_is_wanted(bench: Bench) -> None:
    switch_on(bench)
    bench.settings(keep_replaced_values=True)
    arrives(bench, job_title="CTO")
    assert kept(bench) == [], "what is new replaces nothing"
    lead(bench)["Title"] = "Chief"
    bench.settings(keep_replaced_values=False)
    says(bench, "city", "Rome")
    says(bench, "job_title", "CEO")
    assert kept(bench) == []
    lead(bench)["Title"] = "Boss"
    bench.settings(keep_replaced_values=True)
    bench.connection.execute(
        text("UPDATE warehouse.person SET job_title = 'CIO', shipped_at = now()")
    )
    report = bench.cycle()
    assert kept(bench) == [("Lead", {"Title": "Boss"}, {"Title": "CIO"})]
    assert report.counts.api_calls == report.counts.api_calls_forecast


def test_it_goes_with_the_person_and_with_time(bench: Bench) -> None:
    bench.seed("Lead", LastName="Old", Company="x", Email="p1@example.com")
    arrives(bench)
    bench.connection.execute(text("UPDATE crm.replaced_value SET kept_at = now() - interval '9d'"))
    bench.connection.commit()
    assert purge_replaced(engine("pipeline"), 10) == 0
    assert purge_replaced(engine("pipeline"), 8) == 1
    says(bench, "surname", "Other")
    bench.connection.execute(text("UPDATE crm.replaced_value SET salesforce_id = 'x'"))
    bench.settings(keep_replaced_values=True)
    says(bench, "surname", "Third")
    assert len(kept(bench)) == 1
    ask(address="p1@example.com")
    assert bench.cycle().state == "Complete"
    assert kept(bench) == []
