"""Everything that Dagster knows of this product: the one place where all of it meets."""

from dagster import AssetSelection, Definitions, define_asset_job, in_process_executor

from crm_pipeline.alerts.watch import broken_promises_alert
from crm_pipeline.cadence.cycle_runs import CYCLE_JOB
from crm_pipeline.cadence.erasure_scan import scan_daily, scan_for_erased_people
from crm_pipeline.cadence.partitions import account_partitions
from crm_pipeline.cadence.purge import purge_daily, purge_history
from crm_pipeline.cadence.ticks import new_requests, schedule_of_accounts, sensor_of_news
from crm_pipeline.lineage.checks import checks_for_the_ui
from crm_pipeline.lineage.crashes import crashed_runs, stopped_runs
from crm_pipeline.lineage.cycle import cycle_assets
from crm_pipeline.lineage.outside import outside_specs
from crm_pipeline.lineage.overdue import overdue_accounts
from crm_pipeline.lineage.plan import plan_asset
from crm_pipeline.lineage.summary import days_that_are_over, summary_asset, summary_job
from crm_pipeline.settings import prepare_dagster, settings

prepare_dagster()
cycle = cycle_assets()

# The cycle judges its own accounts, hence the job is without the checks.
cycle_job = define_asset_job(
    CYCLE_JOB,
    selection=AssetSelection.assets(cycle).without_checks(),
    description="The cycle of some accounts: reads what is new in the warehouse, brings it to "
    "each client's Salesforce, and tries again what failed before.",
)

defs = Definitions(
    assets=[
        *outside_specs(read=True),
        cycle,
        plan_asset(),
        *outside_specs(read=False),
        summary_asset(),
    ],
    asset_checks=[checks_for_the_ui()],
    jobs=[cycle_job, summary_job, purge_history, scan_for_erased_people],
    schedules=[
        schedule_of_accounts(settings().cycle_minutes),
        days_that_are_over,
        purge_daily,
        scan_daily,
    ],
    sensors=[
        sensor_of_news(settings().sensor_seconds),
        new_requests,
        account_partitions,
        crashed_runs,
        stopped_runs,
        broken_promises_alert,
        overdue_accounts,
    ],
    # A step in a process of its own costs four times what the step does.
    executor=in_process_executor,
)
