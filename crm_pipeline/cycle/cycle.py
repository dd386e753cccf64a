"""`sync_account`: one cycle of one account, in the order of spec 1."""

import gc
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from time import monotonic
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from crm_pipeline.accounts.account import AccountError
from crm_pipeline.accounts.store import get_account
from crm_pipeline.cycle.applying import Applying
from crm_pipeline.cycle.attempts import Attempts, PipelineDatabaseError
from crm_pipeline.cycle.brake import demand_no_hold, judge, judge_left_out_anew, told
from crm_pipeline.cycle.came_true import hold_against_plan
from crm_pipeline.cycle.opening import open_desk
from crm_pipeline.cycle.planning import Planning
from crm_pipeline.cycle.read_back import is_due
from crm_pipeline.cycle.reading import FlowReader
from crm_pipeline.cycle.remedies import remedies
from crm_pipeline.cycle.taking_back import TakingBack
from crm_pipeline.cycle.telling import count_open, notes_for_people, tell_of
from crm_pipeline.database.engines import engine
from crm_pipeline.declaration import (
    TO_THE_ORG,
    TO_THE_PLATFORM,
    Flow,
    Topic,
    absent_topics,
    by_declared_name,
    topic_of_kind,
)
from crm_pipeline.delivery.copies import tell_of_unknown
from crm_pipeline.delivery.delivery import Assignment, deliver, retry
from crm_pipeline.delivery.desk import Desk
from crm_pipeline.delivery.kind import CREATED, UNDO, WRITTEN
from crm_pipeline.delivery.messages import PlatformOf, tell
from crm_pipeline.delivery.phases import PhaseClock
from crm_pipeline.delivery.records import RecordTopic
from crm_pipeline.delivery.storage import EVERYTHING
from crm_pipeline.delivery.withholding import without_removed
from crm_pipeline.flows.registry import ALL_TOPICS, FLOWS, SYNC_STATE
from crm_pipeline.inbound.queue import is_asked
from crm_pipeline.inbound.restoring import restore_removals
from crm_pipeline.ledger.account_ledger import AccountLedger
from crm_pipeline.ledger.copies import ledger_is_sure
from crm_pipeline.ledger.cycles import (
    FinishedCycle,
    StartedCycle,
    begin_plan,
    count_made,
    finish_cycle,
    standing_of,
    start_cycle,
)
from crm_pipeline.ledger.due import open_volumes
from crm_pipeline.ledger.holds import load_ended
from crm_pipeline.ledger.incidents import close_incidents
from crm_pipeline.ledger.lock import account_lock
from crm_pipeline.ledger.plans import release_held
from crm_pipeline.report import CycleReport
from crm_pipeline.salesforce.errors import AccountStopped, named
from crm_pipeline.salesforce.org_objects import OrgObject
from crm_pipeline.settings import settings
from crm_pipeline.source_platform.chosen import chosen_platform
from crm_pipeline.tracing import span, start_tracing

_COLLECT_AFTER = 300_000
"""New objects until Python looks for garbage."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Everything a cycle works with beside its account.

    Attributes:
        flows: those that there are.
        platform_of: the way to the source platform.
        stop_asked: looked at between two batches; once it is true, the cycle ends `Paused`.
        occasion: what is different of a cycle that only plans, does what a plan says, or takes
            another one back.
    """

    flows: Sequence[Flow[Any]]
    platform_of: PlatformOf
    stop_asked: Callable[[], bool]
    occasion: Planning | Applying | TakingBack | None = None


def collect_rarely() -> None:
    """Lets this process look for garbage less often; for programs that run cycles.

    Looking at every 700 new objects takes a third of a cycle. What is there at the first time,
    modules above all, is looked at no more.
    """
    if not gc.get_freeze_count():
        gc.freeze()
    gc.set_threshold(_COLLECT_AFTER, 50, 100)


