"""A plan: a whole cycle of an account that writes nothing, and what it would have done.

It is the cycle itself, reading and deciding as ever, with two differences: a stand-in takes what
goes to the org, and the ledger's transaction is undone at the end.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import starmap
from time import monotonic
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row
from sqlalchemy.exc import DBAPIError

from crm_pipeline.accounts.account import Account, AccountError
from crm_pipeline.accounts.credentials import mark_refused, refused
from crm_pipeline.accounts.store import get_account
from crm_pipeline.cycle.attempts import PipelineDatabaseError
from crm_pipeline.cycle.cycle import Surroundings, run_account
from crm_pipeline.cycle.planning import EXAMPLES, Planning
from crm_pipeline.cycle.replay import ask_replay
from crm_pipeline.database.engines import engine
from crm_pipeline.database.prepared import undone
from crm_pipeline.database.rows import objects
from crm_pipeline.database.statements import statement
from crm_pipeline.declaration import Flow
from crm_pipeline.delivery.messages import PlatformOf
from crm_pipeline.flows.registry import ALL_TOPICS, FLOWS
from crm_pipeline.ledger.lock import account_lock
from crm_pipeline.ledger.plans import KeptRow, PlannedNumber, keep_plan
from crm_pipeline.report import CycleReport
from crm_pipeline.salesforce.budget import seconds_to_write
from crm_pipeline.salesforce.stand_in import PLACEHOLDER, is_placeholder
from crm_pipeline.source_platform.chosen import chosen_platform

REASONS = 50
"""Reasons that a plan tells at most."""

_ROWS_AT_A_TIME = 1_000

_LOCK_NOT_AVAILABLE = "55P03"
"""PostgreSQL's code where a row stays locked for longer than one wants to wait."""


class PlannedReason(NamedTuple):
    """Why records of an object are not written, or which of several was chosen."""

    sobject: str
    outcome: str
    reason: str
    records: int


class PlannedCode(NamedTuple):
    """How many records of an object come to what, by the code of what refuses them, or none."""

    sobject: str
    outcome: str
    code: str
    records: int


class PlannedFieldChange(NamedTuple):
    """Why values of a field would not go out as they are, with one of them."""

    sobject: str
    field: str
    why: str
    records: int
    example: str | None
    becomes: str | None


