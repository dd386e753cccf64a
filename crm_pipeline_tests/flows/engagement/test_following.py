"""Of how many prospects or people something is said in one transaction."""

import pytest

from crm_pipeline.flows.engagement.following import SAID_AT_ONCE, WANTS_AT_ONCE, next_at_once


@pytest.mark.parametrize(
    ("each", "most"),
    [(1, SAID_AT_ONCE), (7, SAID_AT_ONCE), (27, 370), (101, 99), (207, 48), (2 * WANTS_AT_ONCE, 1)],
)
def test_the_more_each_has_the_fewer_are_said_at_once(each: int, most: int) -> None:
    """So memory does not depend on how many tags or pages there are of each."""
    at_once = 100
    for _ in range(5):
        at_once = next_at_once(at_once, at_once * each)
    assert at_once == most


def test_few_that_have_little_do_not_tell_of_the_others() -> None:
    assert next_at_once(100, 100) == 200
    assert next_at_once(3, 0) == 6
