"""What `celery -A crm_pipeline.fleet.worker worker` starts: it takes runs from the broker.

Broker and results are those of the launcher in `DAGSTER_HOME/dagster.yaml` (deploy/celery.yaml), so
that workers and daemon cannot have different ones.
"""

from functools import cache
from typing import Any

from dagster import DagsterInstance
from dagster_celery.tasks import create_execute_job_task, create_resume_job_task

from crm_pipeline.fleet.launcher import WatchedCeleryRunLauncher


@cache
def _app() -> Any:
    with DagsterInstance.get() as instance:
        launcher = instance.run_launcher
        if not isinstance(launcher, WatchedCeleryRunLauncher):
            raise SystemExit(
                "dagster.yaml has no launcher for workers: add deploy/celery.yaml to it."
            )
        create_execute_job_task(launcher.celery)
        create_resume_job_task(launcher.celery)
        return launcher.celery


def __getattr__(name: str) -> Any:
    """The Celery app, `app`: made when it is asked for, as that wants a DAGSTER_HOME."""
    if name == "app":
        return _app()
    raise AttributeError(name)
