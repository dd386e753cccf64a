"""The walk where activities go before all people are through; `make chaos` visits all places."""

import pytest

from crm_pipeline_tests.chaos.installation import Installation
from crm_pipeline_tests.chaos.test_walk import KILLED_AFTER_THE_ORG_WORKED, OTHERS, broken
from crm_pipeline_tests.chaos.walk import BREAKAGES, Breakage, Walk

pytestmark = pytest.mark.deep

STEP = 40


@pytest.fixture(scope="module")
def walk(installation: Installation) -> Walk:
    """The small case with calls of four records, counted."""
    return Walk(installation, "activities behind their people")


@pytest.mark.parametrize("breakage", OTHERS, ids=lambda breakage: breakage.name)
def test_the_promise_holds_wherever_a_cycle_breaks(walk: Walk, breakage: Breakage) -> None:
    places = walk.places(breakage)
    chosen = places[BREAKAGES.index(breakage) :: STEP]
    assert not (said := broken(walk, breakage, chosen)), said


def test_a_process_killed_at_any_call_leaves_no_second_record(walk: Walk) -> None:
    breakage = KILLED_AFTER_THE_ORG_WORKED
    assert not (said := broken(walk, breakage, walk.places(breakage))), said
