"""Every sample account's first cycle ends as the sample data foresees; so does a second one."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine

from crm_pipeline.cycle.cycle import sync_account
from crm_pipeline.database.engines import engine
from crm_pipeline.demo.registration import register_accounts
from crm_pipeline.local_org.event_bus import BUS
from crm_pipeline.local_org.server import LocalOrgServer
from crm_pipeline.report import CycleReport
from crm_pipeline.sample.accounts import SAMPLE_ACCOUNTS, clients
from crm_pipeline.sample.foreseen import Foreseen, foreseen
from crm_pipeline.sample.later import add_traffic
from crm_pipeline.sample.orgs import write_orgs
from crm_pipeline.sample.warehouse import create

ACCOUNTS = {account.account_id: account for account in SAMPLE_ACCOUNTS}
RUNNING = [each.account_id for each in SAMPLE_ACCOUNTS if each.state != "Disabled"]


@pytest.fixture(scope="module")
def orgs(
    module_pipeline: Engine, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LocalOrgServer]:
    create(engine("warehouse"), clients(len(SAMPLE_ACCOUNTS)), 2_000, seed=5)
    folder = tmp_path_factory.mktemp("orgs")
    with engine("warehouse").connect() as warehouse:
        file = write_orgs(warehouse, folder)
        with LocalOrgServer(file) as server:
            with module_pipeline.begin() as connection:
                register_accounts(connection, warehouse, folder, server.url)
            yield server


def ended(report: CycleReport) -> Foreseen:
    tally = report.tally
    return Foreseen(
        state=report.state,
        registrations=tally["registrations", "rows"],
        attendances=tally["attendances", "rows"],
        tracked_leads=tally["tracked_leads", "rows_read"],
        known=tally.overall("known_already"),
        rejected=tally.overall("rejected"),
        leads_created=tally.overall("leads_created"),
        leads_updated=tally.overall("leads_updated"),
        contacts_updated=tally.overall("contacts_updated"),
        activities=tally.overall("activities_created"),
        tickets=tally["feedback_records", "create"],
        waiting=report.counts.waiting,
        exhausted=report.counts.exhausted,
    )


@pytest.mark.parametrize("account_id", RUNNING)
def test_the_first_cycle_ends_as_foreseen(orgs: LocalOrgServer, account_id: str):
    with engine("warehouse").connect() as warehouse:
        expected = foreseen(warehouse, ACCOUNTS[account_id])

    report = sync_account(account_id, run_id="first")

    assert ended(report) == expected, report.reason


def test_campaigns_show_their_members_with_their_statuses(orgs: LocalOrgServer):
    """Runs after the account's first cycle."""
    org = orgs.org("banner-lane")
    campaigns = org.table("Campaign").rows
    members = list(org.table("CampaignMember").rows.values())
    assert campaigns
    series = {key for key, row in campaigns.items() if "series " in row["Description"]}
    assert {row["CampaignId"] for row in members} == set(campaigns) - series
    of_sessions = [row for row in campaigns.values() if ": session" in row["Description"]]
    events = [campaigns[str(row["ParentId"])] for row in of_sessions]
    assert series & {event.get("ParentId") for event in events}
    assert {"No Show", "Attended"} <= {row["Status"] for row in members}
    responded = {"Attended", "Attended On-demand", "Follow Up Requested"}
    assert all(row["HasResponded"] == (row["Status"] in responded) for row in members)
    once = {(row["CampaignId"], row["LeadOrContactId"]) for row in members}
    assert len(once) == len(members)
    assert any(row.get("Minutes_Attended__c") for row in members)


def test_prospects_are_shown_at_leads_accounts_and_opportunities(orgs: LocalOrgServer):
    """Leads that the account's first cycle made are matched by the next."""
    for _ in range(3):
        assert sync_account("alder-finch", run_id="prospects").state == "Complete"
    org = orgs.org("alder-finch")
    for sobject, field in (
        ("Prospect__c", "Email__c"),
        ("Page_Prospect__c", "Prospect__c"),
        ("SW_Tag_Segment_Trigger__c", "Lead__c"),
        ("Prospect_Score_Instance__c", "Contact__c"),
        ("SW_Account_Tag_Segment_Trigger__c", "Account__c"),
        ("Account_Score__c", "Account__c"),
        ("SW_Opportunity_Tag__c", "Opportunity__c"),
        ("Opportunity_Score__c", "Opportunity__c"),
    ):
        assert any(row.get(field) for row in org.table(sobject).rows.values()), sobject
    statuses = {row["Sync_Status__c"] for row in org.table("Prospect__c").rows.values()}
    assert statuses == {"Processed"}
    published = BUS[org].published
    assert published
    assert all("updated 1" in each.outcomes for each in published)
    leads = [row for row in org.table("Lead").rows.values() if row.get("Prospect_Id__c")]
    assert any(row["Tags__c"] and row["Temperature__c"] for row in leads)
    [customers] = org.table("Account").rows.values()
    assert customers["Temperature__c"] is not None


def test_another_cycle_after_more_traffic_leaves_one_activity_for_each_row(orgs: LocalOrgServer):
    account = ACCOUNTS["cobalt-harbour"]
    add_traffic(engine("warehouse"), 15, registrations=100, at=datetime.now(UTC))
    with engine("warehouse").connect() as warehouse:
        expected = foreseen(warehouse, account)

    report = sync_account(account.account_id, run_id="second")

    assert report.state == "Complete", report.reason
    events = [
        row
        for row in orgs.org(account.account_id).table("Event").rows.values()
        if not row["IsDeleted"]
    ]
    assert len(events) == expected.activities
    kinds = Counter(row["Subject"] for row in events)
    assert set(kinds) == {
        "Webinar Registration",
        "Webinar Attendance",
        "Webinar On-Demand View",
    }


def test_the_score_that_is_withdrawn_later_holds_no_cycle():
    """Runs after more traffic. The demo has as many prospects, but more registrations."""
    report = sync_account("alder-finch", run_id="withdrawn")

    assert report.state == "Complete", report.reason
    assert report.tally.overall("delete") > 0
