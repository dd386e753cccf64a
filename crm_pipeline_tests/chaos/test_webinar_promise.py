"""The promise about all that webinars tell as an invariant, whatever anybody does.

`CHAOS_EXAMPLES=500 pytest -m deep crm_pipeline_tests/chaos/test_webinar_promise.py` searches for
minutes, and makes what it finds as short as it can.
"""

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import run_state_machine_as_test

from crm_pipeline_tests.chaos.installation import Installation
from crm_pipeline_tests.chaos.promise import WorldMachine, moves, profile
from crm_pipeline_tests.chaos.webinar_world import MEANWHILE, ROWS, SALES, SETTINGS, WebinarWorld


class Promise(WorldMachine):
    """One account whose platform tells all that it can, through good times and bad."""

    news = moves([*ROWS, *SALES], at_most=8)
    meanwhile = st.sampled_from(MEANWHILE)
    world: WebinarWorld

    def __init__(self) -> None:
        super().__init__()
        self.world = WebinarWorld(self.installation)

    def teardown(self) -> None:
        """The org is read once more."""
        self.world.comes_to_rest()
        super().teardown()


pytestmark = pytest.mark.deep


@pytest.fixture(scope="module")
def begun(installation: Installation) -> Installation:
    """The beginning of both tests: an account with campaigns of events and of sessions."""
    WebinarWorld(installation).begin({"acme": SETTINGS["kapok"] | {"route": "composite"}})
    return installation


def test_nothing_is_lost_doubled_or_wrong(begun: Installation) -> None:
    Promise.installation = begun
    run_state_machine_as_test(Promise, settings=profile(examples=3, steps=8))


def test_the_examiner_sees_what_is_not_as_it_should_be(begun: Installation) -> None:
    begun.restore()
    world = WebinarWorld(begun)
    for move in ("registers", "comes"):
        for pick in range(8):
            world.happens(move, "acme", pick)
    world.comes_to_rest()
    begun.settle()
    assert not (found := world.examined(at_rest=True)), str(found)
    org = begun.org()
    event, other = list(org.table("Event").rows.values())[:2]
    member = next(iter(org.table("CampaignMember").rows.values()))
    event["IsDeleted"], other["Subject"], member["Status"] = True, "Webinar", "Sent"
    found = world.examined(at_rest=True)
    assert (len(found.lost), len(found.doubled), len(found.wrong)) == (2, 1, 1)
