"""Members that people put into a campaign become the platform's registrants, each once."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, text

from crm_pipeline.cadence.due import due_accounts
from crm_pipeline.ledger.campaigns import add_campaign_link
from crm_pipeline.local_org import dml
from crm_pipeline.local_org.transaction import WriteContext, committed
from crm_pipeline_tests.cli.conftest import Run, run
from crm_pipeline_tests.cycle.campaigns.scenes import delete, event_id, switch_on
from crm_pipeline_tests.cycle.conftest import ACCOUNT, ORG, Bench, bench_of
from crm_pipeline_tests.flows.webinars.warehouse import (
    CLIENT,
    LONG_AGO,
    add_person,
    insert,
    register,
)

__all__ = ["run"]

LINK = {"Join_Link__c": {"type": "string", "length": 255}}
DAYS = {"starts_at": LONG_AGO, "ends_at": LONG_AGO, "shipped_at": LONG_AGO}
CHOSEN = {"from_salesforce": "register", "register_from": ["Please register"]}


@pytest.fixture
def bench(pipeline: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    org = {"name": ACCOUNT, **ORG, "objects": {"CampaignMember": {"fields": LINK}}}
    with bench_of(org, pipeline, monkeypatch) as made:
        made.settings(read_back_minutes=0)
        switch_on(made)
        add_person(made.connection, 1)
        register(made.connection, 1, 1)
        made.cycle()
        [campaign] = made.records("Campaign")
        status = {"CampaignId": campaign["Id"], "Label": "Please register", "SortOrder": 9}
        made.seed("CampaignMemberStatus", **status)
        yield made


def wish(bench: Bench, name: str, campaign: str | None = None, **fields: Any) -> str:
    """Somebody puts a lead of theirs into the campaign, by default the only one."""
    known = {"LastName": name, "Company": "C", "Email": f"{name}@example.com"}
    lead = bench.seed("Lead", **known, **fields)
    if campaign is None:
        [campaign] = [each["Id"] for each in bench.records("Campaign")]
    member = {"CampaignId": campaign, "LeadId": lead, "Status": "Please register"}
    made = bench.admin("create", object="CampaignMember", fields=member)
    return str(made["id"])


def told(bench: Bench) -> list[dict[str, Any]]:
    bodies = bench.connection.scalars(
        text(
            "SELECT body FROM platform_inbox.message"
            " WHERE topic = 'registrants_from_campaigns'"
            " ORDER BY body ->> 'email', body ->> 'sessions'"
        )
    ).all()
    bench.connection.rollback()
    return list(bodies)


def test_who_is_put_into_a_campaign_is_told_once_and_goes_on(run: Run, bench: Bench) -> None:
    there = wish(bench, "ann")
    wish(bench, "eve", HasOptedOutOfEmail=True)
    bench.connection.commit()
    says = 'campaigns={"from_salesforce": "register", "register_from": ["Please register"]}'
    asked = run("account", "set", ACCOUNT, says, fails=1).stderr
    assert "2 members of 1 campaign have one of these statuses" in asked
    assert "500 in a cycle at most" in asked
    switch_on(bench, **CHOSEN, join_link_field="Join_Link__c")
    bench.cycle()
    [body] = told(bench)
    assert body == {
        "action": "register",
        "event_id": event_id(bench),
        "sessions": [1, 2],
        "email": "ann@example.com",
        "first_name": None,
        "last_name": "ann",
        "member_id": there,
        "campaign_id": bench.records("Campaign")[0]["Id"],
        "person_id": body["person_id"],
    }
    assert bench.cycle().tally["registrants_from_campaigns", "told"] == 0
    assert len(told(bench)) == 1

    # The platform's answer is a row of the warehouse: the same member becomes Registered.
    add_person(bench.connection, 2, "ann@example.com")
    register(bench.connection, 2, 2, minute=5)
    bench.connection.execute(
        text("UPDATE warehouse.registration SET join_link = 'https://j/2' WHERE person_id = 2")
    )
    bench.cycle()
    [ann] = [each for each in bench.records("CampaignMember") if each["Id"] == there]
    assert (ann["Status"], ann["Join_Link__c"]) == ("Registered", "https://j/2")
    assert len(bench.records("CampaignMember")) == 3
    assert bench.cycle().state == "Complete"
    assert len(told(bench)) == 1


@pytest.mark.deep
def test_a_webinar_that_was_full_answers_with_the_waiting_list(bench: Bench) -> None:
    there = wish(bench, "ann")
    switch_on(bench, **CHOSEN, waitlisted={"label": "Waitlisted", "priority": 0.5})
    bench.cycle()
    add_person(bench.connection, 2, "ann@example.com")
    register(bench.connection, 2, 2, minute=5)
    bench.connection.execute(
        text("UPDATE warehouse.registration SET status = 'waitlisted' WHERE person_id = 2")
    )
    bench.cycle()
    [ann] = [each for each in bench.records("CampaignMember") if each["Id"] == there]
    assert ann["Status"] == "Waitlisted"
    assert len(bench.records("Lead")) == 2, "the one who registered, and the one who was put there"
    assert bench.cycle().counts.api_calls == 1, "nothing waits, nothing is sent again"
    assert len(told(bench)) == 1, "asked once, whatever the answer"


@pytest.mark.deep
def test_people_of_a_campaign_are_told_before_anybody_has_registered(
    run: Run, bench: Bench
) -> None:
    """Its event was linked by hand, and has no row yet; what is left over makes the account due."""
    whose = {"event_id": 7, "client_id": CLIENT, **DAYS}
    insert(bench.connection, "event", name="Next", **whose)
    insert(bench.connection, "event_session", event_session_id=7, title="Talk", **whose)
    campaign = bench.seed("Campaign", Name="Next")
    label = {"Label": "Please register", "SortOrder": 9}
    bench.seed("CampaignMemberStatus", CampaignId=campaign, **label)
    for name in ("ann", "bob"):
        lead = bench.seed("Lead", LastName=name, Company="C", Email=f"{name}@example.com")
        status = {"Status": "Please register", "CampaignId": campaign}
        bench.seed("CampaignMember", LeadId=lead, **status)
    bench.connection.commit()
    run("campaign", "link", ACCOUNT, "7", campaign, "--yes")
    says = 'campaigns={"from_salesforce": "invite", "register_from": ["Please register"]}'
    assert "2 members of 2 campaigns" in run("account", "set", ACCOUNT, says, fails=1).stderr
    switch_on(bench, **CHOSEN, most_registrations_per_cycle=1)
    report = bench.cycle()
    assert report.tally["registrants_from_campaigns", "members_wanted"] == 2
    assert [(each["email"][:3], each["event_id"]) for each in told(bench)] == [("ann", 7)]
    assert [each.reason for each in due_accounts(only_urgent=False)] == ["unfinished"]
    bench.settings(read_back_minutes=1440)
    bench.cycle()
    assert len(told(bench)) == 2
    assert due_accounts(only_urgent=False) == []


def test_what_we_gave_is_no_wish(bench: Bench) -> None:
    """A status of the account's own ladder may be among those that people use."""
    switch_on(bench, from_salesforce="invite", register_from=["Registered"])
    bench.cycle()
    bench.cycle()
    assert told(bench) == []


