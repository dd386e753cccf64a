"""Taking a cycle back: first only planned, then done as a person has seen it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from crm_pipeline.accounts.account import AccountError
from crm_pipeline.accounts.store import get_account, touch_account
from crm_pipeline.cycle.attempts import PipelineDatabaseError
from crm_pipeline.cycle.cycle import Surroundings, run_account
from crm_pipeline.cycle.taking_back import TakingBack
from crm_pipeline.database.engines import engine
from crm_pipeline.database.prepared import undone
from crm_pipeline.database.statements import statement
from crm_pipeline.delivery.kind import UNDO
from crm_pipeline.flows.registry import FLOWS
from crm_pipeline.ledger.lock import account_lock
from crm_pipeline.ledger.undo import (
    NotUndone,
    UndoneRecord,
    not_undone,
    outcomes_of_undo,
    values_kept_since,
    want_undone,
    wrote_at,
)
from crm_pipeline.report import CycleReport
from crm_pipeline.settings import settings
from crm_pipeline.source_platform.chosen import chosen_platform
from crm_pipeline.text import shown

_STEPS = frozenset(t.name for flow in FLOWS for t in flow.topics if UNDO.name in t.sends)


@dataclass(frozen=True, slots=True)
class CycleToUndo:
    """What is to be taken back: a cycle of an account, whole or (`field`) of one field alone."""

    account_id: str
    cycle_id: int
    field: str | None = None


@dataclass(frozen=True, slots=True)
class Undo:
    """What becomes of a cycle that is taken back.

    Attributes:
        report: of the cycle that does it, or would.
        records: that it wrote, each with what becomes of it.
        left: what else it did, of which nothing can be taken back.
        kept_since: since when replaced values of the account are known, UTC; None: none are.
    """

    report: CycleReport
    records: Sequence[UndoneRecord]
    left: Sequence[NotUndone]
    kept_since: datetime | None

    @property
    def changing(self) -> list[str]:
        """The Ids of the records that are restored or deleted, or wait for that."""
        stay = ("left", "refused")
        return [each.salesforce_id for each in self.records if each.outcome not in stay]


def plan_undo(
    of: CycleToUndo, *, run_id: str, stop_asked: Callable[[], bool] = lambda: False
) -> Undo:
    """Says what taking a cycle back would come to now; writes nothing, be it here or in the org.

    The account may be a draft, disabled or held. Reads the org: a call for 10,000 records, and
    for those that are to be gone one for five objects that may belong to 2,000 of them.

    Args:
        of: what is to be taken back.
        run_id: for the report.
        stop_asked: as of `sync_account`.

    Raises:
        AccountError: there is no such account or cycle, it wrote too long ago, or a cycle of the
            account is running.
        PipelineDatabaseError: the pipeline's own database fails.
    """
    around = Surroundings(FLOWS, chosen_platform, stop_asked, TakingBack(plans=True))
    with _ledger(of) as ledger, undone(ledger):
        return _run(ledger, of, _wanted(ledger, of, "", None), run_id, around)


def undo_cycle(
    of: CycleToUndo,
    *,
    only: Sequence[str],
    by: str,
    run_id: str,
    stop_asked: Callable[[], bool] = lambda: False,
) -> Undo:
    """Takes back what a cycle wrote to some records, where it still is as we left it.

    Each record is looked at again. What is wanted is kept first: whatever dies meanwhile, the next
    cycle goes on. What is taken back is not sent again until the source says otherwise.

    Args:
        of: what is to be taken back.
        only: the Ids of the records, as a plan has shown them (`Undo.changing`).
        by: who has approved it.
        run_id: what the cycle is part of, for the history.
        stop_asked: as of `sync_account`.

    Raises:
        AccountError, PipelineDatabaseError: as `plan_undo`.
    """
    because = f"cycle {of.cycle_id} was taken back by {by}"
    around = Surroundings(FLOWS, chosen_platform, stop_asked, TakingBack(plans=False))
    with _ledger(of) as ledger:
        done = _run(ledger, of, _wanted(ledger, of, because, only), run_id, around)
        touch_account(ledger, of.account_id)
        ledger.commit()
    return done


@contextmanager
def _ledger(of: CycleToUndo) -> Iterator[Connection]:
    """The account's ledger, with its lock, once it is sure that the cycle can be taken back."""
    account_id = of.account_id
    try:
        with account_lock(engine("pipeline"), account_id) as ledger:
            if ledger is None:
                raise AccountError(
                    f"Account {account_id}: a cycle of it is running; try again when it has ended."
                )
            get_account(ledger, account_id)
            now = ledger.execute(statement("ledger/now")).scalar_one()
            back_to = now - timedelta(days=settings().undo_days)
            wrote = wrote_at(ledger, account_id, of.cycle_id)
            if wrote is None or wrote < back_to:
                raise AccountError(
                    f"Account {account_id} has no cycle {of.cycle_id} that can be taken back: that "
                    f"reaches back to {shown(back_to)} (UNDO_DAYS); `crm-pipeline state "
                    f"{account_id}` lists its cycles."
                )
            yield ledger
    except DBAPIError as error:
        raise PipelineDatabaseError(error) from None


def _wanted(
    ledger: Connection, of: CycleToUndo, because: str, only: Sequence[str] | None
) -> Sequence[int]:
    """Wants the records to be as they were, and commits; the operations."""
    wanted = want_undone(
        ledger, of.account_id, of.cycle_id, field=of.field, because=because, only=only
    )
    ledger.commit()
    return wanted


def _run(
    ledger: Connection,
    of: CycleToUndo,
    operation_ids: Sequence[int],
    run_id: str,
    around: Surroundings,
) -> Undo:
    begun = monotonic()
    report = CycleReport(of.account_id, of.account_id, run_id, steps=_STEPS)
    run_account(ledger, report, around)
    report.seconds = round(monotonic() - begun, 3)
    left = not_undone(ledger, of.account_id, of.cycle_id, of.field)
    since = values_kept_since(ledger, of.account_id)
    return Undo(report, outcomes_of_undo(ledger, operation_ids), left, since)
