"""The flow's promises as asset checks, per account; each is a statement in `sql/checks/`.

They read the pipeline's own tables and never load an asset. A run evaluates them for its
accounts at their end, also when other accounts of the run failed; in the UI each can be
executed for a partition by itself.
"""

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dagster import (
    AssetCheckEvaluation,
    AssetCheckExecutionContext,
    AssetCheckKey,
    AssetCheckResult,
    AssetCheckSeverity,
    AssetCheckSpec,
    AssetKey,
    AssetRecordsFilter,
    DagsterInstance,
    DefaultSensorStatus,
    PreviewWarning,
    SensorEvaluationContext,
    SkipReason,
    multi_asset_check,
    sensor,
)
from dagster._core.definitions.asset_checks.asset_check_evaluation import (
    AssetCheckEvaluationTargetMaterializationData,
)
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus

from crm_pipeline.cadence.due import pipeline
from crm_pipeline.cadence.partition_marks import latest_materializations, log_evaluations
from crm_pipeline.cadence.partitions import ACCOUNTS
from crm_pipeline.database.engines import engine
from crm_pipeline.database.statements import statement
from crm_pipeline.settings import settings


@dataclass(frozen=True, slots=True)
class Check:
    """A promise: `sql/checks/<name>.sql` answers, for each of :account_ids, whether it holds.

    The statement's columns are account_id, passed, and numbers that go to the metadata.
    """

    name: str
    asset: str
    description: str
    severity: AssetCheckSeverity = AssetCheckSeverity.ERROR

    @property
    def key(self) -> AssetCheckKey:
        """The check's key in Dagster."""
        return AssetCheckKey(AssetKey(self.asset), self.name)


DELIVERED_IN_TIME = Check(
    "delivered_in_time",
    "sync_state",
    "Nothing waits for Salesforce longer than the promised hour, read or unread.",
)

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
    DELIVERED_IN_TIME,
)


def evaluate(
    instance: DagsterInstance, account_ids: Sequence[str], checks: Sequence[Check] = CHECKS
) -> Iterator[AssetCheckEvaluation]:
    """Evaluates checks for accounts, each against the account's latest materialization."""
    assets = {check.key.asset_key for check in checks}
    targets = {asset: _targets(instance, asset, account_ids) for asset in assets}
    for check in checks:
        with engine("pipeline").connect() as connection:
            rows = connection.execute(
                statement(f"checks/{check.name}"),
                {
                    "account_ids": list(account_ids),
                    "freshness_minutes": settings().freshness_minutes,
                },
            ).mappings()
            for row in rows:
                numbers = {k: v for k, v in row.items() if k not in ("account_id", "passed")}
                yield AssetCheckEvaluation(
                    asset_key=check.key.asset_key,
                    check_name=check.name,
                    passed=row["passed"],
                    severity=check.severity,
                    metadata=numbers,
                    partition=row["account_id"],
                    target_materialization_data=targets[check.key.asset_key].get(row["account_id"]),
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


def _specs() -> list[AssetCheckSpec]:
    with warnings.catch_warnings():
        # Checks of a partition are new in Dagster 1.13; its version is pinned.
        warnings.simplefilter("ignore", PreviewWarning)
        return [
            AssetCheckSpec(
                check.name,
                asset=check.asset,
                description=check.description,
                partitions_def=ACCOUNTS,
            )
            for check in CHECKS
        ]


@multi_asset_check(name="webinar_checks", specs=_specs(), can_subset=True)
def webinar_checks(context: AssetCheckExecutionContext) -> Iterator[AssetCheckResult]:
    """The selected checks for the selected accounts."""
    selected = [check for check in CHECKS if check.key in context.selected_asset_check_keys]
    log_evaluations(context, evaluate(context.instance, context.partition_keys, selected))
    yield from ()


@sensor(
    minimum_interval_seconds=60,
    default_status=DefaultSensorStatus.RUNNING,
    description="Shows an account as late that no longer runs at all, whose last verdict was good.",
)
def overdue_accounts(context: SensorEvaluationContext) -> SkipReason:
    """A tick: each cycle judges its account, but one that is paused or refused has none."""
    with pipeline().connect() as connection:
        late = list(connection.scalars(statement("alerts/late_accounts")))
    known = context.instance.event_log_storage.get_asset_check_partition_info(
        [DELIVERED_IN_TIME.key], partition_keys=late
    )
    shown = {
        info.partition_key
        for info in known
        if info.latest_execution_status == AssetCheckExecutionRecordStatus.FAILED
    }
    unknown = [account for account in late if account not in shown]
    for evaluation in evaluate(context.instance, unknown, [DELIVERED_IN_TIME]):
        context.instance.report_runless_asset_event(evaluation)
    return SkipReason(f"{len(late)} accounts are late, {len(unknown)} of them newly.")
