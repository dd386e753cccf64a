"""A ledger restored from a backup would send again what it sent since: noticed before it does."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from crm_pipeline.delivery.decisions import EVENT
from crm_pipeline.delivery.desk import Desk
from crm_pipeline.inbound.tombstones import sign_of, tombstones_of
from crm_pipeline.ledger.copies import ActivityToCreate, activities_to_create
from crm_pipeline.ledger.due import known_activities
from crm_pipeline.salesforce.composite import Record, query_all
from crm_pipeline.salesforce.errors import AccountStopped
from crm_pipeline.salesforce.soql import before, ordered, quote, select, since

NEWEST = 2_000
"""Activities that are looked at, the newest: as many as one answer has."""

AT_A_TIME = 10_000
"""Activities of the org that are in memory at once."""

MOST_MOVED = timedelta(days=1)
"""By so much the source may have corrected the time of what is in the org."""

_FIELDS = ("Id", "WhoId", "Subject", "ActivityDateTime", "IsDeleted", "CreatedDate")


def refuse_older_copy(desk: Desk) -> None:
    """Compares what is about to be sent with the newest that our user made in the org; one call.

    More calls, where all of these are other accounts'. Only for a ledger that may be an older copy
    (`ledger.copies`), since that costs a call.

    Raises:
        AccountStopped: the org has some of it, and the ledger does not know.
        SalesforceProblem: as `delivery.deliver`.
    """
    waiting = activities_to_create(desk.ledger.connection, desk.ledger.account_id)
    about_to_go = _Alike(each for each in waiting if not each.in_flight)
    if about_to_go.span is None:
        return
    unanswered = {(each.subject, each.happened_at) for each in waiting if each.in_flight}
    sought = _Alike(each for each in waiting if each.is_adopted)
    unknown = [
        each
        for each in newest_unknown(desk, *_window(*about_to_go.span))
        if (each["Subject"], each["ActivityDateTime"]) not in unanswered and not sought.take(each)
    ]
    if alike := sum(map(about_to_go.take, unknown)):
        raise AccountStopped(
            f"The org has {alike} activities that are about to be sent to it, as if the "
            "pipeline's database had been restored from a backup",
            f"make sure that no other pipeline writes there, then `crm-pipeline account adopt "
            f"{desk.ledger.account_id}`",
        )


class _Alike:
    """Activities of the ledger by what the org may have them by: time, or subject and about when.

    The source may say otherwise by now when each was, what it is called, and whose it is.

    Attributes:
        span: between which times the org may have them, None where there is none.
    """

    def __init__(self, activities: Iterable[ActivityToCreate]) -> None:
        self._times: defaultdict[str | None, list[datetime]] = defaultdict(list)
        for each in activities:
            if each.happened_at is not None:
                self._times[each.subject].append(datetime.fromisoformat(each.happened_at))
        for times in self._times.values():
            times.sort()
        self._moments = {moment for times in self._times.values() for moment in times}
        self.span: tuple[datetime, datetime] | None = None
        if self._moments:
            self.span = min(self._moments) - MOST_MOVED, max(self._moments) + MOST_MOVED

    def take(self, record: Record) -> bool:
        """Returns whether one of them may be this record, which is no other's then.

        One that people deleted has to have its time: by less it may be something else.
        """
        moment = time_of(record)
        times = self._times[record["Subject"]]
        place = bisect_left(times, moment)
        near = range(max(0, place - 1), min(len(times), place + 1))
        nearest = min(near, key=lambda index: abs(times[index] - moment), default=None)
        is_near = nearest is not None and abs(times[nearest] - moment) <= MOST_MOVED
        if nearest is not None and is_near and not record["IsDeleted"]:
            del times[nearest]
            return True
        return moment in self._moments


def unknown_of_ours(desk: Desk, first: datetime, last: datetime) -> Iterator[list[Record]]:
    """Yields activities between two times that our user made and no operation has; calls the org.

    Deleted ones too; without those that are left of removed people: the ledger has forgotten that
    they are its own. In the order of their time, a part at a time.

    Raises:
        SalesforceProblem: as `delivery.deliver`.
    """
    after = None
    while True:
        window = _window(first, last, after)
        records = _ask(desk, window, "ActivityDateTime", limit=AT_A_TIME)
        yield _unknown(desk, records)[0]
        if len(records) < AT_A_TIME:
            return
        after = time_of(records[-1]), records[-1]["Id"]


def time_of(activity: Mapping[str, Any]) -> datetime:
    """When an activity was, as it is in the org or is to be there; UTC."""
    return datetime.fromisoformat(activity["ActivityDateTime"])


def newest_unknown(desk: Desk, *conditions: str) -> list[Record]:
    """The newest activities that our user made and no operation has; calls the org, once mostly.

    As `unknown_of_ours`, but of no more than what is newest and has something of the account's.

    Raises:
        SalesforceProblem: as `delivery.deliver`.
    """
    further = ""
    while True:
        records = _ask(desk, (*conditions, further), "CreatedDate", newest_first=True, limit=NEWEST)
        unknown, has_own = _unknown(desk, records)
        # Others in the same org may have gone on, and made many.
        if has_own or unknown or len(records) < NEWEST:
            return unknown
        oldest = records[-1]
        further = before(
            "CreatedDate", (datetime.fromisoformat(oldest["CreatedDate"]), oldest["Id"])
        )


def _window(
    first: datetime, last: datetime, after: tuple[datetime, str] | None = None
) -> tuple[str, str]:
    return since("ActivityDateTime", first, after), f"ActivityDateTime <= {quote(last)}"


def _ask(
    desk: Desk, conditions: Sequence[str], by: str, *, newest_first: bool = False, limit: int
) -> list[Record]:
    org = desk.org.log_in()
    query = select(_FIELDS, EVENT, f"CreatedById = {quote(org.user_id)}", *conditions)
    query = ordered(query, by, newest_first=newest_first, limit=limit)
    desk.allowance.demand_calls()
    [records] = query_all(org, [query], include_deleted=True).records
    return records


def _unknown(desk: Desk, records: Sequence[Record]) -> tuple[list[Record], bool]:
    """Those of these that no operation has, and whether the account has any of the others."""
    connection = desk.ledger.connection
    known = known_activities(connection, desk.ledger.account_id, [each["Id"] for each in records])
    left = [each for each in records if each["Id"] not in known]
    tombstones = tombstones_of(connection, desk.account)
    if tombstones is not None:
        left = [e for e in left if not tombstones.hold_sign(sign_of("record", e["WhoId"]))]
    return left, any(known.values())
