"""All that there is of one flow holds up no other: rows, calls and retries are shared."""

from collections.abc import Generator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Engine, text

from crm_pipeline.cadence.due import due_accounts
from crm_pipeline.cycle.cycle import sync_account
from crm_pipeline.declaration import Batch, Flow, Reading
from crm_pipeline.flows.campaigns.flow import CAMPAIGNS
from crm_pipeline.flows.registry import ALL_TOPICS, FLOWS
from crm_pipeline.flows.webinars.flow import WEBINARS
from crm_pipeline.ledger.outcomes import take_retries
from crm_pipeline.ledger.records import RecordWant, Target
from crm_pipeline.report import CycleReport
from crm_pipeline.settings import settings
from crm_pipeline_tests.cadence.rows import an_account, an_operation
from crm_pipeline_tests.cycle.campaigns.scenes import switch_on
from crm_pipeline_tests.cycle.conftest import ACCOUNT, Bench, bench_of
from crm_pipeline_tests.flows.webinars.warehouse import add_person, register
from crm_pipeline_tests.small_calls import small_calls
from crm_pipeline_tests.small_flow.badges import OBJECTS, TOPICS, Badge, as_of, badges_flow
from crm_pipeline_tests.small_flow.conftest import org_of_badges

MANY, SHARE = 10, 4
BADGES = [Badge(number) for number in range(1, MANY + 1)]


def people_register(bench: Bench, *numbers: int) -> None:
    for number in numbers:
        add_person(bench.connection, number)
        register(bench.connection, number, number, minute=number)


def cycle(bench: Bench, flows: Sequence[Flow[Any]]) -> CycleReport:
    bench.connection.commit()
    report = sync_account(ACCOUNT, run_id="test", steps=ALL_TOPICS | TOPICS, flows=flows)
    assert report.state == "Complete", report.reason
    return report


def due(flows: Sequence[Flow[Any]]) -> list[str]:
    return [each.reason for each in due_accounts(only_urgent=True, flows=flows)]


def test_a_full_sync_of_one_flow_leaves_the_webinars_their_hour(bench: Bench) -> None:
    flows = [*FLOWS, replace(badges_flow(BADGES, at_a_time=2), share=SHARE)]
    people_register(bench, 1)
    report = cycle(bench, flows)
    assert "badges: 4 rows were new; the next cycle reads on from there" in report.notes
    assert (len(bench.records("Event")), len(bench.records("Badge__c"))) == (1, SHARE)
    assert due(flows) == ["new rows"]
    people_register(bench, 2)
    cycle(bench, flows)
    assert (len(bench.records("Event")), len(bench.records("Badge__c"))) == (2, 2 * SHARE)
    cycle(bench, flows)
    assert len(bench.records("Badge__c")) == MANY
    assert due(flows) == []


