"""Adoption: a restored ledger takes as its own what it made in the org and does not know any more.

Activities are sought as they are wanted first (`lost`), then as the source may have said before:
of another person, with another subject, at another time. A person whose address was corrected
meanwhile is told by their activities, which stand at the record that was made for them.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from crm_pipeline.accounts.account import AccountSettings
from crm_pipeline.delivery.copies import (
    MOST_MOVED,
    time_of,
    unknown_of_ours,
)
from crm_pipeline.delivery.decisions import EVENT
from crm_pipeline.delivery.desk import Desk
from crm_pipeline.delivery.kind import ACTIVITY
from crm_pipeline.delivery.refusals import PERSON_SOBJECTS
from crm_pipeline.delivery.windows import WINDOW
from crm_pipeline.ledger.copies import (
    AS_WANTED,
    CHANGED,
    MOVED,
    AdoptedActivity,
    adopted_activities,
    adopted_of_people,
    bring_up_to_date,
    seek_otherwise,
    strangers_records,
)
from crm_pipeline.ledger.due import DuePerson
from crm_pipeline.ledger.outcomes import (
    FOUND_AFTER_LOST_ANSWER,
    Done,
    back_to_pending,
    record_done,
)
from crm_pipeline.salesforce.comparison import alike
from crm_pipeline.salesforce.composite import Record, query_all
from crm_pipeline.salesforce.emails import email_key
from crm_pipeline.salesforce.matching import PREFIXES, Match, candidate, follow_people
from crm_pipeline.salesforce.soql import packed_in_queries

_NAMED = 5
"""Records that a note names."""

_NAME = ("FirstName", "LastName")
_DELETED = "made before the backup was restored, and deleted since"
_REASON = "had another email before the backup was restored"


@dataclass(frozen=True, slots=True)
class _Step:
    """A step of the search.

    Attributes:
        reasons: of the activities that have come to it.
        alike: what the org's has in common with the one that is wanted, one attempt after another;
            and whether it may be one that people deleted: by less it may be something else.
        within: by so much its time may differ.
        then: the step for those that are not found; None: they are to be sent.
    """

    reasons: Sequence[str]
    alike: Sequence[tuple[tuple[str, str], bool]]
    within: timedelta
    then: str | None


_STEPS = (
    _Step(
        (AS_WANTED, CHANGED),
        ((("Subject", "ActivityDateTime"), False), (("WhoId", "ActivityDateTime"), True)),
        timedelta(),
        MOVED,
    ),
    _Step((MOVED,), ((("WhoId", "Subject"), False),), MOST_MOVED, None),
)


def adopt_changed(desk: Desk) -> None:
    """Seeks what is adopted and not in the org as it is wanted; the rest is to be sent. Commits.

    To be called when people are in the org, and what is there as it is wanted was found.

    Raises:
        SalesforceProblem: as `delivery.deliver`.
    """
    ledger = desk.ledger
    for step in _STEPS:
        while wanted := adopted_activities(
            ledger.connection, ledger.account_id, step.reasons, limit=WINDOW
        ):
            desk.allowance.demand_calls()
            found = _found(desk, step, wanted)
            missing = [e.operation_id for e in wanted if e.operation_id not in found]
            with ledger.step() as connection:
                done = [
                    Done(operation_id, EVENT, "create", record_id, FOUND_AFTER_LOST_ANSWER)
                    for operation_id, record_id in found.items()
                ]
                record_done(connection, ledger.cycle_id, done)
                bring_up_to_date(connection, found.keys())
                if step.then is None:
                    back_to_pending(connection, missing)
                else:
                    seek_otherwise(connection, missing, step.then)
            desk.count_written(ACTIVITY.name, ACTIVITY, EVENT, "create", len(found))


def _found(desk: Desk, step: _Step, wanted: Sequence[AdoptedActivity]) -> dict[int, str]:
    """The Salesforce Id of each of these that the org has otherwise, by operation id."""
    # An activity moves with its person, who may have been converted or merged since; one that
    # people deleted before stays where it was.
    followed = follow_people(desk.org.log_in(), {e.person_id for e in wanted if e.person_id})
    goes = {who: place.salesforce_id for who, place in followed.items() if place.salesforce_id}
    intents = {
        each.operation_id: {
            "Subject": each.subject,
            "ActivityDateTime": each.happened_at,
            "WhoId": goes.get(each.person_id or "", each.person_id),
        }
        for each in wanted
    }
    named = desk.chosen.activity_external_id_field or ""
    keys = {names: {_key(i, names) for i in intents.values()} for names, _ in step.alike}
    left: dict[str, Record] = {}
    for records in unknown_of_ours(
        desk,
        datetime.fromisoformat(wanted[0].happened_at) - step.within,
        datetime.fromisoformat(wanted[-1].happened_at) + step.within,
    ):
        for record in records:
            record["WhoId"] = goes.get(record["WhoId"], record["WhoId"])
            if record.get(named) or any(_key(record, names) in keys[names] for names in keys):
                left[record["Id"]] = record
    # One that bears a key is that one's and nobody else's; of deleted ones there may be several.
    with_key = [each for each in left.values() if each.get(named)]
    with_key.sort(key=lambda record: not record["IsDeleted"])
    by_key = {each[named]: each["Id"] for each in with_key}
    found = {e.operation_id: by_key[e.natural_key] for e in wanted if e.natural_key in by_key}
    for each in with_key:
        del left[each["Id"]]
    for names, deleted_too in step.alike:
        there: defaultdict[tuple[Any, ...], list[Record]] = defaultdict(list)
        for record in left.values():
            if deleted_too or not record["IsDeleted"]:
                there[_key(record, names)].append(record)
        for operation_id, intent in intents.items():
            if operation_id not in found:
                nearest = _take_nearest(there[_key(intent, names)], intent, step.within)
                if nearest is not None:
                    found[operation_id] = nearest["Id"]
                    del left[nearest["Id"]]
    return found


def _key(activity: Mapping[str, Any], names: tuple[str, str]) -> tuple[Any, ...]:
    return tuple(activity[name] for name in names)


def _take_nearest(
    records: list[Record], intent: Mapping[str, Any], within: timedelta
) -> Record | None:
    """Takes the record that is nearest in time out of those, which are in its order; or none."""
    moment = time_of(intent)
    place = bisect_left(records, moment, key=time_of)
    near = range(max(0, place - 1), min(len(records), place + 1))
    nearest = min(near, key=lambda index: abs(time_of(records[index]) - moment), default=None)
    if nearest is None or abs(time_of(records[nearest]) - moment) > within:
        return None
    return records.pop(nearest)


def former_records(
    desk: Desk, people: Sequence[DuePerson], found: Collection[str], made: Collection[int]
) -> dict[int, Match]:
    """Records that were made for people before their address was corrected; calls the org.

    Such a record has an address that nobody has, the person's name, and an activity that is sought
    for the person. Of a ledger that is no older copy nothing is looked for.

    Args:
        desk: the account's. Its notes tell of records that lack nothing but the name.
        people: who are to be decided.
        found: the addresses that records have.
        made: the people whose records are known otherwise.

    Returns:
        The record of each such person, by person key.

    Raises:
        SalesforceProblem: as `delivery.deliver`.
    """
    if not desk.may_be_older_copy:
        return {}
    lacking = {
        each.person_key: each
        for each in people
        if each.salesforce_id is None and each.address not in found and each.person_key not in made
    }
    ledger = desk.ledger
    sought = adopted_of_people(ledger.connection, ledger.account_id, lacking.keys())
    if not sought:
        return {}
    desk.allowance.demand_calls()
    moments = [datetime.fromisoformat(happened_at) for _, happened_at in sought]
    common: Counter[tuple[str, int]] = Counter()
    for records in unknown_of_ours(desk, min(moments), max(moments)):
        for each in records:
            if each["WhoId"] and not each["IsDeleted"]:
                of_people = sought.get((each["Subject"], each["ActivityDateTime"]), ())
                common.update((each["WhoId"], person_key) for person_key in of_people)
    strangers = _strangers(desk, lacking.values(), {record_id for record_id, _ in common})
    former: dict[int, Match] = {}
    others: dict[int, str] = {}
    for (record_id, person_key), _ in common.most_common():
        match = strangers.get(record_id)
        if match is None or person_key in former:
            continue
        if _has_name(match, lacking[person_key], desk.chosen):
            former[person_key] = strangers.pop(record_id)
        else:
            others[person_key] = record_id
    if alone := {key: others[key] for key in others if key not in former}:
        desk.notes.lines.append(
            f"New people ({len(alone)}) whose activities may be those at records with another name "
            "and address; merge there what is one person: "
            f"{', '.join(sorted(set(alone.values()))[:_NAMED])}"
        )
    return former


def deleted_records(
    desk: Desk, people: Sequence[DuePerson], found: Collection[str], made: Collection[int]
) -> dict[int, Match]:
    """Records that we made for people since a copy and that were deleted; calls nobody.

    Such a person is known as before: made anew when something new is to be sent, and not for what
    the org had.

    Args:
        desk: the account's, which has looked through what was written since the copy.
        people: who are to be decided.
        found: the addresses that records have.
        made: the people whose records are known otherwise.

    Returns:
        The record of each such person, by person key, as if it had what is wanted.
    """
    known = desk.schemas.describe(PERSON_SOBJECTS) if desk.deleted_since_copy else {}
    records = {}
    for each in people:
        is_known = each.salesforce_id is not None or each.person_key in made
        if not is_known and each.address not in found and each.address in desk.deleted_since_copy:
            sobject, record_id = desk.deleted_since_copy[each.address]
            fields = known[sobject].fit(each.intent[sobject], "update").fields
            records[each.person_key] = Match(sobject, record_id, fields, _DELETED)
    return records


def _strangers(
    desk: Desk, people: Collection[DuePerson], record_ids: Collection[str]
) -> dict[str, Match]:
    """Those of some records that are nobody's, by their Id."""
    known = desk.schemas.describe(PERSON_SOBJECTS)
    queries = []
    for sobject in PERSON_SOBJECTS:
        fields = {"Id", "Email", *_NAME}.union(*(each.intent[sobject] for each in people))
        ids = [each for each in sorted(record_ids) if each.startswith(PREFIXES[sobject])]
        queries += packed_in_queries(known[sobject].readable(fields), sobject, "Id", ids)
    answers = query_all(desk.org.log_in(), queries).records if queries else []
    candidates = [one for records in answers for each in records if (one := candidate(each))]
    addresses = {each.salesforce_id: email_key(each.fields.get("Email")) for each in candidates}
    ledger = desk.ledger
    nobodys = strangers_records(ledger.connection, ledger.account_id, addresses)
    return {
        each.salesforce_id: Match(each.sobject, each.salesforce_id, each.fields, _REASON)
        for each in candidates
        if each.salesforce_id in nobodys
    }


def _has_name(match: Match, person: DuePerson, chosen: AccountSettings) -> bool:
    wanted = {"LastName": chosen.missing_last_name, **person.intent[match.sobject]}
    return all(alike(match.fields.get(field), wanted.get(field), "string") for field in _NAME)
