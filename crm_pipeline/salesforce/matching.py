"""Matching: the one place that decides which record of an org stands for a person.

The rule, for one email address:

1. Leads that are not converted come first; of several, the one created first, then the one
   with the lowest Id.
2. Else, if a Lead was converted, the Contact it became, whatever that one's address is now.
3. Else a Contact with this address; of several, the one created first, then the lowest Id.
4. Else nobody: the person is new.

An account may choose Contacts before Leads, further fields that have an address, and a field that
has the platform's id of the person, which wins over addresses (`MatchBy`).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from crm_pipeline.salesforce.composite import QueryRefused, Record, SubAnswer, Subrequest, query_all
from crm_pipeline.salesforce.describe import SObjectSchema
from crm_pipeline.salesforce.emails import email_key
from crm_pipeline.salesforce.limits import PARALLEL_REQUESTS
from crm_pipeline.salesforce.match_by import BY_EMAIL, MatchBy, MatchFirst
from crm_pipeline.salesforce.soql import packed_in_queries, quote, select
from crm_pipeline.salesforce.values import is_record_id

if TYPE_CHECKING:
    from crm_pipeline.salesforce.connection import Org

LEAD_FIELDS = ("Id", "Email", "CreatedDate", "IsConverted", "ConvertedContactId")
CONTACT_FIELDS = ("Id", "Email", "CreatedDate")
PREFIXES = {"Lead": "00Q", "Contact": "003"}
"""The first letters of Ids, by object."""

_OBJECTS = {prefix: sobject for sobject, prefix in PREFIXES.items()}
_UNKNOWN = datetime.max.replace(tzinfo=UTC)
_ROUNDS = 5
"""How many merges and conversions of one record are followed, one after another."""


class Candidate(NamedTuple):
    """A Lead or Contact that may stand for a person.

    Attributes:
        fields: what was queried, by the org's names of the fields.
        created: UTC.
        converted_contact_id: of a converted Lead, the Contact that it became.
    """

    sobject: str
    salesforce_id: str
    fields: Mapping[str, Any]
    created: datetime
    is_converted: bool = False
    converted_contact_id: str | None = None


class Match(NamedTuple):
    """The record that stands for a person, what is in it, and why it is this one.

    `several` are the records of its kind that might as well have been chosen, itself among them;
    `others` all other candidates by their Ids, the oldest first.
    """

    sobject: str
    salesforce_id: str
    fields: Mapping[str, Any]
    reason: str
    several: int = 1
    others: tuple[str, ...] = ()


class Candidates(dict[str, list[Candidate]]):
    """Candidates by email key (none: not in it), and the answers to what rode along.

    Those that have a person's id of the platform are in `by_id`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.also: list[SubAnswer] = []
        self.by_id: dict[str, list[Candidate]] = {}


class Followed(NamedTuple):
    """The successor of a record. `salesforce_id` is None where nothing is left of it."""

    sobject: str
    salesforce_id: str | None
    reason: str


def choose(
    candidates: Iterable[Candidate], first: MatchFirst = "lead", by: str = "email"
) -> Match | None:
    """Returns the record that stands for a person, of those with one email address.

    Args:
        candidates: in any order; the Contacts that converted Leads became among them.
        first: the records that are preferred.
        by: what they have in common, for the reason.

    Returns:
        None: the person is new.
    """
    each_once = {each.salesforce_id: each for each in candidates}
    ordered = sorted(each_once.values(), key=lambda each: (each.created, each.salesforce_id))
    leads = [each for each in ordered if each.sobject == "Lead" and not each.is_converted]
    match = _match(leads[0], _of(leads, "lead", by), len(leads)) if leads else None
    if match is None or first == "contact":
        match = _contact_among(ordered, by) or match
    if match is None or len(ordered) == 1:
        return match
    others = (each.salesforce_id for each in ordered)
    return match._replace(others=tuple(each for each in others if each != match.salesforce_id))


