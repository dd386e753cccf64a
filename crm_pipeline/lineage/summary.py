"""Each day in numbers as an asset whose partitions are days: its plots are trends.

It is made of the numbers by day (schema `daily`), which outlive Dagster's log, and asks no org.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from dagster import (
    AssetExecutionContext,
    AssetKey,
    AssetRecordsFilter,
    AssetsDefinition,
    AssetSelection,
    DagsterInstance,
    DefaultScheduleStatus,
    Failure,
    MaterializeResult,
    MetadataValue,
    RunRequest,
    ScheduleEvaluationContext,
    SkipReason,
    TableRecord,
    asset,
    define_asset_job,
    in_process_executor,
    schedule,
)

from crm_pipeline.cadence.due import pipeline
from crm_pipeline.cadence.partitions import DAYS
from crm_pipeline.lineage.assets import MOST_ACCOUNTS, OWNERS
from crm_pipeline.lineage.legend import OF_A_DAY, legend
from crm_pipeline.lineage.outside import row_counts
from crm_pipeline.reporting.days import (
    NOT_COUNTED,
    days_by_account,
    days_over,
    records_there,
    summed,
)

DAILY_SUMMARY = "daily_summary"

_MOST_SUMS = 1000
"""Of the last month, the newest: people may sum up a day again."""


def summary_asset() -> AssetsDefinition:
    """The asset of the days."""

    @asset(
        name=DAILY_SUMMARY,
        partitions_def=DAYS,
        group_name="accounts",
        kinds={"postgres"},
        owners=OWNERS,
        metadata=legend(OF_A_DAY),
        description="A day (UTC) over all accounts: what was read, written, rejected and refused, "
        "what came late, and what it cost. The plots are trends, day by day; the table has the "
        "accounts, those first in which something went wrong.",
    )
    def daily_summary(context: AssetExecutionContext) -> MaterializeResult[Any]:
        """Sums up one day.

        Raises:
            Failure: the partition is no day that has begun.
        """
        with pipeline().connect() as connection:
            day = _day(context.partition_key)
            rows = days_by_account(connection, day, day)
            records = records_there(connection)
        for observation in row_counts(records):
            context.log_event(observation)
        return MaterializeResult(metadata=summed_up(rows))

    return daily_summary


def _day(partition: str) -> date:
    """The day that a partition names; people may add any text as one."""
    try:
        day = date.fromisoformat(partition)
    except ValueError:
        day = date.max
    if day > datetime.now(UTC).date():
        raise Failure(
            f"{partition} is no day that has begun; write one as 2026-11-30.", allow_retries=False
        )
    return day


def summed_up(rows: Sequence[Mapping[str, str | int | None]]) -> dict[str, Any]:
    """Returns a day as metadata: the sum over all accounts of each number, and the accounts.

    What was not counted of an account has no sum either.
    """
    sums = summed(rows)
    said: dict[str, Any] = {"accounts": len(rows), **_told(sums)}
    written, late = sums.get("written"), sums.get("written_late")
    if written and late is not None:
        said["on_time_percent"] = round(100 * (written - late) / written, 2)
    if rows:
        records = [TableRecord(_told(row)) for row in rows[:MOST_ACCOUNTS]]
        said["by_account"] = MetadataValue.table(records)
    return said


def _told(numbers: Mapping[str, str | int | None]) -> dict[str, str | int]:
    """What was not counted is no zero."""
    return {name: NOT_COUNTED if each is None else each for name, each in numbers.items()}


summary_job = define_asset_job(
    "summarize_day",
    selection=AssetSelection.assets(DAILY_SUMMARY),
    executor_def=in_process_executor,
    description="Sums up a day over all accounts.",
)


def missing_days(instance: DagsterInstance) -> list[RunRequest]:
    """Adds the days that are over as partitions, and asks for those not summed up since."""
    with pipeline().connect() as connection:
        days = [day.isoformat() for day in days_over(connection)]
    instance.add_dynamic_partitions(str(DAYS.name), days)
    of_them = AssetRecordsFilter(AssetKey(DAILY_SUMMARY), asset_partitions=days)
    # Who looked at a day before it was over saw a part of it.
    made = {
        each.partition_key
        for each in instance.fetch_materializations(of_them, limit=_MOST_SUMS).records
        if f"{datetime.fromtimestamp(each.timestamp, UTC):%Y-%m-%d}" > str(each.partition_key)
    }
    return [RunRequest(day, partition_key=day) for day in days if day not in made]


@schedule(
    name="days_that_are_over",
    job=summary_job,
    cron_schedule="20 0 * * *",
    execution_timezone="UTC",
    default_status=DefaultScheduleStatus.RUNNING,
    description="Sums up the day before, and days of the last month that were not summed up yet.",
)
def days_that_are_over(context: ScheduleEvaluationContext) -> list[RunRequest] | SkipReason:
    """A tick."""
    return missing_days(context.instance) or SkipReason("All days are summed up.")
