"""What one cycle of one account did: the numbers that assets, tables and history show."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from crm_pipeline.ledger.cycles import FinishedCycle

CycleState = Literal["Complete", "Failed", "Paused", "Busy", "Disabled"]


@dataclass(slots=True)
class Counts:
    """Numbers of one cycle; each is zero where the step did not run or found nothing.

    Of the rows that a cycle reads, some it has read before: those shipped shortly before the last
    one. `registrations` and `attendances` are those that say something new, so that they may be
    added up over cycles. They are `intents_new`, `intents_changed` or `rejected`; together with
    the `known` ones they are the `rows_read`. What is intended is delivered or queued. So says the
    conservation check.
    """

    rows_read: int = 0
    known: int = 0
    registrations: int = 0
    attendances: int = 0
    rejected: int = 0
    intents_new: int = 0
    intents_changed: int = 0
    people: int = 0
    leads_created: int = 0
    leads_updated: int = 0
    contacts_updated: int = 0
    people_unchanged: int = 0
    activities_created: int = 0
    activities_updated: int = 0
    activities_deleted: int = 0
    activities_unchanged: int = 0
    contacts_created: int = 0
    people_left_out: int = 0
    campaigns_created: int = 0
    campaigns_linked: int = 0
    members_new: int = 0
    members_changed: int = 0
    members_rejected: int = 0
    members_created: int = 0
    members_updated: int = 0
    members_deleted: int = 0
    members_unchanged: int = 0
    backfills_waiting: int = 0
    backfill_rows_waiting: int = 0
    looked_up: int = 0
    retried: int = 0
    retried_done: int = 0
    failed: int = 0
    waiting: int = 0
    exhausted: int = 0
    fields_changed_to_fit: int = 0
    incidents: int = 0
    api_calls: int = 0
    api_calls_forecast: int = 0


@dataclass(slots=True)
class CycleReport:
    """One cycle of one account, from its start to its end.

    `state` is `Busy` when another process holds the account, `Disabled` when it is to have no
    cycle: then nothing was changed.
    `reason` says in one line for people why it is not Complete, `notes` what else they may want
    to know, `remedy` what they can do; none has personal data. `done` are the steps that came to
    their end, `standing` is how the account stands now. Times are UTC; `seconds` is wall time.
    `watermark` is the time of the last record read. `topics` has what became of records of any
    object, by topic. `steps` are the topics that were asked for,
    `flows` the flows that the account has on.
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
    counts: Counts = field(default_factory=Counts)
    topics: dict[str, dict[str, int]] = field(default_factory=dict)
    rejected_by_reason: dict[str, int] = field(default_factory=dict)
    api_calls_by_kind: dict[str, int] = field(default_factory=dict)
    route: str = ""
    route_reason: str = ""
    api_used: int | None = None
    api_limit: int | None = None
    sessions: dict[int, int] = field(default_factory=dict)
    seconds: float = 0.0
    steps: frozenset[str] = frozenset()
    done: frozenset[str] = frozenset()
    standing: FinishedCycle | None = None
    flows: frozenset[str] = frozenset()