def _contact_among(ordered: Sequence[Candidate], by: str) -> Match | None:
    """The Contact that a converted Lead became, else the oldest one."""
    contacts = [each for each in ordered if each.sobject == "Contact"]
    by_id = {each.salesforce_id: each for each in contacts}
    for lead in ordered:
        contact = by_id.get(lead.converted_contact_id or "")
        if lead.is_converted and contact is not None:
            return _match(contact, "the contact that the lead was converted to")
    if contacts:
        return _match(contacts[0], _of(contacts, "contact", by), len(contacts))
    return None


def find_people(
    connection: "Org",
    email_keys: Collection[str],
    *,
    lead_fields: Iterable[str],
    contact_fields: Iterable[str],
    also: Sequence[Subrequest] = (),
    parallel: int = PARALLEL_REQUESTS,
    by: MatchBy = BY_EMAIL,
    person_ids: Collection[str] = (),
) -> Candidates:
    """Looks up everybody with one of some email addresses, 10,000 addresses in two API calls.

    Contacts that converted Leads became are looked up too where they are needed and have
    another address (one more call); if merged meanwhile, their successors.

    Args:
        connection: the org.
        email_keys: as `email_key` makes them.
        lead_fields: what is to be known of Leads; Id, Email, CreatedDate come in any case.
        contact_fields: the same for Contacts.
        also: describes that ride along for nothing. Where they are of Lead or Contact, fields
            that the org does not show are left out instead of stopping the account.
        parallel: most calls at once.
        by: what they are found by; each further field costs as much as Email.
        person_ids: the platform's ids of the people, where a field has them.

    Returns:
        For each address that was found, its candidates, for `choose`; in `also` the answers
        to what rode along.

    Raises:
        SalesforceProblem: as `query_all`.
    """
    further = () if by.id_field is None else (by.id_field,)
    wanted = {
        sobject: list(dict.fromkeys((*own, *by.email_fields(sobject), *further, *fields)))
        for sobject, own, fields in (
            ("Lead", LEAD_FIELDS, lead_fields),
            ("Contact", CONTACT_FIELDS, contact_fields),
        )
    }
    try:
        queries = _sought(wanted, email_keys, by, person_ids)
        result = query_all(connection, queries, also=also, parallel=parallel)
        answers = result.also
    except QueryRefused as refused:
        shown = _shown(wanted, refused.also)
        if shown == wanted:
            raise
        wanted, answers = shown, refused.also
        queries = _sought(wanted, email_keys, by, person_ids)
        result = query_all(connection, queries, parallel=parallel)
    found = Candidates()
    found.also = answers
    asked, ids = set(email_keys), set(person_ids)
    with_address = {sobject: by.email_fields(sobject) for sobject in wanted}
    for records in result.records:
        for record in records:
            if (one := candidate(record)) is None:
                continue
            for field in with_address[one.sobject]:
                email = record.get(field)
                key = email_key(email) if isinstance(email, str) else None
                if key in asked:
                    found.setdefault(key, []).append(one)
            if by.id_field is not None and (of := str(record.get(by.id_field))) in ids:
                found.by_id.setdefault(of, []).append(one)
    add_converted(connection, found, wanted["Contact"], by.first)
    return found


def find_activities(
    connection: "Org",
    sobject: str,
    who_ids: Iterable[str],
    *,
    between: tuple[datetime, datetime],
    fields: Sequence[str] = ("Subject", "ActivityDateTime"),
) -> list[Record]:
    """Activities of some people at some time, to find what a lost answer made.

    When they were created is not asked: that is told by the org's clock, which is not ours.
    Deleted ones are among them: what a salesperson has deleted since is not to come again.

    An activity moves with its person: of a converted or merged one, ask for the successor too.

    Args:
        connection: the org.
        sobject: `Event`.
        who_ids: Leads and Contacts.
        between: the first and the last ActivityDateTime (UTC).
        fields: what is to be known beside Id, WhoId and CreatedDate.

    Returns:
        The records, in no order.
    """
    columns = dict.fromkeys(("Id", "WhoId", "CreatedDate", *fields))
    first, last = map(quote, between)
    when = f"ActivityDateTime >= {first} AND ActivityDateTime <= {last}"
    queries = packed_in_queries(columns, sobject, "WhoId", dict.fromkeys(who_ids), when)
    result = query_all(connection, queries, include_deleted=True)
    return [record for records in result.records for record in records]


