"""The promise as an invariant, whatever the warehouse, the salespeople and the weather do."""

from functools import partial

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import rule, run_state_machine_as_test

from crm_pipeline_tests.chaos.ambush import Strike
from crm_pipeline_tests.chaos.cycle_process import CommitAction
from crm_pipeline_tests.chaos.findings import Findings
from crm_pipeline_tests.chaos.installation import CAMPAIGNS, Installation
from crm_pipeline_tests.chaos.promise import PromiseMachine, commits, graces, profile, strikes
from crm_pipeline_tests.chaos.world import MEANWHILE, MOVES, SALES, World

News = list[tuple[str, int]]

picks = st.integers(0, 999)
moves = st.lists(
    st.tuples(st.sampled_from([move for move in MOVES if move not in SALES]), picks), max_size=6
)
calls = st.integers(1, 7)


class Promise(PromiseMachine):
    """One account through good times and bad."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World(self.installation)

    def happen(self, news: News) -> None:
        for move, pick in news:
            self.world.happens(move, "acme", pick)

    def examined(self, *, at_rest: bool) -> Findings:
        return self.world.examined(at_rest=at_rest)

    @rule(news=moves, grace=graces)
    def rows_come_and_a_cycle_runs(self, news: News, grace: str) -> None:
        self.run_cycle(news, environment={"LOST_ANSWER_GRACE_SECONDS": grace})

    @rule(move=st.sampled_from(SALES), pick=picks)
    def a_salesperson_acts(self, move: str, pick: int) -> None:
        self.world.happens(move, "acme", pick)

    @rule(news=moves, commit=commits(4, 22))
    def a_cycle_breaks_at_a_commit(self, news: News, commit: tuple[int, CommitAction]) -> None:
        self.run_cycle(news, commit=commit)

    @rule(news=moves, nth=calls, strike=strikes)
    def a_cycle_breaks_at_a_call(self, news: News, nth: int, strike: Strike) -> None:
        self.run_cycle(news, call=(nth, strike))

    @rule(news=moves, nth=calls, move=st.sampled_from(MEANWHILE), pick=picks)
    def a_salesperson_acts_during_a_cycle(self, news: News, nth: int, move: str, pick: int) -> None:
        self.run_cycle_while(news, nth, partial(self.world.happens, move, "acme", pick))


@pytest.mark.deep
def test_nothing_is_lost_doubled_or_wrong(installation: Installation) -> None:
    World(installation).begin({"acme": {"campaigns": CAMPAIGNS}})
    Promise.installation = installation
    run_state_machine_as_test(Promise, settings=profile(examples=10, steps=14))
