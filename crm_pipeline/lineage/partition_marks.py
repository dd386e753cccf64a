"""Dagster's marks on each account's partition, for runs that are about several accounts.

Dagster derives a partition's status from events: a materialization makes it green; an event that
one was planned, without one after it, makes it red once the run has failed. It writes these
plans only for runs of one partition or of a range, so a run about other sets writes its own.
"""

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from uuid import uuid4

from dagster import (
    AssetCheckEvaluation,
    AssetCheckExecutionContext,
    AssetExecutionContext,
    AssetKey,
    AssetMaterialization,
    AssetObservation,
    DagsterEventType,
    DagsterInstance,
)
from dagster._core.events import (
    AssetMaterializationPlannedData,
    DagsterEvent,
    DagsterEventBatchMetadata,
)


def log_materializations(
    context: AssetExecutionContext, materializations: Iterable[AssetMaterialization]
) -> None:
    """Logs materializations of any partitions, an INSERT for all those of an asset.

    Of a batch Dagster stores only the last event as the asset's latest, hence one per asset.
    """
    step = context.get_step_execution_context()
    by_asset: dict[AssetKey, list[AssetMaterialization]] = {}
    for materialization in materializations:
        by_asset.setdefault(materialization.asset_key, []).append(materialization)
    for batch in by_asset.values():
        batch_id = str(uuid4())
        for number, materialization in enumerate(batch, start=1):
            is_end = number == len(batch)
            DagsterEvent.asset_materialization(
                step, materialization, DagsterEventBatchMetadata(batch_id, is_end)
            )


def log_observations(
    context: AssetExecutionContext, observations: Iterable[AssetObservation]
) -> None:
    """Logs what was seen of assets that are no part of the run."""
    step = context.get_step_execution_context()
    for observation in observations:
        DagsterEvent.asset_observation(step, observation)


def log_evaluations(
    context: AssetExecutionContext | AssetCheckExecutionContext,
    evaluations: Iterable[AssetCheckEvaluation],
) -> None:
    """Logs verdicts of checks on any partitions, also from a run that does not have the checks."""
    step = context.get_step_execution_context()
    verdicts = list(evaluations)
    batch_id = str(uuid4())
    for number, verdict in enumerate(verdicts, start=1):
        DagsterEvent.from_step(
            DagsterEventType.ASSET_CHECK_EVALUATION,
            step,
            event_specific_data=verdict,
            message=f"{verdict.check_name} {'holds' if verdict.passed else 'does not hold'}"
            f" for {verdict.partition}.",
            batch_metadata=DagsterEventBatchMetadata(batch_id, number == len(verdicts)),
        )


def mark_failed(
    instance: DagsterInstance, run_id: str, failed: Mapping[str, Collection[str]]
) -> None:
    """Makes the partitions of accounts failed in assets of a run that fails.

    Also where Dagster has planned the partition itself and a materialization came after.

    Args:
        instance: where the run's events are.
        run_id: the run.
        failed: by account the assets; those that the run does not plan are left alone.
    """
    if not failed:
        return
    records = instance.get_records_for_run(
        run_id, of_type=DagsterEventType.ASSET_MATERIALIZATION_PLANNED
    ).records
    planned = [record.event_log_entry.get_dagster_event() for record in records]
    plans = {plan.asset_key: plan for plan in planned if plan.asset_key}
    for account_id, steps in failed.items():
        for key, plan in plans.items():
            if key.to_user_string() not in steps:
                continue
            event = DagsterEvent.build_asset_materialization_planned_event(
                plan.job_name,
                plan.step_key or "",
                AssetMaterializationPlannedData(key, partition=account_id),
            )
            instance.report_dagster_event(event, run_id, logging.DEBUG)


def latest_materializations(
    instance: DagsterInstance, asset_key: AssetKey, account_ids: Sequence[str]
) -> Mapping[str, int]:
    """The storage id of each account's latest materialization, as far as there is one."""
    return instance.event_log_storage.get_latest_storage_id_by_partition(
        asset_key, DagsterEventType.ASSET_MATERIALIZATION, set(account_ids)
    )
