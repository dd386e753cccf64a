"""Of what people edited between two writes of ours nothing is taken back, whatever kind it is."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from crm_pipeline_tests.cycle.campaigns.scenes import delete, says, switch_on
from crm_pipeline_tests.cycle.conftest import Bench
from crm_pipeline_tests.cycle.test_field_policy import arrives, lead
from crm_pipeline_tests.cycle.test_field_policy import says as says_of_person
from crm_pipeline_tests.cycle.test_undo import planned
from crm_pipeline_tests.depth import deep_rows_but_for
from crm_pipeline_tests.flows.webinars.warehouse import add_person, register

SAW = "it was changed before cycle 2 wrote to it again"
DID_NOT_LOOK = "cycle 2 wrote to it again, and whether it was changed before is not known"
EDITS = {
    "Lead": {"Rating": "Hot"},
    "Event": {"Location": "Room 7"},
    "CampaignMember": {"Status": "Sent"},
}


def people_edit(bench: Bench, record_id: str, **fields: str) -> None:
    """At a time of its own, so that it is seen by it."""
    bench.org.clock_shift += timedelta(seconds=5)
    bench.admin("edit", id=record_id, fields=fields)
    bench.org.clock_shift += timedelta(seconds=5)


@pytest.mark.deep
@pytest.mark.parametrize(
    ("route", "keeps"),
    deep_rows_but_for(
        lambda route, keeps: route == "composite" and keeps,
        [(route, keeps) for route in ("composite", "bulk") for keeps in (True, False)],
    ),
)
def test_what_people_edited_before_we_wrote_again_is_not_deleted(
    bench: Bench, route: str, keeps: bool
) -> None:
    """Of two people; the second one's records nobody touched."""
    switch_on(bench)
    bench.settings(route=route, keep_replaced_values=keeps)
    for person in (1, 2):
        add_person(bench.connection, person, job_title="CTO")
        register(bench.connection, person, person)
    cycle_id = bench.cycle().cycle_id
    edited, untouched = zip(*(bench.records(name) for name in EDITS), strict=True)
    for record, fields in zip(edited, EDITS.values(), strict=True):
        people_edit(bench, record["Id"], **fields)
    [campaign] = bench.records("Campaign")
    campaign_name, status = campaign["Name"], untouched[2]["Status"]
    people_edit(bench, campaign["Id"], Type="Webinar")
    for change in (
        "UPDATE warehouse.person SET job_title = 'CEO', shipped_at = now()",
        "UPDATE warehouse.event SET name = 'Renamed', shipped_at = now()",
    ):
        bench.connection.execute(text(change))
    for number in (1, 2):
        says(bench, number, "attended", minute=60)
    assert bench.cycle().cycle_id == 2
    found = {each.salesforce_id: each for each in planned(bench, cycle_id).records}
    where_asked = SAW if keeps else DID_NOT_LOOK
    assert [found[each["Id"]].reason for each in edited] == [where_asked, where_asked, SAW]
    assert found[campaign["Id"]].reason == SAW
    stays = "delete" if keeps else "left"
    assert [found[each["Id"]].outcome for each in untouched] == [stays, stays, "delete"]
    member = untouched[2]["Id"]
    later = {each.salesforce_id: each for each in planned(bench, 2).records}
    assert later[campaign["Id"]].fields == {"Name": campaign_name}
    assert later[member].fields == {"Status": status}
    [row] = [each for each in bench.records("CampaignMemberStatus") if each["Label"] == status]
    delete(bench, "CampaignMemberStatus", row["Id"])
    again = {each.salesforce_id: each for each in planned(bench, 2).records}[member]
    why = f"Status {status} is none of the campaign's any more"
    assert (again.outcome, again.reason) == ("left", why)


@pytest.mark.deep
def test_a_value_that_people_changed_before_we_wrote_it_again_stays(bench: Bench) -> None:
    bench.settings(keep_replaced_values=True)
    old = bench.seed("Lead", LastName="Old", Company="x", Email="p1@example.com", Title="Boss")
    arrives(bench, job_title="CTO", surname="Last 1")
    says_of_person(bench, "job_title", "CEO")
    people_edit(bench, old, Title="Chief")
    says_of_person(bench, "job_title", "CTO")
    assert lead(bench)["Title"] == "CTO"
    assert planned(bench, 1, "Title").records[0].reason == "Title was written again by cycle 3"
    whole = planned(bench, 1).records[0]
    assert (whole.outcome, "Title" in (whole.fields or {})) == ("restore", False)
    assert planned(bench, 3).records[0].fields == {"Title": "Chief"}
