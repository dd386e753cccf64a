"""Everything that Dagster knows of this product: the one place where all of it meets."""

from dagster import AssetSelection, Definitions, define_asset_job, in_process_executor

from crm_pipeline.alerts.watch import broken_promises_alert
from crm_pipeline.cadence.crashes import crashed_runs, stopped_runs
from crm_pipeline.cadence.cycle_runs import CYCLE_JOB
from crm_pipeline.cadence.partitions import account_partitions
from crm_pipeline.cadence.purge import purge_daily, purge_history
from crm_pipeline.cadence.ticks import accounts_due, new_data
from crm_pipeline.flows.webinars.assets import SALESFORCE, WAREHOUSE, webinar_cycle
from crm_pipeline.flows.webinars.checks import overdue_accounts, webinar_checks

# The cycle evaluates the checks for its own accounts, hence without them.
cycle_job = define_asset_job(
    CYCLE_JOB,
    selection=AssetSelection.assets(webinar_cycle).without_checks(),
    description="The cycle of some accounts: reads what is new in the warehouse, brings it to "
    "each client's Salesforce, and tries again what failed before.",
)

defs = Definitions(
    assets=[*WAREHOUSE, webinar_cycle, *SALESFORCE],
    asset_checks=[webinar_checks],
    jobs=[cycle_job, purge_history],
    schedules=[accounts_due, purge_daily],
    sensors=[
        new_data,
        account_partitions,
        crashed_runs,
        stopped_runs,
        broken_promises_alert,
        overdue_accounts,
    ],
    # A step in a process of its own costs four times what the step does.
    executor=in_process_executor,
)
