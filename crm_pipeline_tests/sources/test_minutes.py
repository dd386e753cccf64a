"""Minutes of several visits: each minute once, whatever the order and the overlaps."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_pipeline.sources.minutes import minutes_together

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def visit(start: float, minutes: float) -> tuple[datetime, float]:
    return NOON + timedelta(minutes=start), minutes


@pytest.mark.parametrize(
    ("visits", "minutes"),
    [
        ([], 0),
        ([(0, 30)], 30),
        ([(0, 30), (40, 10)], 40),
        ([(0, 30), (10, 10)], 30),
        ([(0, 30), (20, 30)], 50),
        ([(20, 30), (0, 30), (0, 30)], 50),
        ([(0, 10), (10, 10)], 20),
        ([(0, 1.5), (1, 1.5)], 2.5),
        ([(0, 0), (5, 3)], 3),
    ],
)
def test_each_minute_counts_once(visits: list[tuple[float, float]], minutes: float) -> None:
    assert minutes_together([visit(*each) for each in visits]) == minutes


@given(st.lists(st.tuples(st.integers(0, 200), st.integers(0, 90)), max_size=8), st.randoms())
def test_the_union_is_that_of_brute_force(visits: list[tuple[int, int]], lots: object) -> None:
    minutes = {minute for start, stayed in visits for minute in range(start, start + stayed)}
    there = [visit(*each) for each in visits]
    lots.shuffle(there)  # type: ignore[attr-defined]
    together = minutes_together(there)
    assert together == len(minutes)
    assert together <= sum(stayed for _, stayed in visits)
