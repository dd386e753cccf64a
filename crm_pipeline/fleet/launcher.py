"""Hands runs to Celery's workers, and asks these whether they are still at them."""

import time
from typing import Any

from dagster import DagsterRun
from dagster._core.launcher import CheckRunHealthResult, WorkerStatus
from dagster_celery.launcher import CeleryRunLauncher
from dagster_celery.tags import DAGSTER_CELERY_TASK_ID_TAG

_ANSWER_SECONDS = 3
_ASK_SECONDS = 10

PATIENCE_SECONDS = 120
"""How long no worker need say that it is at a run, before the run has failed."""


class WatchedCeleryRunLauncher(CeleryRunLauncher):
    """Dagster's launcher for Celery, which notices that a worker's host is gone.

    Celery's own result says *started* for ever where the host is cut off or dies, *pending* where
    Redis has lost it while the run goes on, and *success* of a run that could not write its end
    while PostgreSQL was away. So the workers are asked: a run that none of them has been at for two
    minutes has failed, and Dagster's `run_monitoring` and `run_retries` try it once more.
    An account's lock in PostgreSQL keeps two runs from processing it at once in the meantime.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Args: as Dagster's."""
        super().__init__(*args, **kwargs)
        self._unseen_since: dict[str, float] = {}
        self._active: set[str] = set()
        self._ask_again_at = 0.0

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Returns whether a worker is at the run.

        Raises:
            kombu.exceptions.OperationalError: the broker does not answer; nothing is decided then.
        """
        told = super().check_run_worker_health(run)
        if told.status == WorkerStatus.FAILED:
            return told
        if run.tags[DAGSTER_CELERY_TASK_ID_TAG] in self._at_work():
            self._unseen_since.pop(run.run_id, None)
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        since = self._unseen_since.setdefault(run.run_id, time.monotonic())
        if time.monotonic() - since < PATIENCE_SECONDS:
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        del self._unseen_since[run.run_id]
        return CheckRunHealthResult(
            WorkerStatus.FAILED, f"No worker has been at this run for {PATIENCE_SECONDS} seconds."
        )

    def _at_work(self) -> set[str]:
        """The tasks that workers are at; asked once for all runs that are looked at in a row."""
        if time.monotonic() >= self._ask_again_at:
            answers = self.celery.control.inspect(timeout=_ANSWER_SECONDS).active() or {}
            self._active = {task["id"] for tasks in answers.values() for task in tasks}
            self._ask_again_at = time.monotonic() + _ASK_SECONDS
        return self._active
