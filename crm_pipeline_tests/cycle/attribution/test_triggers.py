"""New, updated, matching the filter: three views of one stream, each once for a version."""

from typing import Any

import pytest
from sqlalchemy import text

from crm_pipeline.cadence.purge import purge_firings
from crm_pipeline_tests.cycle.attribution.deals import (
    ID_ON_OPPORTUNITY,
    choose,
    cycle,
    deal,
    deals,
    edit,
    of_lead,
    told,
)
from crm_pipeline_tests.cycle.conftest import Bench
from crm_pipeline_tests.flows.webinars.warehouse import track

__all__ = ["deals"]

MINE: dict[str, Any] = {ID_ON_OPPORTUNITY: "1"}
BIG = {"field": "Amount", "operator": ">=", "value": 1000}
FILTERED: dict[str, Any] = {"triggers": ["matching_filter"], "opportunity_filter": [BIG]}


def firings(bench: Bench, opportunity: str) -> list[tuple[int, str]]:
    """Each firing of an opportunity, by version."""
    rows = bench.connection.execute(
        text(
            "SELECT version, trigger FROM crm.opportunity_firing WHERE opportunity_id = :it"
            " ORDER BY version, trigger"
        ),
        {"it": opportunity},
    )
    found = [(row.version, row.trigger) for row in rows]
    bench.connection.rollback()
    return found


def begin(bench: Bench, **choices: Any) -> None:
    """The account has a tracked lead, and its opportunities were read once."""
    choose(bench, **choices)
    track(bench.connection, 1, contact_name="Ada Lovelace", email="ada@example.com")
    cycle(bench)


@pytest.mark.deep
def test_a_new_one_fires_once_and_each_update_once(deals: Bench) -> None:
    begin(deals)
    made = deal(deals, **MINE)
    cycle(deals)
    cycle(deals)
    assert firings(deals, made) == [(1, "new")]
    edit(deals, made, Amount=5)
    edit(deals, made, Amount=6)
    cycle(deals)
    edit(deals, made, NextStep="call")
    cycle(deals)
    assert firings(deals, made) == [(1, "new"), (2, "updated")]
    assert of_lead(deals, 1, made)["fired"] == {"new": 1, "updated": 2}


def test_old_firings_are_forgotten_and_the_last_ones_are_known_all_the_same(deals: Bench) -> None:
    begin(deals)
    made = deal(deals, **MINE)
    cycle(deals)
    deals.connection.execute(
        text("UPDATE crm.opportunity_firing SET fired_at = now() - interval '20 days'")
    )
    deals.connection.commit()
    edit(deals, made, Amount=5)
    cycle(deals)
    assert purge_firings(deals.connection.engine, days=14) == 1
    assert firings(deals, made) == [(2, "updated")]
    edit(deals, made, Amount=6)
    cycle(deals)
    assert of_lead(deals, 1, made)["fired"] == {"new": 1, "updated": 3}


def test_where_only_updates_are_asked_for_a_new_one_is_not_told(deals: Bench) -> None:
    begin(deals, triggers=["updated"])
    made = deal(deals, **MINE)
    assert cycle(deals) == {}
    edit(deals, made, Amount=5)
    assert cycle(deals)


def test_without_triggers_opportunities_are_not_read(deals: Bench) -> None:
    begin(deals, triggers=[])
    deal(deals, **MINE)
    assert cycle(deals) == {}
    read = deals.connection.scalars(text("SELECT sobject FROM crm.org_position")).all()
    assert set(read) == {"Lead", "Contact"}


@pytest.mark.deep
def test_the_filter_fires_on_entering_and_is_followed_from_then_on(deals: Bench) -> None:
    begin(deals, **FILTERED)
    made = deal(deals, **MINE)
    assert cycle(deals) == {}
    edit(deals, made, Amount=1000)
    cycle(deals)
    assert of_lead(deals, 1, made)["fired"]["matching_filter"] == 2
    edit(deals, made, Amount=2000)
    cycle(deals)
    edit(deals, made, Amount=10)
    cycle(deals)
    assert of_lead(deals, 1, made)["amount"] == "10.00"
    edit(deals, made, Amount=1500)
    cycle(deals)
    assert [each for each in firings(deals, made) if each[1] == "matching_filter"] == [
        (2, "matching_filter")
    ]


