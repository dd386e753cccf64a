"""`sync_account`: one cycle of one account, in the order of spec 1."""

import gc
import logging
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from time import monotonic
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from crm_pipeline.accounts.account import Account, AccountError
from crm_pipeline.accounts.store import get_account
from crm_pipeline.cycle.read_back import is_due, keep, read_back, watched_fields
from crm_pipeline.cycle.remedies import remedies
from crm_pipeline.database.engines import engine
from crm_pipeline.database.errors import in_words
from crm_pipeline.database.refusals import refused_value
from crm_pipeline.declaration import (
    TO_THE_ORG,
    TO_THE_PLATFORM,
    Batch,
    DeclarationError,
    Flow,
    Reading,
    Topic,
    topic_of_kind,
)
from crm_pipeline.delivery.allowance import Allowance, stop_if
from crm_pipeline.delivery.delivery import deliver, retry
from crm_pipeline.delivery.desk import Desk, desk_of
from crm_pipeline.delivery.kind import WRITTEN
from crm_pipeline.delivery.messages import PlatformOf, tell
from crm_pipeline.delivery.records import RecordTopic
from crm_pipeline.exceptions import PicklableError
from crm_pipeline.flows.registry import ALL_TOPICS, FLOWS
from crm_pipeline.ledger.account_ledger import AccountLedger
from crm_pipeline.ledger.copies import ledger_is_sure, mark_ledger
from crm_pipeline.ledger.cycles import StartedCycle, finish_cycle, start_cycle
from crm_pipeline.ledger.due import open_volumes
from crm_pipeline.ledger.incidents import Incident, close_incidents, open_incidents
from crm_pipeline.ledger.intents import Recorded, only_read, record_intents
from crm_pipeline.ledger.lock import account_lock
from crm_pipeline.ledger.messages import MessageWant
from crm_pipeline.ledger.positions import advance, positions
from crm_pipeline.ledger.records import intents_of, set_attempts
from crm_pipeline.report import CycleReport, Tally
from crm_pipeline.salesforce.connection import ApiUsage
from crm_pipeline.salesforce.errors import AccountPaused, SalesforceProblem, named
from crm_pipeline.salesforce.limits import PAUSE_SECONDS
from crm_pipeline.source_platform.chosen import chosen_platform
from crm_pipeline.source_platform.messages import PlatformProblem
from crm_pipeline.sources.errors import ExtractError

log = logging.getLogger(__name__)

_COLLECT_AFTER = 50_000
"""New objects until Python looks for garbage; looking at every 700 takes a third of a cycle."""


class PipelineDatabaseError(PicklableError):
    """The pipeline's own database fails: in one line, without the values of a row."""

    def __init__(self, error: DBAPIError) -> None:
        super().__init__(f"The pipeline's database: {in_words(error)}; check PIPELINE_DATABASE_URL")


class ValueRefusedError(PicklableError):
    """The pipeline's own database takes a value in no form: in one line, without the value."""

    def __init__(self, state: str) -> None:
        super().__init__(
            f"The pipeline's database refuses a value (SQLSTATE {state}); ask for support: its log"
            " names the table"
        )


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a cycle works with beside its account.

    Attributes:
        flows: those that there are.
        platform_of: the way to the source platform.
        stop_asked: looked at between two batches; once it is true, the cycle ends `Paused`.
    """

    flows: Sequence[Flow[Any]]
    platform_of: PlatformOf
    stop_asked: Callable[[], bool]


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
    A disabled account is `Disabled`, whoever asks, and nothing is changed, too.

    Args:
        account_id: the account.
        run_id: what the cycle is part of, for the history.
        steps: the topics to come to; those that only read leave the account as it is.
        stop_asked: looked at between two batches; once it is true, the cycle ends `Paused`.
        flows: those that there are.
        platform_of: the way to the source platform.

    Returns:
        What happened. Whatever is wrong with the account, its org or its data is in the
        report's state and reason.

    Raises:
        PipelineDatabaseError: the pipeline's own database fails.
    """
    gc.set_threshold(_COLLECT_AFTER, 50, 100)
    begun = monotonic()
    report = CycleReport(account_id, account_id, run_id, steps=steps)
    try:
        with account_lock(engine("pipeline"), account_id) as ledger:
            if ledger is None:
                report.state = "Busy"
                report.reason = "Another cycle of this account is running; nothing was changed"
            else:
                _with_account(ledger, report, Surroundings(flows, platform_of, stop_asked))
    except DBAPIError as error:
        raise PipelineDatabaseError(error) from None
    report.seconds = round(monotonic() - begun, 3)
    return report


