"""The parts of a cycle: each is attempted, and what goes wrong is kept for the report."""

import logging
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.exc import DBAPIError

from crm_pipeline.accounts.account import AccountError
from crm_pipeline.cycle.brake import AccountHeld
from crm_pipeline.database.errors import in_words
from crm_pipeline.database.refusals import refused_value
from crm_pipeline.exceptions import PicklableError, refused_file
from crm_pipeline.ledger.account_ledger import AccountLedger
from crm_pipeline.report import CycleState
from crm_pipeline.salesforce.errors import AccountPaused, SalesforceProblem
from crm_pipeline.source_platform.messages import PlatformProblem
from crm_pipeline.sources.errors import ExtractError

log = logging.getLogger(__name__)

_EXPECTED = (AccountError, AccountHeld, ExtractError, SalesforceProblem, PlatformProblem)
"""Problems that say for themselves, in one line, what happened."""


class PipelineDatabaseError(PicklableError):
    """The pipeline's own database fails: in one line, without the values of a row."""

    def __init__(self, error: DBAPIError) -> None:
        super().__init__(f"The pipeline's database: {in_words(error)}; check PIPELINE_DATABASE_URL")


class ValueRefusedError(PicklableError):
    """The pipeline's own database takes a value in no form: in one line, without the value."""

    def __init__(self, state: str) -> None:
        super().__init__(
            f"The pipeline's database refuses a value (SQLSTATE {state}); ask for support: its log"
            " names the table"
        )


@dataclass(slots=True)
class Attempts:
    """The parts of a cycle that were attempted, and their errors.

    A topic is done when every part that was attempted for it went well.

    Attributes:
        ledger: the account's.
        problems: what ended parts, in their order.
    """

    ledger: AccountLedger
    problems: list[Exception] = field(default_factory=list)
    _attempted: set[str] = field(default_factory=set)
    _broken: set[str] = field(default_factory=set)

    def attempt(self, part: Callable[[], None], topics: frozenset[str] = frozenset()) -> bool:
        """Runs a part of the cycle and keeps its error; the other parts go on.

        Args:
            part: what to do; its transaction is rolled back where it did not commit.
            topics: those for which it is done.

        Returns:
            Whether all went well.
        """
        self._attempted |= topics
        try:
            part()
        except _EXPECTED as problem:
            self.problems.append(problem)
        except DBAPIError as refused:
            state = refused_value(refused)
            if state is None:
                raise
            # One value of this account, not the database: the other accounts go on.
            self.problems.append(ValueRefusedError(state))
        except Exception as bug:  # noqa: BLE001 - one account's bug must not stop the others
            if refused_file(bug) is None:
                # Only where it happened: a message may quote personal data.
                where = "".join(traceback.format_tb(bug.__traceback__))
                log.error(  # noqa: TRY400
                    "Account %s: %s\n%s", self.ledger.account_id, type(bug).__name__, where
                )
            self.problems.append(bug)
        else:
            return True
        finally:
            self.ledger.connection.rollback()
        self._broken |= topics
        return False

    def miss(self, topics: frozenset[str]) -> None:
        """Notes that these topics were not come to."""
        self._broken |= topics

    def done(self, topics: frozenset[str]) -> frozenset[str]:
        """Those of these topics that came to their end."""
        return topics & (self._attempted - self._broken)

    @property
    def state(self) -> CycleState:
        """The state in which the cycle ends, by what went wrong."""
        if not self.problems:
            return "Complete"
        if not all(isinstance(each, AccountPaused | AccountHeld) for each in self.problems):
            return "Failed"
        held = any(isinstance(each, AccountHeld) for each in self.problems)
        return "Held" if held else "Paused"

    @property
    def reason(self) -> str:
        """The errors, in one line for people."""
        return "; ".join(dict.fromkeys(map(_explain, self.problems)))

    @property
    def paused_until(self) -> datetime | None:
        """The end of the account's pause (UTC), or None if it is not paused."""
        pauses = (each.until for each in self.problems if isinstance(each, AccountPaused))
        return max(pauses, default=None)


def _explain(problem: Exception) -> str:
    if isinstance(problem, (*_EXPECTED, ValueRefusedError)):
        return str(problem)
    if (refused := refused_file(problem)) is not None:
        return f"A file cannot be used: {refused}"
    return f"An unexpected {type(problem).__name__}: a bug; the run's log says where"
