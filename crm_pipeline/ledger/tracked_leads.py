"""Leads of a tracker, as they were read last, and whom they are about.

Each function works within the caller's transaction, on the connection that holds the account's
lock.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection

from crm_pipeline.database.rows import objects
from crm_pipeline.database.statements import statement
from crm_pipeline.ledger.people import Sighting, identify
from crm_pipeline.text import storable_json

POINTER = "tracked_lead"
"""The kind of what points from a lead to its person."""

VANISHED = "vanished"
"""Why a lead counts no more that is not in the warehouse any more."""

_AT_A_TIME = 5_000
"""Leads that are read from the ledger at a time."""


@dataclass(slots=True)
class TrackedLead:
    """A lead of the tracker.

    Attributes:
        lead_id: the tracker's.
        happened_at: when the person got in touch, UTC.
        as_of: when this was shipped to the warehouse, UTC.
        rejected_because: why it is not to be sent, or None.
        email: the address that it gives, as `email_key` writes it.
        phone: the number that it gives, as `phone_key` writes it.
        columns: what else it says, by the extract's columns.
        address: by which its person is known (`whose_leads`).
        person_key: its person; None of a rejected one.
    """

    lead_id: str
    happened_at: datetime
    as_of: datetime
    rejected_because: str | None = None
    email: str | None = None
    phone: str | None = None
    address: str | None = None
    person_key: int | None = None
    columns: Mapping[str, Any] = field(default_factory=dict)


class LeadByPhone(NamedTuple):
    """A lead with a number that is known already."""

    lead_id: str
    as_of: datetime
    email: str | None
    phone: str
    address: str


class Before(NamedTuple):
    """The person of a lead until now, and by which address; None of one that was about nobody."""

    person_key: int | None
    address: str | None


def which_changed(
    connection: Connection, account_id: str, leads: Sequence[TrackedLead]
) -> dict[str, Before]:
    """Those of some leads that are new or say something else, with what was known of them."""
    parameters = {"account_id": account_id, "rows": storable_json(leads)}
    rows = connection.execute(statement("leads/which_changed"), parameters)
    return {row.lead_id: Before(row.person_key, row.address) for row in rows}


def record_leads(
    connection: Connection,
    account_id: str,
    leads: Sequence[TrackedLead],
    before: Mapping[str, Before],
) -> set[int]:
    """Records leads that are new or changed, and finds or makes the people they are about.

    A lead that is known by the address by which it was known stays with its person, whatever
    became of that address.

    Args:
        connection: the caller's, in whose transaction all is written.
        account_id: whose leads.
        leads: each once.
        before: what was known of them (`which_changed`).

    Returns:
        The people of whom something else is known now.
    """
    told = [each for each in leads if each.rejected_because is None]
    moved = _settled(connection, account_id, told)
    for each in told:
        was = before[each.lead_id]
        each.person_key = was.person_key if was.address == each.address else None
    sought = [each for each in told if each.person_key is None]
    sightings = [
        *(Sighting(each.lead_id, str(each.address), each.as_of) for each in sought),
        *(Sighting(each.lead_id, each.address, each.as_of) for each in moved),
    ]

    # All other leads stay with their persons: nothing is asked about them.
    people = identify(connection, account_id, sightings, lambda _: (), pointer=POINTER)
    for each in sought:
        each.person_key = people[each.lead_id, str(each.address)]
    rows = {"account_id": account_id, "rows": storable_json(leads)}
    connection.execute(statement("leads/record_leads"), rows)
    if moved:
        others = [
            {**each._asdict(), "person_key": people[each.lead_id, each.address]} for each in moved
        ]
        rows = {"account_id": account_id, "rows": storable_json(others)}
        connection.execute(statement("leads/move_leads"), rows)
    left = {was.person_key for was in before.values() if was.person_key is not None}
    return {each.person_key for each in told if each.person_key} | set(people.values()) | left


def shared_phones(connection: Connection, account_id: str, phones: Collection[str]) -> set[str]:
    """Those of some numbers that the tracker has with several addresses: they are nobody's."""
    parameters = {"account_id": account_id, "phones": list(phones)}
    return set(connection.scalars(statement("leads/shared_phones"), parameters))


