"""Records whose write or deletion was not answered: what stands in the org is read anew.

Which of two values a field has by then nobody knows; so what is wanted next is sent, whether it is
what got lost or something newer.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from crm_pipeline.delivery.schemas import known_schemas
from crm_pipeline.delivery.session import DeliverySession
from crm_pipeline.ledger.due import Lost
from crm_pipeline.ledger.outcomes import Done, record_done
from crm_pipeline.ledger.records import (
    Noted,
    doubt_records,
    forget_records,
    held_ids,
    note_records,
    resolve_references,
)
from crm_pipeline.salesforce.composite import query_all
from crm_pipeline.salesforce.soql import packed_in_queries


def settle_lost_records(session: DeliverySession, lost: Sequence[Lost]) -> set[int]:
    """Notes which records of lost writes are in the org; the caller commits.

    A record that was to be made is sought by its key. One that was to be deleted is sought by its
    Id, and its deletion is done where it is not found. Calls the org for these two.

    Returns:
        The operations that are done; the others are to be sent again.

    Raises:
        SalesforceProblem: as `query_all`; nothing is noted.
    """
    made = [each for each in lost if each.action == "create" and each.intent["key"]]
    deleted = [each for each in lost if each.action == "delete"]
    there = _found_by_key(session, made)
    gone = _not_found(session, deleted)
    by_id = {each.operation_id: each for each in lost}
    doubt_records(
        session.ledger, [each.operation_id for each in lost if each.action not in _KNOWN_AFTERWARDS]
    )
    found = [_noted(session, by_id[operation], record_id) for operation, record_id in there.items()]
    note_records(session.ledger, found)
    resolve_references(
        session.ledger,
        session.account_id,
        [by_id[each.operation_id].natural_key for each in found if each.ref_keys],
    )
    forget_records(session.ledger, list(gone))
    done = [
        Done(operation, by_id[operation].intent["sobject"], "delete", record_id, "found deleted")
        for operation, record_id in gone.items()
        # One that was deleted so as to be made anew is still to be made.
        if by_id[operation].intent["fields"] is None
    ]
    record_done(session.ledger, session.cycle_id, done)
    return {each.operation_id for each in done}


def _noted(session: DeliverySession, lost: Lost, record_id: str) -> Noted:
    """A record that was found: of its values only those are sure that no update may change."""
    sobject = lost.intent["sobject"]
    schema = known_schemas(session).get(sobject)
    sure = {
        name: key
        for name, key in lost.intent["refs"].items()
        if schema and (found := schema.field(name)) and not found.updateable
    }
    return Noted(
        lost.operation_id, sobject, record_id, {}, [*sure], [*sure.values()], [None] * len(sure)
    )


_KNOWN_AFTERWARDS = ("create", "delete")


def _found_by_key(session: DeliverySession, made: Sequence[Lost]) -> dict[int, str]:
    """The Id of each record that a lost write made, by operation."""
    sought: defaultdict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    for each in made:
        field, value = each.intent["key"]
        sought[each.intent["sobject"], field][value.lower()] = each.operation_id
    found: dict[int, str] = {}
    for (sobject, field), operations in sought.items():
        queries = packed_in_queries(("Id", field), sobject, field, operations)
        for records in query_all(session.org(), queries).records:
            for record in records:
                operation = operations.get(str(record[field]).lower())
                if operation is not None:
                    found[operation] = record["Id"]
    return found


def _not_found(session: DeliverySession, deleted: Sequence[Lost]) -> dict[int, str]:
    """The Id of each record that a lost deletion has deleted, by operation."""
    held = held_ids(session.ledger, [each.operation_id for each in deleted])
    by_object: defaultdict[str, dict[int, str]] = defaultdict(dict)
    for each in deleted:
        record_id = held.get(each.operation_id) or each.intent["id"]
        if record_id is not None:
            by_object[each.intent["sobject"]][each.operation_id] = record_id
    gone: dict[int, str] = {}
    for sobject, ids in by_object.items():
        there = which_are_there(session, sobject, ids.values())
        gone |= {operation: each for operation, each in ids.items() if each not in there}
    return gone


def which_are_there(session: DeliverySession, sobject: str, ids: Iterable[str]) -> set[str]:
    """Those of some records that the org has; deleted ones are not among them.

    Raises:
        SalesforceProblem: as `query_all`.
    """
    queries = packed_in_queries(("Id",), sobject, "Id", dict.fromkeys(ids))
    found = query_all(session.org(), queries).records
    return {record["Id"] for records in found for record in records}