def _with_account(ledger: Connection, report: CycleReport, around: Surroundings) -> None:
    try:
        account = get_account(ledger, report.account_id)
    except AccountError as error:
        report.state, report.reason = "Failed", str(error)
        return
    report.account_name = account.name
    if not account.enabled:
        report.state = "Disabled"
        report.reason = (
            "The account is disabled, and nothing was changed; `crm-pipeline account enable "
            f"{account.account_id}` lets its cycles run"
        )
        return
    cycle = _Cycle(ledger, account, report, around)
    if any(topic.changes_something for topic in cycle.topics):
        cycle.run()
    else:
        cycle.read()
        cycle.conclude()


class _Cycle:
    """One cycle under way: each part is attempted, and what goes wrong ends up in the report.

    A topic is done when every part that was attempted for it went well.
    """

    def __init__(
        self,
        ledger: Connection,
        account: Account,
        report: CycleReport,
        around: Surroundings,
    ) -> None:
        self.ledger = ledger
        self.account = account
        self.report = report
        self.around = around
        self.problems: list[Exception] = []
        self.told: list[str] = []
        self.topics = [t for flow in around.flows for t in flow.topics if t.name in report.steps]
        chosen = ((flow, flow.settings(account.settings)) for flow in around.flows)
        self._flows = [(flow, choices) for flow, choices in chosen if choices is not None]
        report.flows = frozenset(flow.name for flow, _ in self._flows)
        self._attempted: set[str] = set()
        self._broken: set[str] = set()

    def run(self) -> None:
        """Every step that was asked for, then the account's state."""
        report, account_id = self.report, self.account.account_id
        started = start_cycle(self.ledger, account_id, report.run_id)
        self.ledger.commit()
        report.cycle_id, report.watermark = started.cycle_id, started.watermark
        desk = desk_of(
            self.account,
            AccountLedger(self.ledger, account_id, started.cycle_id),
            Allowance(
                self.account.settings,
                usage_before=_still_true(started),
                paused_before=started.state_before == "Paused",
                latency_before=started.latency_seconds,
                stop_asked=self.around.stop_asked,
            ),
            watched=watched_fields(self._flows),
            may_be_older_copy=mark_ledger(self.ledger, account_id),
        )
        org_is_there = True
        retrying = self._asked(lambda topic: topic.retries)
        sending = self._asked(lambda topic: bool(TO_THE_ORG.intersection(topic.sends)))
        telling = self._asked(lambda topic: TO_THE_PLATFORM in topic.sends)
        reading_back = self._asked(lambda topic: topic.reads_back)
        if retrying or sending or reading_back:
            org_is_there = self.attempt(desk.org.be_sure_of_org)
        if retrying and org_is_there:
            org_is_there = self.attempt(lambda: self._retry(desk), retrying)
        self.read()
        if reading_back and org_is_there:
            org_is_there = self.attempt(lambda: self._read_back(desk), reading_back)
        else:
            self._broken |= reading_back
        if sending and org_is_there:
            delivered = self.attempt(lambda: deliver(desk, self._record_topics), sending)
            if delivered and not self.problems:
                ledger_is_sure(self.ledger, account_id)
                self.ledger.commit()
        else:
            self._broken |= sending
        if telling:
            self.attempt(lambda: tell(desk, self.around.platform_of), telling)
        self.attempt(desk.org.log_out)
        self._count(desk)
        close_incidents(self.ledger, account_id)
        incidents = open_incidents(self.ledger, account_id)
        report.counts.incidents = len(incidents)
        self.conclude(_notes(desk, report.tally, incidents))
        self._finish(desk)

    def _asked(self, wanted: Callable[[Topic], bool]) -> frozenset[str]:
        return frozenset(topic.name for topic in self.topics if wanted(topic))

    @property
    def _record_topics(self) -> list[RecordTopic]:
        """The topics of the account's flows whose operations are records of any object."""
        return [
            RecordTopic(topic.name, topic.when_deleted)
            for flow, _ in self._flows
            for topic in flow.topics
            if topic.when_deleted is not None
        ]

    @property
    def _publishing(self) -> frozenset[str]:
        """The topics whose records are platform events."""
        return frozenset(t.name for flow, _ in self._flows for t in flow.topics if t.publishes)

    def attempt(self, part: Callable[[], None], topics: frozenset[str] = frozenset()) -> bool:
        """Runs a part of the cycle and keeps its error for the report; the other parts go on.

        Args:
            part: what to do; its transaction is rolled back where it did not commit.
            topics: those for which it is done.

        Returns:
            Whether all went well.
        """
        self._attempted |= topics
        try:
            part()
        except (AccountError, ExtractError, SalesforceProblem, PlatformProblem) as problem:
            self.problems.append(problem)
        except DBAPIError as refused:
            state = refused_value(refused)
            if state is None:
                raise
            # One value of this account, not the database: the other accounts go on.
            self.problems.append(ValueRefusedError(state))
        except Exception as bug:  # noqa: BLE001 - one account's bug must not stop the others
            # Only where it happened: a message may quote personal data.
            where = "".join(traceback.format_tb(bug.__traceback__))
            log.error(  # noqa: TRY400
                "Account %s: %s\n%s", self.account.account_id, type(bug).__name__, where
            )
            self.problems.append(bug)
        else:
            return True
        finally:
            self.ledger.rollback()
        self._broken |= topics
        return False

    def read(self) -> None:
        """Reads what is new for each flow that the account has on."""
        for flow, choices in self._flows:
            if flow.reads(self.report.steps):
                reading = frozenset(topic.name for topic in flow.topics if topic.reads)
                self.attempt(partial(self._read, flow, choices), reading)

    def _read(self, flow: Flow[Any], choices: Any) -> None:
        """Reads a flow's sources and, where asked for, records them and moves their positions."""
        report = self.report
        recording = flow.records(report.steps)
        reading = Reading(
            self.ledger,
            engine("warehouse"),
            self.account,
            choices,
            flow.reads(report.steps),
            recording,
        )
        taken = 0
        with closing(flow.read(reading)) as batches:
            for batch in batches:
                stop_if(self.around.stop_asked)
                if recording:
                    recorded = self._record(flow, batch)
                    self.ledger.commit()
                else:
                    recorded = only_read(batch.intents)
                report.tally.update(batch.numbers)
                report.tally.update(flow.count(batch, recorded))
                report.sessions.update(batch.rows_by_session)
                self.told += batch.told
                taken += min(batch.rows, sum(each.new + each.changed for each in recorded.values()))
                if recording and taken >= flow.share:
                    self.told.append(
                        f"{flow.name}: {taken} rows were new; the next cycle reads on from there"
                    )
                    return
        if recording:
            self.ledger.commit()
            self._has_positions(flow, reading.sources)

    def _has_positions(self, flow: Flow[Any], sources: Sequence[str]) -> None:
        """Raises `DeclarationError` if a source was read and no position kept.

        Its account would be asked for at each tick.
        """
        known = positions(self.ledger, self.account.account_id, flow.name)
        if lacking := set(sources) - known.keys():
            raise DeclarationError(
                f"The flow {flow.name} keeps no position of {', '.join(sorted(lacking))}"
            )

    def _read_back(self, desk: Desk) -> None:
        """Reads what changed in the org, and records what the flows make of it.

        Where all steps were asked for, at the account's pace; else it was asked for now.
        """
        everything = {topic.name for flow in self.around.flows for topic in flow.topics}
        if everything <= self.report.steps and not is_due(desk, self._flows):
            return
        for read in read_back(desk, self._flows):
            for place, noticed in read.noticed.items():
                flow, choices = self._flows[place]
                self._record(
                    flow, Batch(flow.name, 0, (), None, wants=flow.notice(noticed, choices))
                )
            keep(desk, read)
            self.ledger.commit()
            self.told += read.notes

    def _record(self, flow: Flow[Any], batch: Batch) -> Mapping[str, Recorded]:
        account_id, cycle_id = self.account.account_id, self.report.cycle_id or 0
        recorded = record_intents(
            self.ledger,
            account_id,
            flow=flow.name,
            cycle_id=cycle_id,
            intents=[
                *batch.intents,
                *intents_of(
                    self.ledger,
                    account_id,
                    [each for each in batch.wants if not isinstance(each, MessageWant)],
                    publishing=self._publishing,
                ),
                *(each.intent for each in batch.wants if isinstance(each, MessageWant)),
            ],
        )
        if batch.wants:
            set_attempts(self.ledger, account_id, cycle_id)
        if batch.position is not None:
            advance(self.ledger, account_id, flow.name, batch.position)
        return recorded

    def conclude(self, notes: Sequence[str] = ()) -> None:
        """Sets the report's state, its reason and its notes, each a line for people."""
        report = self.report
        report.done = report.steps & (self._attempted - self._broken)
        if self.problems:
            paused = all(isinstance(problem, AccountPaused) for problem in self.problems)
            report.state = "Paused" if paused else "Failed"
        said = "; ".join(dict.fromkeys(map(_explain, self.problems)))
        report.reason = named(said, self.account.account_id)
        report.notes = named("; ".join([*self.told, *notes]), self.account.account_id)

    def _retry(self, desk: Desk) -> None:
        retried, done = retry(desk, self._record_topics)
        for topic in self._asked(lambda topic: topic.retries):
            self.report.tally.update({(topic, "retried"): retried, (topic, "retried_done"): done})

    def _count(self, desk: Desk) -> None:
        report, counts = self.report, self.report.counts
        topics = topic_of_kind(self.around.flows)
        for (kind, outcome), number in desk.tally.items():
            report.tally[topics.get(kind, kind), outcome] += number
        open_now = open_volumes(self.ledger, self.account.account_id)
        counts.waiting = sum(v.pending + v.in_flight + v.failed for v in open_now.values())
        counts.exhausted = sum(volume.exhausted for volume in open_now.values())
        counts.api_calls = desk.allowance.api_calls
        counts.api_calls_forecast = desk.allowance.forecast
        report.route = ", ".join(
            f"{stage} by {route.name}" for stage, route in desk.allowance.routes.items()
        )
        report.route_reason = "; ".join(
            f"{stage}: {route.reason}" for stage, route in desk.allowance.routes.items()
        )
        report.api_calls_by_kind = dict(desk.allowance.calls_by_kind)
        if desk.allowance.usage is not None:
            report.api_used, report.api_limit = desk.allowance.usage

    def _finish(self, desk: Desk) -> None:
        report = self.report
        pauses = [p.until for p in self.problems if isinstance(p, AccountPaused)]
        report.standing = finish_cycle(
            self.ledger,
            self.account.account_id,
            report.cycle_id or 0,
            state=report.state,
            reason=report.reason,
            notes=report.notes,
            counts=asdict(report.counts)
            | {"api_calls_by_kind": report.api_calls_by_kind, "topics": report.tally.by_topic},
            succeeded=sum(report.tally.overall(outcome) for outcome in WRITTEN),
            failed=report.tally.overall("failed"),
            paused_until=max(pauses, default=None),
            api_used=report.api_used,
            api_limit=report.api_limit,
            latency_seconds=desk.allowance.latency,
        )
        report.watermark = report.standing.watermark
        report.remedy = remedies(
            self.problems, self.account.account_id, refused=report.standing.refused
        )
        self.ledger.commit()


