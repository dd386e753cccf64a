"""One cycle of one account, from the warehouse to the org."""

from crm_pipeline_tests.cycle.conftest import Bench
from crm_pipeline_tests.flows.webinars.warehouse import add_person, attend, register


def test_a_registration_becomes_a_lead_with_an_activity(bench: Bench) -> None:
    add_person(bench.connection, 1)
    register(bench.connection, 1, 1)
    report = bench.cycle()
    assert (report.state, report.reason) == ("Complete", "")
    [lead] = bench.records("Lead")
    assert lead["Email"] == "p1@example.com"
    assert lead["Company"] == "Company 1"
    [event] = bench.records("Event")
    assert event["WhoId"] == lead["Id"]
    assert event["Subject"] == "Webinar Registration"
    assert report.counts.leads_created == 1
    assert report.counts.activities_created == 1
    assert report.counts.api_calls == 3
