"""`sync_account`: one cycle of one account, in the order of spec 1."""

import gc
import logging
import traceback
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from time import monotonic

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from crm_pipeline.accounts.account import Account, AccountError
from crm_pipeline.accounts.store import get_account
from crm_pipeline.cycle.remedies import remedies
from crm_pipeline.cycle.report import ALL_STEPS, CycleReport, Step
from crm_pipeline.database.engines import engine
from crm_pipeline.database.errors import in_words
from crm_pipeline.delivery.delivery import deliver, retry
from crm_pipeline.delivery.session import DeliverySession, stop_if
from crm_pipeline.flows.campaigns import flow as campaigns
from crm_pipeline.flows.webinars import flow
from crm_pipeline.ledger.cycles import StartedCycle, finish_cycle, start_cycle
from crm_pipeline.ledger.due import open_volumes
from crm_pipeline.ledger.incidents import Incident, open_incidents
from crm_pipeline.ledger.intents import Recorded, record_emails, record_intents
from crm_pipeline.ledger.lock import account_lock
from crm_pipeline.ledger.positions import advance
from crm_pipeline.salesforce.connection import ApiUsage
from crm_pipeline.salesforce.errors import AccountPaused, SalesforceProblem
from crm_pipeline.salesforce.limits import PAUSE_SECONDS
from crm_pipeline.warehouse.participations import SOURCES, ExtractError

log = logging.getLogger(__name__)

_COLLECT_AFTER = 50_000
"""New objects until Python looks for garbage; looking at every 700 takes a third of a cycle."""

WRITING: frozenset[Step] = frozenset(
    ("lead_payloads", "retried_operations", "load_results", "campaigns", "campaign_members")
)
"""Steps that change something; the others only look."""

_LOADING: frozenset[Step] = frozenset(("load_results", "campaigns", "campaign_members"))
"""Steps that send what is due."""

_READING: frozenset[Step] = frozenset(
    ("registrations", "attendances", "filtered_leads", "lead_payloads")
)
_RETRYING: frozenset[Step] = frozenset(("retried_operations",))
_OF_CAMPAIGNS: frozenset[Step] = frozenset(("campaigns", "campaign_members"))

_SENDING: frozenset[Step] = _LOADING | _RETRYING
"""Steps that speak to the org."""

_BEYOND_SOURCES: frozenset[Step] = frozenset(("filtered_leads", "lead_payloads"))


class PipelineDatabaseError(Exception):
    """The pipeline's own database fails: in one line, without the values of a row."""

    def __init__(self, error: DBAPIError) -> None:
        super().__init__(f"The pipeline's database: {in_words(error)}; check PIPELINE_DATABASE_URL")


