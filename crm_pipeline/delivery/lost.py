"""Writes whose answer never came: looked up in the org before anything is sent again."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from crm_pipeline.delivery.decisions import EVENT
from crm_pipeline.delivery.desk import Desk
from crm_pipeline.delivery.kind import ACTIVITY, OF_THE_ORG, RECORD, LostCreation
from crm_pipeline.delivery.lost_records import settle_lost_records
from crm_pipeline.ledger.bulk_jobs import forget_bulk_job, open_bulk_jobs
from crm_pipeline.ledger.due import Lost, known_activities, lost_operations
from crm_pipeline.ledger.outcomes import (
    FOUND_AFTER_LOST_ANSWER,
    Done,
    back_to_pending,
    record_done,
)
from crm_pipeline.salesforce.bulk import settle
from crm_pipeline.salesforce.matching import find_activities, follow_people
from crm_pipeline.settings import settings

LOST_AT_A_TIME = 10_000


def look_up_lost(desk: Desk) -> None:
    """Settles what was sent and not answered, once the org can no longer be working on it.

    A bulk job that a crash left running is seen to its end first.

    - A person goes back to pending: it is matched by email again, which finds what our request
      created. An update goes back as well: written twice, it says the same.
    - An activity is sought under its person by subject and time. Found, and not the outcome of
      another operation, it is this one's; not found, it goes back to pending.
    - Records of any object: as `settle_lost_records`.

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
        sought = [each for each in lost if _is_new_activity(each)]
        found = _find(desk, sought) if sought else {}
        done = [
            Done(operation_id, EVENT, "create", salesforce_id, FOUND_AFTER_LOST_ANSWER)
            for operation_id, salesforce_id in found.items()
        ]
        records = [each for each in lost if each.kind == RECORD.name]
        with desk.ledger.step() as connection:
            settled = (
                settle_lost_records(desk.ledger, desk.org, desk.schemas.known(), records)
                if records
                else set()
            )
            record_done(connection, desk.ledger.cycle_id, done)
            back_to_pending(
                connection,
                [o for each in lost if (o := each.operation_id) not in found and o not in settled],
            )
        desk.tally.update((each.counted_as, "looked_up") for each in lost)
        created = ACTIVITY.outcome(EVENT, "create")
        desk.tally[ACTIVITY.name, created] += len(done)


def _is_new_activity(lost: Lost) -> bool:
    how = OF_THE_ORG[lost.kind].lost_creation
    return how is LostCreation.SOUGHT and lost.action == "create"


def _find(desk: Desk, lost: Sequence[Lost]) -> dict[int, str]:
    """The Salesforce Id of each lost activity that is in the org, by operation id."""
    # An activity moves with its person, who may have been converted or merged since.
    followed = follow_people(desk.org.log_in(), {each.person_id for each in lost if each.person_id})
    places = {who: place.salesforce_id or who for who, place in followed.items()}
    times = [datetime.fromisoformat(each.intent["ActivityDateTime"]) for each in lost]
    records = find_activities(
        desk.org.log_in(), EVENT, sorted(set(places.values())), between=(min(times), max(times))
    )
    taken = known_activities(desk.ledger.connection, [record["Id"] for record in records])
    unclaimed: defaultdict[tuple[Any, ...], list[str]] = defaultdict(list)
    for record in sorted(records, key=lambda record: (record["CreatedDate"], record["Id"])):
        if record["Id"] not in taken:
            unclaimed[_likeness(record["WhoId"], record)].append(record["Id"])
    found = {}
    for each in lost:
        alike = unclaimed[_likeness(places.get(each.person_id or ""), each.intent)]
        if alike:
            found[each.operation_id] = alike.pop(0)
    return found


def _likeness(person_id: str | None, fields: Mapping[str, Any]) -> tuple[Any, ...]:
    """Returns the values that make two activities the same: person, subject and time."""
    return person_id, fields["Subject"], fields["ActivityDateTime"]
