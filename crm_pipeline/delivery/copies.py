"""A ledger restored from a backup would send again what it sent since: noticed before it does."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from crm_pipeline.delivery.asking import ask_about_people
from crm_pipeline.delivery.decisions import EVENT
from crm_pipeline.delivery.desk import Desk
from crm_pipeline.delivery.kind import MEMBER, RECORD
from crm_pipeline.delivery.refusals import PERSON_SOBJECTS
from crm_pipeline.inbound.tombstones import sign_of, tombstones_of
from crm_pipeline.ledger.copies import (
    ActivityToCreate,
    WhatCopyKnows,
    activities_to_create,
    doubt_written,
    note_unknown_activities,
    record_objects,
    take_for_sent,
    unknown_activities,
    unknown_records,
    what_copy_knows,
)
from crm_pipeline.ledger.due import known_activities
from crm_pipeline.salesforce.composite import Record, query_all
from crm_pipeline.salesforce.emails import email_key
from crm_pipeline.salesforce.errors import AccountStopped
from crm_pipeline.salesforce.soql import before, ordered, quote, select, since

NEWEST = 2_000
"""Activities that are looked at, the newest: as many as one answer has."""

AT_A_TIME = 10_000
"""Activities of the org that are in memory at once."""

MOST_MOVED = timedelta(days=1)
"""By so much the source may have corrected the time of what is in the org."""

_NAMED = 5
"""Records that a note names."""

_CAMPAIGNS = ("Campaign", "CampaignMember")

_GONE = frozenset(("IsDeleted",))
"""All that is watched of records that people may delete and have no other say in."""

_OF_ACTIVITY = ("WhoId", "Subject", "ActivityDateTime")
_FIELDS = ("Id", *_OF_ACTIVITY, "IsDeleted", "CreatedDate")
_TOUCHED = (
    *("Id", "IsDeleted", "CreatedById", "CreatedDate"),
    *("LastModifiedById", "SystemModstamp"),
)


def beware_of_copy(desk: Desk, kinds: Collection[str]) -> Desk:
    """Looks whether something that is about to be sent is in the org, and only not known any more.

    A ledger that may be an older copy (`ledger.copies`) is compared with what our user made in the
    org since then; one call, or more where that is much. What it does not know is kept: rows that
    wait for others, or are found by counting, come when all else is adopted long since.

    Args:
        desk: the account's.
        kinds: of operations that the account sends.

    Returns:
        The desk; as that of a copy where one is known to have been restored, and a person said
        that what the org has is to be kept: all that is new is sought there before it is sent.

    Raises:
        AccountStopped: the org has some of it, and the ledger does not know.
        SalesforceProblem: as `delivery.deliver`.
    """
    ledger = desk.ledger
    connection, account_id = ledger.connection, ledger.account_id
    unknown = unknown_activities(connection, account_id)
    if not (unknown or desk.may_be_older_copy):
        return desk
    known = what_copy_knows(connection, account_id)
    waiting = activities_to_create(connection, account_id)
    about_to_go = _Alike(
        each for each in waiting if not (each.in_flight or (known.adopts and each.is_sought))
    )
    if desk.may_be_older_copy:
        _look_through(desk, known, about_to_go, kinds)
        unknown = unknown_activities(connection, account_id)
    if about_to_go.span is None:
        return desk
    unanswered = {(each.subject, each.happened_at) for each in waiting if each.in_flight}
    sought = _Alike(each for each in waiting if each.is_adopted)
    alike = sum(
        about_to_go.take(each)
        for each in unknown
        if (each["Subject"], each["ActivityDateTime"]) not in unanswered and not sought.take(each)
    )
    if not alike:
        return desk
    if known.adopts:
        with ledger.step():
            take_for_sent(connection, account_id, again=False)
        return replace(desk, may_be_older_copy=True)
    raise AccountStopped(
        f"The org has {alike} activities that are about to be sent to it, as if the "
        "pipeline's database had been restored from a backup",
        f"make sure that no other pipeline writes there, then `crm-pipeline account adopt "
        f"{account_id}`",
    )


def tell_of_unknown(desk: Desk) -> None:
    """Notes records of ours that nothing in the ledger has, now that a copy knows what it can."""
    ledger = desk.ledger
    unknown = unknown_activities(ledger.connection, ledger.account_id)
    left = {"Activities": [each["Id"] for each in unknown if not each["IsDeleted"]]}
    for sobject, ids in sorted(desk.made_since_copy.items()):
        left[f"{sobject} records"] = unknown_records(ledger.connection, ledger.account_id, ids)
    desk.notes.lines.extend(
        f"{what} that our user made in the org and that are no row's of the source now "
        f"({len(ids)}); delete those that no other program made: {', '.join(ids[:_NAMED])}"
        for what, ids in left.items()
        if ids
    )


def _look_through(
    desk: Desk, known: WhatCopyKnows, about_to_go: "_Alike", kinds: Collection[str]
) -> None:
    """Keeps what our user made in the org since the copy, and no operation did. Commits.

    What it wrote last of records that the ledger knows, the copy does not know: the source may have
    said it in between, and have taken it back.
    """
    ledger = desk.ledger
    if known.known_until is None:
        if about_to_go.span is not None:
            unknown = newest_unknown(desk, *_window(*about_to_go.span))
            with ledger.step() as connection:
                note_unknown_activities(connection, ledger.account_id, unknown)
        return
    us = desk.org.log_in().user_id
    by_us = f"(CreatedById = {quote(us)} OR LastModifiedById = {quote(us)})"
    further = {
        EVENT: _OF_ACTIVITY,
        "Lead": ("Email", "MasterRecordId", "IsConverted"),
        "Contact": ("Email", "MasterRecordId"),
    }
    asked = [
        _Asked(sobject, "SystemModstamp", (*_TOUCHED, *further.get(sobject, ())), (by_us,))
        for sobject in (
            *(EVENT, *PERSON_SOBJECTS),
            *(_CAMPAIGNS if MEMBER.name in kinds else ()),
            *_objects_of_ours(desk, kinds),
        )
    ]
    written: list[Record] = []
    people: list[str] = []
    for each, records in _read(desk, known.known_until, asked):
        made = [r for r in records if _is_since(r, "CreatedById", "CreatedDate", us, known)]
        ours = [r for r in records if _is_since(r, "LastModifiedById", "SystemModstamp", us, known)]
        match each.sobject:
            case "Event":
                with ledger.step() as connection:
                    unknown = _unknown(desk, made)[0]
                    note_unknown_activities(connection, ledger.account_id, unknown)
                written += ours
            case "Campaign":
                written += ours
            case _:
                there = {r["Id"] for r in made if not r["IsDeleted"] and not r.get("IsConverted")}
                desk.made_since_copy.setdefault(each.sobject, set()).update(there)
                if each.sobject in PERSON_SOBJECTS:
                    desk.deleted_since_copy.update(
                        (address, (each.sobject, r["Id"]))
                        for r in made
                        if r["IsDeleted"] and not r["MasterRecordId"]
                        if (address := email_key(r["Email"])) is not None
                    )
                    # Of the very second of the last sending that is known it is that, most likely;
                    # to look at each costs a call.
                    people += [r["Id"] for r in ours if _moment(r) > known.known_until]
                else:
                    written += ours
    if not known.looked_through:
        ask_about_people(desk, people)
        with ledger.step() as connection:
            deleted = [r["Id"] for r in written if r["IsDeleted"]]
            moments = {r["Id"]: _moment(r) for r in written}
            doubt_written(connection, ledger.account_id, moments, deleted)


def _objects_of_ours(desk: Desk, kinds: Collection[str]) -> list[str]:
    """The custom objects that we alone fill: in what a flow watches people have their say."""
    if RECORD.name not in kinds:
        return []
    objects = record_objects(desk.ledger.connection, desk.ledger.account_id)
    return [each for each in objects if desk.watched.get(each, _GONE) <= _GONE]


def _moment(record: Record) -> datetime:
    return datetime.fromisoformat(record["SystemModstamp"])


def _is_since(record: Record, by: str, at: str, us: str, known: WhatCopyKnows) -> bool:
    """Returns whether our user did it, and since the copy."""
    moment = known.known_until
    return (
        record[by][:15] == us[:15]
        and moment is not None
        and datetime.fromisoformat(record[at]) >= moment
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

    def take(self, record: Mapping[str, Any]) -> bool:
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
    conditions = (_by_us(desk, "CreatedById"), f"ActivityDateTime <= {quote(last)}")
    key = desk.chosen.activity_external_id_field
    fields = _FIELDS if key is None else (*_FIELDS, key)
    for _, records in _read(desk, first, [_Asked(EVENT, "ActivityDateTime", fields, conditions)]):
        yield _unknown(desk, records)[0]


class _Asked(NamedTuple):
    """Records of an object that are read from a moment on, in the order of a field of times."""

    sobject: str
    by: str
    fields: tuple[str, ...]
    conditions: tuple[str, ...]


def _read(
    desk: Desk, first: datetime, asked: Sequence[_Asked]
) -> Iterator[tuple[_Asked, list[Record]]]:
    """Yields what is asked for, deleted records too, a part at a time; all in the same calls."""
    after: dict[_Asked, tuple[datetime, str] | None] = dict.fromkeys(asked)
    while after:
        queries = [
            ordered(
                select(each.fields, each.sobject, since(each.by, first, last), *each.conditions),
                each.by,
                limit=AT_A_TIME,
            )
            for each, last in after.items()
        ]
        desk.allowance.demand_calls()
        pages = query_all(desk.org.log_in(), queries, include_deleted=True).records
        for each, records in zip(tuple(after), pages, strict=True):
            yield each, records
            if len(records) < AT_A_TIME:
                del after[each]
            else:
                after[each] = datetime.fromisoformat(records[-1][each.by]), records[-1]["Id"]


def _by_us(desk: Desk, field: str) -> str:
    return f"{field} = {quote(desk.org.log_in().user_id)}"


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
        query = select(_FIELDS, EVENT, _by_us(desk, "CreatedById"), *conditions, further)
        query = ordered(query, "CreatedDate", newest_first=True, limit=NEWEST)
        desk.allowance.demand_calls()
        [records] = query_all(desk.org.log_in(), [query], include_deleted=True).records
        unknown, has_own = _unknown(desk, records)
        # Others in the same org may have gone on, and made many.
        if has_own or unknown or len(records) < NEWEST:
            return unknown
        oldest = records[-1]
        further = before(
            "CreatedDate", (datetime.fromisoformat(oldest["CreatedDate"]), oldest["Id"])
        )


def _window(first: datetime, last: datetime) -> tuple[str, str]:
    return since("ActivityDateTime", first), f"ActivityDateTime <= {quote(last)}"


def _unknown(desk: Desk, records: Sequence[Record]) -> tuple[list[Record], bool]:
    """Those of these that no operation has, and whether the account has any of the others."""
    connection = desk.ledger.connection
    known = known_activities(connection, desk.ledger.account_id, [each["Id"] for each in records])
    left = [each for each in records if each["Id"] not in known]
    tombstones = tombstones_of(connection, desk.account)
    if tombstones is not None:
        left = [e for e in left if not tombstones.hold_sign(sign_of("record", e["WhoId"]))]
    return left, any(known.values())
