"""The sweep: held records that were deleted for good, of which the org tells nothing.

Once a day each held record of a watched object is looked for, where the org has calls to spare.
One that is missing may be hidden as well; so it counts as missing only where others of its object
were found, and is taken for gone when it was missing in three cycles.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from crm_pipeline.delivery.desk import Desk
from crm_pipeline.ledger.read_back import OrgValue, org_values
from crm_pipeline.ledger.sweep import Sweep, next_sweep, note_missing, note_sweep
from crm_pipeline.salesforce.changes import Watch
from crm_pipeline.salesforce.composite import Record, query_all
from crm_pipeline.salesforce.limits import COMPOSITE_QUERIES_OR_COLLECTIONS, QUERY_PAGE
from crm_pipeline.salesforce.soql import packed_in_queries

IDLE_SHARE = 0.5
"""Of the account's share of the org's day: the sweep needs more than this to be left."""


@dataclass(frozen=True, slots=True)
class Swept:
    """The result of the sweep.

    Attributes:
        records: by object, those that are gone, as they were last known, and those that were taken
            for gone and are there again.
        notes: what people are to know, a line each.
    """

    records: dict[str, list[Record]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def sweep(desk: Desk, watches: Sequence[Watch]) -> Swept:
    """Looks for the next held records of objects whose deletion is watched, in one call.

    Notes what was missing, within the caller's transaction.

    Raises:
        SalesforceProblem: as `query_all`.
    """
    swept = Swept()
    if not _is_idle(desk):
        return swept
    by_object = {watch.sobject: watch for watch in watches if "IsDeleted" in watch.fields}
    sweeps = [
        next_sweep(desk.ledger.connection, desk.ledger.account_id, sobject, limit=QUERY_PAGE // 2)
        for sobject in by_object
    ]
    due = [each for each in sweeps if each.ids][:COMPOSITE_QUERIES_OR_COLLECTIONS]
    for each in sweeps:
        if not each.ids:
            note_sweep(desk.ledger.connection, desk.ledger.account_id, each)
    if not due:
        return swept
    queries = [q for each in due for q in packed_in_queries(("Id",), each.sobject, "Id", each.ids)]
    answers = query_all(desk.org.log_in(), queries, include_deleted=True).records
    for each, records in zip(due, answers, strict=True):
        _take(desk, by_object[each.sobject], each, {r["Id"] for r in records}, swept)
        note_sweep(desk.ledger.connection, desk.ledger.account_id, each)
    return swept


def _is_idle(desk: Desk) -> bool:
    if desk.allowance.usage is None:
        return True
    used, limit = desk.allowance.usage
    return used <= limit * desk.chosen.api_day_share * IDLE_SHARE


def _take(desk: Desk, watch: Watch, each: Sweep, found: set[str], swept: Swept) -> None:
    missing = set(each.ids) - found
    if missing and not found:
        swept.notes.append(
            f"None of {len(missing)} {watch.sobject} records that were looked for can be seen in "
            "the org: hidden from the user, or gone; none is taken for gone"
        )
        return
    gone = note_missing(
        desk.ledger.connection, desk.ledger.account_id, watch.sobject, found=found, missing=missing
    )
    empty = dict.fromkeys(watch.fields) | {each.relationship: [] for each in watch.children}
    swept.records[watch.sobject] = [
        *_as_last_known(desk, gone, empty),
        *_read_again(desk, watch, found, empty),
    ]


def _as_last_known(desk: Desk, gone: set[str], empty: Mapping[str, Any]) -> list[Record]:
    known = org_values(desk.ledger.connection, desk.org.log_in().organization_id, gone)
    now = {"SystemModstamp": desk.org.log_in().org_time.isoformat(), "IsDeleted": True}
    return [
        {**empty, **each.written, **each.told, "Id": record_id, **now}
        for record_id in sorted(gone)
        for each in [known.get(record_id, OrgValue())]
    ]


def _read_again(
    desk: Desk, watch: Watch, found: set[str], empty: Mapping[str, Any]
) -> list[Record]:
    """Returns found records that were told to be gone, as they are now."""
    known = org_values(desk.ledger.connection, desk.org.log_in().organization_id, found)
    told_gone = [each for each in sorted(known) if known[each].told.get("IsDeleted") is True]
    fields = dict.fromkeys(("Id", "SystemModstamp", *watch.fields))
    queries = packed_in_queries(fields, watch.sobject, "Id", told_gone)
    pages = query_all(desk.org.log_in(), queries, include_deleted=True).records if queries else []
    return [{**empty, **record} for page in pages for record in page]