def test_re_entering_fires_where_that_is_chosen(deals: Bench) -> None:
    begin(deals, **FILTERED, filter_fires_again=True)
    made = deal(deals, Amount=1000, **MINE)
    for amount in (1000, 10, 1500, 1600):
        edit(deals, made, Amount=amount)
        cycle(deals)
    assert [each for each in firings(deals, made) if each[1] == "matching_filter"] == [
        (1, "matching_filter"),
        (3, "matching_filter"),
    ]


def test_another_filter_fires_for_those_that_fulfil_it_now_and_for_none_twice(
    deals: Bench,
) -> None:
    begin(deals, **FILTERED)
    big, small = deal(deals, Amount=1000, **MINE), deal(deals, Amount=10, **MINE)
    cycle(deals)
    for least in (5, 1000, 5):
        choose(deals, **FILTERED | {"opportunity_filter": [BIG | {"value": least}]})
        cycle(deals)
    assert firings(deals, big)[1:] == [] or firings(deals, big) == [
        (1, "matching_filter"),
        (1, "new"),
    ]
    assert firings(deals, small) == [(1, "matching_filter"), (1, "new")]
    assert len(told(deals)) == 2


def test_a_filter_by_a_field_that_was_not_read_reads_it_and_fires_no_update(deals: Bench) -> None:
    begin(deals)
    made = deal(deals, Region__c="EMEA", **MINE)
    other = deal(deals, Region__c="APAC", **MINE)
    cycle(deals)
    emea = {"field": "Region__c", "value": "emea"}
    choose(deals, triggers=["new", "matching_filter"], opportunity_filter=[emea])
    cycle(deals)
    cycle(deals)
    assert firings(deals, made) == [(1, "matching_filter"), (1, "new")]
    assert firings(deals, other) == [(1, "new")]


def test_names_of_fields_are_written_in_any_case(deals: Bench) -> None:
    choose(
        deals,
        triggers=["matching_filter"],
        opportunity_filter=[
            {"field": "amount", "operator": ">=", "value": 50},
            {"field": "REGION__C", "value": "EU"},
        ],
        opportunity_id_field=ID_ON_OPPORTUNITY.lower(),
        id_field="TRACKER_ID__C",
    )
    track(deals.connection, 1, contact_name="Ada Lovelace", email="ada@example.com")
    cycle(deals)
    made = deal(deals, Region__c="EU", **{ID_ON_OPPORTUNITY: "1"})
    cycle(deals)
    assert of_lead(deals, 1, made)["fired"] == {"new": 1, "matching_filter": 1}


def test_a_field_of_the_filter_that_is_hidden_is_told(deals: Bench) -> None:
    deals.admin("settings", hidden_fields=["Opportunity.Region__c"])
    emea = {"field": "Region__c", "value": "emea"}
    begin(deals, triggers=["new", "matching_filter"], opportunity_filter=[emea])
    deal(deals, Region__c="EMEA", **MINE)
    report = deals.cycle()
    assert report.state == "Complete"
    assert "Region__c" in report.notes


def test_a_field_of_the_filter_that_is_hidden_for_a_while_fires_nothing(deals: Bench) -> None:
    emea = {"field": "Region__c", "value": "emea"}
    chosen = {"triggers": ["matching_filter"], "opportunity_filter": [emea]}
    begin(deals, **chosen, filter_fires_again=True)
    made = deal(deals, Region__c="EMEA", **MINE)
    cycle(deals)
    for hidden in (["Opportunity.Region__c"], []):
        deals.admin("settings", hidden_fields=hidden)
        # A day later the org is described anew.
        deals.connection.execute(text("DELETE FROM crm.sobject_schema"))
        edit(deals, made, Name=f"Engines {len(hidden)}")
        assert cycle(deals).popitem()[1]["name"] == f"Engines {len(hidden)}"
    assert [each for each in firings(deals, made) if each[1] == "matching_filter"] == [
        (1, "matching_filter")
    ]
