"""The schedule and the sensor that ask for accounts; both go by the planner."""

from dagster import (
    DagsterInstance,
    DefaultScheduleStatus,
    DefaultSensorStatus,
    RunRequest,
    ScheduleDefinition,
    ScheduleEvaluationContext,
    SensorDefinition,
    SensorEvaluationContext,
    SkipReason,
    schedule,
    sensor,
)

from crm_pipeline.cadence.cycle_runs import CYCLE_JOB, WAITING, accounts_in_runs, run_request
from crm_pipeline.cadence.due import accounts_with_requests, claim, due_accounts
from crm_pipeline.cadence.partitions import ACCOUNTS
from crm_pipeline.cadence.planner import Due, chunks
from crm_pipeline.cadence.tick_counts import counted_tick
from crm_pipeline.flows.registry import FLOWS, SYNC_STATE
from crm_pipeline.settings import settings

# Dagster's daemon creates some ten runs a second; what a tick leaves out the next one asks for.
MOST_RUNS_PER_TICK = 100

REQUESTS_SECONDS = 5
"""How often the queue of requests is looked at."""


def ask(
    instance: DagsterInstance, asked_by: str, *, only_urgent: bool, tick: str | None = None
) -> list[RunRequest]:
    """Claims the accounts that are due, and returns the runs that deal with them.

    An account is asked for by one tick only, in whatever process ticks at the same time, and
    not again while it waits in the queue, however long that takes.

    Args:
        instance: Dagster's.
        asked_by: who asks, for the list of runs.
        only_urgent: leaves what can wait to the schedule.
        tick: of a schedule, its moment.

    Raises:
        ExtractError: the warehouse can't be asked, and nothing else is to be done.
    """
    waiting = accounts_in_runs(instance, WAITING) or frozenset()
    due = due_accounts(only_urgent=only_urgent, without=waiting)
    wanted = chunks(due, settings().accounts_per_run)[:MOST_RUNS_PER_TICK]
    claimed = claim([account for chunk in wanted for account in chunk])
    if claimed:
        _make_partitions(instance, claimed)
    mine = ([account for account in chunk if account in claimed] for chunk in wanted)
    return [
        run_request(chunk, asked_by, f"{tick} {chunk[0]}" if tick else None)
        for chunk in mine
        if chunk
    ]


def _make_partitions(instance: DagsterInstance, account_ids: set[str]) -> None:
    """A new account need not wait for the sensor that makes its partition."""
    name = str(ACCOUNTS.name)
    missing = account_ids.difference(instance.get_dynamic_partitions(name))
    if missing:
        instance.add_dynamic_partitions(name, sorted(missing))


def _cron(minutes: int) -> str:
    return "0 * * * *" if minutes == 60 else f"*/{minutes} * * * *"


def schedule_of_accounts(minutes: int) -> ScheduleDefinition:
    """Returns the schedule that asks for every account with something to do, at this pace."""

    @schedule(
        name="accounts_due",
        job_name=CYCLE_JOB,
        cron_schedule=_cron(minutes),
        execution_timezone="UTC",
        default_status=DefaultScheduleStatus.RUNNING,
        description="Asks for every account that has something to do: new rows, retries whose time "
        "has come, unfinished or failed cycles.",
    )
    def accounts_due(context: ScheduleEvaluationContext) -> list[RunRequest] | SkipReason:
        tick = context.scheduled_execution_time.isoformat()
        with counted_tick("accounts_due"):
            runs = ask(context.instance, "schedule", only_urgent=False, tick=tick)
        return runs or SkipReason("No account has anything to do.")

    return accounts_due


def ask_for_requests(instance: DagsterInstance) -> list[RunRequest]:
    """Claims the accounts of which something was asked, and returns the runs that do it.

    These are about the topics that act on what was asked, and how the account stands then. An
    account that is at its cycle does them in that.
    """
    waiting = accounts_in_runs(instance, WAITING) or frozenset()
    asked = [each for each in accounts_with_requests() if each not in waiting]
    claimed = claim(asked)
    if not claimed:
        return []
    _make_partitions(instance, claimed)
    due = [Due(each, "asked for something") for each in asked if each in claimed]
    acting = [topic.name for flow in FLOWS for topic in flow.topics if topic.acts is not None]
    return [
        run_request(chunk, "requests", topics=[*acting, SYNC_STATE])
        for chunk in chunks(due, settings().accounts_per_run)
    ]


@sensor(
    job_name=CYCLE_JOB,
    minimum_interval_seconds=REQUESTS_SECONDS,
    default_status=DefaultSensorStatus.RUNNING,
    description="Asks for the accounts of which Salesforce, or an operator, has asked something: a "
    "removal, feedback, data to be stored with a user.",
)
def new_requests(context: SensorEvaluationContext) -> list[RunRequest] | SkipReason:
    """A tick of the sensor over the queue of requests."""
    with counted_tick("new_requests"):
        runs = ask_for_requests(context.instance)
    return runs or SkipReason("Nothing was asked for.")


def sensor_of_news(seconds: int) -> SensorDefinition:
    """Returns the sensor that asks for accounts with something urgent, this often."""

    @sensor(
        name="new_data",
        job_name=CYCLE_JOB,
        minimum_interval_seconds=seconds,
        default_status=DefaultSensorStatus.RUNNING,
        description="Asks for the accounts with new rows in the warehouse, for new accounts, and "
        "for those repaired after a failure, without waiting for the schedule.",
    )
    def new_data(context: SensorEvaluationContext) -> list[RunRequest] | SkipReason:
        with counted_tick("new_data"):
            runs = ask(context.instance, "new data", only_urgent=True)
        return runs or SkipReason("Nothing new in the warehouse.")

    return new_data
