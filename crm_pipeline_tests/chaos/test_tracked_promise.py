"""The promise about tracked leads and opportunities as an invariant, whatever anybody does."""

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import run_state_machine_as_test

from crm_pipeline_tests.chaos.installation import Installation
from crm_pipeline_tests.chaos.promise import WorldMachine, moves, profile
from crm_pipeline_tests.chaos.tracked_world import ROWS, SALES, SETTINGS, TrackedWorld


class Promise(WorldMachine):
    """One account with a tracker, through good times and bad."""

    news = moves([*ROWS, *SALES], at_most=8)
    meanwhile = st.sampled_from([*SALES])
    world: TrackedWorld

    def __init__(self) -> None:
        super().__init__()
        self.world = TrackedWorld(self.installation, follow=("acme",))

    def teardown(self) -> None:
        """Everything is counted as well."""
        self.world.comes_to_rest()
        super().teardown()


@pytest.mark.deep
def test_nothing_is_lost_doubled_or_wrong(installation: Installation) -> None:
    TrackedWorld(installation).begin({"acme": SETTINGS["elm"]})
    Promise.installation = installation
    run_state_machine_as_test(Promise, settings=profile(examples=4, steps=8))
