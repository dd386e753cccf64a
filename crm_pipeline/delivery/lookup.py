"""Finding the records that stand for people: by queries, or in a reading of the whole org."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from crm_pipeline.delivery.schemas import describes, known_schemas, store_schemas
from crm_pipeline.delivery.session import DeliverySession
from crm_pipeline.ledger.due import DuePerson
from crm_pipeline.salesforce.describe import SObjectSchema
from crm_pipeline.salesforce.matching import Match, choose, find_people

Lookup = Callable[[Sequence[DuePerson]], Mapping[str, Match]]
"""Finds the record of each person who has one, by email key."""

SOBJECTS = ("Lead", "Contact", "Event")


def lookup_of(session: DeliverySession, people: int) -> Lookup:  # noqa: ARG001
    """The cheapest way to look up so many people."""
    return lambda asked: _by_query(session, asked)


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
    chosen = {key: choose(candidates) for key, candidates in found.items()}
    return {key: match for key, match in chosen.items() if match is not None}


def _readable(
    sobject: str, fields: Iterable[str], known: Mapping[str, SObjectSchema]
) -> Iterable[str]:
    return known[sobject].readable(fields) if sobject in known else sorted(fields)