def sync_account(
    account_id: str,
    *,
    run_id: str,
    steps: frozenset[str] = ALL_TOPICS,
    stop_asked: Callable[[], bool] = lambda: False,
    flows: Sequence[Flow[Any]] = FLOWS,
    platform_of: PlatformOf = chosen_platform,
) -> CycleReport:
    """Runs one cycle of one account, or some of its steps.

    Reads what is new in the warehouse and records it in the ledger, tries again what failed
    before, sends what is due, and stores the account's state. Safe at any time and from any
    process: the account is locked, and a second cycle meanwhile says `Busy` and changes nothing.
    A disabled account is `Disabled`, whoever asks, and a draft `Draft`: nothing is changed, too.

    Args:
        account_id: the account.
        run_id: what the cycle is part of, for the history.
        steps: the topics to come to; those that only read leave the account as it is. Where they
            are not all that the account has on, and go well, its state stays as it was.
        stop_asked: looked at between two batches; once it is true, the cycle ends `Paused`.
        flows: those that there are.
        platform_of: the way to the source platform.

    Returns:
        What happened. Whatever is wrong with the account, its org or its data is in the
        report's state and reason.

    Raises:
        PipelineDatabaseError: the pipeline's own database fails.
    """
    begun = monotonic()
    report = CycleReport(account_id, account_id, run_id, steps=steps)
    if settings().tracing:
        start_tracing()
    try:
        with (
            span("cycle", account=account_id, run=run_id) as note,
            account_lock(engine("pipeline"), account_id) as ledger,
        ):
            if ledger is None:
                report.state = "Busy"
                report.reason = "Another cycle of this account is running; nothing was changed"
            else:
                run_account(ledger, report, Surroundings(flows, platform_of, stop_asked))
            note(state=report.state, calls=report.counts.api_calls)
    except DBAPIError as error:
        raise PipelineDatabaseError(error) from None
    report.seconds = round(monotonic() - begun, 3)
    return report


def run_account(ledger: Connection, report: CycleReport, around: Surroundings) -> None:
    """Runs a cycle of the account that a report is about, and completes the report. Commits.

    Args:
        ledger: holds the account's lock.
        report: says which account and which steps.
        around: the rest.

    Raises:
        AccountError: it is to plan what is about somebody of whom nothing was read.
    """
    occasion = around.occasion
    try:
        account = get_account(ledger, report.account_id)
        if occasion is not None:
            account = occasion.account_of(account)
    except AccountError as error:
        report.state, report.reason = "Failed", str(error)
        return
    report.account_name, report.login_url = account.name, account.login_url
    if occasion is None and (none := account.without_cycles) is not None:
        report.state = none.state
        report.reason = (
            f"The account is {none.is_a}, and nothing was changed; `{none.command}` lets its "
            f"cycles {none.verb}"
        )
        return
    topics = [t for flow in around.flows for t in flow.topics if t.name in report.steps]
    chosen = ((flow, flow.settings(account.settings)) for flow in around.flows)
    flows = [(flow, choices) for flow, choices in chosen if choices is not None]
    report.flows = frozenset(flow.name for flow, _ in flows)
    report.absent = absent_topics(around.flows, account.settings)

    def reader(cycle_id: int) -> FlowReader:
        keeps = occasion is None or not occasion.plans
        of_account = AccountLedger(ledger, account.account_id, cycle_id, keeps)
        return FlowReader(account, of_account, flows, report, around.stop_asked)

    if any(topic.changes_something for topic in topics):
        every = {topic.name for flow, _ in flows for topic in flow.topics}
        # One that is for an occasion does not speak for the account.
        whole = occasion is None and report.steps.issuperset(every)
        if occasion is not None and occasion.plans:
            started = begin_plan(ledger, account.account_id, report.run_id)
        else:
            started = start_cycle(ledger, account.account_id, report.run_id, whole=whole)
        ledger.commit()
        report.cycle_id, report.watermark = started.cycle_id, started.watermark
        _Cycle(reader(started.cycle_id), around, topics, whole=whole).run(started)
    else:
        _Cycle(reader(cycle_id=0), around, topics, whole=False).look()


