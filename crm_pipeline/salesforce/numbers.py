"""Phone numbers of an org: whose they are, and reading them all once.

The rule, for one number: it stands for the one person who has it. Records with one email address
are one person, of whom `matching.choose` takes the record; a record without an address is a person
of its own. A number of several people is nobody's: a family, a switchboard.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from crm_pipeline.salesforce.composite import Record, Subrequest, composite, query_all, query_path
from crm_pipeline.salesforce.emails import email_key
from crm_pipeline.salesforce.errors import OrgUnavailable
from crm_pipeline.salesforce.limits import COMPOSITE_QUERIES_OR_COLLECTIONS, PARALLEL_REQUESTS
from crm_pipeline.salesforce.matching import (
    CONTACT_FIELDS,
    LEAD_FIELDS,
    PREFIXES,
    Candidate,
    Match,
    candidate,
    choose,
)
from crm_pipeline.salesforce.phones import phone_keys
from crm_pipeline.salesforce.soql import count, packed_in_queries, select

if TYPE_CHECKING:
    from crm_pipeline.salesforce.connection import Org

PHONE_FIELDS: Mapping[str, tuple[str, ...]] = {
    "Lead": ("Phone", "MobilePhone"),
    "Contact": ("Phone", "MobilePhone", "HomePhone", "OtherPhone"),
}
"""The fields that hold a person's own numbers; an assistant's is somebody else's."""

COUNTRY_FIELD: Mapping[str, str] = {"Lead": "Country", "Contact": "MailingCountry"}

_NEEDED = {"Lead": LEAD_FIELDS, "Contact": CONTACT_FIELDS}
_OPEN = {"Lead": "IsConverted = false", "Contact": ""}


def numbers_of(sobject: str, record: Mapping[str, object], region: str | None) -> set[str]:
    """Returns the keys of the valid numbers of a Lead or Contact, by what was read of it."""
    country = record.get(COUNTRY_FIELD[sobject])
    return {
        key
        for field in PHONE_FIELDS[sobject]
        for key in phone_keys(record.get(field), region, country)
    }


def read_numbers(
    connection: "Org", fields: Mapping[str, Sequence[str]], before_each: Callable[[], object]
) -> Iterator[tuple[str, list[Record]]]:
    """Reads everybody in the org who has a number, 10,000 people in a call.

    The pages of a query are read side by side; where these turn out to be of another size than
    the first one, all is read once more, page by page.

    Args:
        connection: the org.
        fields: of Lead and of Contact, those that the user may read.
        before_each: told before each call.

    Yields:
        The object, and some of its records.

    Raises:
        SalesforceProblem: as `query_all`.
    """
    queries = {
        sobject: select(("Id", *names), sobject, _OPEN[sobject], _some_number(names))
        for sobject, names in fields.items()
    }
    waiting = [(sobject, query_path(query)) for sobject, query in queries.items()]
    left: dict[str, int] = {}
    while waiting:
        asked = waiting[:COMPOSITE_QUERIES_OR_COLLECTIONS]
        del waiting[: len(asked)]
        before_each()
        answers = composite(
            connection,
            [
                Subrequest(f"n{place}", "GET", path, kind="query")
                for place, (_, path) in enumerate(asked)
            ],
        )
        for (sobject, _), answer in zip(asked, answers, strict=True):
            if answer.error is not None:
                raise OrgUnavailable(f"The org's numbers cannot be read now: {answer.error[0]}")
            page = answer.body
            records: list[Record] = page["records"]
            if sobject not in left:
                left[sobject] = page["totalSize"]
                waiting += [(sobject, each) for each in _further_pages(page)]
            left[sobject] -= len(records)
            yield sobject, records
    for sobject, lacking in left.items():
        if lacking > 0:
            before_each()
            yield sobject, query_all(connection, [queries[sobject]]).records[0]


def count_numbers(connection: "Org") -> int:
    """Counts the open Leads and the Contacts that have a phone number; one API call.

    Raises:
        OrgUnavailable: the org cannot count them now.
        SalesforceProblem: as `composite`.
    """
    queries = [count(name, _OPEN[name], _some_number(PHONE_FIELDS[name])) for name in PHONE_FIELDS]
    answers = composite(
        connection,
        [Subrequest(f"c{n}", "GET", query_path(q), kind="query") for n, q in enumerate(queries)],
    )
    for answer in answers:
        if answer.error is not None:
            raise OrgUnavailable(f"The org's numbers cannot be counted now: {answer.error[0]}")
    return sum(int(answer.body["totalSize"]) for answer in answers)


def _some_number(names: Iterable[str]) -> str:
    phones = [name for name in names if name.endswith("Phone")]
    return f"({' OR '.join(f'{name} != null' for name in phones)})"


def _further_pages(page: Mapping[str, object]) -> list[str]:
    """The addresses of all pages that follow a first one; they are read side by side."""
    if page["done"]:
        return []
    head, _, size = str(page["nextRecordsUrl"]).rpartition("-")
    return [f"{head}-{start}" for start in range(int(size), int(str(page["totalSize"])), int(size))]


def find_by_number(
    connection: "Org",
    numbers: Mapping[str, Sequence[str]],
    written: Iterable[str],
    *,
    fields: Mapping[str, Iterable[str]],
    region: str | None,
    parallel: int = PARALLEL_REQUESTS,
) -> dict[str, list[Candidate]]:
    """Looks up the records that have some numbers, now.

    Args:
        connection: the org.
        numbers: by key, the Ids of records that are known to have had the number.
        written: numbers as we write them ourselves: what we made just now has them so.
        fields: what is to be known of Leads and of Contacts, that the user may read.
        region: the account's.
        parallel: most calls at once.

    Returns:
        By key, the open Leads and the Contacts with this number.

    Raises:
        SalesforceProblem: as `query_all`.
    """
    ids = dict.fromkeys(each for of_number in numbers.values() for each in of_number)
    texts = list(dict.fromkeys(written))
    queries: list[str] = []
    asked: list[str] = []
    for sobject, wanted in fields.items():
        names = list(dict.fromkeys((*_NEEDED[sobject], *wanted)))
        of_object = [each for each in ids if each.startswith(PREFIXES[sobject])]
        found = packed_in_queries(names, sobject, "Id", of_object)
        found += packed_in_queries(names, sobject, "Phone", texts)
        queries += found
        asked += [sobject] * len(found)
    by_number: dict[str, dict[str, Candidate]] = {}
    answers = query_all(connection, queries, parallel=parallel).records if queries else []
    for sobject, records in zip(asked, answers, strict=True):
        for record in records:
            one = candidate(record)
            if one is None or one.is_converted:
                continue
            for key in numbers_of(sobject, record, region) & numbers.keys():
                by_number.setdefault(key, {})[one.salesforce_id] = one
    return {key: list(found.values()) for key, found in by_number.items()}


def whose_number(candidates: Sequence[Candidate]) -> Match | None:
    """Returns the record of the one person who has a number, or None: it is several people's.

    Args:
        candidates: all records with the number.
    """
    people = {
        email_key(email) or each.salesforce_id
        if isinstance(email := each.fields.get("Email"), str)
        else each.salesforce_id
        for each in candidates
    }
    if len(people) != 1:
        return None
    match = choose(candidates)
    return match and match._replace(reason=match.reason.replace("email", "number"))
