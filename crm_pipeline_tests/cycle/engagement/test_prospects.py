"""Prospects, tags and scores go to the org, and are aligned there."""

from typing import Any

import pytest

from crm_pipeline.ledger.engagement import request_reading
from crm_pipeline.local_org.ids import long_id
from crm_pipeline_tests.cycle.conftest import ACCOUNT, Bench
from crm_pipeline_tests.cycle.engagement.conftest import complete
from crm_pipeline_tests.cycle.test_a_restored_backup import back_up, restore, the_next_second
from crm_pipeline_tests.flows.engagement.warehouse import (
    define_score,
    define_tag,
    now,
    prospect,
    score,
    tag,
    take_away,
)


def by(records: list[dict[str, Any]], key: str) -> dict[Any, dict[str, Any]]:
    return {each[key]: each for each in records}


def test_a_prospect_goes_with_its_tags_and_scores(bench: Bench) -> None:
    define_tag(bench.connection, "hot", category="Interest")
    define_score(bench.connection, "fit")
    prospect(bench.connection, "p1", first_name="Ada", favorite=True, temperature=71.5)
    tag(bench.connection, "p1", "hot", times=3)
    score(bench.connection, "p1", "fit", 12.5, grade="B")
    report = complete(bench)
    [tag_record] = bench.records("SW_Tag__c")
    assert (tag_record["Tag_Id__c"], tag_record["Name"]) == ("hot", "Hot")
    assert tag_record["Category__c"] == "Interest"
    [record] = bench.records("Prospect__c")
    assert record["Prospect_Id__c"] == "p1"
    assert record["First_Name__c"] == "Ada"
    assert (record["Favorite__c"], record["Temperature__c"]) == (True, 71.5)
    assert record["Sync_Status__c"] == "Processed"
    [given] = bench.records("SW_Prospect_Tag__c")
    assert given["Prospect_Tag_Key__c"] == "p1:hot"
    assert (given["Prospect__c"], given["SW_Tag__c"]) == (record["Id"], tag_record["Id"])
    assert given["Times__c"] == 3
    [value] = bench.records("Prospect_Score__c")
    assert (value["Value__c"], value["Grade__c"]) == (12.5, "B")
    assert report.tally["get_prospects", "examined"] == 1
    for topic in ("get_tags", "get_prospects", "prospect_tags", "prospect_scores"):
        assert report.tally[topic, "create"] == 1
    assert complete(bench).counts.api_calls == 1


def test_tags_that_differ_by_a_blank_are_two_and_both_arrive(bench: Bench) -> None:
    for each in ("hot", "hot ", " hot"):
        define_tag(bench.connection, each)
    prospect(bench.connection, "p1")
    for each in ("hot", "hot ", " hot"):
        tag(bench.connection, "p1", each)
    complete(bench)
    assert len(bench.records("SW_Tag__c")) == len(bench.records("SW_Prospect_Tag__c")) == 3
    assert complete(bench).counts.api_calls == 1


def test_prospects_go_to_no_other_org_than_the_one_that_has_them(bench: Bench) -> None:
    """No person was ever matched there: the records alone tell that the org is another one."""
    prospect(bench.connection, "p1")
    complete(bench)
    bench.org.id = str(long_id("00DREFRESHED000"))
    prospect(bench.connection, "p2")
    report = bench.cycle()
    assert (report.state, report.counts.api_calls) == ("Failed", 0)
    assert "The login leads to org 00DREFRESHED000" in report.reason
    assert len(bench.records("Prospect__c")) == 1


def test_what_a_prospect_no_longer_has_is_deleted(bench: Bench) -> None:
    for each in ("a", "b"):
        define_tag(bench.connection, each)
    prospect(bench.connection, "p1")
    tag(bench.connection, "p1", "a")
    tag(bench.connection, "p1", "b", times=1)
    complete(bench)
    take_away(bench.connection, "prospect_tag", tag_id="a")
    tag(bench.connection, "p1", "b", times=2)
    report = complete(bench)
    assert by(bench.records("SW_Prospect_Tag__c"), "Prospect_Tag_Key__c").keys() == {"p1:b"}
    assert report.tally["prospect_tags", "delete"] == 1
    assert report.tally["prospect_tags", "update"] == 1


