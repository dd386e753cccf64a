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

LISTED = 50
"""Plans of an account that are listed at most."""


@dataclass(frozen=True, slots=True)
class KeptPlan:
    """A plan that was made.

    Attributes:
        made_at: when (UTC).
        start_at: the start that was tried (UTC); None: the account's own.
        of_some_people: whether it is not about everybody.
        org_time: by the org's clock (UTC); the plan may not know what was changed from then on.
        cycle_id: the cycle that did what it says; None: none did.
        applied_at: when that had ended (UTC); None: it has not, or that was not kept then.
        applied_by: who had it done; None likewise.
        begun_by: the first cycle after it; None: there was none yet.
        is_compared: whether a cycle was held against it.
    """

    plan_id: int
    account_id: str
    made_at: datetime
    start_at: datetime | None
    of_some_people: bool
    org_time: datetime
    cycle_id: int | None
    applied_at: datetime | None
    applied_by: str | None
    begun_by: int | None
    is_compared: bool


class ComparedPlan(NamedTuple):
    """A plan, and how many of its rows came as it says.

    Attributes:
        made_at: when (UTC).
        seen_by: the cycle that saw it, with those before that did not end; None: there was none.
        as_planned: None: that cycle was not compared, as it was not a whole one.
        explained: rows that came otherwise for a known reason.
        unexplained: rows that came otherwise for none.
    """

    plan_id: int
    made_at: datetime
    seen_by: int | None
    as_planned: int | None
    explained: int | None
    unexplained: int | None


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
        version: of the operation.
        wanted: a hash of what the source wants.
    """

    about: str
    address: str | None
    sobject: str
    outcome: str
    salesforce_id: str | None
    unknown: Sequence[str]
    content: bytes | None
    version: int
    wanted: bytes


class Departure(NamedTuple):
    """An operation that came to something else than its plan says.

    Attributes:
        about: the person by address, or the operation's natural key.
        foreseen: what the plan says; None: nothing.
        became: what the cycle made of it, as `PlannedRecord.outcome`; None: nothing is to be done
            of the sort any more.
        reason: of what it became.
        explanation: source (says otherwise since), rejected (or dropped by a person),
            settings (changed since), rules (of the org), org (the record was changed or deleted
            there since), time (it had come), or follows (what it belongs to departed); None:
            nothing explains it.
        person_key: the person, if the ledger has one of that address.
    """

    about: str
    sobject: str
    foreseen: str | None
    became: str | None
    reason: str
    explanation: str | None
    person_key: int | None

    @property
    def outcome(self) -> str:
        """What the cycle made of it, in words."""
        if self.became is None:
            return "nothing to be done any more"
        return f"{self.became}, otherwise" if self.became == self.foreseen else self.became

    @property
    def because(self) -> str:
        """Why it came so, in words."""
        return _BECAUSE[self.explanation]


_BECAUSE = {
    "source": "the source says otherwise since",
    "rejected": "a person has rejected or dropped it",
    "settings": "the settings were changed since",
    "rules": "rules of the org",
    "org": "changed or deleted in the org since",
    "time": "its time had come",
    "follows": "what it belongs to came otherwise",
    None: "nothing explains it: please report it",
}


def keep_plan(
    connection: Connection,
    account_id: str,
    rows: Iterable[KeptRow],
    *,
    start_at: datetime | None,
    of_some_people: bool,
    org_time: datetime,
) -> int:
    """Keeps a plan; returns its number."""
    plan_id: int = connection.execute(
        statement("plans/keep"),
        {
            "account_id": account_id,
            "start_at": start_at,
            "of_some_people": of_some_people,
            "org_time": org_time,
        },
    ).scalar_one()
    cursor = connection.connection.driver_connection.cursor()  # type: ignore[union-attr]
    with cursor.copy(
        "COPY crm.plan_row (plan_id, about, address, sobject, outcome, salesforce_id, unknown,"
        " content, version, wanted) FROM STDIN"
    ) as copy:
        for row in rows:
            copy.write_row((plan_id, *row))
    return plan_id


def kept_plan(connection: Connection, account_id: str, plan_id: int) -> KeptPlan | None:
    """The account's plan of this number, or None."""
    asked = {"account_id": account_id, "plan_id": plan_id}
    return next(iter(objects(connection.execute(statement("plans/kept"), asked), KeptPlan)), None)


def take_unseen(connection: Connection, account_id: str, cycle_id: int) -> list[KeptPlan]:
    """Notes that a cycle sees the plans that none has seen to its end; these, the newest first."""
    asked = {"account_id": account_id, "cycle_id": cycle_id}
    return objects(connection.execute(statement("plans/take_unseen"), asked), KeptPlan)


def departures_of(connection: Connection, plan_id: int) -> list[Departure]:
    """Where a cycle departed from a plan; what nothing explains comes first."""
    asked = {"plan_id": plan_id}
    return objects(connection.execute(statement("plans/departures"), asked), Departure)


def kept_plans(connection: Connection, account_id: str) -> list[ComparedPlan]:
    """The newest plans of an account, the newest first."""
    asked = {"account_id": account_id, "most": LISTED}
    return objects(connection.execute(statement("plans/of_account"), asked), ComparedPlan)


def numbers_of(connection: Connection, plan_id: int) -> list[PlannedNumber]:
    """How many records a plan has come to what, by object."""
    asked = {"plan_id": plan_id}
    return objects(connection.execute(statement("plans/numbers"), asked), PlannedNumber)


def plan_was_applied(
    connection: Connection, plan_id: int, cycle_id: int | None, applied_by: str
) -> None:
    """Notes which cycle did what a plan says, and who wanted that."""
    said = {"plan_id": plan_id, "cycle_id": cycle_id, "applied_by": applied_by}
    connection.execute(statement("plans/applied"), said)


def hold_others(
    connection: Connection,
    account_id: str,
    cycle_id: int,
    people: Sequence[int],
    rows: Sequence[str] = (),
) -> None:
    """Keeps back all that a plan would list, but for what is about some people, or of some rows.

    The campaigns that these are to be in go, too, with those above them. For a transaction that is
    undone: what is refused or rejected is held then, too.
    """
    whose = {"account_id": account_id, "cycle_id": cycle_id, "people": list(people)}
    connection.execute(statement("plans/hold_others"), {**whose, "rows": list(rows)})


def hold_unplanned(connection: Connection, account_id: str, plan_id: int) -> None:
    """Keeps back what is pending, but for what a plan says will come to something."""
    asked = {"account_id": account_id, "plan_id": plan_id}
    connection.execute(statement("plans/hold_unplanned"), asked)


def release_held(connection: Connection, account_id: str) -> None:
    """Has everything that is held back be pending again."""
    connection.execute(statement("plans/release_held"), {"account_id": account_id})
