"""The state machines of the promise have in common: cycles that break, and what must then hold."""

import os
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, ClassVar, Protocol

from hypothesis import HealthCheck, Phase, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from crm_pipeline_tests.chaos.ambush import Strike, fault
from crm_pipeline_tests.chaos.cycle_process import CommitAction
from crm_pipeline_tests.chaos.findings import Findings
from crm_pipeline_tests.chaos.installation import Installation
from crm_pipeline_tests.chaos.lane import Ended
from crm_pipeline_tests.chaos.walk import bugs

News = list[tuple[str, int]]
"""Moves, each with the number of whom or what it concerns."""

picks = st.integers(0, 999)
calls = st.integers(1, 7)
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


def commits(first: int, last: int) -> st.SearchStrategy[tuple[int, CommitAction]]:
    """One of a cycle's commits, and what becomes of it."""
    actions: tuple[CommitAction, ...] = (
        "kill_before",
        "kill_after",
        "cut_before",
        "cut_after",
        "acknowledgement_lost",
    )
    return st.tuples(st.integers(first, last), st.sampled_from(actions))


class PromiseMachine(RuleBasedStateMachine):
    """One account through good times and bad; the rules are those of its flows.

    Attributes:
        installation: put back for each example.
    """

    installation: ClassVar[Installation]

    def __init__(self) -> None:
        super().__init__()
        self.installation.restore()
        self._looked = True

    def happen(self, news: Any) -> None:
        """The source says something new."""
        raise NotImplementedError

    def examined(self, *, at_rest: bool) -> Findings:
        """Breaches of the promise; unless at rest, only what may never be."""
        raise NotImplementedError

    def run_cycle(self, news: Any, **how: Any) -> None:
        """Something new, and a cycle with what is to happen to it (`Installation.cycle`)."""
        self.happen(news)
        self.take(self.installation.cycle(**how))

    def run_cycle_while(self, news: Any, nth: int, act: Callable[[], None]) -> None:
        """Somebody acts in the org just before the n-th call of a cycle."""
        self.run_cycle(news, call=(nth, Strike(meanwhile=act)))

    def take(self, ended: Ended) -> None:
        """A cycle has ended: it may have met anything but a bug."""
        self._looked = False
        note(f"{ended.state} {ended.reason}")
        assert not bugs(ended)

    @invariant()
    def nothing_is_doubled_or_wrong(self) -> None:
        if not self._looked:
            self._looked = True
            found = self.examined(at_rest=False)
            assert not found, str(found)

    def teardown(self) -> None:
        """In the end, when nothing is due any more, nothing is lost either."""
        self.take(self.installation.settle())
        found = self.examined(at_rest=True)
        assert not found, str(found)


class MovingWorld(Protocol):
    """A source and an org in which things happen to accounts, and which may be examined."""

    def happens(self, move: str, name: str, pick: int) -> None:
        """Something happens around an account."""

    def examined(self, *, at_rest: bool) -> Findings:
        """As `PromiseMachine.examined`."""


_news = st.runner().flatmap(lambda machine: machine.news)


class WorldMachine(PromiseMachine):
    """One account in a world that moves.

    Attributes:
        news: moves that come before a cycle.
        meanwhile: moves of a salesperson during one.
        world: of each example.
    """

    news: ClassVar[st.SearchStrategy[News]]
    meanwhile: ClassVar[st.SearchStrategy[str]]
    world: MovingWorld

    def happen(self, news: News) -> None:
        for move, pick in news:
            self.world.happens(move, "acme", pick)

    def examined(self, *, at_rest: bool) -> Findings:
        return self.world.examined(at_rest=at_rest)

    @rule(news=_news, grace=graces)
    def much_happens_and_a_cycle_runs(self, news: News, grace: str) -> None:
        self.run_cycle(news, environment={"LOST_ANSWER_GRACE_SECONDS": grace})

    @rule(news=_news, commit=commits(4, 22))
    def a_cycle_breaks_at_a_commit(self, news: News, commit: tuple[int, CommitAction]) -> None:
        self.run_cycle(news, commit=commit)

    @rule(news=_news, nth=calls, strike=strikes)
    def a_cycle_breaks_at_a_call(self, news: News, nth: int, strike: Strike) -> None:
        self.run_cycle(news, call=(nth, strike))

    @rule(
        news=_news,
        nth=calls,
        move=st.runner().flatmap(lambda machine: machine.meanwhile),
        pick=picks,
    )
    def a_salesperson_acts_during_a_cycle(self, news: News, nth: int, move: str, pick: int) -> None:
        self.run_cycle_while(news, nth, partial(self.world.happens, move, "acme", pick))


def moves(names: Iterable[str], *, at_most: int) -> st.SearchStrategy[News]:
    """Some of these moves, whoever they concern."""
    return st.lists(st.tuples(st.sampled_from([*names]), picks), max_size=at_most)


def profile(examples: int, steps: int) -> settings:
    """A few examples in the suite, always the same; as many as CHAOS_EXAMPLES says elsewhere."""
    long = os.environ.get("CHAOS_EXAMPLES")
    return settings(
        max_examples=int(long or examples),
        stateful_step_count=steps,
        deadline=None,
        derandomize=not long,
        database=None,
        phases=(Phase.generate, Phase.shrink) if long else (Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
