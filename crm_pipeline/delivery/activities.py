"""Activities: each under the record that stands for its person."""

from collections import defaultdict
from collections.abc import Sequence

from crm_pipeline.accounts.account import AccountSettings
from crm_pipeline.delivery.decisions import EVENT, Decision, decide_activity
from crm_pipeline.delivery.desk import Desk
from crm_pipeline.delivery.recording import record_unchanged
from crm_pipeline.delivery.sending import RECORDS_PER_CALL, Dispatch, write_of
from crm_pipeline.delivery.windows import WINDOW, windows
from crm_pipeline.ledger.due import DueActivity, DuePerson, due_activities
from crm_pipeline.ledger.outcomes import Done
from crm_pipeline.salesforce.comparison import alike
from crm_pipeline.salesforce.composite import query_all
from crm_pipeline.salesforce.outcomes import Write
from crm_pipeline.salesforce.soql import packed_in_queries

_SOMEBODY = "000000000000000AAA"
"""In place of a person who has no record yet, when an activity is decided ahead."""

_Decided = tuple[DueActivity, Decision]


def send_activities(desk: Desk, dispatch: Dispatch) -> None:
    """Sends every pending activity whose person is in the org."""
    for due in windows(desk.ledger, due_activities):
        _read_doubted(desk, [each for each in due if each.is_doubted])
        with desk.ledger.step():
            ready = _decided(desk, due)
        writes = [_write(desk.chosen, activity, decision) for activity, decision in ready]
        dispatch.add([decision for _, decision in ready], writes)
    dispatch.flush()


class ActivitiesBehind:
    """The activities of people who are being sent: each can go when its person is in the org.

    They go in whole calls, while other people are still on the way. Those that do not
    fill a call, may cost more than is left, or are doubted, are left to `send_activities`.
    """

    def __init__(self, desk: Desk, people: Sequence[DuePerson]) -> None:
        """Reads what is due about these people."""
        self._desk = desk
        self._person_keys = {person.operation_id: person.person_key for person in people}
        due = due_activities(
            desk.ledger.connection,
            desk.ledger.account_id,
            limit=WINDOW,
            of_people=self._person_keys.values(),
        )
        self._undecided = [each for each in due if not each.is_doubted]
        self._waiting: defaultdict[int | None, list[_Decided]] = defaultdict(list)
        self._ready: list[tuple[Decision, Write]] = []

    def __call__(self, done: Sequence[Done]) -> Sequence[tuple[Decision, Write]]:
        """Returns the writes that can go now that these operations are done."""
        self._decide()
        chosen = self._desk.chosen
        for person in done:
            person_key = self._person_keys.get(person.operation_id, 0)
            for activity, decision in self._waiting.pop(person_key, ()):
                if "WhoId" in decision.fields:
                    decision.fields["WhoId"] = person.salesforce_id
                self._ready.append((decision, _write(chosen, activity, decision)))
        whole = len(self._ready) // RECORDS_PER_CALL * RECORDS_PER_CALL
        if not whole or not self._desk.allowance.does_for_all:
            return ()
        going, self._ready = self._ready[:whole], self._ready[whole:]
        return going

    def _decide(self) -> None:
        """Decides everything before any person is done: the org is busy, and we are not."""
        for activity in self._undecided:
            activity.who_id = _SOMEBODY
        for activity, decision in _decided(self._desk, self._undecided):
            self._waiting[activity.person_key].append((activity, decision))
        self._undecided = []


def _read_doubted(desk: Desk, doubted: Sequence[DueActivity]) -> None:
    """Reads activities that are in the org nobody knows how: what is as it should be is not sent.

    Calls the org, once for 10,000, if there are any. What is not there any more stays doubted.
    """
    if not doubted:
        return
    schema = desk.schemas.describe([EVENT])[EVENT]
    wanted = {
        each.salesforce_id: schema.fit({**each.intent, "WhoId": each.who_id}, "update").fields
        for each in doubted
    }
    names = schema.readable(dict.fromkeys(name for fields in wanted.values() for name in fields))
    ids = [each for each in wanted if each is not None]
    queries = packed_in_queries(["Id", *names], EVENT, "Id", ids)
    desk.allowance.demand_calls()
    pages = query_all(desk.org.log_in(), queries).records
    there = {record["Id"]: record for records in pages for record in records}
    for each in doubted:
        fields, record = wanted[each.salesforce_id], there.get(each.salesforce_id or "", {})
        same = {
            name.casefold()
            for name, value in fields.items()
            if name in record and alike(record[name], value, schema.fields[name].type)
        }
        each.last_intent = {f: value for f, value in each.intent.items() if f.casefold() in same}
        if "whoid" in same:
            each.last_person_key = each.person_key


def _decided(desk: Desk, due: Sequence[DueActivity]) -> list[_Decided]:
    """Returns the activities to be sent, and records those that the org has already."""
    if not due:
        return []
    schema = desk.schemas.describe([EVENT])[EVENT]
    decided = [(activity, decide_activity(activity, schema)) for activity in due]
    unchanged = [decision for _, decision in decided if decision.action == "none"]
    record_unchanged(desk, unchanged)
    return [each for each in decided if each[1].action != "none"]


def _write(chosen: AccountSettings, activity: DueActivity, decision: Decision) -> Write:
    field = chosen.activity_external_id_field
    return write_of(decision, (field, activity.natural_key) if field else None)