def sync_account(
    account_id: str,
    *,
    run_id: str,
    steps: frozenset[Step] = ALL_STEPS,
    stop_asked: Callable[[], bool] = lambda: False,
) -> CycleReport:
    """Runs one cycle of one account, or some of its steps.

    Reads what is new in the warehouse and records it in the ledger, tries again what failed
    before, sends what is due, and stores the account's state. Safe at any time and from any
    process: the account is locked, and a second cycle meanwhile says `Busy` and changes nothing.
    A disabled account is `Disabled`, whoever asks, and nothing is changed, too.

    Args:
        account_id: the account.
        run_id: what the cycle is part of, for the history.
        steps: the steps to do; those that only read leave the account as it is.
        stop_asked: looked at between two batches; once it is true, the cycle ends `Paused`.

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
                _with_account(ledger, report, stop_asked)
    except DBAPIError as error:
        raise PipelineDatabaseError(error) from None
    report.seconds = round(monotonic() - begun, 3)
    return report


def _with_account(ledger: Connection, report: CycleReport, stop_asked: Callable[[], bool]) -> None:
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
    report.campaigns = account.settings.campaigns is not None
    if report.steps & WRITING:
        _Cycle(ledger, account, report, stop_asked).run()
    else:
        look = _Cycle(ledger, account, report, stop_asked)
        look.attempt(look.read, _READING)
        look.conclude()


class _Cycle:
    """One cycle under way: each step is attempted, and what goes wrong ends up in the report."""

    def __init__(
        self,
        ledger: Connection,
        account: Account,
        report: CycleReport,
        stop_asked: Callable[[], bool],
    ) -> None:
        self.ledger = ledger
        self.account = account
        self.report = report
        self.stop_asked = stop_asked
        self.problems: list[Exception] = []
        self.told: list[str] = []

    def run(self) -> None:
        """Every step that was asked for, then the account's state."""
        report, account_id = self.report, self.account.account_id
        started = start_cycle(self.ledger, account_id, report.run_id)
        self.ledger.commit()
        report.cycle_id, report.watermark = started.cycle_id, started.watermark
        session = DeliverySession(
            self.ledger,
            self.account,
            started.cycle_id,
            usage_before=_still_true(started),
            paused_before=started.state_before == "Paused",
            latency_before=started.latency_seconds,
            stop_asked=self.stop_asked,
        )
        org_is_there = campaigns_read = True
        if report.steps & _SENDING:
            org_is_there = self.attempt(session.be_sure_of_org)
        if report.steps & _RETRYING and org_is_there:
            org_is_there = self.attempt(lambda: self._retry(session), _RETRYING)
        self.attempt(self.read, _READING)
        if "campaign_members" in report.steps:
            campaigns_read = self.attempt(self.read_campaigns)
        if report.steps & _LOADING and org_is_there:
            sent = _LOADING if campaigns_read else _LOADING - _OF_CAMPAIGNS
            self.attempt(lambda: deliver(session), sent)
        self.attempt(session.log_out)
        self._count(session)
        incidents = open_incidents(self.ledger, account_id)
        report.counts.incidents = len(incidents)
        self.conclude(session.notes, incidents)
        self._finish(session)

    def attempt(self, step: Callable[[], None], done: frozenset[Step] = frozenset()) -> bool:
        """Does a step; what is wrong with the account, its data or its org ends only that.

        Returns:
            Whether all went well; then `done` is done.
        """
        try:
            step()
        except (AccountError, ExtractError, SalesforceProblem) as problem:
            self.problems.append(problem)
        except DBAPIError:
            raise
        except Exception as bug:  # noqa: BLE001 - one account's bug must not stop the others
            # Only where it happened: a message may quote personal data.
            where = "".join(traceback.format_tb(bug.__traceback__))
            log.error(  # noqa: TRY400
                "Account %s: %s\n%s", self.account.account_id, type(bug).__name__, where
            )
            self.problems.append(bug)
        else:
            self.report.done |= done & self.report.steps
            return True
        finally:
            self.ledger.rollback()
        return False

    def read(self) -> None:
        """Reads what is new and, where asked for, records it and moves the watermark."""
        report = self.report
        sources = [s for s in SOURCES if s in report.steps or report.steps & _BEYOND_SOURCES]
        if not sources:
            return
        recording = "lead_payloads" in report.steps
        unread = flow.unread_sessions(self.ledger, self.account.account_id)
        for batch in flow.batches(
            self.ledger, engine("warehouse"), self.account, sources, backfilled=unread
        ):
            stop_if(self.stop_asked)
            self._tally(batch)
            if recording:
                recorded = record_intents(
                    self.ledger,
                    self.account.account_id,
                    flow=flow.NAME,
                    cycle_id=report.cycle_id or 0,
                    intents=batch.intents,
                )
                record_emails(self.ledger, self.account.account_id, batch.emails)
                advance(self.ledger, self.account.account_id, batch.position)
                self.ledger.commit()
                self._tally_recorded(recorded)
        if recording and set(sources) == set(SOURCES):
            flow.sessions_were_read(self.ledger, self.account.account_id, unread)
            self.ledger.commit()

    def read_campaigns(self) -> None:
        """Reads what is new for the account's campaigns, if it has them on, and records it."""
        chosen = self.account.settings.campaigns
        if chosen is None:
            return
        warehouse, account = engine("warehouse"), self.account
        whole = campaigns.to_read_whole(self.ledger, warehouse, account, chosen)
        self.ledger.commit()
        unknown: Counter[str] = Counter()
        for batch in campaigns.batches(self.ledger, warehouse, account, chosen, whole):
            stop_if(self.stop_asked)
            unknown += batch.unknown_words
            recorded = record_intents(
                self.ledger,
                account.account_id,
                flow=campaigns.NAME,
                cycle_id=self.report.cycle_id or 0,
                intents=batch.intents,
            )
            advance(self.ledger, account.account_id, batch.position)
            self.ledger.commit()
            members = recorded.get("member", Recorded())
            self.report.counts.members_new += members.new
            self.report.counts.members_changed += members.changed
            self.report.counts.members_rejected += members.rejected
        if unknown:
            self.told.append(_explain_words(unknown))
        waiting = campaigns.was_read(self.ledger, account, whole)
        self.report.counts.backfills_waiting = len(waiting)
        self.report.counts.backfill_rows_waiting = sum(waiting.values())
        self.ledger.commit()

    def conclude(
        self, notes: Mapping[str, int] | None = None, incidents: Sequence[Incident] = ()
    ) -> None:
        """Sets the report's state, its reason and its notes, each a line for people."""
        report = self.report
        if self.problems:
            paused = all(isinstance(problem, AccountPaused) for problem in self.problems)
            report.state = "Paused" if paused else "Failed"
        report.reason = "; ".join(dict.fromkeys(map(_explain, self.problems)))
        report.notes = "; ".join([*self.told, *_notes(notes or {}, incidents)])

    def _tally(self, batch: flow.Batch) -> None:
        report, counts = self.report, self.report.counts
        if batch.source == "registrations":
            counts.registrations += batch.rows
        else:
            counts.attendances += batch.rows
        for session_id, rows in batch.rows_by_session.items():
            report.sessions[session_id] = report.sessions.get(session_id, 0) + rows
        reasons = Counter(i.rejected_because for i in batch.intents if i.rejected_because)
        counts.rejected += reasons.total()
        for reason, rows in reasons.items():
            report.rejected_by_reason[reason] = report.rejected_by_reason.get(reason, 0) + rows

    def _tally_recorded(self, recorded: Mapping[str, Recorded]) -> None:
        counts = self.report.counts
        activities = recorded.get("activity", Recorded())
        counts.unchanged += activities.unchanged
        counts.intents_new += activities.new
        counts.intents_changed += activities.changed
        counts.people += (
            recorded["person"].new + recorded["person"].changed if ("person" in recorded) else 0
        )

    def _retry(self, session: DeliverySession) -> None:
        counts = self.report.counts
        counts.retried, counts.retried_done = retry(session)

    def _count(self, session: DeliverySession) -> None:
        report, counts = self.report, self.report.counts
        for name, number in asdict(session.delivered).items():
            setattr(counts, name, number)
        open_now = open_volumes(self.ledger, self.account.account_id)
        counts.waiting = sum(v.pending + v.in_flight + v.failed for v in open_now.values())
        counts.exhausted = sum(volume.exhausted for volume in open_now.values())
        counts.api_calls = session.api_calls
        counts.api_calls_forecast = session.forecast
        report.route = ", ".join(
            f"{stage} by {route.name}" for stage, route in session.routes.items()
        )
        report.route_reason = "; ".join(
            f"{stage}: {route.reason}" for stage, route in session.routes.items()
        )
        report.api_calls_by_kind = dict(session.calls_by_kind)
        if session.usage is not None:
            report.api_used, report.api_limit = session.usage.used, session.usage.limit

    def _finish(self, session: DeliverySession) -> None:
        report, counts = self.report, self.report.counts
        pauses = [p.until for p in self.problems if isinstance(p, AccountPaused)]
        report.standing = finish_cycle(
            self.ledger,
            self.account.account_id,
            report.cycle_id or 0,
            state=report.state,
            reason=report.reason,
            notes=report.notes,
            counts=asdict(counts)
            | {
                "rejected_by_reason": report.rejected_by_reason,
                "api_calls_by_kind": report.api_calls_by_kind,
            },
            succeeded=session.delivered.succeeded,
            failed=counts.failed,
            paused_until=max(pauses, default=None),
            api_used=report.api_used,
            api_limit=report.api_limit,
            latency_seconds=session.latency,
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


def _notes(changed: Mapping[str, int], incidents: Sequence[Incident]) -> list[str]:
    """What people may want to know although it stopped nothing."""
    notes = [
        f"{each.code} holds up {each.operations} records ({each.subject}); they go when it is"
        " mended in the org"
        for each in incidents
    ]
    if changed:
        values = (f"{what} ({number})" for what, number in sorted(changed.items()))
        notes.append("Values changed to fit the org: " + ", ".join(values))
    return notes


def _explain_words(unknown: Counter[str]) -> str:
    words = ", ".join(f"{word!r} ({rows})" for word, rows in sorted(unknown.items()))
    return (
        f"Held for a status that nobody has explained: {words}; add"
        ' {"stage_of": {WORD: STAGE}} to the account\'s campaigns (`crm-pipeline account set`)'
    )


def _explain(problem: Exception) -> str:
    if isinstance(problem, AccountError | ExtractError | SalesforceProblem):
        return str(problem)
    return f"An unexpected {type(problem).__name__}: a bug; the run's log says where"