def test_a_definition_that_is_withdrawn_takes_what_was_given_along(bench: Bench) -> None:
    define_tag(bench.connection, "hot")
    define_tag(bench.connection, "cold")
    prospect(bench.connection, "p1")
    tag(bench.connection, "p1", "hot")
    lead = bench.seed("Lead", LastName="L", Company="C", Email="P1@x.example")
    complete(bench)
    assert [each["Lead__c"] for each in bench.records("SW_Tag_Segment_Trigger__c")] == [lead]
    take_away(bench.connection, "tag_definition", tag_id="hot")
    complete(bench)
    assert by(bench.records("SW_Tag__c"), "Tag_Id__c").keys() == {"cold"}
    assert bench.records("SW_Prospect_Tag__c") == []
    assert bench.records("SW_Tag_Segment_Trigger__c") == []
    define_tag(bench.connection, "hot")
    complete(bench)
    assert len(bench.records("SW_Prospect_Tag__c")) == 1
    assert len(bench.records("SW_Tag_Segment_Trigger__c")) == 1


def test_a_renamed_tag_is_renamed_everywhere(bench: Bench) -> None:
    define_tag(bench.connection, "hot")
    prospect(bench.connection, "p1")
    tag(bench.connection, "p1", "hot")
    complete(bench)
    define_tag(bench.connection, "hot", name="Very hot")
    complete(bench)
    assert bench.records("SW_Tag__c")[0]["Name"] == "Very hot"
    assert bench.records("SW_Prospect_Tag__c")[0]["Name"] == "Very hot"


def test_keys_that_differ_by_capitals_are_those_of_two(bench: Bench) -> None:
    """The second prospect was refused as having the key of the first, and so was its tag."""
    for each in ("hot", "HOT"):
        define_tag(bench.connection, each)
        for name in ("ada", "Ada"):
            prospect(bench.connection, name)
            tag(bench.connection, name, each)
    complete(bench)
    assert by(bench.records("Prospect__c"), "Prospect_Id__c").keys() == {"ada", "Ada"}
    assert len(bench.records("SW_Prospect_Tag__c")) == 4
    assert set(bench.states().values()) == {"done"}


def test_prospects_that_did_not_change_since_the_start_are_left_out(bench: Bench) -> None:
    define_tag(bench.connection, "hot")
    prospect(bench.connection, "p1")
    tag(bench.connection, "p1", "hot")
    bench.connection.commit()
    bench.settings(start_at=now().isoformat())
    prospect(bench.connection, "p2")
    report = complete(bench)
    assert by(bench.records("Prospect__c"), "Prospect_Id__c").keys() == {"p2"}
    assert report.tally["get_prospects", "before_start"] == 1
    assert len(bench.records("SW_Tag__c")) == 1, "definitions have no time of their own"
    prospect(bench.connection, "p1", first_name="Ada")
    complete(bench)
    assert by(bench.records("Prospect__c"), "Prospect_Id__c").keys() == {"p1", "p2"}
    assert len(bench.records("SW_Prospect_Tag__c")) == 1


@pytest.mark.parametrize("route", ["composite", "bulk"])
def test_what_is_empty_by_now_is_emptied_where_people_took_it_out_of_the_bin(
    bench: Bench, route: str
) -> None:
    """The upsert by its key met the record of before, which kept its address."""
    bench.settings(route=route)
    prospect(bench.connection, "p1", first_name="Ada")
    complete(bench)
    [there] = bench.records("Prospect__c")
    take_away(bench.connection, "prospect", prospect_id="p1")
    request_reading(bench.connection, ACCOUNT)
    complete(bench)
    assert bench.records("Prospect__c") == []
    bench.admin("undelete", ids=[there["Id"]])
    prospect(bench.connection, "p1", email=None, first_name=None, last_name="Byron")
    complete(bench)
    [record] = bench.records("Prospect__c")
    assert record["Id"] == there["Id"]
    assert (record["Email__c"], record["First_Name__c"]) == (None, None)
    assert record["Last_Name__c"] == "Byron"
    assert set(bench.states().values()) == {"done"}
    assert complete(bench).counts.api_calls == 1


@pytest.mark.deep
def test_a_prospect_goes_back_to_what_a_restored_copy_believes_it_is(bench: Bench) -> None:
    """The org kept what the platform said in between; what people deleted stays deleted."""
    for each in ("p1", "p2"):
        prospect(bench.connection, each, temperature=1)
    complete(bench)
    back_up(bench)
    the_next_second()
    prospect(bench.connection, "p1", temperature=2)
    complete(bench)
    records = by(bench.records("Prospect__c"), "Prospect_Id__c")
    assert records["p1"]["Temperature__c"] == 2
    bench.admin("delete", ids=[records["p2"]["Id"]])
    restore(bench)
    prospect(bench.connection, "p1", temperature=1)
    complete(bench)
    [left] = bench.records("Prospect__c")
    assert (left["Id"], left["Temperature__c"]) == (records["p1"]["Id"], 1)
    assert complete(bench).counts.api_calls == 1
