"""Weather of the local org that counts the calls it sees and strikes at one that was chosen."""

import os
import signal
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from random import Random
from typing import Any

from crm_pipeline.local_org.config import Fault
from crm_pipeline.local_org.store import Org
from crm_pipeline.local_org.weather import ActiveFault, Weather

_PROCESS_IS_KNOWN_WITHIN = 10.0


@dataclass(frozen=True, slots=True)
class Strike:
    """A fault at a call.

    Attributes:
        fault: what the org does; None: it works and answers.
        kills: the cycle's process is killed as the call arrives. With a fault that keeps the org
            from working that is before the call, as seen from the org; without, after it.
        inside: it strikes the calls inside of composites, not the composites themselves.
        meanwhile: is done just before the call, while the cycle waits for its answer.
    """

    fault: Fault | None = None
    kills: bool = False
    inside: bool = False
    meanwhile: Callable[[], None] | None = None


def fault(action: str, **details: Any) -> Fault:
    """A fault of the local org, for whatever call it is used at."""
    return Fault.model_validate({"action": action, **details})


class Ambush(Weather):
    """Bad weather at one place. Calls on the wire are counted, and those inside of composites."""

    def __init__(self, org: Org) -> None:
        super().__init__()
        self._in_flight = org.meter.in_flight
        self.expect(None, 0)

    def expect(self, strike: Strike | None, nth: int) -> None:
        """Counts from the start, and strikes the n-th call, if there are as many."""
        self._strike = strike
        self._nth = nth
        self.process: Future[int] = Future()
        self.on_the_wire: list[str] = []
        self.inside: list[str] = []

    def take(self, kind: str) -> ActiveFault | None:
        """The fault that strikes this call, if any."""
        # A composite is in flight while the calls inside of it are taken.
        seen, inside = (self.inside, True) if self._in_flight else (self.on_the_wire, False)
        seen.append(kind)
        strike = self._strike
        if strike is None or strike.inside is not inside or len(seen) != self._nth:
            return super().take(kind)
        if strike.meanwhile is not None:
            strike.meanwhile()
        if strike.kills:
            os.kill(self.process.result(_PROCESS_IS_KNOWN_WITHIN), signal.SIGKILL)
        return ActiveFault(strike.fault, Random(0)) if strike.fault else None
