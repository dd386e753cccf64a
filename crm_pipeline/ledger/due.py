"""Operations of an account that are to be sent, as the ledger has them.

Each function reads within the caller's transaction, on the connection that holds the
account's lock. Rows are fetched all at once: one by one takes several times as long.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection

from crm_pipeline.database.rows import objects, the_object
from crm_pipeline.database.statements import statement
from crm_pipeline.ledger.parts import WITHDRAWN
from crm_pipeline.salesforce.emails import email_key

OF_ANY_TOPIC = frozenset(("record", "message"))
"""Kinds whose operations say themselves of which topic they are."""


@dataclass(slots=True)
class DuePerson:
    """A person of whom it is to be decided which record gets what.

    `intent` is by sObject: `{"Lead": {field: value}, "Contact": {...}}`. `sobject` to
    `last_as_of` are those of the identity, None when unknown; `last_sent` are the values that
    the org has from us, but for `left_behind` perhaps, which the conversion of a lead may not have
    taken along, or another person of that record emptied; `doubted` are, by field, those of which
    any may stand there, as no answer came;
    `known_address` is the address that the person had when that record was chosen.
    `read_at` is when the source was heard to say so (UTC). `sent_emails` are the addresses
    under which an earlier version was sent, where nothing is known of its outcome;
    `unheard` are all such versions that went to a record which is not known: `is_creation` or not,
    and `fields`; None where there are none.
    """

    operation_id: int
    natural_key: str
    person_key: int
    address: str
    as_of: datetime
    intent: Mapping[str, Mapping[str, Any]]
    sobject: str | None
    salesforce_id: str | None
    identity_reason: str | None
    last_sent: Mapping[str, Any] | None
    last_as_of: datetime | None
    left_behind: Sequence[str] = ()
    doubted: Mapping[str, Sequence[Any]] | None = None
    known_address: str | None = None
    read_at: datetime | None = None
    sent_emails: Sequence[str] = ()
    unheard: Sequence[Mapping[str, Any]] | None = None

    @property
    def sent_without_email(self) -> list[Mapping[str, Any]]:
        """The fields of versions without a known outcome that were sent without an address."""
        if not self.unheard:
            return []
        created = [sent["fields"] for sent in self.unheard if sent["is_creation"]]
        return [fields for fields in created if not fields.get("Email")]

    def changed(self, sobject: str) -> dict[str, Any]:
        """Returns the fields that are wanted otherwise than they were sent to the record last.

        Of those that are in doubt the record may have anything, so they are sent, also empty.
        """
        if self.last_as_of is not None and self.last_as_of > self.as_of:
            return {}
        sent, doubted = self.last_sent or {}, self.doubted or {}
        intent = self.intent[sobject]
        return {f: value for f, value in intent.items() if f in doubted or sent.get(f) != value}

    @property
    def is_withdrawn(self) -> bool:
        """True if nothing is wanted of the person any more."""
        return bool(self.intent.get(WITHDRAWN))

    @property
    def is_to_be_found(self) -> bool:
        """True if no record is known, or only one that was chosen by another address."""
        return self.salesforce_id is None or self.known_address != self.address

    @property
    def addresses(self) -> Iterable[str]:
        """The addresses by which to look for the person, the present one first."""
        if not self.sent_emails:
            return (self.address,)
        earlier = filter(None, map(email_key, self.sent_emails))
        return dict.fromkeys((self.address, *earlier))


@dataclass(slots=True)
class DueUpdate:
    """A person's record and the fields of it that are to change; `former` is what stood there."""

    operation_id: int
    natural_key: str
    sobject: str
    salesforce_id: str
    sent: Mapping[str, Any]
    reason: str
    former: Mapping[str, Any]


@dataclass(slots=True)
class DueActivity:
    """An activity to be sent, with the record that stands for its person.

    `who_id` is None of a person who is not in the org. `last_…` and `salesforce_id` are those
    of an earlier version that is in the org, or None. `gone_because` says why it is to be gone;
    such a one has no person.
    """

    operation_id: int
    natural_key: str
    person_key: int | None
    intent: Mapping[str, Any]
    who_id: str | None
    salesforce_id: str | None
    last_person_key: int | None
    last_intent: Mapping[str, Any] | None
    gone_because: str | None = None

    @property
    def is_doubted(self) -> bool:
        """Whether it is in the org, and the ledger does not know how we wrote it (`copies`)."""
        is_there = self.salesforce_id is not None and self.gone_because is None
        return is_there and self.last_intent == {}


@dataclass(frozen=True, slots=True)
class Lost:
    """An operation that was sent and whose answer never came.

    `is_adopted`: nobody knows whether it was sent, or with which values (`copies.take_for_sent`).
    """

    operation_id: int
    kind: str
    natural_key: str
    person_key: int | None
    sobject: str
    action: str
    salesforce_id: str | None
    intent: Mapping[str, Any]
    sent_at: datetime
    is_adopted: bool
    person_sobject: str | None
    person_id: str | None

    @property
    def counted_as(self) -> str:
        """Under which topic or kind its outcome is counted."""
        return str(self.intent["topic"]) if self.kind in OF_ANY_TOPIC else self.kind


