"""What somebody has this process do because it takes longer than a page: one after the other."""

import logging
import secrets
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError

from crm_pipeline.accounts.account import AccountError
from crm_pipeline.console.databases import ConsoleDatabases
from crm_pipeline.console.errors import log_bug, log_database
from crm_pipeline.console.log import note
from crm_pipeline.console.roles import Somebody
from crm_pipeline.cycle.attempts import PipelineDatabaseError
from crm_pipeline.cycle.undo import CycleToUndo, Undo

log = logging.getLogger("crm_pipeline.console")

_EXPECTED = (AccountError, PipelineDatabaseError)

_MOST_SEEN = 20
"""Undos that are kept to be looked at; each has the values of its records."""


@dataclass(frozen=True, slots=True)
class UndoSeen:
    """What an undo comes to, or came to.

    Attributes:
        number: names it, so that what is approved is what was seen.
        of: what is taken back.
        found: what becomes of it; None: it could not be found out.
        sentence: how finding out, or doing it, ended.
        is_done: whether it was done, and not only looked at.
    """

    number: str
    of: CycleToUndo
    found: Undo | None
    sentence: str
    is_done: bool


class WorkUnderWay:
    """What this process does; what it is ended in may be asked for again."""

    def __init__(self, databases: ConsoleDatabases) -> None:
        self._databases = databases
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="console-work")
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._under_way: set[tuple[str, str]] = set()
        self._seen: dict[tuple[str, int], UndoSeen] = {}

    @property
    def stop_asked(self) -> Callable[[], bool]:
        """Tells what is under way whether it is to stop at its next step."""
        return self._stop.is_set

    def begin(
        self, somebody: Somebody, account_id: str, what: str, done: str, work: Callable[[], str]
    ) -> bool:
        """Has something be done soon; returns False where it is under way already.

        Args:
            somebody: who wants it.
            account_id: the account that it is about.
            what: such as `plan 7`.
            done: what the log calls it when it has ended.
            work: does it; returns the outcome in one line.
        """
        with self._lock:
            if (account_id, what) in self._under_way:
                return False
            self._under_way.add((account_id, what))
        self._threads.submit(self._do, somebody, account_id, what, done, work)
        return True

    def is_under_way(self, account_id: str, what: str) -> bool:
        """Returns whether something is being done, or is to be."""
        return (account_id, what) in self._under_way

    def keep(
        self, of: CycleToUndo, found: Undo | None, sentence: str, *, is_done: bool = False
    ) -> None:
        """Keeps what an undo comes to, for whoever approves it; of a cycle the last."""
        with self._lock:
            self._seen.pop((of.account_id, of.cycle_id), None)
            self._seen[of.account_id, of.cycle_id] = UndoSeen(
                secrets.token_urlsafe(9), of, found, sentence, is_done
            )
            while len(self._seen) > _MOST_SEEN:
                self._seen.pop(next(iter(self._seen)))

    def seen(self, account_id: str, cycle_id: int) -> UndoSeen | None:
        """What taking a cycle back comes to, as it was looked at last; None: it was not."""
        return self._seen.get((account_id, cycle_id))

    def end(self) -> None:
        """Has what is under way stop at its next step, and waits for it; notes what never began."""
        self._stop.set()
        self._threads.shutdown(wait=True)

    def _do(
        self, somebody: Somebody, account_id: str, what: str, done: str, work: Callable[[], str]
    ) -> None:
        if self._stop.is_set():
            done, outcome = "not begun", "the console was stopped before; ask for it again"
        else:
            outcome = _outcome(work)
        detail = f"{what}: {outcome}"
        try:
            with self._databases.pipeline.begin() as connection:
                note(connection, somebody, done, account_id=account_id, detail=detail)
        except SQLAlchemyError as error:
            log_database(error)
            log.warning(
                "%r: %s %s %s, not in crm.console_log", somebody.name, done, account_id, detail
            )
        finally:
            self._under_way.discard((account_id, what))


def _outcome(work: Callable[[], str]) -> str:
    try:
        return work()
    except Exception as error:  # noqa: BLE001 - an outcome of everything
        if not isinstance(error, _EXPECTED):
            log_bug(error)
        return failure_of(error)


def failure_of(error: Exception) -> str:
    """Says in one line why something ended; of a bug only its type."""
    return str(error) if isinstance(error, _EXPECTED) else f"ended by {type(error).__name__}"
