"""The small flow's promise as an invariant, whatever its source, people and the weather do."""

import os
from functools import partial
from typing import ClassVar

from hypothesis import HealthCheck, Phase, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from crm_pipeline_tests.chaos.ambush import Strike
from crm_pipeline_tests.chaos.badge_examiner import examine
from crm_pipeline_tests.chaos.badge_rows import badges
from crm_pipeline_tests.chaos.badge_story import BadgeSource
from crm_pipeline_tests.chaos.cycle_process import BADGES, CommitAction
from crm_pipeline_tests.chaos.installation import Installation
from crm_pipeline_tests.chaos.lane import Ended
from crm_pipeline_tests.chaos.test_promise import strikes
from crm_pipeline_tests.chaos.walk import bugs
from crm_pipeline_tests.small_flow.badges import Badge

NUMBERS = 5
numbers = st.integers(1, NUMBERS)
lines = st.dictionaries(st.integers(1, 3), st.sampled_from(("first", "second")), max_size=3)
rows = st.lists(st.tuples(numbers, st.integers(1, 3), lines, st.booleans()), max_size=4)
calls = st.integers(1, 8)
commits = st.tuples(
    st.integers(3, 22),
    st.sampled_from(
        ("kill_before", "kill_after", "cut_before", "cut_after", "acknowledgement_lost")
    ),
)


class Promise(RuleBasedStateMachine):
    """One account through good times and bad."""

    source: ClassVar[BadgeSource]

    def __init__(self) -> None:
        super().__init__()
        self.installation = self.source.installation
        self.installation.restore()
        self.looked = True

    @rule(rows=rows)
    def rows_come_and_a_cycle_runs(self, rows: list[tuple[int, int, dict[int, str], bool]]) -> None:
        self._rows(rows)
        self._take(self.installation.cycle())

    @rule(number=numbers)
    def somebody_edits(self, number: int) -> None:
        self.source.people.edits(number)

    @rule(number=numbers)
    def somebody_deletes(self, number: int) -> None:
        self.source.people.deletes(number)

    @rule(rows=rows, commit=commits)
    def a_cycle_breaks_at_a_commit(
        self,
        rows: list[tuple[int, int, dict[int, str], bool]],
        commit: tuple[int, CommitAction],
    ) -> None:
        self._rows(rows)
        self._take(self.installation.cycle(commit=commit))

    @rule(rows=rows, nth=calls, strike=strikes)
    def a_cycle_breaks_at_a_call(
        self, rows: list[tuple[int, int, dict[int, str], bool]], nth: int, strike: Strike
    ) -> None:
        self._rows(rows)
        self._take(self.installation.cycle(call=(nth, strike)))

    @rule(rows=rows, nth=calls, number=numbers)
    def somebody_edits_during_a_cycle(
        self, rows: list[tuple[int, int, dict[int, str], bool]], nth: int, number: int
    ) -> None:
        self._rows(rows)
        strike = Strike(meanwhile=partial(self.source.people.edits, number))
        self._take(self.installation.cycle(call=(nth, strike)))

    @invariant()
    def nothing_is_doubled_or_wrong(self) -> None:
        if not self.looked:
            self.looked = True
            found = examine(self.source.evidence(), at_rest=False)
            assert not found, str(found)

    def teardown(self) -> None:
        """In the end, once all is read and nothing is due any more, nothing is lost either."""
        self._take(self.installation.cycle())
        self._take(self.installation.settle())
        found = examine(self.source.evidence())
        assert not found, str(found)

    def _rows(self, rows: list[tuple[int, int, dict[int, str], bool]]) -> None:
        with self.installation.rows() as connection:
            known = {each.number: each for each in badges(connection)}
        for number, level, said, gone in rows:
            at = known[number].at + 1 if number in known else 1
            known[number] = Badge(number, level, lines=said, told=number == 1, gone=gone, at=at)
            self.source.put(known[number])

    def _take(self, ended: Ended) -> None:
        self.looked = False
        note(f"{ended.state} {ended.reason}")
        assert not bugs(ended)


def test_nothing_is_lost_doubled_or_wrong(installation: Installation) -> None:
    installation.environment |= {"CHUNK_ROWS": "5", BADGES: "recreate"}
    source = BadgeSource(installation, {"route": "composite"})
    # The first reading of an object begins with what it finds.
    assert installation.cycle().state == "Complete"
    source.save()
    Promise.source = source
    run_state_machine_as_test(Promise, settings=_PROFILE)


_LONG = os.environ.get("CHAOS_EXAMPLES")
_PROFILE = settings(
    max_examples=int(_LONG or 6),
    stateful_step_count=10,
    deadline=None,
    derandomize=not _LONG,
    database=None,
    phases=(Phase.generate, Phase.shrink) if _LONG else (Phase.generate,),
    suppress_health_check=list(HealthCheck),
)
"""A few examples in the suite, always the same; as many as CHAOS_EXAMPLES says elsewhere."""
