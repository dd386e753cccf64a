"""What somebody has this process do because it takes longer than a page: one after the other."""

import logging
import secrets
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Generic, TypeVar

from sqlalchemy.exc import SQLAlchemyError

from crm_pipeline.accounts.account import AccountError
from crm_pipeline.console.choosing import ChoiceDesk, ChoiceSeen, ChoiceWanted
from crm_pipeline.console.databases import ConsoleDatabases
from crm_pipeline.console.errors import ConsoleError, log_bug, log_database
from crm_pipeline.console.log import note
from crm_pipeline.console.roles import Somebody
from crm_pipeline.cycle.attempts import PipelineDatabaseError
from crm_pipeline.cycle.undo import CycleToUndo, Undo
from crm_pipeline.report import CycleReport

log = logging.getLogger("crm_pipeline.console")

_EXPECTED = (AccountError, ConsoleError, PipelineDatabaseError)

_MOST_SEEN = 20
"""Of a kind, what is kept to be looked at; each undo has the values of its records."""

_SOON_SECONDS = 2.0
"""So long a page waits for what it has begun: most is done by then, and is on it."""

W = TypeVar("W")
F = TypeVar("F")


@dataclass(frozen=True, slots=True)
class Seen(Generic[W, F]):
    """What something comes to that somebody may want done, or what it came to.

    Attributes:
        number: names it, so that what is approved is what was seen.
        of: what is to be done.
        found: what becomes of it; None: it could not be found out.
        sentence: how finding out, or doing it, ended.
        is_done: whether it was done, and not only looked at.
    """

    number: str
    of: W
    found: F | None
    sentence: str
    is_done: bool


class LastSeen(Generic[W, F]):
    """What was looked at last, of each thing that is named by a key; of many things the newest."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: dict[object, Seen[W, F]] = {}

    def keep(
        self, key: object, of: W, found: F | None, sentence: str, *, is_done: bool = False
    ) -> None:
        """Keeps what something comes to, for whoever approves it; of a key the last."""
        with self._lock:
            self._seen.pop(key, None)
            number = secrets.token_urlsafe(9)
            self._seen[key] = Seen(number, of, found, sentence, is_done)
            while len(self._seen) > _MOST_SEEN:
                self._seen.pop(next(iter(self._seen)))

    def of(self, key: object) -> Seen[W, F] | None:
        """What something comes to, as it was looked at last; None: it was not."""
        return self._seen.get(key)

    def approved(self, key: object, number: str, what: str) -> tuple[W, F]:
        """What is to be done, and what it comes to, where that is what was looked at last.

        Args:
            key: names it.
            number: of what was seen.
            what: it is, for people.

        Raises:
            ConsoleError: it was looked at once more since, or is done.
        """
        seen = self.of(key)
        if seen is not None and seen.is_done:
            raise ConsoleError(HTTPStatus.CONFLICT, f"{what} is done already: {seen.sentence}")
        if seen is None or seen.found is None or seen.number != number:
            raise ConsoleError(
                HTTPStatus.CONFLICT,
                f"{what} was looked at again since, or never by this console: look at it once "
                "more, and approve what you see then.",
            )
        return seen.of, seen.found

    @contextmanager
    def failure_kept(self, key: object, of: W) -> Iterator[None]:
        """Has an error that ends the block be what is seen of something from now on."""
        try:
            yield
        except Exception as error:
            self.keep(key, of, None, failure_of(error))
            raise


class WorkUnderWay:
    """What this process does; what it is ended in may be asked for again."""

    def __init__(self, databases: ConsoleDatabases, desk: ChoiceDesk) -> None:
        """Begins with nothing.

        Args:
            databases: where it is noted how things ended.
            desk: knows what other settings come to, and stores them.
        """
        self._databases = databases
        self.desk = desk
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="console-work")
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._under_way: set[tuple[str, str]] = set()
        self.plans: LastSeen[int, CycleReport] = LastSeen()
        self.undos: LastSeen[CycleToUndo, Undo] = LastSeen()
        self.settings: LastSeen[ChoiceWanted, ChoiceSeen] = LastSeen()

    @property
    def stop_asked(self) -> Callable[[], bool]:
        """Tells what is under way whether it is to stop at its next step."""
        return self._stop.is_set

    def begin(
        self, somebody: Somebody, account_id: str, what: str, done: str, work: Callable[[], str]
    ) -> bool:
        """Has something be done, and waits a little; returns False where it is under way already.

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
        begun = self._threads.submit(self._do, somebody, account_id, what, done, work)
        wait([begun], timeout=_SOON_SECONDS)
        return True

    def is_under_way(self, account_id: str, what: str) -> bool:
        """Returns whether something is being done, or is to be."""
        return (account_id, what) in self._under_way

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
