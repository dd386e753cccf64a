"""Accounts that are late although no cycle judges them any more."""

from dagster import DefaultSensorStatus, SensorEvaluationContext, SkipReason, sensor
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus

from crm_pipeline.cadence.due import pipeline
from crm_pipeline.database.statements import statement
from crm_pipeline.lineage.assets import DELIVERED_IN_TIME, check_key
from crm_pipeline.lineage.checks import judge


@sensor(
    minimum_interval_seconds=60,
    default_status=DefaultSensorStatus.RUNNING,
    description="Shows as late an account that does not run, whose last verdict was good: each "
    "cycle judges its account, but one that is paused or refused has none.",
)
def overdue_accounts(context: SensorEvaluationContext) -> SkipReason:
    """A tick."""
    with pipeline().connect() as connection:
        late = list(connection.scalars(statement("alerts/late_accounts")))
    known = context.instance.event_log_storage.get_asset_check_partition_info(
        [check_key(DELIVERED_IN_TIME)], partition_keys=late
    )
    shown = {
        info.partition_key
        for info in known
        if info.latest_execution_status == AssetCheckExecutionRecordStatus.FAILED
    }
    unknown = [account for account in late if account not in shown]
    for verdict in judge(context.instance, unknown, [DELIVERED_IN_TIME]):
        context.instance.report_runless_asset_event(verdict)
    return SkipReason(f"{len(late)} accounts are late, {len(unknown)} of them newly.")