def follow_leads(connection: "Org", lead_ids: Iterable[str]) -> dict[str, Followed]:
    """Finds where Leads went that were converted, merged or deleted; calls the org.

    Returns:
        For each Lead: itself, the Lead it was merged into, the Contact it became, or None.
    """
    return _follow(connection, "Lead", lead_ids)


def converted_since(connection: "Org", since: datetime) -> dict[str, str]:
    """The Contact of each Lead that was converted since some time (UTC); one call for 2,000.

    The day of a conversion is that of the org's own time zone, so a day more is asked for.

    Raises:
        SalesforceProblem: as `query_all`.
    """
    day = quote((since - timedelta(days=1)).date())
    query = select(
        ("Id", "ConvertedContactId"), "Lead", "IsConverted = true", f"ConvertedDate >= {day}"
    )
    [records] = query_all(connection, [query]).records
    return {
        each["Id"]: each["ConvertedContactId"] for each in records if each["ConvertedContactId"]
    }


def follow_people(connection: "Org", record_ids: Iterable[str]) -> dict[str, Followed]:
    """Finds where Leads and Contacts went: `follow_leads` and `follow_contacts` in one."""
    every = set(record_ids)
    leads = {each for each in every if each.startswith(PREFIXES["Lead"])}
    followed: dict[str, Followed] = {}
    if leads:
        followed |= follow_leads(connection, leads)
    if contacts := every - leads:
        followed |= follow_contacts(connection, contacts)
    return followed


def follow_contacts(connection: "Org", contact_ids: Iterable[str]) -> dict[str, Followed]:
    """Finds where Contacts went that were merged or deleted; calls the org.

    Returns:
        For each Contact: itself, the one it was merged into, or None.
    """
    return _follow(connection, "Contact", contact_ids)


def _of(candidates: Sequence[Candidate], noun: str, by: str) -> str:
    if len(candidates) == 1:
        return f"the only {noun} with this {by}"
    return f"the oldest of {len(candidates)} {noun}s with this {by}"


def _match(candidate: Candidate, reason: str, several: int = 1) -> Match:
    return Match(candidate.sobject, candidate.salesforce_id, candidate.fields, reason, several)


def _sought(
    wanted: Mapping[str, Sequence[str]], keys: Collection[str], by: MatchBy, ids: Collection[str]
) -> list[str]:
    queries = []
    for sobject, fields in wanted.items():
        for field in by.email_fields(sobject):
            queries += packed_in_queries(fields, sobject, field, keys)
        if by.id_field is not None and ids:
            queries += packed_in_queries(fields, sobject, by.id_field, ids)
    return queries


def _shown(wanted: Mapping[str, Sequence[str]], also: Iterable[SubAnswer]) -> dict[str, list[str]]:
    """Returns those of the wanted fields that describes among some answers show."""
    shown = {sobject: list(fields) for sobject, fields in wanted.items()}
    for answer in also:
        if answer.status == 200 and answer.body.get("name") in shown:
            schema = SObjectSchema.from_describe(answer.body)
            shown[schema.name] = [name for name in shown[schema.name] if schema.field(name)]
    return shown


def candidate(record: Record) -> Candidate | None:
    """A record of a query's answer; None where it has no Id of a Lead or Contact.

    One that does not say since when it is there is taken for the youngest.
    """
    record.pop("attributes", None)
    record_id = record.get("Id")
    if not is_record_id(record_id) or not str(record_id).startswith(tuple(_OBJECTS)):
        return None
    became = record.get("ConvertedContactId")
    return Candidate(
        _OBJECTS[str(record_id)[:3]],
        str(record_id),
        record,
        created_at(record.get("CreatedDate")),
        record.get("IsConverted") is True,
        became if is_record_id(became) else None,
    )


def created_at(text: Any) -> datetime:
    """Returns when a record was created, UTC; the end of all times if its answer does not say."""
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return _UNKNOWN
    return moment if moment.tzinfo else _UNKNOWN


