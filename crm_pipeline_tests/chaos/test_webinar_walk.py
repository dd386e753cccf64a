"""The walk of all that webinars tell, as far as a test run has the time; see `make chaos`."""

import pytest

from crm_pipeline_tests.chaos.installation import Installation
from crm_pipeline_tests.chaos.test_walk import broken
from crm_pipeline_tests.chaos.walk import BREAKAGES, Walk

pytestmark = pytest.mark.deep

KINDS = (
    "process killed after a database commit",
    "commit made, and the line cut before it says so",
    "process killed after the org worked",
    "line cut after the org worked",
    "one call of a composite fails",
    "one row of one call locked",
)
STEP = 40


@pytest.fixture(scope="module")
def walk(installation: Installation) -> Walk:
    """The case of all that webinars tell, counted."""
    return Walk(installation, "with all that webinars tell")


@pytest.mark.parametrize("kind", KINDS)
def test_the_promise_holds_wherever_a_cycle_breaks(walk: Walk, kind: str) -> None:
    [breakage] = [each for each in BREAKAGES if each.name == kind]
    places = walk.places(breakage)
    chosen = places[BREAKAGES.index(breakage) % STEP :: STEP] or places[:1]
    assert not (said := broken(walk, breakage, chosen)), said
