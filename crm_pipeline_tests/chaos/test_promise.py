"""The promise as an invariant, whatever the warehouse, the salespeople and the weather do."""

import os
from functools import partial
from typing import ClassVar

from hypothesis import HealthCheck, Phase, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from crm_pipeline_tests.chaos.ambush import Strike, fault
from crm_pipeline_tests.chaos.cycle_process import CommitAction
from crm_pipeline_tests.chaos.installation import CAMPAIGNS, Installation
from crm_pipeline_tests.chaos.lane import Ended
from crm_pipeline_tests.chaos.walk import bugs
from crm_pipeline_tests.chaos.world import MEANWHILE, MOVES, SALES, World

picks = st.integers(0, 999)
moves = st.lists(
    st.tuples(st.sampled_from([move for move in MOVES if move not in SALES]), picks), max_size=6
)
calls = st.integers(1, 7)
commits = st.tuples(
    st.integers(4, 22),
    st.sampled_from(
        ("kill_before", "kill_after", "cut_before", "cut_after", "acknowledgement_lost")
    ),
)
graces = st.sampled_from(("0", "600"))
strikes = st.sampled_from(
    (
        Strike(kills=True),
        Strike(fault("reset_before"), kills=True),
        Strike(fault("reset_before")),
        Strike(fault("reset_after")),
        Strike(fault("html_503_after")),
        Strike(fault("truncate")),
        Strike(fault("expire_session")),
        Strike(fault("lock")),
        Strike(fault("error", status=500), inside=True),
        Strike(fault("lock", rows=[1]), inside=True),
    )
)


class Promise(RuleBasedStateMachine):
    """One account through good times and bad."""

    installation: ClassVar[Installation]

    def __init__(self) -> None:
        super().__init__()
        self.installation.restore()
        self.world = World(self.installation)
        self.looked = True

    @rule(moves=moves, grace=graces)
    def rows_come_and_a_cycle_runs(self, moves: list[tuple[str, int]], grace: str) -> None:
        self._rows(moves)
        patience = {"LOST_ANSWER_GRACE_SECONDS": grace}
        self._take(self.installation.cycle(environment=patience))

    @rule(move=st.sampled_from(SALES), pick=picks)
    def a_salesperson_acts(self, move: str, pick: int) -> None:
        self.world.happens(move, "acme", pick)

    @rule(moves=moves, commit=commits)
    def a_cycle_breaks_at_a_commit(
        self, moves: list[tuple[str, int]], commit: tuple[int, CommitAction]
    ) -> None:
        self._rows(moves)
        self._take(self.installation.cycle(commit=commit))

    @rule(moves=moves, nth=calls, strike=strikes)
    def a_cycle_breaks_at_a_call(
        self, moves: list[tuple[str, int]], nth: int, strike: Strike
    ) -> None:
        self._rows(moves)
        self._take(self.installation.cycle(call=(nth, strike)))

    @rule(moves=moves, nth=calls, move=st.sampled_from(MEANWHILE), pick=picks)
    def a_salesperson_acts_during_a_cycle(
        self, moves: list[tuple[str, int]], nth: int, move: str, pick: int
    ) -> None:
        self._rows(moves)
        strike = Strike(meanwhile=partial(self.world.happens, move, "acme", pick))
        self._take(self.installation.cycle(call=(nth, strike)))

    @invariant()
    def nothing_is_doubled_or_wrong(self) -> None:
        if not self.looked:
            self.looked = True
            found = self.world.examined(at_rest=False)
            assert not found, str(found)

    def teardown(self) -> None:
        """In the end, when nothing is due any more, nothing is lost either."""
        self._take(self.installation.settle())
        found = self.world.examined(at_rest=True)
        assert not found, str(found)

    def _rows(self, moves: list[tuple[str, int]]) -> None:
        for move, pick in moves:
            self.world.happens(move, "acme", pick)

    def _take(self, ended: Ended) -> None:
        self.looked = False
        note(f"{ended.state} {ended.reason}")
        assert not bugs(ended)


def test_nothing_is_lost_doubled_or_wrong(installation: Installation) -> None:
    World(installation).begin({"acme": {"campaigns": CAMPAIGNS}})
    Promise.installation = installation
    run_state_machine_as_test(Promise, settings=_PROFILE)


_LONG = os.environ.get("CHAOS_EXAMPLES")
_PROFILE = settings(
    max_examples=int(_LONG or 10),
    stateful_step_count=14,
    deadline=None,
    derandomize=not _LONG,
    database=None,
    phases=(Phase.generate, Phase.shrink) if _LONG else (Phase.generate,),
    suppress_health_check=list(HealthCheck),
)
"""A few examples in the suite, always the same; as many as CHAOS_EXAMPLES says elsewhere."""
