"""A rehearsal says what the client's org would refuse, and speaks to it not at all."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text

from crm_pipeline.accounts.store import FieldMapping, set_field_mapping
from crm_pipeline_tests.cli.conftest import Run, run
from crm_pipeline_tests.cycle.campaigns.scenes import event_id, switch_on
from crm_pipeline_tests.cycle.conftest import ACCOUNT, ORG, Bench, bench_of
from crm_pipeline_tests.flows.webinars.warehouse import add_person, attend, register

__all__ = ["run"]

OBJECTS = {
    "Lead": {
        "fields": {
            "Region__c": {"type": "string", "length": 40, "required": True},
            "Short__c": {"type": "string", "length": 5},
        }
    },
    "CampaignMember": {"fields": {"Minutes__c": {"type": "double", "scale": 0}}},
}


@pytest.fixture
def bench(pipeline: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    with bench_of({"name": ACCOUNT, **ORG, "objects": OBJECTS}, pipeline, monkeypatch) as made:
        switch_on(made)
        yield made


def test_what_would_be_refused_is_listed_before_the_webinar(run: Run, bench: Bench) -> None:
    for person in (1, 2):
        add_person(bench.connection, person, county="Kent" if person == 1 else None)
        register(bench.connection, person, person)
    # A speaker is not sent, so not rehearsed.
    add_person(bench.connection, 3)
    register(bench.connection, 3, 3)
    bench.connection.execute(
        text("UPDATE warehouse.registration SET role = 'speaker' WHERE person_id = 3")
    )
    attend(bench.connection, 1, 1, minute=1)
    for sobject, name, source in (
        ("Lead", "Region__c", "county"),
        ("Lead", "Short__c", "company_name"),
        ("CampaignMember", "Minutes__c", "minutes_attended"),
    ):
        mapping = FieldMapping(sobject, name, source=source)
        set_field_mapping(bench.connection, ACCOUNT, mapping)
    bench.connection.commit()
    looks = ("campaign", "rehearse", ACCOUNT, event_id(bench))
    bench.connection.rollback()
    assert "test-login" in run(*looks, fails=1).stderr
    run("account", "test-login", ACCOUNT)
    said = " ".join(run(*looks).stdout.split())
    assert "REQUIRED_FIELD_MISSING" in said
    assert "Lead.Short__c" in said
    # Whose Lead is refused is no member, and is not taken for somebody else.
    assert "1 Campaign, 1 CampaignMember, 5 CampaignMemberStatus, 3 Event, 2 Lead" in said
    assert "1 record refused. 1 member could not be tried" in said
    assert "role speaker" in said
    assert bench.records("Lead") == []
    operations = bench.connection.scalar(text("SELECT count(*) FROM crm.operation"))
    assert operations == 0


def test_sessions_and_series_are_rehearsed_like_a_cycle(run: Run, bench: Bench) -> None:
    chosen = {
        "grain": "both",
        "series_parent": "series",
        "waitlisted": {"label": "On a list", "priority": 0},
    }
    switch_on(bench, **chosen)
    for person in (1, 2):
        add_person(bench.connection, person, county="Kent")
        register(bench.connection, person, person)
    register(bench.connection, 3, 1, session=2)
    rows = bench.connection
    # Who only waits for one of two sessions is a person; who waits, and nothing else, is nobody.
    add_person(rows, 3)
    for number, person in ((4, 2), (5, 3)):
        register(rows, number, person, session=2)
        rows.execute(
            text(
                "UPDATE warehouse.registration SET status = 'waitlisted' WHERE registration_id=:n"
            ),
            {"n": number},
        )
    # Who is there twice under one address is one person.
    add_person(rows, 4, " P1@EXAMPLE.com", county="Kent")
    register(rows, 6, 4, session=2)
    rows.execute(text("UPDATE warehouse.event SET series = 'Tuesdays'"))
    region = FieldMapping("Lead", "Region__c", source="county")
    set_field_mapping(rows, ACCOUNT, region)
    rows.commit()
    run("account", "test-login", ACCOUNT)
    said = " ".join(run("campaign", "rehearse", ACCOUNT, event_id(bench)).stdout.split())
    # The series, the event, its two sessions; two members of the event, and two of each session.
    assert "4 Campaign, 6 CampaignMember, 18 CampaignMemberStatus, 4 Event, 2 Lead" in said
    assert "; 0 records refused." in said
    assert "Nothing would be refused." in said
    assert "the org is not known to have this person" in said
    # What people named is there already: it is not tried to make it.
    mine = bench.seed("Campaign", Name="Mine")
    run("campaign", "link", ACCOUNT, "session:2", mine, "--yes")
    said = " ".join(run("campaign", "rehearse", ACCOUNT, event_id(bench)).stdout.split())
    assert "3 Campaign, 6 CampaignMember, 12 CampaignMemberStatus" in said
