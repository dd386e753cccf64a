"""The webinar flow's steps as assets, with the tables and objects they stand between."""

from dagster import AssetKey, AssetSpec, TableColumnDep, TableColumnLineage

from crm_pipeline.cadence.flow_assets import FlowAssets, step_asset
from crm_pipeline.flows.webinars.checks import CHECKS
from crm_pipeline.flows.webinars.metadata import METADATA
from crm_pipeline.flows.webinars.rules import DEFAULT_MAPPING


def _warehouse(table: str) -> AssetKey:
    return AssetKey(["warehouse", table])


def _salesforce(sobject: str) -> AssetKey:
    return AssetKey(["salesforce", sobject])


WAREHOUSE = [
    AssetSpec(
        _warehouse(table),
        group_name="warehouse",
        kinds={"postgres"},
        description=f"The platform's {what}, shipped to the warehouse every 15 minutes.",
    )
    for table, what in {
        "registration": "registrations for event sessions",
        "attendance": "attendances of event sessions",
        "person": "people who registered or attended",
        "poll_answer": "answers to poll questions",
        "chat_message": "chat messages and the replies to them",
    }.items()
]

SALESFORCE = [
    AssetSpec(
        _salesforce(sobject),
        deps=["load_results"],
        group_name="salesforce",
        kinds={"salesforce"},
        description=what,
    )
    for sobject, what in {
        "Lead": "Potential customers in the client's org: new people become leads.",
        "Contact": "Known people in the client's org, kept current, never created here.",
        "Event": "Activities in the client's org: one for each registration and attendance.",
    }.items()
]


def _column_lineage() -> TableColumnLineage:
    """Which warehouse column each field of a payload comes from, in the default mapping."""
    addresses = [TableColumnDep(_warehouse("person"), f"address_{line}") for line in (1, 2, 3)]
    return TableColumnLineage(
        {
            f"{sobject}.{field}": addresses
            if column == "street"
            else [TableColumnDep(_warehouse("person"), column)]
            for sobject, columns in DEFAULT_MAPPING.items()
            for field, column in columns.items()
        }
    )


SPECS = [
    step_asset(
        "registrations",
        "Who registered for an event session: the rows shipped to the warehouse since the last "
        "cycle, with the person's details.",
        group="webinars",
        kind="postgres",
        deps=[_warehouse("registration"), _warehouse("person")],
    ),
    step_asset(
        "attendances",
        "Who attended an event session, with the last 10 poll answers and the last 5 chat "
        "messages of each.",
        group="webinars",
        kind="postgres",
        deps=[_warehouse(t) for t in ("attendance", "person", "poll_answer", "chat_message")],
    ),
    step_asset(
        "filtered_leads",
        "The registrations and attendances that may reach Salesforce: without those whose email "
        "address is missing, impossible, or contains one of the account's filter strings.",
        group="webinars",
        kind="python",
        deps=["registrations", "attendances"],
    ),
    step_asset(
        "lead_payloads",
        "What is to stand in Salesforce: each person's lead or contact fields and one activity "
        "for each registration and attendance. Stored in the ledger together with the account's "
        "watermark, so that nothing read is ever lost.",
        group="webinars",
        kind="python",
        deps=["filtered_leads"],
        metadata={"dagster/column_lineage": _column_lineage()},
    ),
    step_asset(
        "retried_operations",
        "What failed in earlier cycles and was tried again: the oldest 50 of the account, each "
        "five times in all; what still fails waits for support.",
        group="webinars",
        kind="salesforce",
        deps=["lead_payloads"],
    ),
    step_asset(
        "load_results",
        "What came of the writes: an existing lead or contact gets the fields that changed, a "
        "new person becomes a lead, and each gets the activity.",
        group="webinars",
        kind="salesforce",
        deps=["lead_payloads"],
    ),
]

WEBINARS = FlowAssets(SPECS, METADATA, CHECKS)
