"""The nightly scan: nobody who was erased is in either database any more."""

from dagster import (
    DefaultScheduleStatus,
    OpExecutionContext,
    ScheduleDefinition,
    in_process_executor,
    job,
    op,
)

from crm_pipeline.cadence.due import pipeline
from crm_pipeline.database.engines import dagster_storage
from crm_pipeline.inbound.scanning import scan_for_erased


@op(description="Looks at every address in both databases for people who were erased.")
def look_for_erased_people(context: OpExecutionContext) -> None:
    """One scan; the columns with somebody in them are in the run's log."""
    with dagster_storage() as storage:
        left = scan_for_erased(pipeline(), [storage])
    context.add_output_metadata({"places": len(left)})
    for each in left:
        context.log.error("Account %s: somebody who was erased is in %s", *each)


@job(
    executor_def=in_process_executor,
    description="Looks in every column of both databases for people who were erased; the check "
    "nobody_erased_is_left tells each account's verdict.",
)
def scan_for_erased_people() -> None:
    """The nightly scan."""
    look_for_erased_people()


scan_daily = ScheduleDefinition(
    job=scan_for_erased_people,
    cron_schedule="47 3 * * *",
    execution_timezone="UTC",
    default_status=DefaultScheduleStatus.RUNNING,
)
