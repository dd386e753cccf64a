"""Writes whose answer never came: looked up in the org before anything is sent again."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import product
from typing import Any, assert_never

from crm_pipeline.delivery.decisions import EVENT
from crm_pipeline.delivery.desk import Desk
from crm_pipeline.delivery.kind import OF_THE_ORG, LostCreation
from crm_pipeline.delivery.lost_records import settle_lost_records
from crm_pipeline.ledger.bulk_jobs import forget_bulk_job, open_bulk_jobs
from crm_pipeline.ledger.copies import CHANGED, bring_up_to_date, seek_otherwise
from crm_pipeline.ledger.due import Lost, known_activities, lost_operations
from crm_pipeline.ledger.outcomes import (
    FOUND_AFTER_LOST_ANSWER,
    Done,
    back_to_pending,
    doubt_people,
    record_done,
)
from crm_pipeline.salesforce.bulk import settle
from crm_pipeline.salesforce.matching import find_activities, follow_people
from crm_pipeline.salesforce.outcomes import WrittenAs
from crm_pipeline.settings import settings

LOST_AT_A_TIME = 10_000


def look_up_lost(desk: Desk) -> None:
    """Settles what was sent and not answered, once the org can no longer be working on it.

    A bulk job that a crash left running is seen to its end first. What is not settled goes back to
    pending, or is sought on (`adoption`); how a creation is looked up its kind says
    (`LostCreation`).

    Raises:
        AccountStopped, AccountPaused, OrgUnavailable: nothing was settled.
    """
    account_id = desk.ledger.account_id
    with desk.ledger.step() as connection:
        for job_id in open_bulk_jobs(connection, account_id):
            if not settle(desk.org.log_in(), job_id):
                return
            forget_bulk_job(connection, account_id, job_id)
    while lost := lost_operations(
        desk.ledger.connection,
        desk.ledger.account_id,
        grace_seconds=settings().lost_answer_grace_seconds,
        limit=LOST_AT_A_TIME,
    ):
        by_id = {each.operation_id: each for each in lost}
        with desk.ledger.step() as connection:
            done = list(_settled(desk, lost))
            record_done(connection, desk.ledger.cycle_id, done)
            settled = {each.operation_id for each in done}
            missing = by_id.keys() - settled
            adopted = {each for each in missing if by_id[each].is_adopted}
            seek_otherwise(connection, adopted, CHANGED)
            back_to_pending(connection, list(missing - adopted))
        desk.tally.update((each.counted_as, "looked_up") for each in lost)
        for each in done:
            operation = by_id[each.operation_id]
            action: WrittenAs = "delete" if each.action == "delete" else "create"
            kind = OF_THE_ORG[operation.kind]
            desk.count_written(operation.counted_as, kind, each.sobject, action)


def _settled(desk: Desk, lost: Sequence[Lost]) -> Iterator[Done]:
    """Yields those of these operations that the org has done; the caller commits."""
    by_way: defaultdict[LostCreation, list[Lost]] = defaultdict(list)
    for each in lost:
        by_way[OF_THE_ORG[each.kind].lost_creation].append(each)
    for way, some in by_way.items():
        match way:
            case LostCreation.MATCHED_AGAIN:
                # Looked for with what is pending. An update goes again, or what was said since.
                doubt_people(desk.ledger.connection, [each.operation_id for each in some])
            case LostCreation.SOUGHT:
                yield from _found_activities(desk, [e for e in some if e.action == "create"])
            case LostCreation.REPEATABLE:
                known = desk.schemas.known()
                yield from settle_lost_records(desk.ledger, desk.org, known, some)
            case _:
                assert_never(way)


def _found_activities(desk: Desk, lost: Sequence[Lost]) -> Iterator[Done]:
    """Yields lost activities that are in the org and are not another operation's."""
    found = _find(desk, lost) if lost else {}
    if adopted := {each.operation_id for each in lost if each.is_adopted}:
        # The source may have changed each since, and what the org has is not all known.
        bring_up_to_date(desk.ledger.connection, found.keys() & adopted)
    for operation_id, salesforce_id in found.items():
        yield Done(operation_id, EVENT, "create", salesforce_id, FOUND_AFTER_LOST_ANSWER)


def _find(desk: Desk, lost: Sequence[Lost]) -> dict[int, str]:
    """The Salesforce Id of each lost activity that is in the org, by operation id."""
    # An activity moves with its person, who may have been converted or merged since.
    followed = follow_people(desk.org.log_in(), {each.person_id for each in lost if each.person_id})
    places = {who: place.salesforce_id or who for who, place in followed.items()}
    times = [datetime.fromisoformat(each.intent["ActivityDateTime"]) for each in lost]
    # One that people deleted before its person moved stays where it was.
    sought = {*places.values(), *(each.person_id for each in lost if each.person_id)}
    key = desk.chosen.activity_external_id_field
    records = find_activities(
        desk.org.log_in(),
        EVENT,
        sorted(sought),
        between=(min(times), max(times)),
        fields=("Subject", "ActivityDateTime", *([key] if key else ())),
    )
    ids = [record["Id"] for record in records]
    taken = known_activities(desk.ledger.connection, desk.ledger.account_id, ids)
    unclaimed: defaultdict[tuple[Any, ...], list[str]] = defaultdict(list)
    for record in sorted(records, key=lambda record: (record["CreatedDate"], record["Id"])):
        if record["Id"] not in taken:
            named = record.get(key) if key else None
            unclaimed[named, *_likeness(record["WhoId"], record)].append(record["Id"])
    found = {}
    for each in lost:
        for named, person_id in product(
            # One that bears another one's key is that one's.
            dict.fromkeys((each.natural_key if key else None, None)),
            dict.fromkeys((places.get(each.person_id or ""), each.person_id)),
        ):
            if alike := unclaimed[named, *_likeness(person_id, each.intent)]:
                found[each.operation_id] = alike.pop(0)
                break
    return found


def _likeness(person_id: str | None, fields: Mapping[str, Any]) -> tuple[Any, ...]:
    """Returns the values that make two activities the same: person, subject and time."""
    return person_id, fields["Subject"], fields["ActivityDateTime"]
