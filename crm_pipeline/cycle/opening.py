"""Opening a cycle: its desk, with what the cycle before saw of the org."""

from datetime import UTC, datetime, timedelta

from crm_pipeline.cycle.applying import Applying
from crm_pipeline.cycle.planning import Planning
from crm_pipeline.cycle.read_back import watched_fields
from crm_pipeline.cycle.reading import FlowReader
from crm_pipeline.cycle.taking_back import TakingBack
from crm_pipeline.delivery.allowance import Allowance
from crm_pipeline.delivery.approval import Approval
from crm_pipeline.delivery.desk import Desk, desk_of
from crm_pipeline.delivery.phases import PhaseClock
from crm_pipeline.ledger.copies import mark_ledger
from crm_pipeline.ledger.cycles import StartedCycle
from crm_pipeline.ledger.plans import take_unseen
from crm_pipeline.salesforce.connection import ApiUsage
from crm_pipeline.salesforce.limits import PAUSE_SECONDS
from crm_pipeline.salesforce.stand_in import StandIn


def open_desk(
    reader: FlowReader,
    started: StartedCycle,
    occasion: Planning | Applying | TakingBack | None,
    clock: PhaseClock,
) -> Desk:
    """Lays out the desk of a cycle that has begun; marks the ledger, calls nobody.

    Commits where a plan waits for a cycle that is held against it.

    Args:
        reader: reads for the flows that the account has on.
        started: the cycle.
        occasion: of one that only plans, does what a plan says, or takes another one back.
        clock: the cycle's.
    """
    account, ledger = reader.account, reader.ledger
    allowance = Allowance(
        account.settings,
        usage_before=_still_true(started),
        before_until=_true_until(started),
        paused_before=started.state_before == "Paused",
        latency_before=started.latency_seconds,
        stop_asked=reader.stop_asked,
    )
    desk = desk_of(
        account,
        ledger,
        allowance,
        watched=watched_fields(reader.flows),
        may_be_older_copy=mark_ledger(ledger.connection, ledger.account_id),
        clock=clock,
        approval=None
        if isinstance(occasion, Planning | TakingBack)
        else _plan_to_hold_to(reader, occasion),
    )
    if occasion is not None and occasion.plans:
        desk.org.stand_in = StandIn(desk.schemas.known)
    return desk


def _plan_to_hold_to(reader: FlowReader, occasion: Applying | None) -> Approval | None:
    """The plan that is applied, or the newest of everybody that no cycle has seen, if any.

    The next cycle alone can be held against it, and one of all steps.
    """
    account, ledger = reader.account, reader.ledger
    unseen = take_unseen(ledger.connection, ledger.account_id, ledger.cycle_id)
    if unseen:
        ledger.connection.commit()
    if occasion is not None:
        return Approval(ledger, occasion.plan, binds=True)
    for plan in unseen:
        if not plan.of_some_people and plan.start_at in (None, account.settings.start_at):
            return Approval(ledger, plan, binds=False)
    return None


def _still_true(started: StartedCycle) -> ApiUsage | None:
    """Returns the used share of the org's day, if it was seen within the last hour, else None."""
    until = _true_until(started)
    if started.api_used is None or started.api_limit is None or until is None:
        return None
    return ApiUsage(started.api_used, started.api_limit) if datetime.now(UTC) <= until else None


def _true_until(started: StartedCycle) -> datetime | None:
    """Returns how long the used share that was seen last is taken to be so, or None."""
    seen = started.api_seen_at
    return seen and seen + timedelta(seconds=PAUSE_SECONDS)
