"""Runs of the job that syncs accounts: how they are asked for, and which accounts a run is about.

A run of one account has Dagster's partition tag; a run of several names them in its
configuration, since Dagster knows a run of one partition or of a contiguous range only.
"""

from collections.abc import Collection, Sequence
from typing import Any

from dagster import (
    AssetKey,
    Config,
    DagsterInstance,
    DagsterRun,
    DagsterRunStatus,
    RunRequest,
    RunsFilter,
)
from pydantic import Field

CYCLE_JOB = "account_cycle"
FORMER_CYCLE_JOB = "webinar_cycle"
"""The job's former name. A run that still waited under that name fails, and is not tried again:
Dagster finds no such job."""

CYCLE_OP = "sync_accounts"

PARTITION_TAG = "dagster/partition"
RANGE_TAG = "dagster/asset_partition_range_start"
ASKED_BY_TAG = "crm/asked_by"

WAITING = (DagsterRunStatus.QUEUED, DagsterRunStatus.NOT_STARTED, DagsterRunStatus.STARTING)
LIVE = (*WAITING, DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING)


class CycleConfig(Config):
    """The accounts and the kind of cycle that a run is about."""

    account_ids: list[str] = Field(
        default_factory=list,
        description="Accounts to sync, by id. Empty: the partitions that the run was started for.",
    )


def account_tags(account_ids: Sequence[str]) -> dict[str, str]:
    """Tags by which all runs of an account are found: `account/<its id>`.

    Dagster's own partition tag is not for runs of several; a tag has one value only.
    """
    return {f"account/{account_id}": "yes" for account_id in account_ids}


def run_request(
    account_ids: Sequence[str],
    asked_by: str,
    run_key: str | None = None,
    *,
    topics: Sequence[str] | None = None,
) -> RunRequest:
    """A run about these accounts; `asked_by` says in the list of runs who wanted it.

    It is about all topics of a cycle, unless some are named.

    `run_key` is another one for each run of a schedule's tick: Dagster insists on it.
    """
    only = None if topics is None else [AssetKey(topic) for topic in topics]
    tags = {ASKED_BY_TAG: asked_by, **account_tags(account_ids)}
    if len(account_ids) == 1:
        [account_id] = account_ids
        return RunRequest(
            run_key,
            job_name=CYCLE_JOB,
            partition_key=account_id,
            tags=tags,
            asset_selection=only,
        )
    config = {"ops": {CYCLE_OP: {"config": {"account_ids": list(account_ids)}}}}
    return RunRequest(
        run_key, job_name=CYCLE_JOB, run_config=config, tags=tags, asset_selection=only
    )


def accounts_of(run: DagsterRun) -> frozenset[str] | None:
    """The accounts that a run is about; None for a range of partitions, which names none."""
    if PARTITION_TAG in run.tags:
        return frozenset((run.tags[PARTITION_TAG],))
    if RANGE_TAG in run.tags:
        return None
    ops: Any = run.run_config.get("ops", {})
    return frozenset(ops.get(CYCLE_OP, {}).get("config", {}).get("account_ids", ()))


def accounts_in_runs(
    instance: DagsterInstance, statuses: Collection[DagsterRunStatus]
) -> frozenset[str] | None:
    """The accounts of all runs with one of these statuses; None if a range may be about any."""
    accounts: set[str] = set()
    for run in instance.get_runs(filters=RunsFilter(statuses=list(statuses))):
        about = accounts_of(run)
        if about is None:
            return None
        accounts |= about
    return frozenset(accounts)