def leads_of(
    connection: Connection, account_id: str, people: Collection[int]
) -> dict[int, list[TrackedLead]]:
    """All leads of some people, the first one first; those without any are absent."""
    parameters = {"account_id": account_id, "person_keys": list(people)}
    found: dict[int, list[TrackedLead]] = {}
    for lead in objects(connection.execute(statement("leads/of_people"), parameters), TrackedLead):
        found.setdefault(int(str(lead.person_key)), []).append(lead)
    return found


def only_leads(
    connection: Connection, account_id: str, recorded: Iterable[TrackedLead]
) -> dict[int, list[TrackedLead]]:
    """Those of some leads, just recorded, whose people have no other: by these, as `leads_of`."""
    alone = {each.person_key: each for each in recorded if each.person_key is not None}
    if not alone:
        return {}
    parameters = {"account_id": account_id, "person_keys": list(alone)}
    several = set(connection.scalars(statement("leads/with_several"), parameters))
    return {person: [lead] for person, lead in alone.items() if person not in several}


class WantedBefore(NamedTuple):
    """As of when (UTC) something was wanted of a person last, and which of some fields it named."""

    as_of: datetime
    fields: Sequence[str]


def last_said(
    connection: Connection, account_id: str, people: Collection[int], fields: Collection[str]
) -> dict[int, WantedBefore]:
    """The latest versions of what is wanted of some people, where there is one.

    Args:
        connection: the caller's.
        account_id: whose people.
        people: their numbers; those who became others are absent.
        fields: to look for.
    """
    parameters = {"account_id": account_id, "person_keys": list(people), "fields": list(fields)}
    rows = connection.execute(statement("leads/last_said"), parameters)
    return {row.person_key: WantedBefore(row.as_of, row.fields) for row in rows}


def lead_people(connection: Connection, account_id: str, *, after: int, at_most: int) -> list[int]:
    """Returns the first people with tracked leads whose numbers lie above `after`, in order."""
    window = {"account_id": account_id, "after": after, "at_most": at_most}
    return list(connection.scalars(statement("leads/people"), window))


def count_lead_people(connection: Connection, account_id: str) -> int:
    """Counts the people with tracked leads."""
    whose = {"account_id": account_id}
    people: int = connection.execute(statement("leads/count_people"), whose).scalar_one()
    return people


def is_said(connection: Connection, account_id: str, fingerprint: str) -> bool:
    """Returns whether people are wanted as these settings say; where none are, it is so."""
    whose = {"account_id": account_id}
    said = connection.execute(statement("leads/fingerprint"), whose).scalar_one_or_none()
    return said in (None, fingerprint)


def note_said(connection: Connection, account_id: str, fingerprint: str) -> None:
    """Notes by which settings people are wanted."""
    parameters = {"account_id": account_id, "fingerprint": fingerprint}
    connection.execute(statement("leads/set_fingerprint"), parameters)


def is_judged(connection: Connection, account_id: str, judged_by: bytes) -> bool:
    """Returns whether the leads that are kept were judged by these choices."""
    found = connection.scalar(statement("leads/judged_by"), {"account_id": account_id})
    return found is not None and bytes(found) == judged_by


def note_judged(connection: Connection, account_id: str, judged_by: bytes) -> None:
    """Notes by which choices the leads are judged."""
    parameters = {"account_id": account_id, "judged_by": judged_by}
    connection.execute(statement("leads/set_judged_by"), parameters)


def kept_leads(connection: Connection, account_id: str) -> Iterator[TrackedLead]:
    """All leads that were read, as they were judged last."""
    window: dict[str, Any] = {"account_id": account_id, "after": "", "at_most": _AT_A_TIME}
    while rows := objects(connection.execute(statement("leads/kept"), window), TrackedLead):
        yield from rows
        window["after"] = rows[-1].lead_id


def never_sent(connection: Connection, account_id: str, lead_ids: Collection[str]) -> set[str]:
    """Returns those of some leads of whose people the org has nothing, for all that is known."""
    person_of = {
        e.lead_id: f"person:{e.person_key}" for e in _named(connection, account_id, lead_ids)
    }
    parameters = {"account_id": account_id, "natural_keys": [*set(person_of.values())]}
    nowhere = set(connection.scalars(statement("ledger/never_there"), parameters))
    return {lead_id for lead_id, person in person_of.items() if person in nowhere}


