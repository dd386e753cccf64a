"""What an update is about to replace in the org: known by a look-up, or asked for."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any

from crm_pipeline.delivery.decisions import Decision
from crm_pipeline.delivery.desk import Desk
from crm_pipeline.ledger.replaced import Replaced
from crm_pipeline.salesforce.composite import query_all
from crm_pipeline.salesforce.outcomes import Write
from crm_pipeline.salesforce.soql import packed_in_queries
from crm_pipeline.salesforce.stand_in import is_placeholder

LAST_TOUCHED = ("SystemModstamp", "LastModifiedById")
"""The fields that tell whether somebody has touched a record since we left it."""


def read_replaced(desk: Desk, decisions: Iterable[Decision]) -> None:
    """Adds to updates the values that they replace, where the account wants these kept.

    Asks for those that no look-up told: a call for 10,000 records.

    Raises:
        SalesforceProblem: as `query_all`.
    """
    if not desk.chosen.keep_replaced_values:
        return
    unread = sorted(filter(_is_unread, decisions), key=lambda each: each.sobject)
    queries: list[str] = []
    for sobject, of_object in groupby(unread, key=lambda each: each.sobject):
        some = list(of_object)
        wanted = sorted({name for each in some for name in each.fields})
        readable = desk.schemas.describe([sobject])[sobject].readable(wanted)
        ids = dict.fromkeys(str(each.salesforce_id) for each in some)
        fields = dict.fromkeys(["Id", *readable, *LAST_TOUCHED])
        queries += packed_in_queries(fields, sobject, "Id", ids)
    if not queries:
        return
    desk.allowance.demand_calls()
    pages = query_all(desk.org.log_in(), queries).records
    there = {record["Id"]: record for page in pages for record in page}
    for each in unread:
        each.replaces = {**there.get(each.salesforce_id, {}), **each.replaces}


def _is_unread(decision: Decision) -> bool:
    return (
        decision.action == "update"
        and not is_placeholder(decision.salesforce_id)
        and not decision.replaces.keys() >= decision.fields.keys()
    )


def replaced_by(
    writes: Iterable[Write], decisions: Mapping[int, Decision], us: str
) -> Iterator[Replaced]:
    """Yields what is known of the values that some writes of our user `us` replace. Pure."""
    for write in writes:
        if replaced := what_it_replaces(write, decisions[write.ref].replaces, us):
            yield replaced


def what_it_replaces(write: Write, there: Mapping[str, Any], us: str) -> Replaced | None:
    """What a write of our user `us` replaces, as far as it was read. Pure.

    Args:
        write: of whatever action; None comes of what is no update.
        there: the record's values as they were read.
        us: our user's Id.
    """
    written = {name: value for name, value in write.fields.items() if name in there}
    if not (written and write.action == "update" and write.salesforce_id):
        return None
    former = {name: there[name] for name in written}
    found_at, found_by = map(there.get, LAST_TOUCHED)
    ours = found_by and found_by[:15] == us[:15]
    return Replaced(write.ref, write.salesforce_id, write.sobject, former, written, found_at, ours)