def _still_true(started: StartedCycle) -> ApiUsage | None:
    """What was used of the org's day, where that was seen within the last hour."""
    if started.api_used is None or started.api_limit is None or started.api_seen_at is None:
        return None
    old = datetime.now(UTC) - started.api_seen_at > timedelta(seconds=PAUSE_SECONDS)
    return None if old else ApiUsage(started.api_used, started.api_limit)


def _notes(desk: Desk, tally: Tally, incidents: Sequence[Incident]) -> list[str]:
    """What people may want to know although it stopped nothing."""
    notes = [
        f"{each.code} holds up {each.operations} records ({each.subject}); they go when it is"
        " mended in the org" + (f": {each.message}" if each.message else "")
        for each in incidents
    ]
    deleted = {
        "activities": tally.overall("activities_deleted"),
        "memberships": tally.overall("members_deleted"),
    }
    if any(deleted.values()):
        numbers = ", ".join(f"{number} {what}" for what, number in deleted.items() if number)
        notes.append(f"Deleted in the org what the source has no more or filters out: {numbers}")
    for what, fields in (
        ("Not in the org, or hidden, so not sent", desk.notes.not_seen),
        ("Values changed to fit the org", desk.notes.changed),
    ):
        if fields:
            counted = (f"{field} ({number})" for field, number in sorted(fields.items()))
            notes.append(f"{what}: {', '.join(counted)}")
    return notes


def _explain(problem: Exception) -> str:
    if isinstance(
        problem,
        AccountError | ExtractError | SalesforceProblem | PlatformProblem | ValueRefusedError,
    ):
        return str(problem)
    return f"An unexpected {type(problem).__name__}: a bug; the run's log says where"
