"""Doing what a plan says, and nothing else: a cycle by a plan that a person has seen."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from crm_pipeline.accounts.account import AccountError
from crm_pipeline.accounts.store import get_account, touch_account
from crm_pipeline.cycle.applying import Applying
from crm_pipeline.cycle.attempts import PipelineDatabaseError
from crm_pipeline.cycle.cycle import Surroundings, run_account
from crm_pipeline.database.engines import engine
from crm_pipeline.declaration import Flow
from crm_pipeline.delivery.messages import PlatformOf
from crm_pipeline.flows.registry import ALL_TOPICS, FLOWS
from crm_pipeline.ledger.lock import account_lock
from crm_pipeline.ledger.plans import (
    Departure,
    KeptPlan,
    departures_of,
    kept_plan,
    plan_was_applied,
)
from crm_pipeline.report import CycleReport
from crm_pipeline.source_platform.chosen import chosen_platform
from crm_pipeline.text import shown


@dataclass(frozen=True, slots=True)
class Applied:
    """What came of a plan.

    Attributes:
        report: the cycle's.
        departures: where it differs from the plan; none before it came to its end.
    """

    report: CycleReport
    departures: Sequence[Departure]


def plan_to_apply(connection: Connection, account_id: str, plan_id: int) -> KeptPlan:
    """The plan of this number.

    Raises:
        AccountError: there is no such account or plan, it was applied, or the account is disabled.
    """
    account = get_account(connection, account_id)
    none = account.without_cycles
    if none is not None and not account.draft:
        raise AccountError(
            f"Account {account_id} is {none.is_a}; `{none.command}` lets its cycles {none.verb}."
        )
    plan = kept_plan(connection, account_id, plan_id)
    another = f"`crm-pipeline plan {account_id}` makes another, and tells its number."
    if plan is None:
        raise AccountError(
            f"Account {account_id} has no plan {plan_id}, or not any more; {another}"
        )
    if plan.cycle_id is not None:
        when = f" for {plan.applied_by} at {shown(plan.applied_at)}" if plan.applied_at else ""
        raise AccountError(
            f"Account {account_id}: plan {plan_id} was applied by cycle {plan.cycle_id}{when}; "
            f"{another}"
        )
    return plan


def apply_plan(
    account_id: str,
    plan_id: int,
    *,
    run_id: str,
    by: str,
    stop_asked: Callable[[], bool] = lambda: False,
    flows: Sequence[Flow[Any]] = FLOWS,
    platform_of: PlatformOf = chosen_platform,
) -> Applied:
    """Sends what a plan says, where it still is as it was planned; everything else waits.

    Reads and decides anew, as each cycle. A write that is not the plan's, field by field, is not
    sent. A draft stays one; it has no other cycle. A plan that did not come to its end, as calls
    were spent or the process died, may be applied again.

    Args:
        account_id: the account.
        plan_id: its plan.
        run_id: what the cycle is part of, for the history.
        by: who wants it, to be kept with the plan.
        stop_asked: as of `sync_account`.
        flows: those that there are.
        platform_of: the way to the source platform, which is told nothing now.

    Raises:
        AccountError: there is no such account or plan, it was applied, the account is disabled,
            or a cycle of it is running.
        PipelineDatabaseError: the pipeline's own database fails.
    """
    begun = monotonic()
    report = CycleReport(account_id, account_id, run_id, steps=ALL_TOPICS)
    try:
        with account_lock(engine("pipeline"), account_id) as ledger:
            if ledger is None:
                raise AccountError(
                    f"Account {account_id}: a cycle of it is running; try again when it has ended."
                )
            plan = plan_to_apply(ledger, account_id, plan_id)
            applying = Applying(plan)
            run_account(ledger, report, Surroundings(flows, platform_of, stop_asked, applying))
            departures: Sequence[Departure] = ()
            if report.state == "Complete":
                plan_was_applied(ledger, plan_id, report.cycle_id, by)
                departures = departures_of(ledger, plan_id)
                # The next cycle sees whether anything is left of what was held.
                touch_account(ledger, account_id)
                ledger.commit()
    except DBAPIError as error:
        raise PipelineDatabaseError(error) from None
    report.seconds = round(monotonic() - begun, 3)
    return Applied(report, departures)
