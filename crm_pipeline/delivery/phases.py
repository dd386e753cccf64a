"""Where the time of a cycle goes."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Literal

CyclePhase = Literal[
    "open",
    "retry",
    "read",
    "read back",
    "send",
    "send undos",
    "send people",
    "send activities",
    "send campaigns",
    "send members",
    "send records",
    "tell",
    "settle",
]
"""What a cycle is at; in a cycle each comes in this order, if at all."""


class PhaseClock:
    """Seconds by phase: each moment of a cycle belongs to one, so that they add up."""

    def __init__(self, now: Callable[[], float] = monotonic) -> None:
        self._now = now
        self._phase: CyclePhase = "open"
        self._since = now()
        self._seconds: Counter[CyclePhase] = Counter()

    def enter(self, phase: CyclePhase) -> None:
        """Ends the phase that was under way, and begins one."""
        self._seconds[self._phase] += self._now() - self._since  # type: ignore[assignment]
        self._phase, self._since = phase, self._now()

    @contextmanager
    def sending(self, phase: CyclePhase) -> Iterator[None]:
        """Has the block be a phase of its own where it belongs to sending.

        What is sent as something is tried again, or as somebody asked, belongs to that.
        """
        around = self._phase
        if not around.startswith("send"):
            yield
            return
        self.enter(phase)
        try:
            yield
        finally:
            self.enter(around)

    @property
    def seconds(self) -> dict[str, float]:
        """The seconds so far, to the millisecond; phases that took less are left out."""
        self.enter(self._phase)
        rounded = {str(phase): round(took, 3) for phase, took in self._seconds.items()}
        return {phase: took for phase, took in rounded.items() if took}
