"""Matches: to which tracked leads an opportunity belongs, by which rule, or why to none yet.

The order is that of the rules (`Rule`). A record that names a lead by the tracker's id is believed
before anything that was written down about people; the same account alone is no match. Pure.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum


class Rule(Enum):
    """The rules, in their order; the value is what people and the platform are told."""

    ID_ON_OPPORTUNITY = "id_on_opportunity"
    CONVERTED_LEAD = "converted_lead"
    CONTACT_ROLE = "contact_role"
    ID_ON_CONTACT = "id_on_contact"
    EMAIL = "email"
    PHONE = "phone"


@dataclass(slots=True)
class MatchableLead:
    """A lead of the tracker.

    Attributes:
        lead_id: the tracker's id.
        happened_at: when the call, form or chat was, UTC.
        person: the number of the person who it was (`ledger/people.py`).
    """

    lead_id: str
    happened_at: datetime
    person: int


@dataclass(slots=True)
class OrgPerson:
    """A Lead or Contact of the org, with what it may be known by.

    Attributes:
        record_id: its Id.
        tracker_id: the tracker's id that is stored there.
        email: as `email_key` writes it.
        phones: in E.164.
    """

    record_id: str
    tracker_id: str | None = None
    email: str | None = None
    phones: tuple[str, ...] = ()


@dataclass(slots=True)
class Role:
    """A contact's role in an opportunity.

    Attributes:
        contact: who has it.
        is_primary: whether it is the primary one.
        is_account: whether there is no role but that the account of the opportunity is this person.
        converted: the Leads that became this contact.
    """

    contact: OrgPerson
    is_primary: bool = False
    is_account: bool = False
    converted: tuple[OrgPerson, ...] = ()


@dataclass(slots=True)
class Deal:
    """An opportunity, and who is around it.

    Attributes:
        created_at: when it was made, UTC.
        tracker_id: the tracker's id that is stored there.
        converted: the Leads that were converted into it.
        roles: its contacts.
    """

    created_at: datetime
    tracker_id: str | None = None
    converted: tuple[OrgPerson, ...] = ()
    roles: tuple[Role, ...] = ()


_Leads = Mapping[str, Sequence[MatchableLead]]


@dataclass(frozen=True, slots=True)
class Known:
    """The tracked leads of an account, by what they may be known by.

    Attributes:
        by_id: by the tracker's id.
        by_record: by the Id of a record that stands, or stood, for the person.
        by_email: by the person's address.
        by_phone: by the person's phone number.
        shared: phone numbers that several people have, in the org or at the tracker: these match
            nobody.
    """

    by_id: Mapping[str, MatchableLead] = field(default_factory=dict)
    by_record: _Leads = field(default_factory=dict)
    by_email: _Leads = field(default_factory=dict)
    by_phone: _Leads = field(default_factory=dict)
    shared: frozenset[str] = frozenset()


@dataclass(slots=True)
class LeadMatch:
    """A tracked lead to which an opportunity belongs, by its best rule.

    Attributes:
        lead: the tracked lead.
        rule: the rule.
        because: the reason, for people; names records by their Ids, never by personal data.
    """

    lead: MatchableLead
    rule: Rule
    because: str


def find(deal: Deal, known: Known) -> list[LeadMatch]:
    """The tracked leads of an opportunity, by the order of the rules; none where it has to wait.

    The id of a lead on the opportunity itself settles it. Else every lead that a rule finds has a
    part in it (`splits.py` says which). Of those that one record stands for, the ones count that
    came before the opportunity was made, the last of them first; where none did, all.
    """
    if deal.tracker_id is not None and (lead := known.by_id.get(deal.tracker_id)):
        return [LeadMatch(lead, Rule.ID_ON_OPPORTUNITY, "its id is stored on the opportunity")]
    matches: dict[str, LeadMatch] = {}
    for leads, rule, because in _found(deal, known):
        for lead in _in_time(leads, deal.created_at):
            matches.setdefault(lead.lead_id, LeadMatch(lead, rule, because))
    return list(matches.values())


def waits_because(deal: Deal, known: Known) -> str:
    """Why an opportunity that has no match waits, for people."""
    people = [role.contact for role in deal.roles]
    if not deal.converted and not people:
        return "no contact has a role in it, and no lead was converted into it"
    if any(phone in known.shared for each in (*deal.converted, *people) for phone in each.phones):
        return "nobody around it is a tracked lead but by a phone number that several people have"
    return "nobody around it is a tracked lead"


def _found(deal: Deal, known: Known) -> Iterator[tuple[Sequence[MatchableLead], Rule, str]]:
    for lead in deal.converted:
        ways = (way(lead, known) for way in (_named, _held, _by_email, _by_phone))
        if found := next(filter(None, ways), None):
            yield found, Rule.CONVERTED_LEAD, f"converted from {lead.record_id}"
    roles = sorted(deal.roles, key=lambda each: (not each.is_primary, each.is_account))
    for role in roles:
        kind = "primary contact" if role.is_primary else "contact"
        who = f"{'person account, ' if role.is_account else ''}{kind} {role.contact.record_id}"
        if found := _held(role.contact, known):
            yield found, Rule.CONTACT_ROLE, who
        for lead in role.converted:
            if found := _named(lead, known) or _held(lead, known):
                yield found, Rule.CONTACT_ROLE, f"{who}, converted from {lead.record_id}"
    for rule, way, words in (
        (Rule.ID_ON_CONTACT, _named, "its id is stored on contact"),
        (Rule.EMAIL, _by_email, "email address of contact"),
        (Rule.PHONE, _by_phone, "phone number of contact"),
    ):
        for role in roles:
            if found := way(role.contact, known):
                yield found, rule, f"{words} {role.contact.record_id}"


def _in_time(leads: Sequence[MatchableLead], made_at: datetime) -> Sequence[MatchableLead]:
    """Returns those that came before a time, the last first; where none did, all in their order."""
    if len(leads) == 1:
        return leads
    in_order = sorted(leads, key=lambda each: (each.happened_at, each.lead_id))
    return [each for each in in_order if each.happened_at <= made_at][::-1] or in_order


def _named(person: OrgPerson, known: Known) -> Sequence[MatchableLead]:
    if person.tracker_id is None or (lead := known.by_id.get(person.tracker_id)) is None:
        return ()
    return (lead,)


def _held(person: OrgPerson, known: Known) -> Sequence[MatchableLead]:
    return known.by_record.get(person.record_id, ())


def _by_email(person: OrgPerson, known: Known) -> Sequence[MatchableLead]:
    return () if person.email is None else known.by_email.get(person.email, ())


def _by_phone(person: OrgPerson, known: Known) -> Sequence[MatchableLead]:
    return [
        lead
        for phone in person.phones
        if phone not in known.shared
        for lead in known.by_phone.get(phone, ())
    ]
