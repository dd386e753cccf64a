"""The walk of tracked leads, as far as a test run has the time; `make chaos` visits all places."""

import pytest

from crm_pipeline_tests.chaos.installation import Installation
from crm_pipeline_tests.chaos.test_walk import KILLED_AFTER_THE_ORG_WORKED, OTHERS, broken
from crm_pipeline_tests.chaos.walk import BREAKAGES, Breakage, Walk

pytestmark = pytest.mark.deep

STEP = 20


@pytest.fixture(scope="module")
def walk(installation: Installation) -> Walk:
    """The case of tracked leads, counted."""
    return Walk(installation, "with tracked leads")


@pytest.mark.parametrize("breakage", OTHERS, ids=lambda breakage: breakage.name)
def test_the_promise_holds_wherever_a_cycle_breaks(walk: Walk, breakage: Breakage) -> None:
    places = walk.places(breakage)
    chosen = places[BREAKAGES.index(breakage) % STEP :: STEP] or places[:1]
    assert not (said := broken(walk, breakage, chosen)), said


def test_a_process_killed_at_a_call_leaves_no_second_record(walk: Walk) -> None:
    breakage = KILLED_AFTER_THE_ORG_WORKED
    assert not (said := broken(walk, breakage, walk.places(breakage))), said
