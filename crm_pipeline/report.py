"""The report of one cycle of one account: the numbers that assets, tables and history show."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from crm_pipeline.ledger.cycles import FinishedCycle

CycleState = Literal["Complete", "Failed", "Paused", "Held", "Busy", "Disabled", "Draft"]


class Tally(Counter[tuple[str, str]]):
    """Numbers by topic and outcome; what did not happen is zero. Topics declare their outcomes."""

    def overall(self, outcome: str) -> int:
        """Counts how often something came out, whatever the topic: `failed` of all."""
        return sum(number for (_, each), number in self.items() if each == outcome)

    @property
    def by_topic(self) -> dict[str, dict[str, int]]:
        """The numbers by topic, as they are stored with the cycle."""
        topics: dict[str, dict[str, int]] = {}
        for (topic, outcome), number in self.items():
            if number:
                topics.setdefault(topic, {})[outcome] = number
        return topics

    @classmethod
    def stored(cls, counts: Mapping[str, Any]) -> "Tally":
        """The tally of a cycle as `crm.cycle.counts` has it."""
        topics: Mapping[str, Mapping[str, int]] = counts.get("topics", {})
        return cls({(name, each): of[each] for name, of in topics.items() for each in of})


@dataclass(slots=True)
class Counts:
    """Numbers of the account as a whole, of no single topic.

    `data_storage_mb` is what the records that were made take of the org's data storage, rounded up;
    `new_people` are those of whom no record was known when they were let through.
    """

    waiting: int = 0
    exhausted: int = 0
    incidents: int = 0
    api_calls: int = 0
    api_calls_forecast: int = 0
    data_storage_mb: int = 0
    new_people: int = 0


@dataclass(slots=True)
class CycleReport:
    """One cycle of one account, from its start to its end.

    `state` is `Busy` when another process holds the account, `Disabled` or `Draft` when it is to
    have no cycle: then nothing was changed.
    `login_url` is the address of its org; empty: the account is not known.
    `reason` says in one line for people why it is not Complete, `notes` what else they may want
    to know, `remedy` what they can do; none has personal data. `done` are the steps that came to
    their end, `standing` is how the account stands now. Times are UTC; `seconds` is wall time.
    `watermark` is the time of the last record read. `tally` is what became of everything, by
    topic; `outside` counts rows and records that were read or written outside, by what stands there
    (`warehouse/registration`, `salesforce/Lead`) and what was done. `api_calls_asked` are, of a
    cycle that only plans, the calls that it has cost itself, and `org_time` the time at its end by
    the org's clock; None: the org was not asked.
    `steps` are the topics that were asked for, `flows` the flows that the account has on,
    `absent` the topics that a choice of the account switches off, each with that choice.
    """

    account_id: str
    account_name: str
    run_id: str
    state: CycleState = "Complete"
    reason: str = ""
    notes: str = ""
    remedy: str = ""
    cycle_id: int | None = None
    watermark: datetime | None = None
    tally: Tally = field(default_factory=Tally)
    counts: Counts = field(default_factory=Counts)
    api_calls_by_kind: dict[str, int] = field(default_factory=dict)
    route: str = ""
    route_reason: str = ""
    api_calls_asked: int = 0
    org_time: datetime | None = None
    api_used: int | None = None
    api_limit: int | None = None
    sessions: Counter[int] = field(default_factory=Counter)
    seconds: float = 0.0
    steps: frozenset[str] = frozenset()
    done: frozenset[str] = frozenset()
    standing: FinishedCycle | None = None
    flows: frozenset[str] = frozenset()
    absent: Mapping[str, str] = field(default_factory=dict)
    login_url: str = ""
    outside: Counter[tuple[str, str]] = field(default_factory=Counter)
