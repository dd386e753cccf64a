"""A ledger restored from a backup would send again what it sent since: noticed, and adopted."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from crm_pipeline.delivery.decisions import EVENT
from crm_pipeline.delivery.desk import Desk
from crm_pipeline.inbound.tombstones import sign_of, tombstones_of
from crm_pipeline.ledger.copies import activities_to_create
from crm_pipeline.ledger.due import Lost, known_activities
from crm_pipeline.salesforce.composite import Record, query_all
from crm_pipeline.salesforce.errors import AccountStopped
from crm_pipeline.salesforce.soql import quote, select

NEWEST = 2_000
"""Activities that are looked at, the newest: as many as one answer has."""

_MOVED = timedelta(days=1)
"""By so much the source may have corrected the time of what is adopted."""


def refuse_older_copy(desk: Desk) -> None:
    """Compares what is about to be sent with the newest that our user made in the org; one call.

    Only for a ledger that may be an older copy (`ledger.copies`), since that costs a call.

    Raises:
        AccountStopped: the org has some of it, and the ledger does not know.
        SalesforceProblem: as `delivery.deliver`.
    """
    waiting = activities_to_create(desk.ledger.connection, desk.ledger.account_id)
    unanswered = {(each.subject, each.happened_at) for each in waiting if each.in_flight}
    about_to_go = {each.happened_at for each in waiting if not each.in_flight} - {None}
    if not about_to_go:
        return
    desk.allowance.demand_calls()
    times = sorted(datetime.fromisoformat(at) for at in about_to_go if at is not None)
    alike = [
        each["Id"]
        for each in _ours(desk, times[0], times[-1], f"ORDER BY CreatedDate DESC LIMIT {NEWEST}")
        # By its time alone: the source may say otherwise by now what it is called, and whose it is.
        if each["ActivityDateTime"] in about_to_go
        and (each["Subject"], each["ActivityDateTime"]) not in unanswered
    ]
    unknown = set(alike) - known_activities(desk.ledger.connection, alike)
    if unknown:
        raise AccountStopped(
            f"The org has {len(unknown)} activities that are about to be sent to it, as if the "
            "pipeline's database had been restored from a backup",
            f"make sure that no other pipeline writes there, then `crm-pipeline account adopt "
            f"{desk.ledger.account_id}`",
        )


def find_otherwise(desk: Desk, adopted: Sequence[Lost], taken: Collection[str]) -> dict[int, str]:
    """Finds activities that are in the org with other values than the ledger wants; calls the org.

    The source has changed since the org had them, and the ledger does not know what it was before:
    they are now another person's, or of another subject, or another time.

    Args:
        desk: the account's.
        adopted: activities of which nobody knows whether they were sent.
        taken: Ids that are others' already.

    Returns:
        The Salesforce Id of each that is there, by operation id.
    """
    times = [datetime.fromisoformat(each.intent["ActivityDateTime"]) for each in adopted]
    records = _ours(desk, min(times) - _MOVED, max(times) + _MOVED)
    known = known_activities(desk.ledger.connection, [record["Id"] for record in records])
    claimed = known.union(taken)
    left = {record["Id"]: record for record in records if record["Id"] not in claimed}
    found: dict[int, str] = {}
    for names, deleted_too in (
        (("Subject", "ActivityDateTime"), False),
        # What people deleted is not to come again; by less it may be something else.
        (("WhoId", "ActivityDateTime"), True),
        (("WhoId", "Subject"), False),
    ):
        alike: defaultdict[tuple[Any, ...], list[str]] = defaultdict(list)
        for record in left.values():
            if deleted_too or not record["IsDeleted"]:
                alike[tuple(record[name] for name in names)].append(record["Id"])
        for each in adopted:
            wanted = {**each.intent, "WhoId": each.person_id}
            there = alike[tuple(wanted[name] for name in names)]
            if each.operation_id in found:
                continue
            near = next((one for one in there if _apart(left[one], each) <= _MOVED), None)
            if near is not None:
                there.remove(near)
                del left[near]
                found[each.operation_id] = near
    return found


def _apart(record: Record, adopted: Lost) -> timedelta:
    one, other = record["ActivityDateTime"], adopted.intent["ActivityDateTime"]
    return abs(datetime.fromisoformat(one) - datetime.fromisoformat(other))


def _ours(desk: Desk, first: datetime, last: datetime, order: str = "") -> list[Record]:
    """Activities between two times that our user made, deleted ones too; calls the org.

    Without those that are left of removed people: the ledger has forgotten that they are its own.
    """
    query = select(
        ("Id", "WhoId", "Subject", "ActivityDateTime", "IsDeleted"),
        EVENT,
        f"CreatedById = {quote(desk.org.log_in().user_id)}",
        f"ActivityDateTime >= {quote(first)}",
        f"ActivityDateTime <= {quote(last)}",
    )
    [records] = query_all(
        desk.org.log_in(), [f"{query} {order}".strip()], include_deleted=True
    ).records
    tombstones = tombstones_of(desk.ledger.connection, desk.account)
    if tombstones is None:
        return records
    return [each for each in records if not tombstones.hold_sign(sign_of("record", each["WhoId"]))]
