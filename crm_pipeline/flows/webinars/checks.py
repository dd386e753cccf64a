"""The flow's promises, per account; each is a statement in `sql/checks/`."""

from dagster import AssetCheckSeverity

from crm_pipeline.cadence.flow_assets import Check

CHECKS = (
    Check(
        "every_row_is_accounted_for",
        "load_results",
        "Every row that the last cycle read was rejected, was known already, or is delivered or "
        "queued: nothing is lost on the way.",
    ),
    Check(
        "no_filtered_address",
        "lead_payloads",
        "No payload is meant for an address that one of the account's filter strings matches.",
    ),
    Check(
        "payloads_fit_the_org",
        "lead_payloads",
        "What was sent keeps to the lengths of the org's fields, and new records have every "
        "required value (the newest 10,000 payloads of the last cycle).",
    ),
    Check(
        "few_writes_fail",
        "load_results",
        "At most one in ten writes of the last cycle failed.",
        AssetCheckSeverity.WARN,
    ),
    Check(
        "no_exhausted_retries",
        "retried_operations",
        "No operation has used up its five tries; those that have wait for support "
        "(`crm-pipeline operations list`).",
    ),
)
