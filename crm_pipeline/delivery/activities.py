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
from crm_pipeline.salesforce.outcomes import Write

_SOMEBODY = "000000000000000AAA"
"""In place of a person who has no record yet, when an activity is decided ahead."""

_Decided = tuple[DueActivity, Decision]


def send_activities(desk: Desk, dispatch: Dispatch) -> None:
    """Sends every pending activity whose person is in the org."""
    for due in windows(desk.ledger, due_activities):
        with desk.ledger.step():
            ready = _decided(desk, due)
        writes = [_write(desk.chosen, activity, decision) for activity, decision in ready]
        dispatch.add([decision for _, decision in ready], writes)
    dispatch.flush()


class ActivitiesBehind:
    """The activities of people who are being sent: each can go when its person is in the org.

    They go in whole calls, while other people are still on the way. Those that do not
    fill a call, or may cost more than is left, are left to `send_activities`.
    """

    def __init__(self, desk: Desk, people: Sequence[DuePerson]) -> None:
        """Reads what is due about these people."""
        self._desk = desk
        self._person_keys = {person.operation_id: person.person_key for person in people}
        self._undecided = due_activities(
            desk.ledger.connection,
            desk.ledger.account_id,
            limit=WINDOW,
            of_people=self._person_keys.values(),
        )
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
