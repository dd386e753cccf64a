"""The walk of cycles that are held and decided about, as far as a run has the time."""

import pytest
from sqlalchemy import text

from crm_pipeline_tests.chaos.installation import Installation
from crm_pipeline_tests.chaos.test_walk import broken
from crm_pipeline_tests.chaos.walk import BREAKAGES, Walk

pytestmark = pytest.mark.deep

KINDS = (
    "process killed before a database commit",
    "process killed after a database commit",
    "commit made, and the line cut before it says so",
    "process killed after the org worked",
    "answer cut in half",
)
STEP = 40


@pytest.fixture(scope="module")
def walk(installation: Installation) -> Walk:
    """The small case with campaigns, each cycle of which exceeds its limits, counted."""
    return Walk(installation, "held and approved")


def test_cycles_are_held_for_what_is_new_and_for_what_changes(walk: Walk) -> None:
    """Else nothing of the above would be about holds."""
    exceeded = text("SELECT e ->> 'limit' FROM crm.hold, jsonb_array_elements(exceeded) AS e")
    with walk.installation.rows() as rows:
        found = set(rows.scalars(exceeded))
    assert found == {"new people", "changed people"}


@pytest.mark.parametrize("kind", KINDS)
def test_the_promise_holds_wherever_a_held_cycle_breaks(walk: Walk, kind: str) -> None:
    [breakage] = [each for each in BREAKAGES if each.name == kind]
    places = walk.places(breakage)
    chosen = places[BREAKAGES.index(breakage) % STEP :: STEP]
    assert not (said := broken(walk, breakage, chosen)), said