@dataclass(frozen=True, slots=True)
class Volume:
    """Operations of one kind that are open, by state."""

    pending: int = 0
    in_flight: int = 0
    failed: int = 0
    exhausted: int = 0


def due_people(
    connection: Connection, account_id: str, *, after: int = 0, limit: int
) -> list[DuePerson]:
    """Pending people with an operation id above `after`, oldest first."""
    window = {"account_id": account_id, "after": after, "limit": limit}
    rows = connection.execute(statement("ledger/due_people"), window)
    return objects(rows, DuePerson)


def left_addresses(connection: Connection, account_id: str, found: Mapping[str, str]) -> set[str]:
    """Addresses by which a record was found that is another person's, who has left that address.

    `found` is the Id of the record by address.
    """
    rows = [{"address": address, "salesforce_id": found[address]} for address in found]
    matches = {"account_id": account_id, "matches": orjson.dumps(rows).decode()}
    holders = connection.execute(statement("ledger/left_addresses"), matches)
    return {
        holder.address
        for holder in holders
        if holder.address in {holder.known_address, *map(email_key, holder.written)}
    }


def due_updates(
    connection: Connection, account_id: str, *, after: int = 0, limit: int
) -> list[DueUpdate]:
    """Decided updates of people with an operation id above `after`, oldest first."""
    window = {"account_id": account_id, "after": after, "limit": limit}
    rows = connection.execute(statement("ledger/due_updates"), window)
    return objects(rows, DueUpdate)


def due_activities(
    connection: Connection,
    account_id: str,
    *,
    after: int = 0,
    limit: int,
    of_people: Collection[int] | None = None,
) -> list[DueActivity]:
    """Pending activities of people who are in the org, above `after`, oldest first.

    Or those of some people, by person key, whether they are in the org or not.
    """
    # PostgreSQL takes JSON apart faster than psycopg writes arrays.
    people = None if of_people is None else orjson.dumps(list(of_people)).decode()
    window = {"account_id": account_id, "after": after, "limit": limit, "of_people": people}
    rows = connection.execute(statement("ledger/due_activities"), window)
    return objects(rows, DueActivity)


def lost_operations(
    connection: Connection, account_id: str, *, grace_seconds: float, limit: int
) -> list[Lost]:
    """Returns operations that were sent at least `grace_seconds` ago and have no outcome."""
    window = {"account_id": account_id, "grace_seconds": grace_seconds, "limit": limit}
    rows = connection.execute(statement("ledger/lost_operations"), window)
    return objects(rows, Lost)


def open_volumes(connection: Connection, account_id: str) -> dict[str, Volume]:
    """Counts what is open, by kind (`person`, `activity`, …); a kind without any is absent."""
    rows = connection.execute(statement("ledger/open_volumes"), {"account_id": account_id})
    return {row.kind: Volume(row.pending, row.in_flight, row.failed, row.exhausted) for row in rows}


def known_activities(
    connection: Connection, account_id: str, salesforce_ids: Sequence[str]
) -> dict[str, bool]:
    """Those of these activities of an org that an operation has, of whatever person or account.

    Returns:
        Of each whether it is this account's.
    """
    parameters = {"account_id": account_id, "salesforce_ids": list(salesforce_ids)}
    rows = connection.execute(statement("ledger/known_activities"), parameters)
    return {row.salesforce_id: row.is_own for row in rows}


def pending_kinds(connection: Connection, account_id: str) -> set[str]:
    """The kinds of operations of which something is pending; some of it may have to wait."""
    return set(connection.scalars(statement("ledger/pending_kinds"), {"account_id": account_id}))


def which_done(connection: Connection, operation_ids: Collection[int]) -> set[int]:
    """Those of these operations that are done."""
    parameters = {"operation_ids": list(operation_ids)}
    return set(connection.scalars(statement("ledger/which_done"), parameters))


@dataclass(frozen=True, slots=True)
class DueVolumes:
    """Numbers of what is pending: people to look up, people whose record is known, and the rest.

    `has_claims`: claims on people are not settled.
    """

    unknown_people: int
    known_people: int
    lead_updates: int
    contact_updates: int
    activities: int
    has_claims: bool


def due_volumes(connection: Connection, account_id: str) -> DueVolumes:
    """Counts what a delivery would have to do now."""
    row = connection.execute(statement("ledger/due_volumes"), {"account_id": account_id})
    return the_object(row, DueVolumes)


def unknown_people_fields(connection: Connection, account_id: str) -> dict[str, list[str]]:
    """The fields that pending people of whom no record is known bring, by sObject."""
    rows = connection.execute(statement("ledger/unknown_people_fields"), {"account_id": account_id})
    return {row.sobject: row.fields for row in rows}
