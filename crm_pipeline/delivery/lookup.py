"""Finding the records that stand for people: by queries, or in a reading of the whole org."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from crm_pipeline.delivery.schemas import describes, known_schemas, schemas, store_schemas
from crm_pipeline.delivery.session import DeliverySession
from crm_pipeline.ledger.due import DuePerson, unknown_people_fields, unknown_people_keys
from crm_pipeline.salesforce.census import count_people, find_people_by_census
from crm_pipeline.salesforce.describe import SObjectSchema
from crm_pipeline.salesforce.matching import Candidate, Match, choose, find_people

Lookup = Callable[[Sequence[DuePerson]], Mapping[str, Match]]
"""Finds the record of each person who has one, by email key."""

SOBJECTS = ("Lead", "Contact", "Event")


CENSUS_FROM = 50_000
"""People to look up from which on reading everybody in the org may be cheaper."""

CENSUS_UP_TO = 5
"""Everybody is read where the org has at most so many times the people to look up."""


def lookup_of(session: DeliverySession, people: int) -> Lookup:
    """The cheapest way to look up so many people: by their addresses, or in one census."""
    worthwhile = people >= CENSUS_FROM and session.account.settings.route != "composite"
    if not worthwhile or count_people(session.org()) > CENSUS_UP_TO * people:
        return lambda asked: _by_query(session, asked)
    matches = _by_census(session)
    return lambda _: matches


def _by_census(session: DeliverySession) -> dict[str, Match]:
    """The records of all people who are to be looked up."""
    session.calls_left()
    known = schemas(session, SOBJECTS)
    fields = unknown_people_fields(session.ledger, session.account_id)
    found = find_people_by_census(
        session.org(),
        unknown_people_keys(session.ledger, session.account_id),
        known,
        lead_fields=fields["Lead"],
        contact_fields=fields["Contact"],
    )
    return _chosen(found)


def _by_query(session: DeliverySession, people: Sequence[DuePerson]) -> dict[str, Match]:
    """Asks for the people's addresses, 10,000 in two API calls; describes ride along."""
    session.calls_left()
    known = known_schemas(session)
    fields = {
        sobject: {field for person in people for field in person.intent[sobject]}
        for sobject in ("Lead", "Contact")
    }
    undescribed = [sobject for sobject in SOBJECTS if sobject not in known]
    found = find_people(
        session.org(),
        dict.fromkeys(person.person_key for person in people),
        lead_fields=_readable("Lead", fields["Lead"], known),
        contact_fields=_readable("Contact", fields["Contact"], known),
        also=describes(session, undescribed),
        parallel=session.account.settings.parallel_requests,
    )
    if undescribed:
        store_schemas(session, undescribed, found.also)
    return _chosen(found)


def _chosen(found: Mapping[str, Sequence[Candidate]]) -> dict[str, Match]:
    chosen = {key: choose(candidates) for key, candidates in found.items()}
    return {key: match for key, match in chosen.items() if match is not None}


def _readable(
    sobject: str, fields: Iterable[str], known: Mapping[str, SObjectSchema]
) -> Iterable[str]:
    return known[sobject].readable(fields) if sobject in known else sorted(fields)
