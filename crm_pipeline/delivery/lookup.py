"""Finding the records that stand for people: by queries, or in a reading of the whole org."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial

from crm_pipeline.delivery.desk import Desk
from crm_pipeline.delivery.numbers import Matched, by_number
from crm_pipeline.ledger.census import found_in_census, staged_census
from crm_pipeline.ledger.due import DuePerson, left_addresses, unknown_people_fields
from crm_pipeline.salesforce.census import count_people, read_people
from crm_pipeline.salesforce.describe import SObjectSchema
from crm_pipeline.salesforce.matching import (
    CONTACT_FIELDS,
    Candidate,
    Candidates,
    Match,
    add_converted,
    choose,
    find_people,
)
from crm_pipeline.salesforce.phones import is_phone_key
from crm_pipeline.text import written

Lookup = Callable[[Sequence[DuePerson]], Callable[[], Matched]]
"""Begins to look people up; what it gives waits for the answer."""

_Matches = Callable[[], Mapping[str, Match]]

SOBJECTS = ("Lead", "Contact", "Event")


CENSUS_FROM = 50_000
"""People to look up from which on reading everybody in the org may be cheaper."""

CENSUS_UP_TO = 5
"""Everybody is read where the org has at most so many times the people to look up."""


@contextmanager
def lookup_of(desk: Desk, people: int) -> Iterator[Lookup]:
    """The cheapest way to look up so many people: by their addresses, or in one census."""
    usual = desk.chosen.match_by.is_usual
    worthwhile = people >= CENSUS_FROM and desk.chosen.route != "composite" and usual
    if not worthwhile or count_people(desk.org.log_in()) > CENSUS_UP_TO * people:
        yield partial(_in_both_ways, desk, partial(_look_up_by_query, desk))
        return
    desk.allowance.demand_calls()
    known = desk.schemas.describe(SOBJECTS)
    fields = unknown_people_fields(desk.ledger.connection, desk.ledger.account_id)
    with staged_census(desk.ledger.connection, read_people(desk.org.log_in(), known, fields)):
        contact_fields = [*CONTACT_FIELDS, *known["Contact"].readable(fields["Contact"])]
        yield partial(
            _in_both_ways,
            desk,
            lambda asked: partial(_look_up_in_census, desk, asked, contact_fields),
        )


def _in_both_ways(
    desk: Desk, by_address: Callable[[Sequence[DuePerson]], _Matches], people: Sequence[DuePerson]
) -> Callable[[], Matched]:
    """Looks up by their addresses those who have one, and all others by their numbers."""
    with_address = [each for each in people if any(_emails(each))]
    matches = by_address(with_address) if with_address else dict

    def matched() -> Matched:
        found = matches()
        by_their_numbers = by_number(desk, people)
        of_numbers = by_their_numbers.by_address
        left = _left(desk, of_numbers)
        of_numbers = {key: match for key, match in of_numbers.items() if key not in left}
        return by_their_numbers._replace(by_address={**found, **of_numbers})

    return matched


def _look_up_in_census(
    desk: Desk, people: Sequence[DuePerson], contact_fields: Sequence[str]
) -> dict[str, Match]:
    """The records of these people; contacts without an address of their own are asked for."""
    found = Candidates()
    for key, candidate in found_in_census(desk.ledger.connection, _addresses(people)):
        found.setdefault(key, []).append(candidate)
    add_converted(desk.org.log_in(), found, contact_fields, desk.chosen.match_first)
    return _chosen(desk, found)


def _look_up_by_query(desk: Desk, people: Sequence[DuePerson]) -> _Matches:
    """Asks for the people's addresses, 10,000 in two API calls; describes ride along."""
    desk.allowance.demand_calls()
    known = desk.schemas.known()
    fields = {
        sobject: set[str]().union(*(person.intent[sobject] for person in people))
        for sobject in ("Lead", "Contact")
    }
    undescribed = [sobject for sobject in SOBJECTS if sobject not in known]
    by = desk.chosen.match_by
    ids = {} if by.id_field is None else _person_ids(people, by.id_field)
    asked = desk.org.in_background(
        find_people,
        desk.org.log_in(),
        _addresses(people),
        lead_fields=_readable("Lead", fields["Lead"], known),
        contact_fields=_readable("Contact", fields["Contact"], known),
        also=desk.schemas.subrequests(undescribed),
        parallel=desk.chosen.parallel_requests,
        by=by,
        person_ids=set(ids.values()),
    )

    def matches() -> dict[str, Match]:
        found = asked.result()
        if undescribed:
            desk.schemas.keep(undescribed, found.also)
        by_id = {
            address: match
            for address, person_id in ids.items()
            if (match := choose(found.by_id.get(person_id, ()), by.first, "id of the platform"))
        }
        return {**_chosen(desk, found), **by_id}

    return matches


def _person_ids(people: Sequence[DuePerson], field: str) -> dict[str, str]:
    """The platform's id of each person who has one, by their present address."""
    return {
        each.address: written(value)
        for each in people
        if (value := each.intent["Lead"].get(field)) is not None
    }


def _addresses(people: Sequence[DuePerson]) -> list[str]:
    return list(dict.fromkeys(itertools.chain.from_iterable(map(_emails, people))))


def _emails(person: DuePerson) -> list[str]:
    return [address for address in person.addresses if not is_phone_key(address)]


def _chosen(desk: Desk, found: Mapping[str, Sequence[Candidate]]) -> dict[str, Match]:
    """The record that stands for each address; none is somebody's who has left that address."""
    matches: dict[str, Match] = {}
    candidates = dict(found)
    while candidates:
        first = desk.chosen.match_first
        every = {key: choose(some, first) for key, some in candidates.items()}
        chosen = {key: match for key, match in every.items() if match is not None}
        left = _left(desk, chosen)
        matches |= {key: match for key, match in chosen.items() if key not in left}
        candidates = {
            key: [
                each for each in candidates[key] if each.salesforce_id != chosen[key].salesforce_id
            ]
            for key in left
        }
    return matches


def _left(desk: Desk, chosen: Mapping[str, Match]) -> set[str]:
    ids = {key: match.salesforce_id for key, match in chosen.items()}
    return left_addresses(desk.ledger.connection, desk.ledger.account_id, ids) if ids else set()


def _readable(
    sobject: str, fields: Iterable[str], known: Mapping[str, SObjectSchema]
) -> Iterable[str]:
    return known[sobject].readable(fields) if sobject in known else sorted(fields)