def add_converted(
    connection: "Org", found: Candidates, fields: Sequence[str], first: MatchFirst = "lead"
) -> None:
    """Adds the Contacts that Leads became, for those whose only Leads are converted.

    Where Contacts are preferred, for everybody of whom a Lead was converted.
    """
    missing: dict[str, list[str]] = {}
    for key, candidates in found.items():
        is_lead = any(each.sobject == "Lead" and not each.is_converted for each in candidates)
        if is_lead and first == "lead":
            continue
        known = {each.salesforce_id for each in candidates}
        for each in candidates:
            became = each.converted_contact_id
            if became and became not in known:
                missing.setdefault(became, []).append(key)
    if not missing:
        return
    for contact_id, contact in _contacts(connection, missing, fields).items():
        for key in missing[contact_id]:
            if contact.salesforce_id == contact_id:
                found[key].append(contact)
            else:
                _redirect(found[key], contact_id, contact)


def _redirect(candidates: list[Candidate], merged_id: str, contact: Candidate) -> None:
    """Points converted Leads at the Contact that theirs was merged into."""
    candidates[:] = [
        each._replace(converted_contact_id=contact.salesforce_id)
        if each.converted_contact_id == merged_id
        else each
        for each in candidates
    ]
    if all(each.salesforce_id != contact.salesforce_id for each in candidates):
        candidates.append(contact)


def _contacts(
    connection: "Org", contact_ids: Iterable[str], fields: Sequence[str]
) -> dict[str, Candidate]:
    """Contacts by the id that was asked for, even if they are another one by now."""
    wanted = list(contact_ids)
    found = _contacts_by_id(connection, wanted, fields)
    gone = [contact_id for contact_id in wanted if contact_id not in found]
    if gone:
        successors = {
            contact_id: followed.salesforce_id
            for contact_id, followed in follow_contacts(connection, gone).items()
            if followed.salesforce_id is not None
        }
        masters = _contacts_by_id(connection, set(successors.values()), fields)
        found |= {old: masters[new] for old, new in successors.items() if new in masters}
    return found


def _contacts_by_id(
    connection: "Org", contact_ids: Iterable[str], fields: Sequence[str]
) -> dict[str, Candidate]:
    queries = packed_in_queries(fields, "Contact", "Id", contact_ids)
    result = query_all(connection, queries)
    candidates = (candidate(record) for records in result.records for record in records)
    return {each.salesforce_id: each for each in candidates if each is not None}


_FOLLOWED_FIELDS = {
    "Lead": ("Id", "IsDeleted", "MasterRecordId", "IsConverted", "ConvertedContactId"),
    "Contact": ("Id", "IsDeleted", "MasterRecordId"),
}


def _follow(connection: "Org", sobject: str, record_ids: Iterable[str]) -> dict[str, Followed]:
    followed = {each: Followed(sobject, each, "unchanged") for each in record_ids}
    moving = set(followed)
    for _ in range(_ROUNDS):
        if not moving:
            break
        records = _read_deleted_too(connection, {followed[each] for each in moving})
        for each in list(moving):
            step = _next_step(followed[each], records.get(followed[each].salesforce_id))
            if step is None:
                moving.remove(each)
            else:
                followed[each] = step
                if step.salesforce_id is None:
                    moving.remove(each)
    return followed


def _read_deleted_too(connection: "Org", places: Iterable[Followed]) -> dict[str | None, Record]:
    queries = []
    for sobject, fields in _FOLLOWED_FIELDS.items():
        ids = {str(place.salesforce_id) for place in places if place.sobject == sobject}
        queries += packed_in_queries(fields, sobject, "Id", sorted(ids))
    result = query_all(connection, queries, include_deleted=True)
    return {record["Id"]: record for records in result.records for record in records}


def _next_step(place: Followed, record: Record | None) -> Followed | None:
    """Returns where a record went from here; None if it stays."""
    if record is None:
        return Followed(place.sobject, None, "gone")
    if record["IsDeleted"]:
        master = record["MasterRecordId"]
        return Followed(place.sobject, master, "merged" if master else "deleted")
    became = record.get("ConvertedContactId")
    if record.get("IsConverted"):
        return Followed("Contact" if became else "Lead", became, "converted")
    return None
