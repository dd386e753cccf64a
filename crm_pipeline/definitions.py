"""Everything that Dagster knows of this product: the one place where all of it meets."""

from dagster import AssetSelection, Definitions, define_asset_job, in_process_executor

from crm_pipeline.cadence.cycle_runs import CYCLE_JOB
from crm_pipeline.cadence.partitions import account_partitions
from crm_pipeline.cadence.ticks import accounts_due, new_data
from crm_pipeline.flows.webinars.assets import SALESFORCE, WAREHOUSE, webinar_cycle
from crm_pipeline.flows.webinars.checks import webinar_checks

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
    jobs=[cycle_job],
    schedules=[accounts_due],
    sensors=[new_data, account_partitions],
    # A step in a process of its own costs four times what the step does.
    executor=in_process_executor,
)
