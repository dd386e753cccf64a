"""The promise about tracked leads and opportunities as an invariant, whatever anybody does."""

from functools import partial

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import rule, run_state_machine_as_test

from crm_pipeline_tests.chaos.ambush import Strike
from crm_pipeline_tests.chaos.cycle_process import CommitAction
from crm_pipeline_tests.chaos.findings import Findings
from crm_pipeline_tests.chaos.installation import Installation
from crm_pipeline_tests.chaos.promise import PromiseMachine, commits, graces, profile, strikes
from crm_pipeline_tests.chaos.tracked_world import ROWS, SALES, SETTINGS, TrackedWorld

News = list[tuple[str, int]]

picks = st.integers(0, 999)
moves = st.lists(st.tuples(st.sampled_from([*ROWS, *SALES]), picks), max_size=8)
calls = st.integers(1, 7)


class Promise(PromiseMachine):
    """One account with a tracker, through good times and bad."""

    def __init__(self) -> None:
        super().__init__()
        self.world = TrackedWorld(self.installation, follow=("acme",))

    def happen(self, news: News) -> None:
        for move, pick in news:
            self.world.happens(move, "acme", pick)

    def examined(self, *, at_rest: bool) -> Findings:
        return self.world.examined(at_rest=at_rest)

    @rule(news=moves, grace=graces)
    def much_happens_and_a_cycle_runs(self, news: News, grace: str) -> None:
        self.run_cycle(news, environment={"LOST_ANSWER_GRACE_SECONDS": grace})

    @rule(news=moves, commit=commits(4, 22))
    def a_cycle_breaks_at_a_commit(self, news: News, commit: tuple[int, CommitAction]) -> None:
        self.run_cycle(news, commit=commit)

    @rule(news=moves, nth=calls, strike=strikes)
    def a_cycle_breaks_at_a_call(self, news: News, nth: int, strike: Strike) -> None:
        self.run_cycle(news, call=(nth, strike))

    @rule(news=moves, nth=calls, move=st.sampled_from([*SALES]), pick=picks)
    def a_salesperson_acts_during_a_cycle(self, news: News, nth: int, move: str, pick: int) -> None:
        self.run_cycle_while(news, nth, partial(self.world.happens, move, "acme", pick))

    def teardown(self) -> None:
        """Everything is counted as well."""
        self.world.comes_to_rest()
        super().teardown()


@pytest.mark.deep
def test_nothing_is_lost_doubled_or_wrong(installation: Installation) -> None:
    TrackedWorld(installation).begin({"acme": SETTINGS["elm"]})
    Promise.installation = installation
    run_state_machine_as_test(Promise, settings=profile(examples=4, steps=8))
