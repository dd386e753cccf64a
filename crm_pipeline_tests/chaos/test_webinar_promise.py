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


@pytest.mark.deep
def test_nothing_is_lost_doubled_or_wrong(installation: Installation) -> None:
    WebinarWorld(installation).begin({"acme": SETTINGS["kapok"] | {"route": "composite"}})
    Promise.installation = installation
    run_state_machine_as_test(Promise, settings=profile(examples=3, steps=8))
