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
    assert "1 Campaign, 2 CampaignMember, 3 Event, 2 Lead; 1 record refused" in said
    assert bench.records("Lead") == []
    operations = bench.connection.scalar(text("SELECT count(*) FROM crm.operation"))
    assert operations == 0
