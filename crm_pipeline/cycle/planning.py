"""Planning: what is different of a cycle that only plans, and what its plan comes to."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection

from crm_pipeline.accounts.account import Account, AccountError, AccountSettings
from crm_pipeline.cycle.replay import natural_keys
from crm_pipeline.database.rows import objects
from crm_pipeline.database.statements import statement
from crm_pipeline.delivery.desk import Desk
from crm_pipeline.ledger.account_ledger import AccountLedger
from crm_pipeline.ledger.plans import hold_others
from crm_pipeline.salesforce.composite import query_all
from crm_pipeline.salesforce.emails import email_key
from crm_pipeline.salesforce.limits import COMPOSITE_QUERIES_OR_COLLECTIONS, QUERY_PAGE
from crm_pipeline.salesforce.soql import packed_in_queries
from crm_pipeline.salesforce.stand_in import is_placeholder

EXAMPLES = 10
"""Records of each object and outcome that a plan shows where not all are asked for."""

_COMPARED_AT_A_TIME = QUERY_PAGE * COMPOSITE_QUERIES_OR_COLLECTIONS


class PlannedUpdate(NamedTuple):
    """A record of the org and the fields that a plan would write to it."""

    operation_id: int
    sobject: str
    salesforce_id: str
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Planning:
    """What a plan is to be about.

    Attributes:
        start_at: taken for the account's setting of this name; None: the account's own.
        most_people: of how many people at most; None: of all.
        address: of one person alone, by this email address; None: of all.
        in_full: whether each update is compared with the org, or only `EXAMPLES` of each object.
        replayed: ids of rows, by extract, that are read again, and whose people it is about; none:
            no row is.
        replayed_kinds: of operations that are said again of these rows; None: all.
    """

    start_at: str | None = None
    most_people: int | None = None
    address: str | None = None
    in_full: bool = False
    replayed: Mapping[str, Sequence[int]] = field(default_factory=dict)
    replayed_kinds: frozenset[str] | None = None

    @property
    def plans(self) -> bool:
        """True, as nothing is done."""
        return True

    @property
    def of_some_people(self) -> bool:
        """True if it is not about everybody."""
        return self.most_people is not None or self.address is not None or bool(self.replayed)

    def account_of(self, account: Account) -> Account:
        """The account as if it had the settings that are to be tried.

        Raises:
            AccountError: the start is none.
        """
        return with_start(account, self.start_at)

    def demand_person(self, ledger: AccountLedger) -> None:
        """Looks whether there is whom it is about, once all is read.

        Raises:
            AccountError: the address is nobody's of whom anything was read.
        """
        if self.address is not None and not self._people(ledger):
            raise AccountError(
                f"Account {ledger.account_id}: nobody of this address was read, or a filter "
                "rejects them; `crm-pipeline account filter list` shows the filters."
            )

    def hold_back(self, ledger: AccountLedger) -> Callable[[Connection], None] | None:
        """What keeps back all that is about others; None: it is about everybody."""
        people = self._people(ledger)
        if people is None:
            return None
        rows = natural_keys(self.replayed)
        return lambda connection: hold_others(
            connection, ledger.account_id, ledger.cycle_id, people, rows
        )

    def _people(self, ledger: AccountLedger) -> Sequence[int] | None:
        whose: dict[str, Any] = {"account_id": ledger.account_id}
        connection = ledger.connection
        if self.replayed:
            whose["natural_keys"] = natural_keys(self.replayed)
            return connection.scalars(statement("plans/people_of_rows"), whose).all()
        if self.address is not None:
            whose["address"] = email_key(self.address)
            return connection.scalars(statement("plans/person_of_address"), whose).all()
        if self.most_people is not None:
            whose["limit"] = self.most_people
            return connection.scalars(statement("plans/first_people"), whose).all()
        return None

    def conclude(self, desk: Desk) -> None:
        """Puts what the plan comes to into its table, and compares it with the org.

        That costs a call for 10,000 updates.

        Raises:
            SalesforceProblem: as `query_all`.
        """
        ledger = desk.ledger
        whose = {"account_id": ledger.account_id, "cycle_id": ledger.cycle_id}
        with ledger.step() as connection:
            connection.execute(statement("plans/fill_table"), whose)
        updates = _updates(connection, None, self.in_full)
        while updates:
            there = [
                {
                    "operation_id": each.operation_id,
                    "there": {name: record.get(name) for name in each.fields},
                }
                for each, record in _with_values(desk, updates)
            ]
            with ledger.step() as connection:
                rows = {"rows": orjson.dumps(there).decode()}
                connection.execute(statement("plans/note_values"), rows)
            updates = _updates(connection, updates[-1], self.in_full)


def with_start(account: Account, start_at: str | None) -> Account:
    """The account as if that were its start; None: as it is.

    Raises:
        AccountError: it is none.
    """
    if start_at is None:
        return account
    chosen = account.settings.model_dump(mode="json", exclude_unset=True)
    settings = AccountSettings.parse(account.account_id, {**chosen, "start_at": start_at})
    return replace(account, settings=settings)


def _updates(
    connection: Connection, after: PlannedUpdate | None, in_full: bool
) -> list[PlannedUpdate]:
    """The next updates that are to be compared, those of one object one after another."""
    window = {
        "most": None if in_full else EXAMPLES,
        "sobject": after.sobject if after else "",
        "operation_id": after.operation_id if after else 0,
        "limit": _COMPARED_AT_A_TIME,
    }
    return objects(connection.execute(statement("plans/updates"), window), PlannedUpdate)


def _with_values(
    desk: Desk, updates: Sequence[PlannedUpdate]
) -> Iterator[tuple[PlannedUpdate, Mapping[str, Any]]]:
    """The updates of records that are in the org, each with what stands there."""
    queries: list[str] = []
    for sobject, of_object in groupby(updates, key=lambda each: each.sobject):
        there = [each for each in of_object if not is_placeholder(each.salesforce_id)]
        wanted = sorted({name for each in there for name in each.fields})
        readable = desk.schemas.describe([sobject])[sobject].readable(wanted)
        ids = dict.fromkeys(each.salesforce_id for each in there)
        queries += packed_in_queries(dict.fromkeys(["Id", *readable]), sobject, "Id", ids)
    if not queries:
        return
    pages = query_all(desk.org.log_in(), queries).records
    records = {record["Id"]: record for page in pages for record in page}
    for update in updates:
        if update.salesforce_id in records:
            yield update, records[update.salesforce_id]
