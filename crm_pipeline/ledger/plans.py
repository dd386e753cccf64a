"""Plans that are kept, and what is held back while one of them is sent alone.

Each function works within the caller's transaction, on the connection that holds the account's
lock.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from crm_pipeline.database.rows import objects
from crm_pipeline.database.statements import statement


@dataclass(frozen=True, slots=True)
class KeptPlan:
    """A plan that was made.

    Attributes:
        made_at: when (UTC).
        start_at: the start that was tried (UTC); None: the account's own.
        of_some_people: whether it is not about everybody.
        cycle_id: the cycle that did what it says; None: none did.
    """

    plan_id: int
    account_id: str
    made_at: datetime
    start_at: datetime | None
    of_some_people: bool
    cycle_id: int | None


class PlannedNumber(NamedTuple):
    """How many records of an object come to what."""

    sobject: str
    outcome: str
    records: int


class KeptRow(NamedTuple):
    """What a plan says of one operation, without the values.

    Attributes:
        about: the operation, by a name that it has whenever it is planned.
        address: the person whom it is about.
        salesforce_id: the record; None: a new one.
        unknown: fields that name a record which is only to be made.
        content: a hash of the other fields.
    """

    about: str
    address: str | None
    sobject: str
    outcome: str
    salesforce_id: str | None
    unknown: Sequence[str]
    content: bytes | None


def keep_plan(
    connection: Connection,
    account_id: str,
    rows: Iterable[KeptRow],
    *,
    start_at: datetime | None,
    of_some_people: bool,
) -> int:
    """Keeps a plan; returns its number."""
    plan_id: int = connection.execute(
        statement("plans/keep"),
        {"account_id": account_id, "start_at": start_at, "of_some_people": of_some_people},
    ).scalar_one()
    cursor = connection.connection.driver_connection.cursor()  # type: ignore[union-attr]
    with cursor.copy(
        "COPY crm.plan_row (plan_id, about, address, sobject, outcome, salesforce_id, unknown,"
        " content) FROM STDIN"
    ) as copy:
        for row in rows:
            copy.write_row((plan_id, *row))
    return plan_id


def kept_plan(connection: Connection, account_id: str, plan_id: int) -> KeptPlan | None:
    """The account's plan of this number, or None."""
    asked = {"account_id": account_id, "plan_id": plan_id}
    return next(iter(objects(connection.execute(statement("plans/kept"), asked), KeptPlan)), None)


def numbers_of(connection: Connection, plan_id: int) -> list[PlannedNumber]:
    """How many records a plan has come to what, by object."""
    asked = {"plan_id": plan_id}
    return objects(connection.execute(statement("plans/numbers"), asked), PlannedNumber)


def plan_was_applied(connection: Connection, plan_id: int, cycle_id: int | None) -> None:
    """Notes which cycle did what a plan says."""
    said = {"plan_id": plan_id, "cycle_id": cycle_id}
    connection.execute(statement("plans/applied"), said)


def hold_others(
    connection: Connection, account_id: str, cycle_id: int, people: Sequence[int]
) -> None:
    """Keeps back all that a plan would list, but for what is about some people.

    The campaigns that these are to be in go, too, with those above them. For a transaction that is
    undone: what is refused or rejected is held then, too.
    """
    whose = {"account_id": account_id, "cycle_id": cycle_id, "people": list(people)}
    connection.execute(statement("plans/hold_others"), whose)


def hold_unplanned(connection: Connection, account_id: str, plan_id: int) -> None:
    """Keeps back what is pending, but for what a plan says will come to something."""
    asked = {"account_id": account_id, "plan_id": plan_id}
    connection.execute(statement("plans/hold_unplanned"), asked)


def release_held(connection: Connection, account_id: str) -> None:
    """Has everything that is held back be pending again."""
    connection.execute(statement("plans/release_held"), {"account_id": account_id})
