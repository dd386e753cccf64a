"""Speakers and staff are no leads, unless the account wants them."""

from sqlalchemy import text

from crm_pipeline_tests.cycle.campaigns.scenes import switch_on
from crm_pipeline_tests.cycle.conftest import Bench
from crm_pipeline_tests.flows.webinars.warehouse import add_person, attend, register


def three_roles(bench: Bench) -> None:
    for person, role in ((1, None), (2, "Speaker"), (3, "sponsor")):
        add_person(bench.connection, person)
        register(bench.connection, person, person)
        attend(bench.connection, person, person, minute=person)
        for table in ("registration", "attendance"):
            bench.connection.execute(
                text(f"UPDATE warehouse.{table} SET role = :role WHERE person_id = :person"),
                {"role": role, "person": person},
            )


def names(bench: Bench) -> list[str]:
    return [each["LastName"] for each in bench.records("Lead")]


def test_only_attendees_become_leads_activities_and_members(bench: Bench) -> None:
    switch_on(bench)
    three_roles(bench)
    report = bench.cycle()
    assert names(bench) == ["Last 1"]
    assert len(bench.records("Event")) == 2
    assert len(bench.records("CampaignMember")) == 1
    reasons = {
        outcome: number
        for outcome, number in report.tally.by_topic["filtered_leads"].items()
        if outcome.startswith("rejected: ")
    }
    assert reasons == {"rejected: role speaker": 2, "rejected: role sponsor": 2}


def test_the_account_says_whom_it_wants(bench: Bench) -> None:
    bench.settings(roles=["attendee", "Speaker"])
    three_roles(bench)
    bench.cycle()
    assert names(bench) == ["Last 1", "Last 2"]


def test_who_comes_in_another_role_after_all_goes_as_a_filtered_address_does(bench: Bench) -> None:
    bench.settings(roles=["attendee", "speaker"])
    switch_on(bench)
    three_roles(bench)
    bench.cycle()
    assert len(bench.records("Event")) == 4
    for role, vanished, left in (("Host", "keep", 4), ("Staff", "delete", 2)):
        bench.settings(vanished=vanished)
        for table in ("registration", "attendance"):
            now = f"UPDATE warehouse.{table} SET role = :role, shipped_at = now()"
            bench.connection.execute(text(f"{now} WHERE person_id = 2"), {"role": role})
        bench.cycle()
        assert len(bench.records("Event")) == left
        assert len(bench.records("CampaignMember")) == left / 2
