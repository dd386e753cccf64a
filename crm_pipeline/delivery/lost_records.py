"""Records whose write or deletion was not answered: what stands in the org is read anew.

Which of two values a field has by then nobody knows; so what is wanted next is sent, whether it is
what got lost or something newer.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from crm_pipeline.delivery.org_access import OrgAccess
from crm_pipeline.ledger.account_ledger import AccountLedger
from crm_pipeline.ledger.due import Lost
from crm_pipeline.ledger.outcomes import Done
from crm_pipeline.ledger.records import (
    Noted,
    doubt_records,
    forget_records,
    held_ids,
    note_records,
    resolve_references,
)
from crm_pipeline.salesforce.composite import query_all
from crm_pipeline.salesforce.describe import SObjectSchema
from crm_pipeline.salesforce.soql import packed_in_queries


def settle_lost_records(
    ledger: AccountLedger,
    org: OrgAccess,
    known: Mapping[str, SObjectSchema],
    lost: Sequence[Lost],
) -> list[Done]:
    """Notes which records of lost writes are in the org; the caller commits.

    A record that was to be made is sought by its key. One that was to be deleted is sought by its
    Id, and its deletion is done where it is not found. Calls the org for these two.

    Args:
        ledger: the account's.
        org: the way into its org.
        known: the schemas that are known, by sObject.
        lost: the operations.

    Returns:
        The deletions that are done, to be recorded; all others are to be sent again.

    Raises:
        SalesforceProblem: as `query_all`; nothing is noted.
    """
    made = [each for each in lost if each.action == "create" and each.intent["key"]]
    deleted = [each for each in lost if each.action == "delete"]
    there = _seek_by_key(org, made)
    gone = _seek_deleted(ledger, org, deleted)
    by_id = {each.operation_id: each for each in lost}
    unsure = [each.operation_id for each in lost if each.action not in _KNOWN_AFTERWARDS]
    doubt_records(ledger.connection, unsure)
    found = [_noted(by_id[operation], record_id, known) for operation, record_id in there.items()]
    note_records(ledger.connection, found)
    resolve_references(
        ledger.connection,
        ledger.account_id,
        [by_id[each.operation_id].natural_key for each in found if each.ref_keys],
    )
    forget_records(ledger.connection, list(gone))
    return [
        Done(operation, by_id[operation].intent["sobject"], "delete", record_id, "found deleted")
        for operation, record_id in gone.items()
        # One that was deleted so as to be made anew is still to be made.
        if by_id[operation].intent["fields"] is None
    ]


def _noted(lost: Lost, record_id: str, known: Mapping[str, SObjectSchema]) -> Noted:
    """A record that was found: of its values only those are sure that no update may change."""
    sobject = lost.intent["sobject"]
    schema = known.get(sobject)
    sure = {
        name: key
        for name, key in lost.intent["refs"].items()
        if schema and (found := schema.field(name)) and not found.updateable
    }
    return Noted(
        lost.operation_id, sobject, record_id, {}, [*sure], [*sure.values()], [None] * len(sure)
    )


_KNOWN_AFTERWARDS = ("create", "delete")


def _seek_by_key(org: OrgAccess, made: Sequence[Lost]) -> dict[int, str]:
    """The Id of each record that a lost write made, by operation."""
    sought: defaultdict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    for each in made:
        field, value = each.intent["key"]
        sought[each.intent["sobject"], field][value] = each.operation_id
    found: dict[int, str] = {}
    for (sobject, field), operations in sought.items():
        queries = packed_in_queries(("Id", field), sobject, field, operations)
        # Where capitals make no other key, the org's record may have been written with others.
        folded = {value.lower(): operation for value, operation in operations.items()}
        for records in query_all(org.log_in(), queries).records:
            for record in records:
                key = str(record[field])
                operation = operations.get(key) or folded.get(key.lower())
                if operation is not None:
                    found[operation] = record["Id"]
    return found


def _seek_deleted(ledger: AccountLedger, org: OrgAccess, deleted: Sequence[Lost]) -> dict[int, str]:
    """The Id of each record that a lost deletion has deleted, by operation."""
    held = held_ids(ledger.connection, [each.operation_id for each in deleted])
    by_object: defaultdict[str, dict[int, str]] = defaultdict(dict)
    for each in deleted:
        record_id = held.get(each.operation_id) or each.intent["id"]
        if record_id is not None:
            by_object[each.intent["sobject"]][each.operation_id] = record_id
    if not by_object:
        return {}
    there = ask_which_are_there(org, {name: ids.values() for name, ids in by_object.items()})
    every = {operation: each for ids in by_object.values() for operation, each in ids.items()}
    return {operation: each for operation, each in every.items() if each not in there}


def ask_which_are_there(org: OrgAccess, ids: Mapping[str, Iterable[str]]) -> set[str]:
    """Those of some records, by object, that the org has; deleted ones are not among them.

    Raises:
        SalesforceProblem: as `query_all`.
    """
    queries = [
        query
        for sobject, of_object in ids.items()
        for query in packed_in_queries(("Id",), sobject, "Id", dict.fromkeys(of_object))
    ]
    found = query_all(org.log_in(), queries).records
    return {record["Id"] for records in found for record in records}
