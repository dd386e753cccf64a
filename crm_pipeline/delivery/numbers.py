"""Finding the records of people who gave a phone number and no email address."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from crm_pipeline.delivery.desk import Desk
from crm_pipeline.inbound.tombstones import of_others
from crm_pipeline.ledger.due import DuePerson
from crm_pipeline.ledger.org_phones import (
    add_phones,
    forget_phones,
    phones_are_kept,
    phones_are_known,
    records_with,
)
from crm_pipeline.ledger.tracked_leads import shared_phones
from crm_pipeline.salesforce.comparison import alike
from crm_pipeline.salesforce.composite import query_all
from crm_pipeline.salesforce.emails import email_key
from crm_pipeline.salesforce.matching import Candidate, Match
from crm_pipeline.salesforce.numbers import (
    COUNTRY_FIELD,
    PHONE_FIELDS,
    find_by_number,
    numbers_of,
    read_numbers,
    whose_number,
)
from crm_pipeline.salesforce.phones import is_phone_key, written_number
from crm_pipeline.salesforce.soql import packed_in_queries

SOBJECTS = ("Lead", "Contact")


class Matched(NamedTuple):
    """The records that stand for people.

    Attributes:
        by_address: by email key, and of those who gave none by the key of their number.
        made: by person, those that a request without an answer made with no address.
        shared: numbers that are several people's, and so nobody's.
    """

    by_address: Mapping[str, Match]
    made: Mapping[int, Match]
    shared: Collection[str] = ()


def by_number(desk: Desk, people: Sequence[DuePerson]) -> Matched:
    """Finds the records of people who are known by a number alone, or were until now.

    A record that a request of ours made without an answer is found by the number as we wrote it,
    and told from others by all that was written with it.

    Raises:
        SalesforceProblem: as `find_by_number`.
    """
    callers = [each for each in people if is_phone_key(each.address)]
    unheard = [each for each in people if each.sent_without_email]
    if not callers and not unheard:
        return Matched({}, {})
    _know_numbers(desk)
    region = desk.chosen.phone_region
    keys = {each.address for each in callers}
    lost = {each.person_key: _lost_numbers(each, region) for each in unheard}
    numbers = records_with(
        desk.ledger.connection, desk.ledger.account_id, keys.union(*lost.values())
    )
    desk.allowance.demand_calls()
    known = desk.schemas.describe(SOBJECTS)
    wanted = {
        sobject: {*_number_fields(sobject)}.union(*(each.intent[sobject] for each in people))
        for sobject in SOBJECTS
    }
    fields = {sobject: known[sobject].readable(names) for sobject, names in wanted.items()}
    found = find_by_number(
        desk.org.log_in(),
        numbers,
        map(written_number, numbers),
        fields=fields,
        region=region,
        parallel=desk.chosen.parallel_requests,
    )
    # Some of the people who share a number may come to the org in this very cycle.
    shared = shared_phones(desk.ledger.connection, desk.ledger.account_id, keys)
    matches = {key: match for key in keys - shared if (match := whose_number(found.get(key, ())))}
    made: dict[int, Match] = {}
    for each in unheard:
        there = [one for number in lost[each.person_key] for one in found.get(number, ())]
        if match := _made_by(desk, each.sent_without_email, there):
            made[each.person_key] = match
    several = {key for key in keys if key in shared or (found.get(key) and key not in matches)}
    return Matched(matches, made, several)


def without_others_records(
    desk: Desk, people: Sequence[DuePerson], found: Collection[str]
) -> list[DuePerson]:
    """The people; a record that was somebody's by the number alone may be another's.

    It is, where somebody gives an email address now and the record has a different one: a number
    never makes one person of two addresses.

    Args:
        desk: the account's delivery.
        people: who they are, and which records they have.
        found: the addresses that records of the org have.
    """
    callers = {
        each.salesforce_id: each.sobject
        for each in people
        if each.salesforce_id is not None
        and is_phone_key(each.known_address or "")
        and not is_phone_key(each.address)
        and each.address not in found
    }
    if not callers:
        return list(people)
    queries = [
        query
        for sobject in SOBJECTS
        for query in packed_in_queries(
            ["Id", "Email"], sobject, "Id", [i for i, of in callers.items() if of == sobject]
        )
    ]
    desk.allowance.demand_calls()
    there = {
        record["Id"]: email_key(record["Email"])
        for records in query_all(desk.org.log_in(), queries).records
        for record in records
    }
    return [
        replace(each, sobject=None, salesforce_id=None, last_sent=None, last_as_of=None)
        if each.salesforce_id in callers
        and (there.get(each.salesforce_id) or each.address) != each.address
        else each
        for each in people
    ]


def _know_numbers(desk: Desk) -> None:
    """Reads all numbers of the org, where they are not known; commits."""
    ledger, region = desk.ledger, desk.chosen.phone_region
    if phones_are_kept(ledger.connection, ledger.account_id, region):
        return
    known = desk.schemas.describe(SOBJECTS)
    fields = {sobject: known[sobject].readable(_number_fields(sobject)) for sobject in SOBJECTS}
    with ledger.step() as connection:
        forget_phones(connection, ledger.account_id)
        pages = read_numbers(desk.org.log_in(), fields, desk.allowance.demand_calls)
        for sobject, records in pages:
            numbers = {each["Id"]: numbers_of(sobject, each, region) for each in records}
            others = of_others(connection, desk.account, numbers)
            add_phones(connection, ledger.account_id, others)
        phones_are_known(connection, ledger.account_id, region)


def _number_fields(sobject: str) -> tuple[str, ...]:
    return (*PHONE_FIELDS[sobject], COUNTRY_FIELD[sobject])


def _lost_numbers(person: DuePerson, region: str | None) -> set[str]:
    return {key for sent in person.sent_without_email for key in numbers_of("Lead", sent, region)}


def _made_by(
    desk: Desk, sent: Sequence[Mapping[str, Any]], candidates: Sequence[Candidate]
) -> Match | None:
    """Returns the record that says of a person what a request without an answer said, or None."""
    chosen = desk.chosen
    telling = {"FirstName", "LastName"}
    if chosen.tracker_id_field is not None:
        telling.add(chosen.tracker_id_field)
    for each in sorted(candidates, key=lambda one: (one.created, one.salesforce_id)):
        for values in sent:
            said = {"LastName": chosen.missing_last_name, **values}
            if each.sobject == chosen.unknown_email and all(
                alike(each.fields[name], said.get(name), "string")
                for name in telling.intersection(each.fields)
            ):
                reason = "made by a request without an answer"
                return Match(each.sobject, each.salesforce_id, each.fields, reason)
    return None
