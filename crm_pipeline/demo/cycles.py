"""One run of the cycle for each account named, one after the other, in Dagster's own instance.

A process of its own, `python -m crm_pipeline.demo.cycles ACCOUNT...`, so that the demo can end
at any moment. The runs carry the origin that they would have from the daemon: Dagster's timeline
leaves out those that have none.
"""

import sys
from collections.abc import Sequence

from dagster import DagsterInstance
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.api import execute_run
from dagster._core.remote_origin import RemoteJobOrigin, RemoteRepositoryOrigin
from dagster._core.workspace.load import location_origins_from_yaml_paths

from crm_pipeline.cadence.cycle_runs import ASKED_BY_TAG, CYCLE_JOB, PARTITION_TAG, account_tags
from crm_pipeline.cadence.partitions import ACCOUNTS
from crm_pipeline.definitions import defs
from crm_pipeline.settings import FILES

_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def run_cycles(account_ids: Sequence[str]) -> None:
    """Runs the cycle of each account; one that fails is a failed run, and no more."""
    job, origin = defs.resolve_job_def(CYCLE_JOB), _origin()
    with DagsterInstance.get() as instance:
        instance.add_dynamic_partitions(str(ACCOUNTS.name), list(account_ids))
        for account_id in account_ids:
            run = instance.create_run_for_job(
                job,
                run_config=_QUIET,
                tags={
                    PARTITION_TAG: account_id,
                    ASKED_BY_TAG: "demo",
                    **account_tags([account_id]),
                },
                remote_job_origin=origin,
            )
            execute_run(InMemoryJob(job), run, instance)


def _origin() -> RemoteJobOrigin:
    """The cycle's job as the webserver and the daemon load it."""
    (location,) = location_origins_from_yaml_paths([str(FILES / "workspace.yaml")])
    repository = defs.get_repository_def().name
    return RemoteRepositoryOrigin(location, repository).get_job_origin(CYCLE_JOB)


if __name__ == "__main__":
    run_cycles(sys.argv[1:])
