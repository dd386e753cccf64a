"""The promise as an invariant, whatever the warehouse, the salespeople and the weather do."""

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import rule, run_state_machine_as_test

from crm_pipeline_tests.chaos.installation import CAMPAIGNS, Installation
from crm_pipeline_tests.chaos.promise import WorldMachine, moves, picks, profile
from crm_pipeline_tests.chaos.world import MEANWHILE, MOVES, SALES, World


class Promise(WorldMachine):
    """One account through good times and bad."""

    news = moves([move for move in MOVES if move not in SALES], at_most=6)
    meanwhile = st.sampled_from(MEANWHILE)

    def __init__(self) -> None:
        super().__init__()
        self.world = World(self.installation)

    @rule(move=st.sampled_from(SALES), pick=picks)
    def a_salesperson_acts(self, move: str, pick: int) -> None:
        self.world.happens(move, "acme", pick)


@pytest.mark.deep
def test_nothing_is_lost_doubled_or_wrong(installation: Installation) -> None:
    World(installation).begin({"acme": {"campaigns": CAMPAIGNS}})
    Promise.installation = installation
    run_state_machine_as_test(Promise, settings=profile(examples=10, steps=14))