def let_vanish(connection: Connection, account_id: str, lead_ids: Collection[str]) -> set[int]:
    """Has some leads count no more, as they vanished; returns the people they were about."""
    leads = _named(connection, account_id, lead_ids)
    before = {each.lead_id: Before(each.person_key, each.address) for each in leads}
    for each in leads:
        each.rejected_because = VANISHED
        each.address = each.person_key = None
    return record_leads(connection, account_id, leads, before)


def _named(
    connection: Connection, account_id: str, lead_ids: Collection[str]
) -> Sequence[TrackedLead]:
    parameters = {"account_id": account_id, "lead_ids": list(lead_ids)}
    return objects(connection.execute(statement("leads/named"), parameters), TrackedLead)


def take_moved(connection: Connection, account_id: str) -> set[int]:
    """Returns the people who got leads of others by becoming one, since this was asked last."""
    return set(connection.scalars(statement("leads/take_moved"), {"account_id": account_id}))


def _settled(
    connection: Connection, account_id: str, leads: Sequence[TrackedLead]
) -> list[LeadByPhone]:
    """Sets by which address the person of each lead is known; returns as `whose_leads`."""
    phones = {each.phone for each in leads if each.phone is not None}
    if not phones:
        return whose_leads(leads, ())
    parameters = {"account_id": account_id, "phones": list(phones)}
    rows = connection.execute(statement("leads/of_phones"), parameters)
    return whose_leads(leads, objects(rows, LeadByPhone))


def whose_leads(leads: Sequence[TrackedLead], known: Sequence[LeadByPhone]) -> list[LeadByPhone]:
    """Sets the address by which the person of each lead is known. Pure.

    That is the email address; of a lead without one it is that of the number's owner. A number is
    somebody's where all leads with it that give an email address give one and the same; else it
    stands for whoever calls by it, since a number never makes one person of two addresses. Who was
    known by the number alone has the first address that is given with it from then on. A lead that
    gives no address stays with its person until it gives another number.

    Args:
        leads: new or changed ones; they are set.
        known: all leads with their numbers that are known already.

    Returns:
        Those of the known leads that have another address by these.
    """
    numbers = _Numbers(known)
    told = {each.lead_id: each for each in leads}
    as_of = {each.lead_id: each.as_of for each in known}
    for lead in sorted(leads, key=lambda each: (each.as_of, each.lead_id)):
        for caller in numbers.hear(lead):
            as_of[caller] = lead.as_of
    for callers in numbers.callers.values():
        for lead_id, address in callers.items():
            if lead_id in told:
                told[lead_id].address = address
    before = {each.lead_id: each for each in known}
    return [
        before[lead_id]._replace(address=address, as_of=as_of[lead_id])
        for callers in numbers.callers.values()
        for lead_id, address in callers.items()
        if lead_id not in told and before[lead_id].address != address
    ]


class _Numbers:
    """The addresses that came with each number, and who calls by it and gives none."""

    def __init__(self, known: Sequence[LeadByPhone]) -> None:
        self._number_of: dict[str, str] = {}
        self._emails: dict[str, dict[str, str]] = {}
        self.callers: dict[str, dict[str, str]] = {}
        for each in known:
            self._number_of[each.lead_id] = each.phone
            if each.email is None:
                self.callers.setdefault(each.phone, {})[each.lead_id] = each.address
            else:
                self._emails.setdefault(each.phone, {})[each.lead_id] = each.email

    def hear(self, lead: TrackedLead) -> list[str]:
        """Takes what a lead says, and sets its address; returns the callers that this moves."""
        former = self._number_of.pop(lead.lead_id, "")
        former_email = self._emails.get(former, {}).pop(lead.lead_id, None)
        former_address = self.callers.get(former, {}).pop(lead.lead_id, None)
        lead.address = lead.email
        if lead.phone is None:
            return []
        self._number_of[lead.lead_id] = lead.phone
        emails = self._emails.setdefault(lead.phone, {})
        callers = self.callers.setdefault(lead.phone, {})
        if lead.email is None:
            owners = set(emails.values())
            whose = owners.pop() if len(owners) == 1 else lead.phone
            stays = former_address if former == lead.phone else None
            lead.address = callers[lead.lead_id] = stays or whose
            return []
        left = set()
        if not emails:
            left.add(lead.phone)
        if former == lead.phone and former_email not in {None, *emails.values()}:
            left.add(str(former_email))
        emails[lead.lead_id] = lead.email
        moved = [caller for caller, address in callers.items() if address in left]
        callers |= dict.fromkeys(moved, lead.email)
        return moved
