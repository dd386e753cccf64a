"""Records of any object, from a flow's wants to the org."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from crm_pipeline.cycle.cycle import sync_account
from crm_pipeline.flows.registry import FLOWS
from crm_pipeline.local_org.event_bus import BUS
from crm_pipeline.report import CycleReport
from crm_pipeline_tests.cycle.conftest import ACCOUNT, Bench
from crm_pipeline_tests.small_flow.badges import Badge, badges_flow

TOPICS = frozenset(("badges", "badge_lines", "badge_calls", "retried_operations"))
ONE = Badge(1, lines={1: "first", 2: "second"})


def cycle(bench: Bench, *badges: Badge, **more: Any) -> CycleReport:
    """A cycle of the small flow alone, with these rows at its source."""
    bench.connection.commit()
    flow = badges_flow(badges, **more)
    return sync_account(ACCOUNT, run_id="test", steps=TOPICS, flows=[*FLOWS, flow])


def levels(bench: Bench) -> dict[str, Any]:
    return {row["Badge_Key__c"]: row["Level__c"] for row in bench.records("Badge__c")}


def lines(bench: Bench) -> dict[str, str]:
    keys = {row["Id"]: row["Badge_Key__c"] for row in bench.records("Badge__c")}
    return {
        row["Line_Key__c"]: f"{keys[row['Badge__c']]} {row['Text__c']}"
        for row in bench.records("Line__c")
    }


def test_parents_come_first_and_children_refer_to_them(bench: Bench) -> None:
    report = cycle(bench, ONE, Badge(2, level=7))
    assert report.state == "Complete", report.reason
    assert levels(bench) == {"1": 1, "2": 7}
    assert lines(bench) == {"1:1": "1 first", "1:2": "1 second"}
    assert report.tally.by_topic == {
        "badges": {"create": 2, "calls": 1},
        "badge_lines": {"create": 2, "calls": 1},
    }
    # One describes the objects, the other has parents and children, who name them by their keys.
    assert report.counts.api_calls == 2
    assert cycle(bench, ONE, Badge(2, level=7)).counts.api_calls == 0


def test_what_is_known_costs_no_call_and_no_login(bench: Bench) -> None:
    cycle(bench, ONE)
    logins = bench.org.meter.calls["login"]
    report = cycle(bench, ONE)
    assert report.counts.api_calls == 0
    assert bench.org.meter.calls["login"] == logins
    assert report.tally.by_topic == {}


def test_only_what_differs_is_sent(bench: Bench) -> None:
    cycle(bench, ONE)
    [record] = bench.records("Badge__c")
    bench.admin("edit", id=record["Id"], fields={"Holder__c": "By hand"})
    report = cycle(bench, replace(ONE, level=2, at=1))
    assert report.counts.api_calls == 1
    [record] = bench.records("Badge__c")
    assert (record["Level__c"], record["Holder__c"]) == (2, "By hand")


def test_an_older_word_changes_nothing(bench: Bench) -> None:
    cycle(bench, replace(ONE, level=2, at=5))
    assert cycle(bench, replace(ONE, level=1, at=4)).counts.api_calls == 0
    assert levels(bench) == {"1": 2}


def test_a_value_that_had_to_be_fitted_is_no_difference_for_ever(bench: Bench) -> None:
    long = replace(ONE, holder="x" * 99)
    cycle(bench, long)
    assert cycle(bench, replace(long, at=1)).counts.api_calls == 0


def test_what_is_not_among_the_children_any_more_is_deleted(bench: Bench) -> None:
    cycle(bench, ONE)
    report = cycle(bench, replace(ONE, lines={2: "second", 3: "third"}, at=1))
    assert lines(bench) == {"1:2": "1 second", "1:3": "1 third"}
    assert report.tally.by_topic == {"badge_lines": {"create": 1, "delete": 1, "calls": 1}}
    assert cycle(bench, replace(ONE, lines={2: "second", 3: "third"}, at=2)).counts.api_calls == 0


def test_a_child_that_comes_back_is_made_again(bench: Bench) -> None:
    cycle(bench, ONE)
    cycle(bench, replace(ONE, lines={}, at=1))
    cycle(bench, replace(ONE, at=2))
    assert lines(bench) == {"1:1": "1 first", "1:2": "1 second"}


def test_what_is_to_be_gone_goes_children_first(bench: Bench) -> None:
    cycle(bench, ONE, Badge(2))
    report = cycle(bench, replace(ONE, gone=True, at=1), Badge(2))
    assert levels(bench) == {"2": 1}
    assert lines(bench) == {}
    assert report.state == "Complete"
    rows = bench.connection.execute(text("SELECT natural_key FROM crm.record")).scalars()
    assert list(rows) == ["badge:2"]


def test_what_was_never_there_is_gone_without_a_call(bench: Bench) -> None:
    assert cycle(bench, replace(ONE, gone=True)).counts.api_calls == 0
    assert set(bench.states().values()) == {"done"}


def test_a_record_that_people_deleted_already_is_no_failure(bench: Bench) -> None:
    cycle(bench, Badge(1))
    [record] = bench.records("Badge__c")
    bench.admin("delete", ids=[record["Id"]])
    assert cycle(bench, Badge(1, gone=True, at=1)).state == "Complete"
    assert set(bench.states().values()) == {"done"}


def test_one_that_people_deleted_is_made_anew_with_its_next_change(bench: Bench) -> None:
    cycle(bench, Badge(1))
    [record] = bench.records("Badge__c")
    bench.admin("delete", ids=[record["Id"]])
    report = cycle(bench, Badge(1, level=3, at=1))
    assert report.state == "Complete"
    assert levels(bench) == {"1": 3}


def test_and_for_nothing_else_where_the_ledger_may_be_an_older_copy(bench: Bench) -> None:
    """It came again, as if our user, who deleted it for them, had written what nobody knows."""
    cycle(bench, Badge(1))
    [record] = bench.records("Badge__c")
    bench.admin("delete", ids=[record["Id"]])
    bench.connection.execute(text("UPDATE crm.ledger_mark SET written_by = 0"))
    assert cycle(bench, Badge(1), Badge(2)).state == "Complete"
    assert levels(bench) == {"2": 1}


def test_or_it_is_left_where_the_topic_says_so(bench: Bench) -> None:
    cycle(bench, Badge(1), when_deleted="leave")
    [record] = bench.records("Badge__c")
    bench.admin("delete", ids=[record["Id"]])
    report = cycle(bench, Badge(1, level=3, at=1), when_deleted="leave")
    assert (report.state, levels(bench)) == ("Complete", {})
    assert set(bench.states().values()) == {"done"}


def test_a_parent_made_anew_takes_its_children_along(bench: Bench) -> None:
    cycle(bench, ONE)
    [record] = bench.records("Badge__c")
    bench.admin("delete", ids=[record["Id"]])
    cycle(bench, replace(ONE, level=3, at=1))
    assert lines(bench) == {"1:1": "1 first", "1:2": "1 second"}


@pytest.mark.parametrize("action", ["reset_before", "reset_after", "html_503", "html_503_after"])
def test_a_lost_answer_is_sent_again_and_makes_nothing_twice(bench: Bench, action: str) -> None:
    bench.fault("collections.*", action, times=1)
    cycle(bench, ONE, Badge(2))
    bench.connection.execute(text("UPDATE crm.sync_state SET paused_until = NULL"))
    for _ in range(3):
        cycle(bench, ONE, Badge(2))
    assert levels(bench) == {"1": 1, "2": 1}
    assert lines(bench) == {"1:1": "1 first", "1:2": "1 second"}
    assert set(bench.states().values()) == {"done"}


def test_a_lost_deletion_is_done_all_the_same(bench: Bench) -> None:
    cycle(bench, ONE)
    bench.fault("collections.delete", "reset_after", times=1)
    for at in (1, 1, 1):
        cycle(bench, replace(ONE, lines={}, at=at))
    assert lines(bench) == {}
    assert set(bench.states().values()) <= {"done"}


def lose_answer(bench: Bench, call: str, *badges: Badge) -> None:
    """A cycle that ends with a write that was done, and of which nobody was told."""
    bench.fault(call, "reset_after", times=1)
    cycle(bench, *badges)
    assert "in_flight" in bench.states().values()


def test_what_was_made_without_an_answer_is_deleted_once_it_is_to_be_gone(bench: Bench) -> None:
    lose_answer(bench, "collections.upsert", Badge(1))
    cycle(bench, Badge(1, gone=True, at=1))
    assert levels(bench) == {}
    assert set(bench.states().values()) == {"done"}


@pytest.mark.deep
@pytest.mark.parametrize("when_deleted", ["recreate", "leave"])
def test_what_was_deleted_without_an_answer_is_made_again_when_it_comes_back(
    bench: Bench, when_deleted: Any
) -> None:
    cycle(bench, Badge(1))
    lose_answer(bench, "collections.delete", Badge(1, gone=True, at=1))
    cycle(bench, Badge(1, at=2), when_deleted=when_deleted)
    assert levels(bench) == {"1": 1}


def test_a_value_that_was_written_without_an_answer_is_taken_back(bench: Bench) -> None:
    cycle(bench, Badge(1))
    [record] = bench.records("Badge__c")
    bench.admin("edit", id=record["Id"], fields={"Holder__c": "By hand"})
    lose_answer(bench, "collections.update", Badge(1, level=2, at=1))
    assert levels(bench) == {"1": 2}
    cycle(bench, Badge(1, level=1, at=2))
    [record] = bench.records("Badge__c")
    assert (record["Level__c"], record["Holder__c"]) == (1, "By hand")


def test_a_reference_that_was_written_without_an_answer_is_taken_back(bench: Bench) -> None:
    one, two = Badge(1, lines={1: "first"}), Badge(2)
    moved = replace(one, lines_of=2, at=1)
    cycle(bench, one, two)
    lose_answer(bench, "collections.update", moved, two)
    assert lines(bench) == {"1:1": "2 first"}
    cycle(bench, replace(one, at=2), two)
    assert lines(bench) == {"1:1": "1 first"}


def test_a_child_waits_for_its_parent(bench: Bench) -> None:
    bench.fault("collections.upsert", "error", status=503, times=1, code="SERVER_UNAVAILABLE")
    cycle(bench, ONE)
    assert bench.states()["line:1:1"] == "pending"
    cycle(bench, ONE)
    cycle(bench, ONE)
    assert lines(bench) == {"1:1": "1 first", "1:2": "1 second"}


@pytest.mark.deep
def test_an_event_without_a_key_is_published_once_a_version(bench: Bench) -> None:
    caller = Badge(1, calls=True)
    report = cycle(bench, caller)
    assert report.state == "Complete", report.reason
    assert cycle(bench, caller).counts.api_calls == 0
    assert set(bench.states().values()) == {"done"}


def published(bench: Bench) -> list[Any]:
    return [each.fields["Badge__c"] for each in BUS[bench.org].published]


def test_one_that_says_something_else_is_published_anew(bench: Bench) -> None:
    cycle(bench, Badge(1, calls=True))
    cycle(bench, Badge(1, calls=True, call="louder", at=1))
    assert published(bench) == ["1", "louder"]


@pytest.mark.deep
def test_an_event_whose_answer_is_lost_is_published_again_as_the_same_version(
    bench: Bench,
) -> None:
    lose_answer(bench, "collections.create", Badge(1, calls=True))
    cycle(bench, Badge(1, calls=True))
    assert published(bench) == ["1", "1"]
    versions = "SELECT version, state FROM crm.operation WHERE natural_key = 'call:1'"
    assert bench.connection.execute(text(versions)).all() == [(1, "done")]


@pytest.mark.deep
def test_a_topic_may_give_its_operations_more_tries(bench: Bench) -> None:
    cycle(bench, ONE)
    tries = "SELECT attempts_left FROM crm.operation WHERE natural_key = :key"
    left = [bench.connection.scalar(text(tries), {"key": key}) for key in ("badge:1", "line:1:1")]
    assert left == [4, 29]


@pytest.mark.parametrize("route", ["composite", "bulk"])
def test_both_routes_come_to_the_same(bench: Bench, route: str) -> None:
    bench.settings(route=route)
    cycle(bench, ONE, Badge(2))
    cycle(bench, replace(ONE, level=5, lines={2: "zwei"}, at=1), replace(Badge(2), gone=True, at=1))
    cycle(bench, replace(ONE, level=5, lines={2: "zwei"}, at=1))
    assert levels(bench) == {"1": 5}
    assert lines(bench) == {"1:2": "1 zwei"}


@pytest.mark.deep
def test_many_records_fill_whole_calls(bench: Bench) -> None:
    badges = [Badge(number, lines={1: "x"}) for number in range(1_500)]
    report = cycle(bench, *badges)
    whole = {"create": 1_500, "calls": 2}
    assert report.tally.by_topic == {"badges": whole, "badge_lines": whole}
    assert report.counts.api_calls == 5


@pytest.mark.deep
def test_a_few_hundred_records_take_as_many_calls_as_they_fill(bench: Bench) -> None:
    badges = [Badge(number, lines={1: "x", 2: "y"}) for number in range(300)]
    tenth = [replace(each, lines={2: "y", 3: "z"}, at=1) for each in badges[:30]]
    gone = [replace(each, gone=True, at=2) for each in badges]
    calls = [
        cycle(bench, *rows).counts.api_calls
        for rows in (badges, badges, [*tenth, *badges[30:]], gone)
    ]
    # The first describes the objects, too, which is not foreseen.
    assert calls == [2, 0, 1, 1]


@pytest.mark.deep
def test_a_call_for_each_object_is_foreseen_at_most(bench: Bench) -> None:
    report = cycle(bench, *(Badge(number, lines={1: "x"}) for number in range(300)))
    assert report.counts.api_calls_forecast == 2


def test_children_of_hundreds_of_parents_made_anew_follow_them(bench: Bench) -> None:
    badges = [Badge(number, lines={1: "x"}) for number in range(350)]
    cycle(bench, *badges)
    bench.admin("delete", ids=[each["Id"] for each in bench.records("Badge__c")])
    cycle(bench, *(replace(each, level=2, at=1) for each in badges))
    assert lines(bench) == {f"{number}:1": f"{number} x" for number in range(350)}


def test_whatever_is_small_takes_one_call(bench: Bench) -> None:
    cycle(bench, ONE, Badge(2, lines={1: "x"}), Badge(3, calls=True))
    report = cycle(
        bench,
        replace(ONE, level=2, lines={1: "first", 2: "zwei", 3: "third"}, at=1),
        Badge(2, gone=True, at=1),
        Badge(3, calls=True),
        Badge(4, lines={1: "y"}, calls=True),
    )
    assert report.counts.api_calls == 1
    assert levels(bench) == {"1": 2, "3": 1, "4": 1}
    assert lines(bench) == {"1:1": "1 first", "1:2": "1 zwei", "1:3": "1 third", "4:1": "4 y"}


@pytest.mark.parametrize("message", ["INVALID_FIELD", "INVALID_CROSS_REFERENCE_KEY"])
def test_a_child_whose_parent_is_refused_waits_at_no_cost(bench: Bench, message: Any) -> None:
    bench.org.config.missing_parent_error = message
    report = cycle(bench, replace(ONE, holder="Refused"), Badge(2, lines={1: "x"}))
    assert bench.states()["badge:1"] == "exhausted"
    assert bench.states()["line:1:1"] == "pending"
    tries = "SELECT attempts_left FROM crm.operation WHERE natural_key LIKE 'line:1:%'"
    assert bench.connection.scalars(text(tries)).all() == [30, 30]
    assert (report.tally.overall("failed"), lines(bench)) == (1, {"2:1": "2 x"})
    cycle(bench, replace(ONE, at=1), Badge(2, lines={1: "x"}))
    assert lines(bench) == {"1:1": "1 first", "1:2": "1 second", "2:1": "2 x"}


def test_a_child_that_is_refused_itself_holds_up_nobody(bench: Bench) -> None:
    cycle(bench, replace(ONE, lines={1: "refused", 2: "second"}))
    assert bench.states()["line:1:1"] == "exhausted"
    assert lines(bench) == {"1:2": "1 second"}


def test_parents_and_children_whose_answer_is_lost_are_there_once(bench: Bench) -> None:
    lose_answer(bench, "collections.upsert", ONE, Badge(2, lines={1: "x"}))
    cycle(bench, ONE, Badge(2, lines={1: "x"}))
    assert lines(bench) == {"1:1": "1 first", "1:2": "1 second", "2:1": "2 x"}
    assert cycle(bench, ONE, Badge(2, lines={1: "x"})).counts.api_calls == 0


def test_a_child_without_its_parent_is_not_made(bench: Bench) -> None:
    bench.admin("settings", hidden_fields=["Line__c.Badge__c"])
    cycle(bench, ONE)
    assert bench.records("Line__c") == []
    row = bench.connection.execute(
        text("SELECT state, error_message FROM crm.operation WHERE natural_key = 'line:1:1'")
    ).one()
    assert row.state == "failed"
    assert "give the user Read and Edit" in row.error_message
    bench.connection.rollback()
    bench.admin("settings", hidden_fields=[])
    cycle(bench, ONE)
    assert lines(bench) == {"1:1": "1 first", "1:2": "1 second"}


@pytest.mark.parametrize("fate", ["gone", "dropped"])
def test_what_refers_to_a_record_that_is_not_to_be_is_left_out(bench: Bench, fate: str) -> None:
    """It waited for ever: a copy at a Lead that was converted, of a tag that was withdrawn."""
    if fate == "gone":
        cycle(bench, Badge(2))
        cycle(bench, Badge(2, gone=True, at=1))
    else:
        cycle(bench, Badge(2, holder="Refused"))
        bench.connection.execute(text("UPDATE crm.operation SET state = 'dropped'"))
    one = Badge(1, lines={1: "first"}, lines_of=2)
    assert cycle(bench, one).counts.waiting == 0
    assert bench.states()["line:1:1"] == "left_out"
    cycle(bench, one, Badge(2, at=2))
    assert lines(bench) == {"1:1": "2 first"}
