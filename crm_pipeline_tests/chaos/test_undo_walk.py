"""The walk of a cycle that is taken back, as far as a run has the time."""

import pytest
from sqlalchemy import text

from crm_pipeline_tests.chaos.installation import Installation
from crm_pipeline_tests.chaos.test_walk import broken
from crm_pipeline_tests.chaos.walk import BREAKAGES, Walk

pytestmark = pytest.mark.deep

KINDS = ("process killed after a database commit", "process killed after the org worked")
STEP = 24


@pytest.fixture(scope="module")
def walk(installation: Installation) -> Walk:
    """The small case with campaigns, of which the first cycle is taken back, counted."""
    return Walk(installation, "taken back, and left to the planner")


def test_values_are_restored_and_what_was_made_goes(walk: Walk) -> None:
    """Else nothing of the above would be about undos."""
    undos = text("SELECT DISTINCT action, sobject FROM crm.operation WHERE kind = 'undo'")
    with walk.installation.rows() as rows:
        found = {tuple(each) for each in rows.execute(undos)}
    assert found >= {("update", "Lead"), ("update", "Contact")}
    assert found >= {
        ("delete", sobject) for sobject in ("Lead", "Event", "Campaign", "CampaignMember")
    }


@pytest.mark.parametrize("kind", KINDS)
def test_the_promise_holds_wherever_an_undo_breaks(walk: Walk, kind: str) -> None:
    [breakage] = [each for each in BREAKAGES if each.name == kind]
    places = walk.places(breakage)
    chosen = places[BREAKAGES.index(breakage) % STEP :: STEP]
    assert not (said := broken(walk, breakage, chosen)), said
