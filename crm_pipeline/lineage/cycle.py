"""The cycle of accounts as assets: an account is a partition, each step of its cycle an asset.

One op does all steps of all flows, since an account has one cycle, and since the accounts of a
run go through theirs side by side and none may stop another. The work of a step
stands in `crm_pipeline.cycle`, the numbers shown of it in its flow's declaration; here is how a
run goes through accounts.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from dagster import (
    AssetExecutionContext,
    AssetMaterialization,
    AssetObservation,
    AssetsDefinition,
    BackfillPolicy,
    Failure,
    MaterializeResult,
    MetadataValue,
    TableRecord,
    multi_asset,
)

from crm_pipeline.cadence.chunk import sync_accounts
from crm_pipeline.cadence.cycle_runs import (
    ASKED_BY_TAG,
    CYCLE_OP,
    RANGE_TAG,
    CycleConfig,
    account_tags,
)
from crm_pipeline.cadence.partitions import ACCOUNTS
from crm_pipeline.lineage.assets import PROMISES, TOPICS, console_link, metadata, topic_spec
from crm_pipeline.lineage.checks import judge
from crm_pipeline.lineage.outside import of_a_run
from crm_pipeline.lineage.partition_marks import (
    log_evaluations,
    log_materializations,
    log_observations,
    mark_failed,
)
from crm_pipeline.lineage.quiet import new_verdicts, news
from crm_pipeline.report import CycleReport
from crm_pipeline.settings import settings

_WITHOUT_CYCLES = ("Disabled", "Draft")
_UNTOUCHED = ("Busy", *_WITHOUT_CYCLES)
"""States of a cycle that did nothing."""


def cycle_assets() -> AssetsDefinition:
    """The op that takes accounts through their cycle, with an asset for each topic."""

    @multi_asset(
        name=CYCLE_OP,
        specs=[topic_spec(topic) for topic in TOPICS.values()],
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
        all_reports: list[CycleReport] = []
        _tag(context, account_ids)
        for reports in sync_accounts(account_ids, run_id=run_id, steps=frozenset(steps)):
            _log_done(context, steps, reports)
            _log_undone(context, steps, reports)
            failed += [report for report in reports if report.state == "Failed"]
            refused += [report for report in reports if report.state in _WITHOUT_CYCLES]
            all_reports += reports
        log_observations(context, of_a_run(all_reports))
        undone = {each.account_id: [s for s in steps if s not in each.done] for each in failed}
        mark_failed(context.instance, run_id, undone)
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


def _tag(context: AssetExecutionContext, account_ids: Sequence[str]) -> None:
    """Lets the run be found by each of its accounts, however it was started."""
    missing = account_tags(account_ids).items() - context.run.tags.items()
    if missing:
        context.instance.add_run_tags(context.run.run_id, dict(missing))


def _steps(context: AssetExecutionContext) -> list[str]:
    """The steps that the run is about, each after those that it depends on.

    Dagster takes a partition for out of date where something above it was logged after it.
    """
    selected = {key.to_user_string() for key in context.selected_asset_keys}
    return [topic for topic in TOPICS if topic in selected]


def _log_undone(
    context: AssetExecutionContext, steps: Sequence[str], reports: Sequence[CycleReport]
) -> None:
    """Says in the partition of each step that was not done, and has nothing to show, why."""
    for report in reports:
        if report.state in _UNTOUCHED:
            reason = report.reason
            context.log.warning("%s (%s): %s", report.account_id, report.account_name, reason)
        said: dict[str, Any] = {
            "state": report.state,
            "reason": report.reason,
            "remedy": report.remedy,
            **console_link(report.account_id),
        }
        for step in steps:
            if not _has_something_to_show(report, step):
                observed = AssetObservation(step, partition=report.account_id, metadata=said)
                context.log_event(observed)


def _log_done(
    context: AssetExecutionContext,
    steps: Sequence[str],
    reports: Sequence[CycleReport],
) -> None:
    """Logs what steps did, and verdicts about it; of what did nothing only what is new.

    Of accounts that are not Complete all is logged, as their run may fail, and of a range of
    partitions: Dagster has planned each, and all are red where one account fails.
    """
    run = context.run
    done = [
        AssetMaterialization(
            step, partition=report.account_id, metadata=metadata(TOPICS[step], report)
        )
        for step in steps
        for report in reports
        if _has_something_to_show(report, step)
    ]
    busy = {
        (step, report.account_id)
        for report in reports
        for step in (
            report.tally.by_topic
            if report.state == "Complete" and RANGE_TAG not in run.tags
            else steps
        )
    }
    log_materializations(context, news(context.instance, run.run_id, done, busy))
    judged = [report.account_id for report in reports if report.state not in _UNTOUCHED]
    asked = [promise for promise in PROMISES if promise.topic in steps]
    verdicts = judge(context.instance, judged, asked)
    log_evaluations(context, new_verdicts(context.instance, verdicts))


def _has_something_to_show(report: CycleReport, step: str) -> bool:
    """Returns whether a step was done, of an account that failed or is held, or says how it is."""
    if report.state in ("Failed", "Held"):
        return step in report.done or (step == "sync_state" and report.standing is not None)
    return report.state not in _UNTOUCHED


def _failure(failed: Sequence[CycleReport]) -> Failure:
    lines = [f"{each.account_id} ({each.account_name}): {each.reason}" for each in failed]
    rows = [
        TableRecord(
            {
                "account_id": each.account_id,
                "account": each.account_name,
                "reason": each.reason,
                "remedy": each.remedy,
            }
        )
        for each in failed
    ]
    links = {
        f"console: {each.account_id}": link
        for each in failed
        for link in console_link(each.account_id).values()
    }
    return Failure(
        "\n".join([f"Failed: {len(failed)} of this run's accounts. The others are done.", *lines]),
        metadata={"failed_accounts": MetadataValue.table(rows), **links},
        allow_retries=False,
    )