def test_a_full_sync_of_webinars_leaves_the_others_theirs(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHUNK_ROWS", "2")
    settings.cache_clear()
    switch_on(bench)
    small: list[Flow[Any]] = [replace(WEBINARS, share=SHARE), replace(CAMPAIGNS, share=SHARE)]
    flows: list[Flow[Any]] = [*small, badges_flow([Badge(1)], watches=())]
    people_register(bench, *range(1, MANY + 1))
    cycle(bench, flows)
    assert len(bench.records("Event")) == len(bench.records("CampaignMember")) == SHARE
    assert len(bench.records("Badge__c")) == 1
    for _ in range(2):
        assert due(flows) == ["new rows"]
        cycle(bench, flows)
    assert len(bench.records("Event")) == len(bench.records("CampaignMember")) == MANY
    assert cycle(bench, flows).counts.api_calls == 0
    assert due(flows) == []


@pytest.mark.parametrize(
    ("failed", "taken"),
    [
        ({"badges": 1_000, "webinars": 3}, {"badges": 47, "webinars": 3}),
        ({"badges": 1_000, "webinars": 1_000}, {"badges": 25, "webinars": 25}),
        ({"webinars": 60}, {"webinars": 50}),
        ({"badges": 2, "webinars": 3}, {"badges": 2, "webinars": 3}),
    ],
)
def test_retries_are_taken_of_each_flow_in_turn_the_oldest_first(
    pipeline: Any, failed: dict[str, int], taken: dict[str, int]
) -> None:
    with pipeline.connect() as connection:
        an_account(connection, "a")
        for flow, number in failed.items():
            for nth in range(number):
                an_operation(connection, "a", f"{flow}:{nth}", flow=flow, state="failed")
        ids = list(take_retries(connection, "a", limit=50))
        found = connection.execute(
            text(
                "SELECT flow, count(*), max(split_part(natural_key, ':', 2)::int) AS last"
                " FROM crm.operation WHERE operation_id = any(:ids) GROUP BY flow ORDER BY flow"
            ),
            {"ids": ids},
        ).all()
    assert found == [(flow, number, number - 1) for flow, number in taken.items()]


def test_calls_are_shared_where_they_are_limited(bench: Bench) -> None:
    """Webinars with work for many cycles leave calls for the others."""
    bench.settings(api_calls_per_cycle=20, route="composite")
    people_register(bench, *range(1, 61))
    flows = [*FLOWS, badges_flow([Badge(1)], watches=())]
    bench.connection.commit()
    cycle = partial(sync_account, ACCOUNT, run_id="test", steps=ALL_TOPICS | TOPICS, flows=flows)
    with small_calls():
        report = cycle()
        assert (report.state, report.counts.api_calls) == ("Paused", 20)
        assert "This cycle's 20 API calls are spent; the next one goes on" in report.reason
        assert len(bench.records("Badge__c")) == 1
        assert 0 < len(bench.records("Event")) < len(bench.records("Lead"))
        assert "Complete" in [cycle().state for _ in range(4)]
    assert len(bench.records("Event")) == 60


def cards_flow(number: int) -> Flow[Any]:
    """Another flow that writes records of its own, so many, to the same object."""
    badges = badges_flow([Badge(each) for each in range(1, number + 1)], watches=())
    [source] = badges.sources

    def read(reading: Reading[Any]) -> Generator[Batch]:
        for chunk in source.read(reading.ledger, None):
            wants = [
                RecordWant(
                    f"card:{each.number}",
                    "cards",
                    as_of(each),
                    Target("Badge__c", ("Badge_Key__c", f"card {each.number}")),
                    {"Level__c": each.number},
                )
                for each in chunk.rows
            ]
            yield Batch(source.name, len(chunk.rows), (), chunk.position, wants=wants)

    topic = replace(badges.topics[0], name="cards", group="cards")
    return replace(badges, name="cards", topics=(topic,), outside=(), read=read)


@pytest.mark.parametrize("first", ["badges", "cards"])
def test_records_of_several_flows_share_the_calls_by_flow(bench: Bench, first: str) -> None:
    """A flow with records for many cycles leaves calls for another one's few."""
    bench.settings(api_calls_per_cycle=20, route="composite")
    two = [badges_flow([Badge(each) for each in range(1, 101)], watches=()), cards_flow(3)]
    flows = [*FLOWS, *(two if first == "badges" else reversed(two))]
    steps = ALL_TOPICS | TOPICS | {"cards"}
    bench.connection.commit()
    with small_calls():
        report = sync_account(ACCOUNT, run_id="test", steps=steps, flows=flows)
    assert (report.state, report.counts.api_calls) == ("Paused", 20)
    keys = [row["Badge_Key__c"] for row in bench.records("Badge__c")]
    assert sorted(key for key in keys if key.startswith("card")) == ["card 1", "card 2", "card 3"]
    assert 10 < len(keys) < 100


def test_records_of_a_flow_that_is_off_neither_go_nor_hold_up_others(
    pipeline: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even where the org lacks their object."""
    badges = badges_flow([Badge(1, calls=True)], watches=())
    steps = ALL_TOPICS | TOPICS | {"cards"}
    no_calls = {name: each for name, each in OBJECTS.items() if name != "Call__e"}
    with bench_of(org_of_badges() | {"objects": no_calls}, pipeline, monkeypatch) as bench:
        report = sync_account(ACCOUNT, run_id="test", steps=steps, flows=[*FLOWS, badges])
        assert (report.state, bench.states()["call:1"]) == ("Failed", "pending")
        flows = [*FLOWS, replace(badges, settings=lambda _: None), cards_flow(1)]
        report = sync_account(ACCOUNT, run_id="test", steps=steps, flows=flows)
        assert report.state == "Complete", report.reason
        assert [row["Badge_Key__c"] for row in bench.records("Badge__c")] == ["card 1"]
        assert bench.states()["call:1"] == "pending"
