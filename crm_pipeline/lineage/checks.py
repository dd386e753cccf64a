"""Checks of the flows' promises for some accounts; asked of the pipeline's own tables.

No asset is ever loaded. A run judges its accounts as their cycles end, also when other accounts
of it failed; in the UI each check can be executed for a partition by itself.
"""

import warnings
from collections.abc import Iterator, Sequence

from dagster import (
    AssetCheckEvaluation,
    AssetCheckExecutionContext,
    AssetCheckResult,
    AssetChecksDefinition,
    AssetCheckSeverity,
    AssetCheckSpec,
    AssetKey,
    AssetRecordsFilter,
    DagsterInstance,
    PreviewWarning,
    multi_asset_check,
)
from dagster._core.definitions.asset_checks.asset_check_evaluation import (
    AssetCheckEvaluationTargetMaterializationData,
)

from crm_pipeline.cadence.due import pipeline
from crm_pipeline.cadence.partitions import ACCOUNTS
from crm_pipeline.database.statements import statement
from crm_pipeline.declaration import Promise
from crm_pipeline.lineage.assets import PROMISES, check_key, console_link
from crm_pipeline.lineage.legend import LEGEND, explained
from crm_pipeline.lineage.partition_marks import latest_materializations, log_evaluations
from crm_pipeline.settings import settings


def judge(
    instance: DagsterInstance, account_ids: Sequence[str], promises: Sequence[Promise]
) -> Iterator[AssetCheckEvaluation]:
    """The verdict on each promise to each account, about the account's latest materialization."""
    assets = {check_key(promise).asset_key for promise in promises}
    targets = {asset: _targets(instance, asset, account_ids) for asset in assets}
    for promise in promises:
        asset = check_key(promise).asset_key
        severity = AssetCheckSeverity.WARN if promise.only_warns else AssetCheckSeverity.ERROR
        with pipeline().connect() as connection:
            rows = connection.execute(
                statement(f"checks/{promise.name}"),
                {
                    "account_ids": list(account_ids),
                    "freshness_minutes": settings().freshness_minutes,
                },
            ).mappings()
            for row in rows:
                account_id = row["account_id"]
                numbers = {k: v for k, v in row.items() if k not in ("account_id", "passed")}
                yield AssetCheckEvaluation(
                    asset_key=asset,
                    check_name=promise.name,
                    passed=row["passed"],
                    severity=severity,
                    metadata={**numbers, **console_link(account_id)},
                    partition=account_id,
                    target_materialization_data=targets[asset].get(account_id),
                )


def _targets(
    instance: DagsterInstance, asset_key: AssetKey, account_ids: Sequence[str]
) -> dict[str, AssetCheckEvaluationTargetMaterializationData]:
    """The materialization of each account that a verdict of now is about.

    Dagster shows a verdict only as long as there is no later materialization than its target.
    """
    ids = list(latest_materializations(instance, asset_key, account_ids).values())
    if not ids:
        return {}
    found = instance.fetch_materializations(
        AssetRecordsFilter(asset_key=asset_key, storage_ids=ids), limit=len(ids)
    )
    return {
        str(record.partition_key): AssetCheckEvaluationTargetMaterializationData(
            storage_id=record.storage_id, run_id=record.run_id, timestamp=record.timestamp
        )
        for record in found.records
    }


def checks_for_the_ui() -> AssetChecksDefinition:
    """The checks as Dagster lists them, each to be executed for any account's partition."""

    @multi_asset_check(name="account_checks", specs=_specs(), can_subset=True)
    def account_checks(context: AssetCheckExecutionContext) -> Iterator[AssetCheckResult]:
        """The selected checks for the selected accounts."""
        selected = [
            each for each in PROMISES if check_key(each) in context.selected_asset_check_keys
        ]
        log_evaluations(context, judge(context.instance, context.partition_keys, selected))
        yield from ()

    return account_checks


def _specs() -> list[AssetCheckSpec]:
    with warnings.catch_warnings():
        # Checks of a partition are new in Dagster 1.13; its version is pinned.
        warnings.simplefilter("ignore", PreviewWarning)
        return [
            AssetCheckSpec(
                promise.name,
                asset=check_key(promise).asset_key,
                description=promise.says,
                metadata=explained({**promise.numbers, "console": LEGEND["console"]}),
                partitions_def=ACCOUNTS,
            )
            for promise in PROMISES
        ]
