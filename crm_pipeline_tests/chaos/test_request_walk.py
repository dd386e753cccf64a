"""The walk of requests, as far as a test run has the time; `make chaos` visits all places."""

import pytest

from crm_pipeline_tests.chaos.installation import Installation
from crm_pipeline_tests.chaos.test_walk import broken
from crm_pipeline_tests.chaos.walk import BREAKAGES, Breakage, Walk

pytestmark = pytest.mark.deep

WALKED = (
    "process killed before a database commit",
    "process killed after a database commit",
    "commit made, and the line cut before it says so",
    "process killed after the org worked",
    "line cut after the org worked",
)
STEP = 45


@pytest.fixture(scope="module")
def walk(installation: Installation) -> Walk:
    """The case of requests, counted."""
    return Walk(installation, "with requests")


@pytest.mark.parametrize(
    "breakage",
    [each for each in BREAKAGES if each.name in WALKED],
    ids=lambda each: each.name,
)
def test_there_is_one_removal_wherever_a_cycle_breaks(walk: Walk, breakage: Breakage) -> None:
    places = walk.places(breakage)
    step = min(STEP, max(1, len(places) // 3))
    chosen = places[7 * WALKED.index(breakage.name) % step :: step]
    assert chosen
    assert not (said := broken(walk, breakage, chosen)), said


def test_what_is_not_done_is_seen(walk: Walk) -> None:
    walk.installation.restore()
    assert "the requests are" in str(walk.examined_now())
    assert "somebody who was erased is in crm.person.address" in str(walk.examined_now())
