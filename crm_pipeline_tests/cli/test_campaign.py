from sqlalchemy import Engine, text

from crm_pipeline.local_org.store import Org
from crm_pipeline_tests.cli.conftest import Run
from crm_pipeline_tests.flows.webinars.warehouse import add_person, attend, register


def one_registration(pipeline: Engine) -> int:
    with pipeline.begin() as connection:
        add_person(connection, 1)
        register(connection, 1, 1)
        event: int = connection.execute(text("SELECT event_id FROM warehouse.event")).scalar_one()
    return event


def test_a_linked_event_is_read_again_and_it_is_said_before_what_that_costs(
    run: Run, org: Org, pipeline: Engine
):
    event = one_registration(pipeline)
    run("account", "set", "acme", 'campaigns={"create_campaigns": false}', "--yes")
    assert '{"create_campaigns":false}' in run("account", "show", "acme").stdout
    run("cycle", "acme")
    campaign = org.table("Campaign")
    assert not campaign.rows
    said = run("campaign", "link", "acme", event, "701000000000001", typed="y\n").stdout
    assert "1 event with 1 registrations and attendances are to be read: at most 5" in said
    listed = run("campaign", "list", "acme").stdout
    assert "701000000000001" in listed
    assert "1 rows wait" in listed


def test_who_switches_campaigns_on_is_told_first_what_that_costs(
    run: Run, org: Org, pipeline: Engine
):
    one_registration(pipeline)
    run("cycle", "acme")
    said = run("account", "set", "acme", "campaigns={}", typed="n\n", fails=1).stdout
    assert "1 event with 1 registrations and attendances are to be read: at most 5 API" in said
    assert "today's First Responded Date, 0 at most." in said
    run("cycle", "acme")
    assert not org.table("Campaign").rows, "who says no leaves campaigns off"
    run("account", "set", "acme", "campaigns={}", typed="y\n")
    run("cycle", "acme")
    assert len(org.table("CampaignMember").rows) == 1


def test_a_back_fill_says_what_it_costs_and_may_be_left(run: Run, org: Org, pipeline: Engine):
    one_registration(pipeline)
    run("account", "set", "acme", "campaigns={}", "--yes")
    run("cycle", "acme")
    assert len(org.table("CampaignMember").rows) == 1
    with pipeline.begin() as connection:
        attend(connection, 1, 1)
    said = run("campaign", "backfill", "acme", typed="n\n", fails=1).stdout
    assert "at most 5 API calls" in said
    assert "What is new takes 1 MB of data storage at most" in said
    assert "gets today's First Responded Date, 1 at most." in said
    run("campaign", "backfill", "acme", "--yes")
    assert "rows wait" in run("campaign", "list", "acme").stdout
    run("cycle", "acme")
    listed = run("campaign", "list", "acme").stdout
    assert "rows wait" not in listed
    assert len(org.table("CampaignMember").rows) == 1


def test_a_setting_that_has_all_read_again_says_first_what_that_costs(
    run: Run, org: Org, pipeline: Engine
):
    one_registration(pipeline)
    renamed = 'campaigns={"registered": {"label": "Signed up", "priority": 1}}'
    run("account", "set", "acme", "campaigns={}", "--yes")
    run("cycle", "acme")
    for change in (
        ("account", "set", "acme", renamed),
        ("account", "mapping", "set", "acme", "CampaignMember.Source__c", "--constant=x"),
    ):
        said = run(*change, typed="n\n", fails=1).stdout
        assert "1 event with 1 registrations and attendances" in said
        assert "at most 5 API calls, over about 1 cycle." in said
    run("cycle", "acme")
    [member] = org.table("CampaignMember").rows.values()
    assert member["Status"] == "Registered", "who says no leaves all as it was"
    run("account", "set", "acme", renamed, "--yes")
    run("cycle", "acme")
    [member] = org.table("CampaignMember").rows.values()
    assert member["Status"] == "Signed up"
    assert "\tfound or created\t1\t0\t" in run("campaign", "list", "acme").stdout
    assert "to be read" not in run("account", "set", "acme", "parallel_requests=2").stdout


def test_mistakes_are_told_in_one_line(run: Run, org: Org, pipeline: Engine):
    event = one_registration(pipeline)
    assert "campaigns off" in run("campaign", "backfill", "acme", event, fails=1).stderr
    run("account", "set", "acme", "campaigns={}", "--yes")
    assert "not the Id of a campaign" in run("campaign", "link", "acme", event, "x", fails=1).stderr
    assert "no event 5" in run("campaign", "backfill", "acme", 5, fails=1).stderr
    assert "no campaign yet" in run("campaign", "backfill", "acme", fails=1).stderr
