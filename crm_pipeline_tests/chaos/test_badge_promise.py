"""The small flow's promise as an invariant, whatever its source, people and the weather do."""

from functools import partial
from typing import ClassVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import rule, run_state_machine_as_test

from crm_pipeline_tests.chaos.ambush import Strike
from crm_pipeline_tests.chaos.badge_examiner import examine
from crm_pipeline_tests.chaos.badge_rows import badges
from crm_pipeline_tests.chaos.badge_story import PERSON, BadgeSource
from crm_pipeline_tests.chaos.cycle_process import BADGES, CommitAction
from crm_pipeline_tests.chaos.findings import Findings
from crm_pipeline_tests.chaos.installation import Installation
from crm_pipeline_tests.chaos.promise import PromiseMachine, commits, graces, profile, strikes
from crm_pipeline_tests.small_flow.badges import Badge

News = list[tuple[int, int, dict[int, str], bool]]

NUMBERS = 5
OF_THE_PERSON = 2
"""The badge that belongs to somebody."""

numbers = st.integers(1, NUMBERS)
lines = st.dictionaries(st.integers(1, 3), st.sampled_from(("first", "second")), max_size=3)
rows = st.lists(st.tuples(numbers, st.integers(1, 3), lines, st.booleans()), max_size=4)
calls = st.integers(1, 8)
deeds = st.sampled_from(("edits", "deletes", "undeletes", "erases"))


class Promise(PromiseMachine):
    """One account through good times and bad."""

    source: ClassVar[BadgeSource]

    def happen(self, news: News) -> None:
        with self.installation.rows() as connection:
            known = {each.number: each for each in badges(connection)}
        for number, level, said, gone in news:
            at = known[number].at + 1 if number in known else 1
            known[number] = Badge(
                number,
                level,
                lines=said,
                told=number == 1,
                gone=gone,
                person=PERSON if number == OF_THE_PERSON else None,
                at=at,
            )
            self.source.put(known[number])

    def examined(self, *, at_rest: bool) -> Findings:
        return examine(self.source.evidence(), at_rest=at_rest)

    @rule(news=rows, grace=graces)
    def rows_come_and_a_cycle_runs(self, news: News, grace: str) -> None:
        self.run_cycle(news, environment={"LOST_ANSWER_GRACE_SECONDS": grace})

    @rule(deed=deeds, number=numbers)
    def somebody_acts(self, deed: str, number: int) -> None:
        getattr(self.source.people, deed)(number)

    @rule(deed=st.sampled_from(("converts", "merges")))
    def somebody_acts_on_the_person(self, deed: str) -> None:
        getattr(self.source.people, deed)()

    @rule(news=rows, commit=commits(3, 22))
    def a_cycle_breaks_at_a_commit(self, news: News, commit: tuple[int, CommitAction]) -> None:
        self.run_cycle(news, commit=commit)

    @rule(news=rows, nth=calls, strike=strikes)
    def a_cycle_breaks_at_a_call(self, news: News, nth: int, strike: Strike) -> None:
        self.run_cycle(news, call=(nth, strike))

    @rule(news=rows, nth=calls, number=numbers)
    def somebody_edits_during_a_cycle(self, news: News, nth: int, number: int) -> None:
        self.run_cycle_while(news, nth, partial(self.source.people.edits, number))

    def teardown(self) -> None:
        """Once all is read, the same as for all flows."""
        self.take(self.installation.cycle())
        super().teardown()


@pytest.mark.deep
def test_nothing_is_lost_doubled_or_wrong(installation: Installation) -> None:
    installation.environment |= {"CHUNK_ROWS": "5", BADGES: "recreate"}
    source = BadgeSource(installation, {"route": "composite"})
    # The first reading of an object begins with what it finds.
    assert installation.cycle().state == "Complete"
    installation.save()
    Promise.source, Promise.installation = source, installation
    run_state_machine_as_test(Promise, settings=profile(examples=8, steps=10))
