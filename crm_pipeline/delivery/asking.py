"""People whose records we wrote since an older copy of the ledger, which does not know how."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping

from crm_pipeline.accounts.people import OPT_OUTS
from crm_pipeline.delivery.desk import Desk
from crm_pipeline.delivery.refusals import PERSON_SOBJECTS
from crm_pipeline.ledger.conflicts import AskedField, note_asked
from crm_pipeline.ledger.copies import PersonOfRecord, people_of_records
from crm_pipeline.salesforce.comparison import alike
from crm_pipeline.salesforce.composite import Record, query_all
from crm_pipeline.salesforce.describe import SObjectSchema
from crm_pipeline.salesforce.soql import packed_in_queries

_NOT_OURS = ("never", "when_empty")
"""Policies by which a field that has a value stays as it is."""


def ask_about_people(desk: Desk, record_ids: Collection[str]) -> None:
    """Asks people about fields that are otherwise than the source says, and are not to be sent.

    The source may have said in between what stands there, and have taken it back; or somebody in
    the org wrote it before. Nobody but people can know. Commits.

    Args:
        desk: the account's. Its notes tell of the fields that are new to be decided about.
        record_ids: Leads and Contacts that our user wrote since the copy.

    Raises:
        SalesforceProblem: as `delivery.deliver`.
    """
    ledger = desk.ledger
    people = people_of_records(ledger.connection, ledger.account_id, record_ids)
    if not people:
        return
    known = desk.schemas.describe(PERSON_SOBJECTS)
    queries = []
    for sobject in PERSON_SOBJECTS:
        of_object = [each for each in people if each.sobject == sobject]
        names = known[sobject].readable(dict.fromkeys(f for each in of_object for f in each.sent))
        ids = [each.salesforce_id for each in of_object]
        queries += packed_in_queries(["Id", *names], sobject, "Id", ids)
    desk.allowance.demand_calls()
    pages = query_all(desk.org.log_in(), queries).records
    there = {record["Id"]: record for records in pages for record in records}
    asked = [
        field
        for each in people
        if each.salesforce_id in there
        for field in _asked(desk, each, there[each.salesforce_id], known)
    ]
    with ledger.step() as connection:
        new: Counter[str] = note_asked(connection, ledger.account_id, asked)
    if new:
        counted = ", ".join(f"{field} ({number})" for field, number in sorted(new.items()))
        desk.notes.lines.append(
            "Fields of people that were written since the backup and differ from the source: "
            f"{counted}; decide with `crm-pipeline conflict list {ledger.account_id}`"
        )


def _asked(
    desk: Desk, person: PersonOfRecord, there: Record, known: Mapping[str, SObjectSchema]
) -> Iterator[AskedField]:
    schema = known[person.sobject]
    same = {f: value for f, value in person.sent.items() if person.wanted.get(f) == value}
    for field, value in schema.fit(same, "update").fields.items():
        described = schema.field(field)
        if (
            field not in there
            or described is None
            or field in OPT_OUTS
            or desk.chosen.policy(field) in _NOT_OURS
            or alike(there[field], value, described.type)
        ):
            continue
        yield AskedField(
            person.person_key,
            person.sobject,
            person.salesforce_id,
            field,
            there[field],
            value,
            is_held=True,
        )