class _Cycle:
    """One cycle under way."""

    def __init__(
        self, reader: FlowReader, around: Surroundings, topics: Sequence[Topic], *, whole: bool
    ) -> None:
        self._reader = reader
        self._account = reader.account
        self._ledger = reader.ledger
        self._report = reader.report
        self._around = around
        self._occasion = around.occasion
        self._topics = topics
        self._flows = self._ready = reader.flows
        self._attempts = Attempts(reader.ledger)
        self._clock = PhaseClock()
        self._whole = whole
        self._caught_up = False
        self._held_for = ""

    def look(self) -> None:
        """Reads what is new, and changes nothing."""
        self._read()
        self._conclude()
        if SYNC_STATE in self._report.steps:
            with self._ledger.step() as connection:
                count_open(self._report, open_volumes(connection, self._account.account_id))
                self._tell_how_it_stands(standing_of(connection, self._account.account_id))

    def run(self, started: StartedCycle) -> None:
        """Every step that was asked for, then the account's state."""
        attempt, miss, ledger = self._attempts.attempt, self._attempts.miss, self._ledger
        desk = open_desk(self._reader, started, self._occasion, self._clock)
        retries = self._occasion is None or not self._occasion.of_some_people
        retrying = self._asked(lambda topic: topic.retries and retries)
        sending = self._asked(lambda topic: bool(TO_THE_ORG.intersection(topic.sends)))
        telling = self._asked(lambda topic: TO_THE_PLATFORM in topic.sends)
        reading_back = self._asked(lambda topic: topic.reads_back)
        if desk.may_be_older_copy and not attempt(self._read_removals_back):
            miss(self._report.steps)
            with ledger.step():
                self._finish(desk)
            return
        self._act(desk)
        org_is_there = True
        if retrying or sending or reading_back:
            org_is_there = attempt(desk.org.be_sure_of_org)
        if org_is_there:
            self._leave_out_unready(desk)
        is_free = self._is_free() if sending else self._is_let_through(retrying)
        if retrying and org_is_there and is_free:
            org_is_there = attempt(
                lambda: without_removed(desk, lambda: self._retry(desk)), retrying
            )
        with ledger.step():
            # Newer versions of what is held may be read now, and supersede it.
            self._release()
        has_read = self._read()
        if has_read and org_is_there and isinstance(self._occasion, Planning):
            self._occasion.demand_person(ledger)
        if reading_back and org_is_there:
            org_is_there = attempt(
                lambda: without_removed(desk, lambda: self._read_back(desk)), reading_back
            )
        else:
            miss(reading_back)
        self._clock.enter("send")
        # What is held may have been said otherwise by what was read now.
        is_free = self._is_let_through(sending)
        assignment = self._assignment
        if org_is_there and is_free:
            self._deliver(desk, assignment, sending, has_read=has_read)
        else:
            miss(sending)
        if self._occasion is not None and self._occasion.plans:
            self._end_plan(desk, assignment.hold_back)
            return
        self._clock.enter("settle")
        self._act(desk)
        if telling and self._occasion is None:
            attempt(lambda: without_removed(desk, lambda: self._tell(desk)), telling)
        self._hold_against_plan(desk)
        attempt(desk.org.log_out)
        with ledger.step():
            self._finish(desk)

    def _deliver(
        self, desk: Desk, what: Assignment, topics: frozenset[str], *, has_read: bool
    ) -> None:
        """Sends what is due of these topics."""
        if not topics:
            return
        delivered = self._attempts.attempt(
            lambda: without_removed(desk, lambda: deliver(desk, what)), topics
        )
        self._caught_up = has_read and delivered and not self._reader.reads_on
        # What is held back, or is only to be read, was not sought.
        if self._caught_up and self._occasion is None and not self._attempts.problems:
            with self._ledger.step() as connection:
                if ledger_is_sure(connection, self._ledger.account_id):
                    tell_of_unknown(desk)

    def _hold_against_plan(self, desk: Desk) -> None:
        """Compares the cycle with the plan that it is held to, where all of it was done."""
        self._clock.enter("settle")
        if desk.approval is not None and self._is_whole and not self._attempts.problems:
            with self._ledger.step():
                self._release()
            self._attempts.attempt(partial(hold_against_plan, desk, desk.approval))

    def _end_plan(self, desk: Desk, hold_back: Callable[[Connection], None] | None) -> None:
        """Sums up what a plan comes to; the source platform is told nothing."""
        with self._ledger.step() as connection:
            if hold_back is not None and self._attempts.problems:
                # It is not about others, however far the sending came.
                hold_back(connection)
            notes = self._sum_up(desk)
            if self._held_for:
                notes.append(f"As a cycle it would be held: {self._held_for}")
        if isinstance(self._occasion, Planning):
            self._attempts.attempt(partial(self._occasion.conclude, desk))
        self._attempts.attempt(desk.org.log_out)
        self._conclude(notes)
        self._report.api_calls_asked = desk.allowance.api_calls_asked
        if desk.allowance.org is not None:
            self._report.org_time = desk.allowance.org.org_time

    def _leave_out_unready(self, desk: Desk) -> None:
        """Leaves out what flows do in an org that lacks what they need; the others go on."""
        ready = []
        for flow, choices in self._ready:
            topics = frozenset(
                topic.name
                for topic in flow.topics
                if topic.name in self._report.steps
                and (topic.reads_back or TO_THE_ORG.intersection(topic.sends))
            )
            needed = flow.needs(choices) if topics else ()
            if not needed or self._attempts.attempt(partial(_demand, desk, flow, needed), topics):
                ready.append((flow, choices))
        self._ready = ready

    def _is_free(self) -> bool:
        """Returns whether what waits may be sent; a person has seen what is sent by a plan."""
        judged = self._account, self._ledger, self._report
        # It has read nothing yet.
        return self._occasion is not None or not judge(*judged, reads_on=True)

    def _is_let_through(self, topics: frozenset[str]) -> bool:
        """Likewise, of all that is to be sent; where it may not be, the topics are not done.

        A plan says for what its cycle would be held; that is undone with all that it does.
        """
        if not topics:
            return True
        judged = self._account, self._ledger, self._report
        reads_on = bool(self._reader.reads_on)
        if isinstance(self._occasion, Applying):
            judge_left_out_anew(self._account, self._ledger)
        if isinstance(self._occasion, Planning) and not self._occasion.of_some_people:
            self._held_for = told(judge(*judged, reads_on=reads_on))
        return self._occasion is not None or self._attempts.attempt(
            lambda: demand_no_hold(*judged, reads_on=reads_on), topics
        )

    def _asked(self, wanted: Callable[[Topic], bool]) -> frozenset[str]:
        return frozenset(topic.name for topic in self._topics if wanted(topic))

    @property
    def _assignment(self) -> Assignment:
        """The kinds and topics that are sent to the org, of the flows that the account has on."""
        if isinstance(self._occasion, TakingBack):
            return Assignment(frozenset((UNDO.name,)))
        topics = [(flow, each, topic) for flow, each in self._ready for topic in flow.topics]
        return Assignment(
            TO_THE_ORG.intersection(kind for _, _, topic in topics for kind in topic.sends),
            [
                RecordTopic(
                    topic.name,
                    flow.name,
                    topic.when_deleted,
                    gives_up=topic.gives_up,
                    storage_share=flow.storage_share(chosen),
                )
                for flow, chosen, topic in topics
                if topic.when_deleted is not None
            ],
            None if self._occasion is None else self._occasion.hold_back(self._ledger),
        )

    def _read_removals_back(self) -> None:
        """Reads back who is not to be processed; nothing of an older copy runs before that."""
        with self._ledger.step() as connection:
            restore_removals(connection, self._account)

    def _act(self, desk: Desk) -> None:
        """Does what was asked of the account, for each topic that does something of the sort.

        A plan does not, nor is it part of one: it would be seen outside.
        """
        if self._occasion is not None:
            return
        acting = [
            (topic, partial(topic.acts, desk, choices))
            for flow, choices in self._flows
            for topic in flow.topics
            if topic.acts is not None and topic.name in self._report.steps
        ]
        answering = any(topic.answers for topic, _ in acting)
        asked = answering and is_asked(self._ledger.connection, self._account.account_id)
        for topic, act in acting:
            does = act if asked or not topic.answers else _do_nothing
            self._attempts.attempt(does, frozenset((topic.name,)))

    def _read(self) -> bool:
        """Reads what is new for each flow that the account has on; returns whether none failed."""
        self._clock.enter("read")
        has_read = True
        for flow, choices in self._flows:
            if flow.reads(self._report.steps):
                reading = frozenset(topic.name for topic in flow.topics if topic.reads)
                has_read &= self._attempts.attempt(
                    partial(self._read_flow, flow, choices, reading), reading
                )
        return has_read

    def _read_flow(self, flow: Flow[Any], choices: Any, topics: frozenset[str]) -> None:
        with span("read", flow=flow.name, topics=", ".join(sorted(topics))):
            self._reader.read(flow, choices)

    @property
    def _is_whole(self) -> bool:
        """True if all topics of all flows were asked for."""
        every = {topic.name for flow in self._around.flows for topic in flow.topics}
        return every <= self._report.steps

    def _read_back(self, desk: Desk) -> None:
        """Reads changes of the org: at the account's pace, or now, where it was asked for alone."""
        self._clock.enter("read back")
        reader = replace(self._reader, flows=self._ready)
        with span("read back"):
            if not self._is_whole or is_due(desk, self._ready):
                reader.read_back(desk)
            reader.follow()

    def _tell(self, desk: Desk) -> None:
        self._clock.enter("tell")
        with span("tell"):
            tell(desk, self._around.platform_of)

    def _retry(self, desk: Desk) -> None:
        self._clock.enter("retry")
        with span("retry"):
            retried, done = retry(desk, self._assignment)
        for topic in self._asked(lambda topic: topic.retries):
            self._report.tally.update({(topic, "retried"): retried, (topic, "retried_done"): done})

    def _conclude(self, notes: Sequence[str] = ()) -> None:
        """Sets the report's state, its reason and its notes, each a line for people."""
        report, attempts = self._report, self._attempts
        report.state, report.done = attempts.state, self._done()
        report.reason = named(attempts.reason, report.account_id)
        report.notes = named("; ".join([*self._reader.told, *notes]), report.account_id)

    def _done(self) -> frozenset[str]:
        """The topics that came to their end; of flows that are off, those after no other one.

        There is nothing to do for these, but Dagster takes for outdated what is newer than
        something that it is made of.
        """
        on = {topic.name for flow, _ in self._flows for topic in flow.topics}
        done = set(self._attempts.done(self._report.steps & on))
        undone = on & self._report.steps - done
        for topic in self._topics:
            if topic.name not in on:
                (undone if undone.intersection(topic.after) else done).add(topic.name)
        return frozenset(done)

    def _sum_up(self, desk: Desk) -> list[str]:
        """Adds the numbers to the report, within the caller's transaction; returns its notes."""
        report, connection = self._report, self._ledger.connection
        still_open = open_volumes(connection, report.account_id)
        tell_of(desk, report, topic_of_kind(self._around.flows), still_open)
        report.outside = by_declared_name(report.outside, self._flows)
        incidents = close_incidents(connection, report.account_id)
        report.counts.incidents = len(incidents)
        return notes_for_people(desk.notes, report.tally, incidents)

    def _release(self) -> None:
        """Has what was held back be pending again, within the caller's transaction."""
        if isinstance(self._occasion, Applying):
            release_held(self._ledger.connection, self._account.account_id)

    def _finish(self, desk: Desk) -> None:
        """Closes the cycle and sets the account's state, within the caller's transaction."""
        report, connection = self._report, self._ledger.connection
        seen = desk.allowance.usage_now
        self._release()
        self._conclude(self._sum_up(desk))
        standing = finish_cycle(
            connection,
            report.account_id,
            self._ledger.cycle_id,
            state=report.state,
            reason=report.reason,
            notes=report.notes,
            counts=asdict(report.counts)
            | {
                "api_calls_by_kind": report.api_calls_by_kind,
                "topics": report.tally.by_topic,
                "seconds_by_phase": self._clock.seconds,
            },
            waits=report.counts.waiting > 0,
            succeeded=sum(report.tally.overall(outcome) for outcome in WRITTEN),
            failed=report.tally.overall("failed"),
            paused_until=self._attempts.paused_until,
            api_used=seen and seen.used,
            api_limit=seen and seen.limit,
            latency_seconds=desk.allowance.latency,
        )
        if desk.chosen.storage_share is not None:
            made = sum(report.tally.overall(outcome) for outcome in CREATED)
            asked = EVERYTHING in desk.rooms
            count_made(connection, report.account_id, made, asked=asked)
        if self._whole and self._caught_up:
            load_ended(connection, report.account_id)
        report.watermark = standing.watermark
        report.remedy = remedies(
            self._attempts.problems, report.account_id, refused=standing.refused
        )
        if self._occasion is None:
            self._tell_how_it_stands(standing)

    def _tell_how_it_stands(self, standing: FinishedCycle | None) -> None:
        """Has the report say what holds of the account, where some steps alone went well."""
        self._report.standing = standing
        if standing is None or SYNC_STATE not in self._report.steps:
            return
        match standing.state:
            case "Failed" | "Paused" | "Held":
                self._report.state, self._report.reason = standing.state, standing.reason


def _do_nothing() -> None:
    """Stands for a part that has nothing to do, and so is done."""


def _demand(desk: Desk, flow: Flow[Any], needed: Sequence[OrgObject]) -> None:
    """Raises `AccountStopped` if the org lacks something of what a flow needs."""
    if lacking := desk.schemas.lacking(needed):
        raise AccountStopped(
            f"The org lacks for the flow {flow.name}: {'; '.join(lacking)}",
            "deploy it, or show it to the user in a permission set",
        )
