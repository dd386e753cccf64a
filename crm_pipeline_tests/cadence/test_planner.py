"""Accounts that are due, as a table of cases and by properties."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_pipeline.cadence.planner import (
    Due,
    Standing,
    chunks,
    may_run,
    own_business,
    wait_after,
)

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def minutes_ago(minutes: float) -> datetime:
    return NOW - timedelta(minutes=minutes)


def standing(**facts: object) -> Standing:
    return Standing("acct", "client", **facts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, True),
        ({"in_flight": True}, False),
        ({"refused": True}, False),
        ({"paused_until": minutes_ago(-1)}, False),
        ({"paused_until": minutes_ago(1)}, True),
        ({"failures_in_a_row": 1, "finished_at": minutes_ago(14)}, False),
        ({"failures_in_a_row": 1, "finished_at": minutes_ago(15)}, True),
        ({"failures_in_a_row": 2, "finished_at": minutes_ago(29)}, False),
        ({"failures_in_a_row": 2, "finished_at": minutes_ago(30)}, True),
        ({"failures_in_a_row": 9, "finished_at": minutes_ago(60)}, True),
        (
            {
                "failures_in_a_row": 9,
                "finished_at": minutes_ago(5),
                "changed_at": minutes_ago(1),
            },
            True,
        ),
        (
            {
                "failures_in_a_row": 9,
                "finished_at": minutes_ago(5),
                "changed_at": minutes_ago(6),
            },
            False,
        ),
        ({"refused": True, "changed_at": NOW, "finished_at": minutes_ago(5)}, False),
    ],
)
def test_who_may_run(facts, expected):
    assert may_run(standing(**facts), NOW) is expected


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({}, None),
        ({"state": "New"}, "never run"),
        ({"state": "Failed"}, "after a failure"),
        (
            {"state": "Failed", "finished_at": minutes_ago(5), "changed_at": minutes_ago(1)},
            "changed after a failure",
        ),
        ({"state": "Processing"}, "unfinished"),
        ({"state": "Paused"}, "unfinished"),
        ({"state": "Held", "unfinished": True, "retries": True}, None),
        ({"state": "Held", "unfinished": True, "settings_changed": True}, "settings changed"),
        ({"unfinished": True}, "unfinished"),
        ({"unread_sessions": True}, "sessions to backfill"),
        ({"retries": True}, "retries"),
        ({"settings_changed": True, "unfinished": True}, "settings changed"),
        ({"events_to_read_again": True, "retries": True}, "events to read again"),
        ({"conversions_unseen": True, "retries": True}, "conversions to look for"),
        ({"unread_sessions": True, "retries": True}, "sessions to backfill"),
    ],
)
def test_why_an_account_is_due_by_itself(facts, reason):
    assert own_business(standing(**facts)) == reason


def test_a_failing_account_waits_longer_each_time_but_never_more_than_the_promise():
    waits = [wait_after(failures) / timedelta(minutes=1) for failures in (1, 2, 3, 4, 1000)]
    assert waits == [15, 30, 60, 60, 60]


def healthy(number: int) -> list[Due]:
    return [Due(f"good-{i}", "new rows") for i in range(number)]


def failed(number: int) -> list[Due]:
    return [Due(f"bad-{i}", "after a failure", failed_last_time=True) for i in range(number)]


def test_runs_are_about_equally_full():
    assert [len(chunk) for chunk in chunks(healthy(30), 25)] == [15, 15]
    assert [len(chunk) for chunk in chunks(healthy(25), 25)] == [25]
    assert chunks([], 25) == []


def test_an_account_that_failed_gets_a_run_of_its_own():
    dealt = chunks(healthy(3) + failed(2), 25)
    assert dealt == [["good-0", "good-1", "good-2"], ["bad-0"], ["bad-1"]]


def test_when_everything_failed_it_is_no_single_accounts_fault():
    dealt = chunks(healthy(1) + failed(9), 25)
    assert [len(chunk) for chunk in dealt] == [1, 9]


@given(good=st.integers(0, 300), bad=st.integers(0, 60), per_run=st.integers(1, 250))
def test_everybody_due_is_in_exactly_one_run_and_no_run_is_too_full(good, bad, per_run):
    due = healthy(good) + failed(bad)
    dealt = chunks(due, per_run)
    assert sorted(a for chunk in dealt for a in chunk) == sorted(d.account_id for d in due)
    assert all(0 < len(chunk) <= per_run for chunk in dealt)
    assert all(len({a.split("-")[0] for a in chunk}) == 1 for chunk in dealt)
    assert [len(c) for c in chunks(healthy(good), per_run)] == sorted(
        (len(c) for c in chunks(healthy(good), per_run)), reverse=True
    )
