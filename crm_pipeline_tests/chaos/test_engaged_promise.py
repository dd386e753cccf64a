"""The promise about prospects as an invariant, whatever their source, people and the weather do.

`CHAOS_EXAMPLES=500 pytest -m deep crm_pipeline_tests/chaos/test_engaged_promise.py` searches for
minutes, and makes what it finds as short as it can.
"""

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import run_state_machine_as_test

from crm_pipeline_tests.chaos.engaged_world import ROWS, SALES, EngagedWorld
from crm_pipeline_tests.chaos.installation import ENGAGEMENT, Installation
from crm_pipeline_tests.chaos.promise import WorldMachine, moves, profile


class Promise(WorldMachine):
    """One account with a tracking product, through good times and bad."""

    news = moves([*ROWS, *SALES], at_most=8)
    meanwhile = st.sampled_from([*SALES])
    world: EngagedWorld

    def __init__(self) -> None:
        super().__init__()
        self.world = EngagedWorld(self.installation)

    def teardown(self) -> None:
        """Everything is read once more."""
        self.world.comes_to_rest()
        super().teardown()


@pytest.mark.deep
def test_nothing_is_lost_doubled_or_wrong(installation: Installation) -> None:
    chosen = {**ENGAGEMENT, "by_event": True, "confirm_minutes": 0}
    EngagedWorld(installation).begin({"acme": {"route": "composite", "engagement": chosen}})
    Promise.installation = installation
    run_state_machine_as_test(Promise, settings=profile(examples=2, steps=6))
