"""Plans that are sent because somebody approved them in the console: one after the other."""

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

from crm_pipeline.accounts.account import AccountError
from crm_pipeline.console.databases import ConsoleDatabases
from crm_pipeline.console.log import note
from crm_pipeline.console.roles import Somebody
from crm_pipeline.cycle.apply import apply_plan

log = logging.getLogger("crm_pipeline.console")


class PlansUnderWay:
    """The plans that this process sends; what it is ended in may be applied again."""

    def __init__(self, databases: ConsoleDatabases) -> None:
        self._databases = databases
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="console-plan")
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._under_way: set[tuple[str, int]] = set()

    def begin(self, somebody: Somebody, account_id: str, plan_id: int) -> bool:
        """Has a plan be sent soon; returns False where it is under way already."""
        plan = (account_id, plan_id)
        with self._lock:
            if plan in self._under_way:
                return False
            self._under_way.add(plan)
        self._threads.submit(self._apply, somebody, account_id, plan_id)
        return True

    def is_under_way(self, account_id: str, plan_id: int) -> bool:
        """Returns whether a plan is being sent, or is to be."""
        return (account_id, plan_id) in self._under_way

    def end(self) -> None:
        """Has what is under way stop at its next step, and waits for it."""
        self._stop.set()
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _apply(self, somebody: Somebody, account_id: str, plan_id: int) -> None:
        try:
            applied = apply_plan(
                account_id, plan_id, run_id=f"console-{uuid4()}", stop_asked=self._stop.is_set
            )
            outcome = f"{applied.report.state}. {applied.report.reason}".strip()
        except AccountError as error:
            outcome = str(error)
        except Exception as error:
            log.exception("Plan %d of account %s", plan_id, account_id)
            outcome = f"ended by {type(error).__name__}"
        finally:
            self._under_way.discard((account_id, plan_id))
        detail = f"plan {plan_id}: {outcome}"
        with self._databases.pipeline.begin() as connection:
            note(connection, somebody, "applied", account_id=account_id, detail=detail)
