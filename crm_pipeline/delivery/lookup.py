"""Finding the records that stand for people: by queries, or in a reading of the whole org."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial

from crm_pipeline.delivery.schemas import describes, known_schemas, schemas, store_schemas
from crm_pipeline.delivery.session import DeliverySession
from crm_pipeline.ledger.census import found_in_census, staged_census
from crm_pipeline.ledger.due import DuePerson, unknown_people_fields
from crm_pipeline.salesforce.census import count_people, read_people
from crm_pipeline.salesforce.describe import SObjectSchema
from crm_pipeline.salesforce.matching import (
    CONTACT_FIELDS,
    Candidate,
    Found,
    Match,
    add_converted,
    choose,
    find_people,
)

Matches = Callable[[], Mapping[str, Match]]
"""Waits for the record of each person who has one, by email key."""

Lookup = Callable[[Sequence[DuePerson]], Matches]
"""Begins to look people up."""

SOBJECTS = ("Lead", "Contact", "Event")


CENSUS_FROM = 50_000
"""People to look up from which on reading everybody in the org may be cheaper."""

CENSUS_UP_TO = 5
"""Everybody is read where the org has at most so many times the people to look up."""


@contextmanager
def lookup_of(session: DeliverySession, people: int) -> Iterator[Lookup]:
    """The cheapest way to look up so many people: by their addresses, or in one census."""
    worthwhile = people >= CENSUS_FROM and session.account.settings.route != "composite"
    if not worthwhile or count_people(session.org()) > CENSUS_UP_TO * people:
        yield partial(_by_query, session)
        return
    session.calls_left()
    known = schemas(session, SOBJECTS)
    fields = unknown_people_fields(session.ledger, session.account_id)
    with staged_census(session.ledger, read_people(session.org(), known, fields)):
        contact_fields = [*CONTACT_FIELDS, *known["Contact"].readable(fields["Contact"])]
        yield lambda asked: partial(_in_census, session, asked, contact_fields)


def _in_census(
    session: DeliverySession, people: Sequence[DuePerson], contact_fields: Sequence[str]
) -> dict[str, Match]:
    """The records of these people; contacts without an address of their own are asked for."""
    found = Found()
    for key, candidate in found_in_census(session.ledger, _addresses(people)):
        found.setdefault(key, []).append(candidate)
    add_converted(session.org(), found, contact_fields)
    return _chosen(found)


def _by_query(session: DeliverySession, people: Sequence[DuePerson]) -> Matches:
    """Asks for the people's addresses, 10,000 in two API calls; describes ride along."""
    session.calls_left()
    known = known_schemas(session)
    fields = {
        sobject: set[str]().union(*(person.intent[sobject] for person in people))
        for sobject in ("Lead", "Contact")
    }
    undescribed = [sobject for sobject in SOBJECTS if sobject not in known]
    asked = session.beside(
        find_people,
        session.org(),
        _addresses(people),
        lead_fields=_readable("Lead", fields["Lead"], known),
        contact_fields=_readable("Contact", fields["Contact"], known),
        also=describes(session, undescribed),
        parallel=session.account.settings.parallel_requests,
    )

    def matches() -> dict[str, Match]:
        found = asked.result()
        if undescribed:
            store_schemas(session, undescribed, found.also)
        return _chosen(found)

    return matches


def _addresses(people: Sequence[DuePerson]) -> list[str]:
    return list(dict.fromkeys(itertools.chain.from_iterable(each.addresses for each in people)))


def _chosen(found: Mapping[str, Sequence[Candidate]]) -> dict[str, Match]:
    chosen = {key: choose(candidates) for key, candidates in found.items()}
    return {key: match for key, match in chosen.items() if match is not None}


def _readable(
    sobject: str, fields: Iterable[str], known: Mapping[str, SObjectSchema]
) -> Iterable[str]:
    return known[sobject].readable(fields) if sobject in known else sorted(fields)
