"""Events that were published are confirmed: the records that they are to change show it.

Nobody tells what became of an event. So its record is asked for; one that does not show within the
flow's time what the event said is a failed try, and the event is published again as it was.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from crm_pipeline.declaration import Flow
from crm_pipeline.delivery.desk import Desk
from crm_pipeline.delivery.recorder import INCIDENT_FROM
from crm_pipeline.delivery.recording import record_failures
from crm_pipeline.ledger.codes import OwnCode
from crm_pipeline.ledger.confirmations import Awaiting, awaiting, end_awaiting
from crm_pipeline.ledger.incidents import Incident, note_incident
from crm_pipeline.ledger.outcomes import Failed
from crm_pipeline.ledger.read_back import OrgValue, note_values
from crm_pipeline.salesforce.comparison import alike
from crm_pipeline.salesforce.composite import Record, query_all
from crm_pipeline.salesforce.soql import packed_in_queries

LOOKED_AT_ONCE = 10_000


def confirm_events(desk: Desk, flows: Sequence[tuple[Flow[Any], Any]]) -> None:
    """Looks whether the records of published events show what these said; commits.

    One call for some thousands of them, none where none waits.

    Raises:
        SalesforceProblem: as `query_all`; nothing is noted.
    """
    for flow, choices in flows:
        minutes = flow.confirm_minutes(choices)
        if minutes is None:
            continue
        waiting = awaiting(
            desk.ledger.connection,
            desk.ledger.account_id,
            [topic.name for topic in flow.topics if topic.publishes],
            minutes=minutes,
            limit=LOOKED_AT_ONCE,
        )
        if waiting:
            _settle(desk, waiting, _asked(desk, waiting))


def _asked(desk: Desk, waiting: Sequence[Awaiting]) -> dict[str, Record]:
    """The records, by Id; without those that are deleted, hidden, or a Lead that was converted."""
    by_object: defaultdict[str, list[Awaiting]] = defaultdict(list)
    for each in waiting:
        by_object[each.sobject].append(each)
    queries = []
    for sobject, some in by_object.items():
        fields = dict.fromkeys(name for each in some for name in each.shown)
        lives = ("IsConverted",) if sobject == "Lead" else ()
        ids = dict.fromkeys(each.salesforce_id for each in some)
        queries += packed_in_queries(("Id", *lives, *fields), sobject, "Id", ids)
    desk.allowance.demand_calls()
    found = query_all(desk.org.log_in(), queries).records
    return {r["Id"]: r for records in found for r in records if not r.get("IsConverted")}


def _settle(desk: Desk, waiting: Sequence[Awaiting], there: Mapping[str, Record]) -> None:
    known = desk.schemas.describe(dict.fromkeys(each.sobject for each in waiting))
    settled: dict[int, Mapping[str, Any]] = {}
    written: dict[str, OrgValue] = {}
    late: list[Awaiting] = []
    for each in waiting:
        record = there.get(each.salesforce_id)
        schema = known[each.sobject]
        if record is None:
            settled[each.operation_id] = {}
        elif all(
            alike(record.get(name), value, found.type if (found := schema.field(name)) else "")
            for name, value in each.wanted.items()
        ):
            settled[each.operation_id] = each.wanted
            written[each.salesforce_id] = OrgValue(written=each.wanted)
            desk.tally[each.topic, "confirmed"] += 1
        elif each.is_late:
            late.append(each)
    with desk.ledger.step() as connection:
        end_awaiting(connection, settled)
        note_values(desk.ledger, desk.org.log_in().organization_id, written)
        _fail(desk, late, nobody_acts=not written)


def _fail(desk: Desk, late: Sequence[Awaiting], *, nobody_acts: bool) -> None:
    """The publishing of late ones was a failed try.

    Where nobody acts on events, that is one incident, and the tries are given back.
    """
    is_incident = nobody_acts and len(late) >= INCIDENT_FROM
    by_topic: defaultdict[str, list[Awaiting]] = defaultdict(list)
    for each in late:
        by_topic[each.topic].append(each)
    for topic, some in by_topic.items():
        event = some[0].event
        message = (
            f"Records do not show what events of {event} said; see whether the flow or trigger "
            "for it is active in the org"
        )
        failed = [
            Failed(
                e.operation_id, OwnCode.NOT_CONFIRMED, message, -int(is_incident), event, "create"
            )
            for e in some
        ]
        record_failures(desk, topic, failed)
        if is_incident:
            incident = Incident(OwnCode.NOT_CONFIRMED, event, len(some), message)
            note_incident(desk.ledger.connection, desk.ledger.account_id, incident)