def test_so_many_are_told_in_a_cycle(bench: Bench) -> None:
    for name in ("ann", "bob", "cid"):
        wish(bench, name)
    switch_on(bench, **CHOSEN, most_registrations_per_cycle=2)
    bench.cycle()
    assert len(told(bench)) == 2
    bench.cycle()
    assert [each["email"][:3] for each in told(bench)] == ["ann", "bob", "cid"]


def test_who_is_not_wanted_any_more_while_they_wait_is_not_told(run: Run, bench: Bench) -> None:
    """A campaign that is linked later is counted first; its people wait for cycles with room."""
    switch_on(bench, **CHOSEN, most_registrations_per_cycle=1)
    bench.connection.commit()
    campaign = bench.seed("Campaign", Name="Invited")
    label = {"Label": "Please register", "SortOrder": 9}
    bench.seed("CampaignMemberStatus", CampaignId=campaign, **label)
    members, leads = {}, {}
    for name in ("ann", "bob", "cid", "dan", "eve"):
        leads[name] = bench.seed("Lead", LastName=name, Company="C", Email=f"{name}@example.com")
        known = {"LeadId": leads[name], "CampaignId": campaign, "Status": "Please register"}
        members[name] = bench.seed("CampaignMember", **known)
    linked = ("campaign", "link", ACCOUNT, event_id(bench), campaign)
    bench.connection.rollback()
    asked = run(*linked, fails=1).stderr
    assert "5 members of 1 campaign have one of these statuses" in asked
    assert "1 in a cycle at most" in asked
    run(*linked, "--yes")
    bench.cycle()
    org = bench.org
    with committed(WriteContext(org, next(iter(org.users.values())).id)) as context:
        sent = {"Status": "Sent"}
        dml.saved_id(dml.update(org, context, "CampaignMember", members["bob"], sent))
        no = {"HasOptedOutOfEmail": True}
        dml.saved_id(dml.update(org, context, "Lead", leads["dan"], no))
    delete(bench, "CampaignMember", members["cid"])
    later = "UPDATE crm.campaign_wish SET seen_at = seen_at - interval '11 minutes'"
    # A cycle that does not read the org back cannot know who is still wanted.
    bench.settings(read_back_minutes=60)
    bench.connection.execute(text(later))
    bench.cycle()
    assert [each["email"][:3] for each in told(bench)] == ["ann"]
    bench.settings(read_back_minutes=0)
    reports = []
    for _ in range(4):
        bench.connection.execute(text(later))
        reports.append(bench.cycle())
    assert [each["email"][:3] for each in told(bench)] == ["ann", "eve"]
    withdrawn = [each.tally["registrants_from_campaigns", "withdrawn"] for each in reports]
    assert sum(withdrawn) == 3
    assert reports[-1].counts.api_calls == 1, "nothing waits, nothing is looked at again"


def test_an_idle_reading_costs_a_call(bench: Bench) -> None:
    switch_on(bench, **CHOSEN)
    bench.cycle()
    assert bench.cycle().counts.api_calls == 1
    switch_on(bench)
    assert bench.cycle().counts.api_calls == 0


@pytest.mark.deep
def test_who_is_put_into_the_campaign_of_sessions_is_told_for_each_of_them(bench: Bench) -> None:
    switch_on(bench, grain="session", series_parent="series", **CHOSEN)
    bench.connection.execute(text("UPDATE warehouse.event SET series = 'Tuesdays'"))
    bench.cycle()
    for name in ("Expo: Session 1, 2026-03-01", "Tuesdays"):
        [campaign] = [each["Id"] for each in bench.records("Campaign") if each["Name"] == name]
        bench.seed(
            "CampaignMemberStatus", CampaignId=campaign, Label="Please register", SortOrder=9
        )
        wish(bench, name[0], campaign)
    bench.cycle()
    [body] = told(bench)
    assert body["email"] == "E@example.com".casefold()
    assert (body["event_id"], body["sessions"]) == (event_id(bench), [1])
    # The same campaign is named for another session.
    add_campaign_link(bench.connection, ACCOUNT, "session:2", body["campaign_id"][:15])
    bench.cycle()
    assert [each["sessions"] for each in told(bench)] == [[1], [2]]
    assert bench.cycle().tally["registrants_from_campaigns", "told"] == 0
