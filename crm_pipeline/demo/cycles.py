"""One run of the cycle for each account named, one after the other, in Dagster's own instance.

A process of its own, `python -m crm_pipeline.demo.cycles ACCOUNT...`, so that the demo can end
at any moment. The runs are seen in the UI.
"""

import sys
from collections.abc import Sequence

from dagster import DagsterInstance

from crm_pipeline.cadence.cycle_runs import ASKED_BY_TAG, CYCLE_JOB
from crm_pipeline.cadence.partitions import ACCOUNTS
from crm_pipeline.definitions import defs

_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def run_cycles(account_ids: Sequence[str]) -> None:
    """Runs the cycle of each account; one that fails is a failed run, and no more."""
    job = defs.resolve_job_def(CYCLE_JOB)
    with DagsterInstance.get() as instance:
        instance.add_dynamic_partitions(str(ACCOUNTS.name), list(account_ids))
        for account_id in account_ids:
            job.execute_in_process(
                run_config=_QUIET,
                instance=instance,
                partition_key=account_id,
                tags={ASKED_BY_TAG: "demo"},
                raise_on_error=False,
            )


if __name__ == "__main__":
    run_cycles(sys.argv[1:])