class PlannedRecord(NamedTuple):
    """What one operation would come to.

    Attributes:
        kind: of operation.
        about: the person by address, or the operation's natural key.
        sobject: the object that is written.
        outcome: create, update, delete, unchanged, rejected, left out, ambiguous, refused,
            waiting, or held, as it is about somebody whom the plan is not about.
        salesforce_id: the record; of a new one a placeholder (`is_placeholder`).
        fields: that would be written.
        there: their values in the org now, of what was compared.
        reason: why this record, or why none.
        code: of what refuses it.
    """

    kind: str
    about: str
    sobject: str
    outcome: str
    salesforce_id: str | None
    fields: dict[str, Any] | None
    there: dict[str, Any] | None
    reason: str | None
    code: str | None

    @property
    def record_id(self) -> str | None:
        """The Id of the record; None of one that is only to be made."""
        return None if is_placeholder(self.salesforce_id) else self.salesforce_id

    @property
    def says(self) -> str:
        """The reason, behind the code of what refuses it; empty: there is nothing to say."""
        return ": ".join(filter(None, (self.code, self.reason)))

    def differences(self) -> list[tuple[str, Any, Any]]:
        """The fields that would be written, each with what stands there and what would then."""
        there = self.there or {}
        return [
            (field, there.get(field), "(new)" if is_placeholder(value) else value)
            for field, value in sorted((self.fields or {}).items())
        ]

    def lines(self) -> Iterator[tuple[object, ...]]:
        """Yields a line for each of these fields, or one without.

        A line is object, outcome, about, Id of the record, field, now, planned and what it `says`;
        None is what there is not.
        """
        what = (self.sobject, self.outcome, self.about, self.record_id)
        none: list[tuple[str | None, Any, Any]] = [(None, None, None)]
        for field, now, then in self.differences() or none:
            yield (*what, field, now, then, self.says)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a cycle would do now; to be looked at within the block of `planned`.

    Attributes:
        report: the cycle's, as if it had been; not all was planned unless it is Complete.
        account: as it was planned for.
        planning: what it is about.
    """

    report: CycleReport
    account: Account
    planning: Planning
    _connection: Connection

    @property
    def seconds(self) -> float:
        """About how long the cycle would take: as long as the plan, and what its writes take."""
        calls = self.report.api_calls_by_kind
        answered = self.report.counts.api_calls - self.report.api_calls_asked
        return self.report.seconds + seconds_to_write(answered, jobs=calls.get("bulk.job", 0))

    def numbers(self) -> list[PlannedNumber]:
        """How many records come to what, by object."""
        return objects(self._connection.execute(statement("plans/summary")), PlannedNumber)

    def reasons(self) -> list[PlannedReason]:
        """Why records are not written, or which of several were chosen: the most frequent."""
        rows = self._connection.execute(statement("plans/reasons"), {"most": REASONS})
        return objects(rows, PlannedReason)

    def codes(self) -> list[PlannedCode]:
        """What the records come to by codes: nothing of it names a person."""
        return objects(self._connection.execute(statement("plans/codes")), PlannedCode)

    def field_changes(self) -> list[PlannedFieldChange]:
        """Values that would be changed to fit the org, or left out."""
        rows = self._connection.execute(statement("plans/field_changes"))
        return objects(rows, PlannedFieldChange)

    def records(self, most: int | None = EXAMPLES) -> Iterator[PlannedRecord]:
        """Yields what each operation comes to, oldest first; some of each sort, or all (None)."""
        return starmap(PlannedRecord, self._rows("plans/rows", {"most": most}))

    def keep(self, connection: Connection) -> int:
        """Keeps it, so that it can be applied; returns its number.

        Args:
            connection: another one, in whose transaction it is written.
        """
        rows = self._rows("plans/to_keep", {"placeholder": PLACEHOLDER.pattern})
        # What others change while it is made it may know or not; clocks of HTTP tell whole seconds.
        known_until = self.report.org_time or self._connection.scalar(statement("ledger/now"))
        known_until -= timedelta(seconds=self.report.seconds + 1)
        tried = self.planning.start_at is not None
        return keep_plan(
            connection,
            self.account.account_id,
            starmap(KeptRow, rows),
            start_at=self.account.settings.start_at if tried else None,
            of_some_people=self.planning.of_some_people,
            org_time=known_until,
        )

    def _rows(self, name: str, asked: Mapping[str, Any]) -> Iterator[Row[Any]]:
        """Yields what a statement finds, without holding all of it at once."""
        at_a_time = {"yield_per": _ROWS_AT_A_TIME}
        yield from self._connection.execute(statement(name), asked, execution_options=at_a_time)


@contextmanager
def planned(
    account_id: str,
    planning: Planning,
    *,
    run_id: str,
    stop_asked: Callable[[], bool] = lambda: False,
    flows: Sequence[Flow[Any]] = FLOWS,
    platform_of: PlatformOf = chosen_platform,
) -> Iterator[Plan]:
    """Plans the next cycle of an account, a draft or a disabled one too; nothing of it is kept.

    Reads warehouse and org, and writes to neither. A refusal of the credentials is kept, as it is
    not to be tried again. The account is locked meanwhile: a cycle says `Busy`. No row is written
    that cycles of other accounts write, too: those go on.

    Args:
        account_id: the account.
        planning: what it is to be about.
        run_id: for the report.
        stop_asked: as of `sync_account`.
        flows: those that there are.
        platform_of: the way to the source platform, which is told nothing.

    Yields:
        The plan.

    Raises:
        AccountError: there is no such account, a cycle of it is running or one in the same org is
            at work on the same people, the start is none, or nobody has the address.
        PipelineDatabaseError: the pipeline's own database fails.
    """
    report = CycleReport(account_id, account_id, run_id, steps=ALL_TOPICS)
    around = Surroundings(flows, platform_of, stop_asked, planning)
    try:
        with account_lock(engine("pipeline"), account_id) as ledger:
            if ledger is None:
                raise AccountError(
                    f"Account {account_id}: a cycle of it is running; plan again when it has ended."
                )
            account = planning.account_of(get_account(ledger, account_id))
            refusal = None
            try:
                with undone(ledger):
                    ledger.execute(statement("plans/make_table"))
                    ask_replay(ledger, account, planning.replayed, planning.replayed_kinds)
                    ledger.commit()
                    begun = monotonic()
                    run_account(ledger, report, around)
                    report.seconds = round(monotonic() - begun, 3)
                    refusal = refused(ledger, account_id)
                    yield Plan(report, account, planning, ledger)
            finally:
                if refusal is not None:
                    mark_refused(ledger, account_id, refusal)
                    ledger.commit()
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) == _LOCK_NOT_AVAILABLE:
            raise AccountError(
                f"Account {account_id}: a cycle of another account is at work on the same people; "
                "plan again in a moment."
            ) from None
        raise PipelineDatabaseError(error) from None
