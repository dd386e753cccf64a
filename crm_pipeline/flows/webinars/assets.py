"""The webinar cycle as assets: an account is a partition, each step of its cycle an asset.

One op does all steps, since the accounts of a run go through them side by side and none may
stop another. What a step does stands in `crm_pipeline.cycle`; here is what an analyst sees of it.
"""

from collections.abc import Iterator, Sequence
from typing import Any, get_args

from dagster import (
    AssetExecutionContext,
    AssetKey,
    AssetMaterialization,
    AssetObservation,
    AssetSpec,
    BackfillPolicy,
    Failure,
    MaterializeResult,
    MetadataValue,
    TableColumnDep,
    TableColumnLineage,
    TableRecord,
    multi_asset,
)

from crm_pipeline.cadence.chunk import sync_accounts
from crm_pipeline.cadence.cycle_runs import CYCLE_OP, CycleConfig
from crm_pipeline.cadence.partition_marks import (
    log_evaluations,
    log_materializations,
    mark_failed,
)
from crm_pipeline.cadence.partitions import ACCOUNTS
from crm_pipeline.cycle.report import CycleReport, Step
from crm_pipeline.flows.webinars.checks import CHECKS, evaluate
from crm_pipeline.flows.webinars.metadata import metadata
from crm_pipeline.flows.webinars.rules import DEFAULT_MAPPING
from crm_pipeline.settings import settings

OWNERS = ["team:crm-operations"]


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


def _spec(step: Step, description: str, kind: str, deps: Sequence[Any], **more: Any) -> AssetSpec:
    return AssetSpec(
        step,
        description=description,
        deps=deps,
        kinds={kind},
        group_name="webinars",
        owners=OWNERS,
        skippable=True,
        **more,
    )


SPECS = [
    _spec(
        "registrations",
        "Who registered for an event session: the rows shipped to the warehouse since the last "
        "cycle, with the person's details.",
        "postgres",
        [_warehouse("registration"), _warehouse("person")],
    ),
    _spec(
        "attendances",
        "Who attended an event session, with the last 10 poll answers and the last 5 chat "
        "messages of each.",
        "postgres",
        [_warehouse(t) for t in ("attendance", "person", "poll_answer", "chat_message")],
    ),
    _spec(
        "filtered_leads",
        "The registrations and attendances that may reach Salesforce: without those whose email "
        "address is missing, impossible, or contains one of the account's filter strings.",
        "python",
        ["registrations", "attendances"],
    ),
    _spec(
        "lead_payloads",
        "What is to stand in Salesforce: each person's lead or contact fields and one activity "
        "for each registration and attendance. Stored in the ledger together with the account's "
        "watermark, so that nothing read is ever lost.",
        "python",
        ["filtered_leads"],
        metadata={"dagster/column_lineage": _column_lineage()},
    ),
    _spec(
        "retried_operations",
        "What failed in earlier cycles and was tried again: the oldest 50 of the account, each "
        "five times in all; what still fails waits for support.",
        "salesforce",
        ["lead_payloads"],
    ),
    _spec(
        "load_results",
        "What came of the writes: an existing lead or contact gets the fields that changed, a "
        "new person becomes a lead, and each gets the activity.",
        "salesforce",
        ["lead_payloads"],
    ),
    _spec(
        "sync_state",
        "How the account stands after its cycle: Complete, Paused or Failed, up to when the "
        "warehouse was read, and what waits.",
        "postgres",
        ["retried_operations", "load_results"],
    ),
]


@multi_asset(
    name=CYCLE_OP,
    specs=SPECS,
    partitions_def=ACCOUNTS,
    can_subset=True,
    backfill_policy=BackfillPolicy.multi_run(max_partitions_per_run=settings().accounts_per_run),
)
def webinar_cycle(
    context: AssetExecutionContext, config: CycleConfig
) -> Iterator[MaterializeResult[Any]]:
    """The cycle of each account that the run is about; a failed one leaves the others alone.

    Raises:
        Failure: some accounts failed; it names them. The others' partitions are materialized.
    """
    steps = _steps(context)
    failed: list[CycleReport] = []
    for reports in sync_accounts(
        _account_ids(context, config), run_id=context.run.run_id, steps=steps
    ):
        _log(context, steps, reports)
        failed += [report for report in reports if report.state == "Failed"]
    if failed:
        mark_failed(context.instance, context.run.run_id, [report.account_id for report in failed])
        raise _failure(failed)
    yield from ()


def _account_ids(context: AssetExecutionContext, config: CycleConfig) -> Sequence[str]:
    if config.account_ids:
        return config.account_ids
    if context.has_partition_key or context.has_partition_key_range:
        return list(context.partition_keys)
    raise Failure(
        "This run is about no account: choose partitions, or name accounts in `account_ids`.",
        allow_retries=False,
    )


def _steps(context: AssetExecutionContext) -> frozenset[Step]:
    selected = {key.to_user_string() for key in context.selected_asset_keys}
    return frozenset(step for step in get_args(Step) if step in selected)


def _log(
    context: AssetExecutionContext, steps: frozenset[Step], reports: Sequence[CycleReport]
) -> None:
    """Writes to Dagster's log what became of these accounts."""
    busy = [report for report in reports if report.state == "Busy"]
    for report in busy:
        context.log.warning("%s (%s): %s", report.account_id, report.account_name, report.reason)
        for step in steps:
            observed = AssetObservation(
                step,
                partition=report.account_id,
                metadata={"state": report.state, "reason": report.reason},
            )
            context.log_event(observed)
    log_materializations(
        context,
        [
            AssetMaterialization(step, partition=report.account_id, metadata=metadata(step, report))
            for report in reports
            if report.state in ("Complete", "Paused")
            for step in steps
        ],
    )
    touched = [report.account_id for report in reports if report.state != "Busy"]
    checks = [check for check in CHECKS if check.asset in steps]
    log_evaluations(context, evaluate(context.instance, touched, checks))


def _failure(failed: Sequence[CycleReport]) -> Failure:
    lines = [f"{each.account_id} ({each.account_name}): {each.reason}" for each in failed]
    return Failure(
        "\n".join([f"Failed: {len(failed)} of this run's accounts. The others are done.", *lines]),
        metadata={
            "failed_accounts": MetadataValue.table(
                [
                    TableRecord(
                        {
                            "account_id": each.account_id,
                            "account": each.account_name,
                            "reason": each.reason,
                        }
                    )
                    for each in failed
                ],
            )
        },
        allow_retries=False,
    )
