"""The cycle of accounts as assets: an account is a partition, each step of its cycle an asset.

One op does all steps of all flows, since an account has one cycle, and since the accounts of a
run go through theirs side by side and none may stop another. What a step does stands in
`crm_pipeline.cycle`, what is shown of it with its flow; here is how a run goes through accounts.
"""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, get_args

from dagster import (
    AssetExecutionContext,
    AssetMaterialization,
    AssetObservation,
    AssetsDefinition,
    AssetSpec,
    BackfillPolicy,
    Failure,
    MaterializeResult,
    MetadataValue,
    TableRecord,
    multi_asset,
)

from crm_pipeline.cadence.chunk import sync_accounts
from crm_pipeline.cadence.cycle_runs import ASKED_BY_TAG, CYCLE_OP, CycleConfig
from crm_pipeline.cadence.flow_assets import Check, FlowAssets, Metadata, step_asset
from crm_pipeline.cadence.partition_marks import (
    log_evaluations,
    log_materializations,
    mark_failed,
)
from crm_pipeline.cadence.partitions import ACCOUNTS
from crm_pipeline.cadence.verdicts import judge
from crm_pipeline.cycle.report import CycleReport, Step
from crm_pipeline.settings import settings

_UNTOUCHED = ("Busy", "Disabled")
"""States of a cycle that did nothing."""

DELIVERED_IN_TIME = Check(
    "delivered_in_time",
    "sync_state",
    "Nothing waits for Salesforce longer than the promised hour, read or unread.",
)


def account_assets(flows: Sequence[FlowAssets]) -> FlowAssets:
    """All that the flows show of an account's cycle, and the account's state at its end."""
    specs = list(chain.from_iterable(flow.specs for flow in flows))
    return FlowAssets(
        specs=[*specs, _sync_state_asset(specs)],
        metadata={step: show for flow in flows for step, show in flow.metadata.items()}
        | {"sync_state": _sync_state},
        checks=[*chain.from_iterable(flow.checks for flow in flows), DELIVERED_IN_TIME],
    )


def _sync_state_asset(specs: Sequence[AssetSpec]) -> AssetSpec:
    inner = {dep.asset_key for spec in specs for dep in spec.deps}
    return step_asset(
        "sync_state",
        "How the account stands after its cycle: Complete, Paused or Failed, up to when the "
        "warehouse was read, and what waits.",
        group="accounts",
        kind="postgres",
        deps=[spec.key for spec in specs if spec.key not in inner],
    )


def _sync_state(report: CycleReport) -> Metadata:
    return {
        "state": report.state,
        "reason": report.reason,
        "watermark": MetadataValue.timestamp(report.watermark) if report.watermark else None,
        "seconds": report.seconds,
        "waiting": report.counts.waiting,
        "exhausted": report.counts.exhausted,
    }


def cycle_assets(shown: FlowAssets) -> AssetsDefinition:
    """The op that takes accounts through their cycle, with an asset for each step."""

    @multi_asset(
        name=CYCLE_OP,
        specs=shown.specs,
        partitions_def=ACCOUNTS,
        can_subset=True,
        backfill_policy=BackfillPolicy.multi_run(
            max_partitions_per_run=settings().accounts_per_run
        ),
    )
    def sync(
        context: AssetExecutionContext, config: CycleConfig
    ) -> Iterator[MaterializeResult[Any]]:
        """The cycle of each account that the run is about; a failed one leaves the others alone.

        Raises:
            Failure: some accounts failed; it names them. The others' partitions are materialized.
        """
        account_ids, run_id = _account_ids(context, config), context.run.run_id
        steps = _steps(context)
        failed: list[CycleReport] = []
        refused: list[CycleReport] = []
        for reports in sync_accounts(account_ids, run_id=run_id, steps=steps):
            _log_untouched(context, steps, reports)
            _log_done(context, shown, steps, reports)
            failed += [report for report in reports if report.state == "Failed"]
            refused += [report for report in reports if report.state == "Disabled"]
        if failed:
            mark_failed(context.instance, run_id, [report.account_id for report in failed])
        # The planner asks for enabled accounts only; one may be disabled while its run waits.
        if ASKED_BY_TAG not in context.run.tags:
            failed += refused
        if failed:
            raise _failure(failed)
        yield from ()

    return sync


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


def _log_untouched(
    context: AssetExecutionContext, steps: frozenset[Step], reports: Sequence[CycleReport]
) -> None:
    for report in reports:
        if report.state not in _UNTOUCHED:
            continue
        context.log.warning("%s (%s): %s", report.account_id, report.account_name, report.reason)
        for step in steps:
            said = {"state": report.state, "reason": report.reason}
            context.log_event(AssetObservation(step, partition=report.account_id, metadata=said))


def _log_done(
    context: AssetExecutionContext,
    shown: FlowAssets,
    steps: frozenset[Step],
    reports: Sequence[CycleReport],
) -> None:
    log_materializations(
        context,
        [
            AssetMaterialization(
                step, partition=report.account_id, metadata=_metadata(shown, step, report)
            )
            for report in reports
            if report.state in ("Complete", "Paused")
            for step in steps
        ],
    )
    judged = [report.account_id for report in reports if report.state not in _UNTOUCHED]
    checks = [check for check in shown.checks if check.asset in steps]
    log_evaluations(context, judge(context.instance, judged, checks))


def _metadata(shown: FlowAssets, step: Step, report: CycleReport) -> Metadata:
    of_step = shown.metadata[step](report)
    said = {name: value for name, value in of_step.items() if value not in (None, "")}
    return {"account": report.account_name, "cycle": report.cycle_id or 0} | said


def _failure(failed: Sequence[CycleReport]) -> Failure:
    lines = [f"{each.account_id} ({each.account_name}): {each.reason}" for each in failed]
    rows = [
        TableRecord(
            {"account_id": each.account_id, "account": each.account_name, "reason": each.reason}
        )
        for each in failed
    ]
    return Failure(
        "\n".join([f"Failed: {len(failed)} of this run's accounts. The others are done.", *lines]),
        metadata={"failed_accounts": MetadataValue.table(rows)},
        allow_retries=False,
    )
