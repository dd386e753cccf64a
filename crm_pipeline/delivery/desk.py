"""The desk: the parts that one delivery works with, each handed on alone where it is enough."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from crm_pipeline.accounts.account import Account, AccountSettings
from crm_pipeline.delivery.allowance import Allowance
from crm_pipeline.delivery.approval import Approval
from crm_pipeline.delivery.decisions import Decision
from crm_pipeline.delivery.kind import Kind
from crm_pipeline.delivery.org_access import OrgAccess
from crm_pipeline.delivery.phases import PhaseClock
from crm_pipeline.delivery.schemas import Schemas
from crm_pipeline.delivery.storage import EVERYTHING, Room
from crm_pipeline.ledger.account_ledger import AccountLedger
from crm_pipeline.salesforce.changed_since import changed_since
from crm_pipeline.salesforce.describe import RIGHTS
from crm_pipeline.salesforce.outcomes import Write, WrittenAs


@dataclass(slots=True)
class Passes:
    """The remedies tried in this cycle, and whether another pass is to decide anew.

    Attributes:
        another: what was decided does not hold any more: what is pending is decided again.
        one_at_a_time: calls of ours locked each other out: they go one after the other.
    """

    another: bool = False
    one_at_a_time: bool = False
    _tried: set[tuple[int, str]] = field(default_factory=set)

    def try_once(self, operation_id: int, remedy: str) -> bool:
        """Notes that a remedy is tried for an operation; True the first time in this cycle."""
        first = not self.was_tried(operation_id, remedy)
        self._tried.add((operation_id, remedy))
        return first

    def was_tried(self, operation_id: int, remedy: str) -> bool:
        """Returns whether a remedy was tried for an operation in this cycle (`try_once`)."""
        return (operation_id, remedy) in self._tried


@dataclass(frozen=True, slots=True)
class Notes:
    """Fields that people may want to know of, with how often, and what waits for room.

    Attributes:
        changed: whose values were changed to fit the org, and what else was not as wanted.
        not_seen: that are not in the org, or hidden.
        read_only: that the user may not write.
        asked: that a person is to decide about since now.
        statuses: that campaigns lack, and get with what is planned.
        lines: what else people are to know, a line each: what waits for room, what was refused.
    """

    changed: Counter[str] = field(default_factory=Counter)
    not_seen: Counter[str] = field(default_factory=Counter)
    read_only: Counter[str] = field(default_factory=Counter)
    asked: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    lines: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Desk:
    """One account's delivery in one cycle.

    Attributes:
        account: whose.
        ledger: its part of the ledger.
        org: the way into its org.
        schemas: of the org's objects.
        allowance: what of the org's API may be spent.
        tally: what became of everything, by topic or kind of operation, and outcome.
        written: what the org has taken, by object and what was done.
        passes: what was tried already.
        notes: for people.
        rooms: what the account (`EVERYTHING`) and its flows have room for, if that was asked.
        watched: the fields that flows watch, by object.
        may_be_older_copy: whether the ledger may have been restored from a backup.
        made_since_copy: Ids of people, members and custom records that we made since, by object.
        deleted_since_copy: those people whom others deleted there: object and Id, by address.
        approval: the plan that what is sent is held to; None: there is none.
        clock: tells what is sent from what.
    """

    account: Account
    ledger: AccountLedger
    org: OrgAccess
    schemas: Schemas
    allowance: Allowance
    tally: Counter[tuple[str, str]]
    written: Counter[tuple[str, WrittenAs]] = field(default_factory=Counter)
    passes: Passes = field(default_factory=Passes)
    notes: Notes = field(default_factory=Notes)
    rooms: dict[str, Room] = field(default_factory=dict)
    watched: Mapping[str, frozenset[str]] = field(default_factory=dict)
    may_be_older_copy: bool = False
    made_since_copy: dict[str, set[str]] = field(default_factory=dict)
    deleted_since_copy: dict[str, tuple[str, str]] = field(default_factory=dict)
    approval: Approval | None = None
    clock: PhaseClock = field(default_factory=PhaseClock)

    def has_room(self, decision: Decision) -> bool:
        """Returns whether the org has room for what is decided; a new record takes it."""
        room = self.rooms.get(EVERYTHING)
        return room is None or decision.action != "create" or room.takes_one()

    def count_written(
        self, counted_as: str, kind: Kind, sobject: str, action: WrittenAs, number: int = 1
    ) -> None:
        """Counts writes that the org has taken, by topic or kind of operation, and by object."""
        self.tally[counted_as, kind.outcome(sobject, action)] += number
        self.written[sobject, action] += number

    def unapproved(self, writes: Sequence[Write]) -> Collection[int]:
        """Returns the operations whose writes wait, as an approved plan does not say them.

        Looks what others have done since to the records of those that a plan does not say.

        Raises:
            SalesforceProblem: as `changed_since`.
        """
        if self.approval is None or not writes:
            return ()
        departing = self.approval.departing(writes)
        to_records = [each for each in writes if each.ref in departing and each.salesforce_id]
        ids: dict[str, list[str]] = {}
        for each in to_records:
            ids.setdefault(each.sobject, []).append(str(each.salesforce_id))
        changed = self.changed_since(self.approval.plan.org_time, ids)
        self.approval.touched.update(e.ref for e in to_records if e.salesforce_id in changed)
        return departing if self.approval.binds else ()

    def changed_since(
        self, moment: datetime, record_ids: Mapping[str, Collection[str]]
    ) -> frozenset[str]:
        """Returns those of some records that were changed or deleted since, of what may be read.

        Raises:
            SalesforceProblem: as `query_all`.
        """
        known = self.schemas.known()
        readable = {
            sobject: ids
            for sobject, ids in record_ids.items()
            if sobject not in known or RIGHTS["queryable"] in known[sobject].rights
        }
        return changed_since(self.org.log_in(), moment, readable) if readable else frozenset()

    @property
    def is_planned(self) -> bool:
        """True if all that is sent is kept as it is sent: a plan tells it, or is held to it."""
        return self.org.stand_in is not None or self.approval is not None

    @property
    def chosen(self) -> AccountSettings:
        """The account's settings."""
        return self.account.settings


def desk_of(
    account: Account,
    ledger: AccountLedger,
    allowance: Allowance,
    *,
    watched: Mapping[str, frozenset[str]],
    may_be_older_copy: bool,
    clock: PhaseClock,
    approval: Approval | None = None,
) -> Desk:
    """Lays out the desk; calls nobody."""
    org = OrgAccess(ledger, account, allowance)
    return Desk(
        account,
        ledger,
        org,
        Schemas(ledger, org, allowance),
        allowance,
        allowance.tally,
        watched=watched,
        may_be_older_copy=may_be_older_copy,
        approval=approval,
        clock=clock,
    )
