"""Templates of mappings, from the warehouse to the org."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, text

from crm_pipeline.accounts.store import FieldMapping, read_from_the_start, set_field_mapping
from crm_pipeline.accounts.templates import source_of
from crm_pipeline.sources.mapping import missed_told
from crm_pipeline_tests.cycle.campaigns.scenes import switch_on
from crm_pipeline_tests.cycle.conftest import ACCOUNT, ORG, Bench, bench_of
from crm_pipeline_tests.flows.webinars.warehouse import add_person, attend, register

TEXT = {"type": "string", "length": 80}


@pytest.fixture
def bench(pipeline: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    fields = dict.fromkeys(("Full__c", "Region__c", "Budget__c", "Band__c"), TEXT)
    objects = {sobject: {"fields": fields} for sobject in ("Lead", "Event", "CampaignMember")}
    with bench_of({"name": ACCOUNT, **ORG, "objects": objects}, pipeline, monkeypatch) as made:
        yield made


def fills(bench: Bench, sobject: str, field: str, *columns: str, **rules: Any) -> None:
    mapping = FieldMapping(sobject, field, source_of(columns, rules))
    set_field_mapping(bench.connection, ACCOUNT, mapping)
    bench.connection.commit()


def answers(bench: Bench, number: int, said: str) -> None:
    bench.connection.execute(
        text("UPDATE warehouse.registration SET answers = :said WHERE registration_id = :number"),
        {"said": said, "number": number},
    )


def lead(bench: Bench, *fields: str) -> list[Any]:
    [found] = bench.records("Lead")
    return [found.get(f"{field}__c") for field in fields]


def test_templates_fill_people_activities_and_members(bench: Bench) -> None:
    switch_on(bench)
    fills(bench, "Lead", "Full__c", "surname", "first_name", separator=", ")
    fills(bench, "Lead", "Region__c", "county", lookup={"BY": "Bavaria"}, default="elsewhere")
    fills(bench, "Lead", "Band__c", "webinars_registered", lookup={"1": "new", "2": "back"})
    fills(bench, "Event", "Full__c", "registered_at", date_format="%d.%m.%Y")
    fills(bench, "Event", "Region__c", "county", lookup={"BY": "Bavaria"})
    long = {"lookup": {"30": "half an hour"}, "default": "unknown"}
    fills(bench, "CampaignMember", "Band__c", "minutes_attended", **long)
    add_person(bench.connection, 1, county="by")
    add_person(bench.connection, 2, county="Atlantis")
    register(bench.connection, 1, 1)
    register(bench.connection, 2, 1, session=2)
    register(bench.connection, 3, 2)
    report = bench.cycle()
    people = [[r[f"{f}__c"] for f in ("Full", "Region", "Band")] for r in bench.records("Lead")]
    assert sorted(people) == [
        ["Last 1, First 1", "Bavaria", "back"],
        ["Last 2, First 2", "elsewhere", "new"],
    ]
    events = bench.records("Event")
    assert {each["Full__c"] for each in events} == {"01.03.2026"}
    assert sorted(each.get("Region__c") or "" for each in events) == ["", "Bavaria", "Bavaria"]
    assert {each["Band__c"] for each in bench.records("CampaignMember")} == {"unknown"}
    assert missed_told(ACCOUNT, {"Event.Region__c": 1, "Lead.Region__c": 1}) in report.notes
    attend(bench.connection, 4, 1, minute=1)
    bench.connection.execute(text("UPDATE warehouse.attendance SET minutes_attended = 30"))
    bench.cycle()
    bands = sorted(each["Band__c"] for each in bench.records("CampaignMember"))
    assert bands == ["half an hour", "unknown"]
    fills(bench, "CampaignMember", "Band__c", "minutes_attended", default="other")
    bench.cycle()
    bands = sorted(str(each["Band__c"]) for each in bench.records("CampaignMember"))
    assert bands == ["30", "other"], "members are read again, by the mapping that changed"


@pytest.mark.parametrize("answered_first", [True, False])
def test_a_default_gives_way_to_what_any_row_says_however_late_it_is_read(
    bench: Bench, *, answered_first: bool
) -> None:
    fills(bench, "Lead", "Budget__c", "answers.budget", default="not asked")
    add_person(bench.connection, 1)
    register(bench.connection, 1, 1)
    register(bench.connection, 2, 1, session=2, minute=5)
    answers(bench, 1 if answered_first else 2, '{"budget": "10k"}')
    bench.cycle()
    assert lead(bench, "Budget") == ["10k"]


def test_another_default_takes_the_place_of_the_former_and_of_nothing_that_was_said(
    bench: Bench,
) -> None:
    fills(bench, "Lead", "Budget__c", "answers.budget", default="not asked")
    fills(bench, "Lead", "Region__c", "answers.region", default="nowhere")
    add_person(bench.connection, 1)
    register(bench.connection, 1, 1)
    bench.cycle()
    assert lead(bench, "Budget", "Region") == ["not asked", "nowhere"]
    register(bench.connection, 2, 1, session=2, minute=5)
    answers(bench, 2, '{"region": "nowhere"}')
    bench.cycle()
    fills(bench, "Lead", "Budget__c", "answers.budget", default="unknown")
    fills(bench, "Lead", "Region__c", "answers.region", default="anywhere")
    read_from_the_start(bench.connection, ACCOUNT)
    bench.cycle()
    assert lead(bench, "Budget", "Region") == ["unknown", "nowhere"]
