"""The calls that there are to spend, and the cheaper way to spend them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_pipeline.salesforce.budget import (
    Budget,
    bulk_calls,
    choose_route,
    composite_calls,
    forecast_calls,
    lookup_calls,
)

JOB = {("Lead", "create"): 4_000, ("Lead", "update"): 4_000, ("Contact", "update"): 2_000}


@pytest.mark.parametrize(
    ("used", "before", "paused"),
    [
        (7_599, False, False),
        (7_600, False, True),
        (7_599, True, True),
        (6_000, True, True),
        (5_999, True, False),
        (None, True, False),
    ],
)
def test_an_account_pauses_at_95_and_resumes_under_75_percent_of_its_cap(used, before, paused):
    budget = Budget(used=used, limit=10_000, share=0.8)

    assert budget.paused(before=before) is paused


@pytest.mark.parametrize(
    ("budget", "left"),
    [
        (Budget(), None),
        (Budget(used=100), None),
        (Budget(used=100, limit=15_000), 14_150),
        (Budget(used=100, limit=15_000, share=0.5), 7_025),
        (Budget(used=14_999, limit=15_000), 0),
        (Budget(per_cycle=50, spent=20), 30),
        (Budget(per_cycle=50, spent=60), 0),
        (Budget(used=100, limit=15_000, per_cycle=50, spent=20), 30),
        (Budget(used=14_240, limit=15_000, per_cycle=50), 10),
    ],
)
def test_what_is_left_is_the_least_of_the_day_and_the_cycle(budget, left):
    assert budget.calls_left == left


@given(st.integers(0, 20_000), st.integers(1, 20_000), st.floats(0.1, 1), st.integers(0, 100))
def test_nothing_is_left_exactly_when_the_account_pauses(used, limit, share, spent):
    budget = Budget(used=used, limit=limit, share=share, spent=spent)

    assert (budget.calls_left == 0) == budget.paused(before=False)


def test_retries_have_a_slice_of_their_own():
    budget = Budget(per_cycle=100, spent=10)

    assert budget.slice_left(0.2, spent=5) == 15
    assert budget.slice_left(0.2, spent=25) == 0
    assert Budget(per_cycle=100, spent=95).slice_left(0.2, spent=0) == 5
    assert Budget().slice_left(0.2, spent=7) is None


def test_the_measured_job_is_forecast_as_it_is_spent():
    activities = {("Event", "create"): 10_000}

    assert lookup_calls(10_000) == 2
    assert forecast_calls(10_000, JOB | activities, "composite") == 22
    assert forecast_calls(0, activities, "composite") == 10
    assert forecast_calls(0, {}, "composite") == 0


def test_bulk_grows_with_the_size_of_the_upload_only():
    assert bulk_calls({("Event", "create"): 1_000}) == 6
    assert bulk_calls({("Event", "create"): 100_000}) == 6
    assert bulk_calls({("Event", "create"): 1_000_000}) == 36
    assert bulk_calls(JOB) == 18


@pytest.mark.parametrize(
    ("volumes", "latency", "calls_left", "route", "reason"),
    [
        ({}, None, None, "composite", "0 calls"),
        ({("Lead", "create"): 50}, 0.05, None, "composite", "1 calls"),
        ({("Lead", "create"): 1_500}, 9.0, 1, "composite", "2 calls"),
        ({("Event", "create"): 10_000}, 0.05, None, "composite", "s by bulk"),
        (JOB, 0.05, None, "composite", "10 calls, by bulk 18"),
        ({("Event", "create"): 100_000}, 0.05, None, "bulk", "6 calls, by composite 100"),
        ({("Event", "create"): 10_000}, 0.05, 8, "bulk", "8 calls left"),
        ({("Event", "create"): 10_000}, 0.05, 3, "composite", "s by bulk"),
        ({("Event", "create"): 15_000}, 20.0, None, "composite", "about 60 s by composite, 124 s"),
    ],
)
def test_the_loader_chooses_the_cheaper_route_and_says_why(
    volumes, latency, calls_left, route, reason
):
    chosen = choose_route(volumes, latency, calls_left)

    assert chosen.name == route
    assert reason in chosen.reason
    calls = composite_calls(volumes) if route == "composite" else bulk_calls(volumes)
    assert chosen.calls == calls


def test_an_account_may_insist_on_a_route():
    assert choose_route(JOB, 0.05, None, "bulk") == ("bulk", "the account's setting", 18)
    assert choose_route(JOB, 0.05, 1, "composite") == ("composite", "the account's setting", 10)


_VOLUMES = st.dictionaries(
    st.sampled_from([("Lead", "create"), ("Lead", "update"), ("Event", "create")]),
    st.integers(1, 3_000_000),
)


@given(_VOLUMES, st.none() | st.floats(0, 30), st.none() | st.integers(0, 5_000))
def test_a_route_beyond_the_budget_is_chosen_only_where_both_are(volumes, latency, calls_left):
    chosen = choose_route(volumes, latency, calls_left)

    if calls_left is not None and chosen.calls > calls_left and sum(volumes.values()) >= 2_000:
        assert composite_calls(volumes) > calls_left
        assert bulk_calls(volumes) > calls_left
