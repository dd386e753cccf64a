"""Traces of a run that was killed or stopped: accounts in the middle of their cycle."""

from dagster import (
    DagsterInstance,
    DagsterRun,
    DagsterRunStatus,
    DefaultSensorStatus,
    RunFailureSensorContext,
    RunStatusSensorContext,
    run_failure_sensor,
    run_status_sensor,
)

from crm_pipeline.cadence.cycle_runs import FORMER_CYCLE_JOB, accounts_of
from crm_pipeline.cadence.due import pipeline
from crm_pipeline.database.statements import statement
from crm_pipeline.flows.registry import ALL_TOPICS
from crm_pipeline.lineage.partition_marks import mark_failed

WILL_RETRY_TAG = "dagster/will_retry"

KILLED = (
    "The process ended in the middle of this account's cycle (killed, out of memory, or its "
    "database was lost; run {run}). The ledger holds what was read and sent; the next cycle goes "
    "on from there."
)
STOPPED = (
    "The run was stopped by hand in the middle of this account's cycle (run {run}). The ledger "
    "holds what was read and sent; the next cycle goes on from there."
)


def close_abandoned(instance: DagsterInstance, run: DagsterRun, reason: str) -> list[str]:
    """Leaves the accounts that the run held as Failed, and gives back those it never came to.

    Accounts whose cycle came to its end, well or badly, are as that end left them.

    Args:
        instance: where the run's events are.
        run: a run that has ended.
        reason: for people; `{run}` becomes the beginning of the run's id.

    Returns:
        The accounts that were left in the middle.
    """
    with pipeline().begin() as connection:
        abandoned = list(
            connection.scalars(
                statement("cadence/fail_abandoned"),
                {"run_id": run.run_id, "reason": reason.format(run=run.run_id[:8])},
            )
        )
        if run.job_name == FORMER_CYCLE_JOB or run.tags.get(WILL_RETRY_TAG) != "true":
            connection.execute(
                statement("cadence/release_unstarted"),
                {"run_id": run.run_id, "account_ids": sorted(accounts_of(run) or ())},
            )
    mark_failed(instance, run.run_id, dict.fromkeys(abandoned, ALL_TOPICS))
    return abandoned


@run_failure_sensor(
    minimum_interval_seconds=15,
    default_status=DefaultSensorStatus.RUNNING,
    description="Accounts that a killed run left in Processing become Failed, with a reason.",
)
def crashed_runs(context: RunFailureSensorContext) -> None:
    """One failed run."""
    _say(context, close_abandoned(context.instance, context.dagster_run, KILLED))


@run_status_sensor(
    run_status=DagsterRunStatus.CANCELED,
    minimum_interval_seconds=15,
    default_status=DefaultSensorStatus.RUNNING,
    description="Accounts that a stopped run left in Processing become Failed, with a reason.",
)
def stopped_runs(context: RunStatusSensorContext) -> None:
    """One run that was stopped by hand."""
    _say(context, close_abandoned(context.instance, context.dagster_run, STOPPED))


def _say(context: RunStatusSensorContext, abandoned: list[str]) -> None:
    if abandoned:
        context.log.warning(
            "Run %s left accounts in the middle of their cycle: %s",
            context.dagster_run.run_id,
            ", ".join(abandoned),
        )
