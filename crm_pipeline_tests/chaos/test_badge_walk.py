"""The walk of the small flow, as far as a test run has the time; `make chaos` visits all places."""

import pytest

from crm_pipeline_tests.chaos.installation import Installation
from crm_pipeline_tests.chaos.test_walk import KILLED_AFTER_THE_ORG_WORKED, broken
from crm_pipeline_tests.chaos.walk import BREAKAGES, Breakage, Place, Walk

pytestmark = pytest.mark.deep

STEP = 60


@pytest.fixture(scope="module")
def walk(installation: Installation) -> Walk:
    """The case of the badges, counted."""
    return Walk(installation, "with badges")


@pytest.mark.parametrize("breakage", BREAKAGES, ids=lambda breakage: breakage.name)
def test_the_promise_holds_wherever_a_cycle_breaks(walk: Walk, breakage: Breakage) -> None:
    places = walk.places(breakage)
    chosen = places[2 * BREAKAGES.index(breakage) :: STEP] or places[:1]
    assert not (said := broken(walk, breakage, chosen)), said


def test_a_process_killed_at_a_call_leaves_no_second_record(walk: Walk) -> None:
    breakage = KILLED_AFTER_THE_ORG_WORKED
    assert not (said := broken(walk, breakage, walk.places(breakage)[2::3])), said


def test_a_cycle_that_died_before_it_began_is_asked_for_by_its_rows(walk: Walk) -> None:
    [killed] = [each for each in BREAKAGES if each.commit == "kill_before"]
    assert not (said := broken(walk, killed, [Place(1, 1)])), said
    assert [each["due"] for each in walk.settled.cycles][:1] == ["new rows"]
