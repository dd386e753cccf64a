"""Records of any object: upserted by a key of ours, updated by what differs, deleted when wanted.

Topics are sent in their order, parents first; what is to be gone goes afterwards, in the reverse
order. A record waits until everything that it refers to is held. Records that fit one call go
in one: there a record names a parent that goes before it by that one's key.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from typing import Literal

from crm_pipeline.delivery.decisions import Decision
from crm_pipeline.delivery.desk import Desk
from crm_pipeline.delivery.kind import RECORD, RECORD_THAT_STAYS_GONE, Kind, Remedy
from crm_pipeline.delivery.record_decisions import (
    Keys,
    contested,
    decide_absence,
    decide_beside,
    decide_record,
    former_masters,
    goes_with_its_master,
    left_out,
    unwritable_references,
    write_of_record,
)
from crm_pipeline.delivery.recording import keep_held, record_failures, record_unchanged
from crm_pipeline.delivery.sending import RECORDS_PER_CALL, Dispatch
from crm_pipeline.delivery.storage import ASKED_FROM, Room, waiting_for_room
from crm_pipeline.delivery.windows import windows
from crm_pipeline.ledger.codes import OwnCode
from crm_pipeline.ledger.left_out import leave_records_out, let_go_on
from crm_pipeline.ledger.outcomes import Done, Failed, record_done
from crm_pipeline.ledger.read_back import held_keys
from crm_pipeline.ledger.records import (
    DueRecord,
    Holder,
    due_record_volumes,
    due_records,
    filled_by_others,
    forget_records,
    ids_to_go,
    number_held,
    number_of_new,
    reopen_moved_records,
    whose_keys,
)
from crm_pipeline.salesforce.data_storage import data_storage
from crm_pipeline.salesforce.describe import SObjectSchema
from crm_pipeline.salesforce.limits import COMPOSITE_QUERIES_OR_COLLECTIONS
from crm_pipeline.salesforce.packing import collections_of

Decided = tuple[DueRecord, Decision]
PendingRecords = Mapping[tuple[str, str, bool], int]
"""Numbers of pending records, by topic, object and whether they are to be gone."""


@dataclass(frozen=True, slots=True)
class RecordTopic:
    """A topic whose operations are records.

    Attributes:
        name: of the topic.
        flow: whose.
        when_deleted: what becomes of a record that people delete in the org: it is made anew
            with its next change, or left.
        gives_up: whether a record that the org will never take as it is waits for people at once.
        storage_share: of the org's data storage that may be used where its flow makes records;
            None: any.
    """

    name: str
    flow: str
    when_deleted: Literal["recreate", "leave"]
    gives_up: bool = True
    storage_share: float | None = None

    @property
    def kind(self) -> Kind:
        """The kind by which its operations are treated."""
        kind = RECORD if self.when_deleted == "recreate" else RECORD_THAT_STAYS_GONE
        return kind if self.gives_up else replace(kind, gives_up=False)


_Detail = tuple[DueRecord, Decision, SObjectSchema]
"""A record that is deleted with its master, and by no request of its own."""


def send_records(desk: Desk, topics: Sequence[RecordTopic]) -> None:
    """Sends every pending record of these topics whose references are held, or go before it.

    All of them in one call, where they fit. Else each flow has its share of the calls.

    Raises:
        SalesforceProblem: as `delivery.deliver`.
    """
    with desk.ledger.step() as connection:
        let_go_on(connection, desk.ledger.account_id)
    _reopen_moved(desk)
    _send_pending(desk, topics)
    # Afterwards there are few that wait, and these are all that are looked at.
    with desk.ledger.step() as connection:
        leave_records_out(connection, desk.ledger.account_id)


def _send_pending(desk: Desk, topics: Sequence[RecordTopic]) -> None:
    for _ in topics:
        pending = pending_records(desk, topics)
        if not pending:
            return
        _ask_for_room(desk, topics, pending)
        desk.schemas.describe(
            dict.fromkeys(sobject for _, sobject, absent in pending if not absent)
        )
        if not _sent_in_one_call(desk, topics, pending):
            break
        # Other records may refer to those that were made anew just now.
        if not _reopen_moved(desk):
            return
    parts = []
    for _, group in groupby(topics, key=lambda topic: topic.flow):
        of_flow = list(group)
        waits = any(topic.name == waiting for topic in of_flow for waiting, _, _ in pending)
        parts.append((partial(_send_flow, desk, of_flow, pending), waits))
    desk.allowance.share_out(parts)


def _ask_for_room(desk: Desk, topics: Sequence[RecordTopic], pending: PendingRecords) -> None:
    """Finds out, once in a cycle, how many new records of each flow the org has room for.

    Costs a call where many are to be made, or many were since the last one. People are told of
    those that have to wait.
    """
    for flow, group in groupby(topics, key=lambda topic: topic.flow):
        of_flow = {topic.name: topic for topic in group}
        share = next(iter(of_flow.values())).storage_share
        written = sum(n for (name, _, gone), n in pending.items() if name in of_flow and not gone)
        if share is None or not written or flow in desk.rooms:
            continue
        new = number_of_new(desk.ledger.connection, desk.ledger.account_id, of_flow)
        held = number_held(desk.ledger.connection, desk.ledger.account_id) if new else 0
        desk.ledger.connection.commit()
        # A few in each cycle fill an org up as well.
        if (held + new) // ASKED_FROM == held // ASKED_FROM:
            continue
        desk.allowance.demand_calls()
        storage = data_storage(desk.org.log_in())
        desk.rooms[flow] = Room(storage.room(share))
        if line := waiting_for_room(flow, new, storage, share, f"{flow}.storage_share"):
            desk.notes.lines.append(line)


def pending_records(desk: Desk, topics: Sequence[RecordTopic]) -> PendingRecords:
    """Counts the pending records of these topics."""
    names = {topic.name for topic in topics}
    pending = due_record_volumes(desk.ledger.connection, desk.ledger.account_id)
    return {each: number for each, number in pending.items() if each[0] in names}


def _send_flow(desk: Desk, topics: Sequence[RecordTopic], pending: PendingRecords) -> None:
    """Sends the records of one flow, whatever their number."""
    for topic in topics:
        if _volumes(pending, topic, absent=False):
            with _calls_counted(desk, {topic.name}):
                _send(desk, topic, pending)
            if _reopen_moved(desk):
                pending = pending_records(desk, topics)
    _delete(desk, topics, pending)


def _reopen_moved(desk: Desk) -> bool:
    with desk.ledger.step() as connection:
        return reopen_moved_records(connection, desk.ledger.account_id) > 0


def _sent_in_one_call(
    desk: Desk,
    topics: Sequence[RecordTopic],
    pending: PendingRecords,
) -> bool:
    """Sends all that is due in one call; returns False where it does not fit one."""
    if sum(pending.values()) > RECORDS_PER_CALL or desk.chosen.route == "bulk":
        return False
    along: dict[str, Sequence[str]] = {}
    going: list[Decided] = []
    ranks: dict[int, int] = {}
    for rank, topic in enumerate(topics):
        if not _volumes(pending, topic, absent=False):
            continue
        for due in _windows(desk, topic, along=along):
            for each, decision in _decide(desk, topic, due, along):
                ranks[each.operation_id] = rank
                going.append((each, decision))
                if decision.action == "create" and each.intent["key"] is not None:
                    along[each.natural_key] = each.intent["key"]
    details: list[_Detail] = []
    for topic in reversed(topics):
        for deleted in _absences(desk, topic, pending, details):
            going += deleted
    writes = [write_of_record(each, d, ranks.get(each.operation_id, 0)) for each, d in _sent(going)]
    if len(list(collections_of(writes))) > COMPOSITE_QUERIES_OR_COLLECTIONS:
        return False
    with desk.ledger.step():
        _record_unchanged(desk, going)
    volumes = Counter((write.sobject, str(write.written_as)) for write in writes)
    with _calls_counted(desk, {each.topic for each, _ in _sent(going)}):
        dispatch = Dispatch(desk, "records", volumes)
        dispatch.add([decision for _, decision in _sent(going)], writes)
        dispatch.flush()
    _settle_details(desk, details)
    return True


def _send(desk: Desk, topic: RecordTopic, pending: PendingRecords) -> None:
    """Sends a topic's records that are to be so."""
    dispatch = None
    for due in _windows(desk, topic):
        dispatch = dispatch or Dispatch(desk, topic.name, _volumes(pending, topic, absent=False))
        _add(desk, dispatch, list(_decide(desk, topic, due, {})))
    if dispatch is not None:
        dispatch.flush()


def _delete(desk: Desk, topics: Sequence[RecordTopic], pending: PendingRecords) -> None:
    """Sends what is to be gone, children first; details go with their masters."""
    details: list[_Detail] = []
    for topic in reversed(topics):
        dispatch = None
        with _calls_counted(desk, {topic.name}):
            for deleted in _absences(desk, topic, pending, details):
                dispatch = dispatch or Dispatch(
                    desk, topic.name, _volumes(pending, topic, absent=True)
                )
                _add(desk, dispatch, deleted)
            if dispatch is not None:
                dispatch.flush()
    _settle_details(desk, details)


@contextmanager
def _calls_counted(desk: Desk, topics: Collection[str]) -> Iterator[None]:
    """Counts the API calls of the block for topics: in which something of each of them went."""
    before = desk.allowance.api_calls
    try:
        yield
    finally:
        if spent := desk.allowance.api_calls - before:
            desk.tally.update(dict.fromkeys(((topic, "calls") for topic in topics), spent))


def _add(desk: Desk, dispatch: Dispatch, decided: Sequence[Decided]) -> None:
    with desk.ledger.step():
        _record_unchanged(desk, decided)
    writes = [write_of_record(each, decision) for each, decision in _sent(decided)]
    dispatch.add([decision for _, decision in _sent(decided)], writes)


def _windows(
    desk: Desk, topic: RecordTopic, *, absent: bool = False, along: Keys | None = None
) -> Iterator[list[DueRecord]]:
    """Yields the due records of a topic, in parts."""
    keys = list(along or ())
    return windows(desk.ledger, due_records, topic.name, absent=absent, along=keys)


def _volumes(
    pending: PendingRecords, topic: RecordTopic, *, absent: bool
) -> dict[tuple[str, str], int]:
    return {
        (sobject, "delete" if absent else "create"): number
        for (name, sobject, gone), number in pending.items()
        if name == topic.name and gone is absent
    }


def _decide(
    desk: Desk, topic: RecordTopic, due: Sequence[DueRecord], along: Keys
) -> Iterator[Decided]:
    """Decides records that are to be so; those that may not be written are told as failed."""
    known = desk.schemas.describe(dict.fromkeys(each.intent["sobject"] for each in due))
    masters = {
        master for each in due for master in former_masters(each, known[each.intent["sobject"]])
    }
    gone = masters - held_keys(desk.ledger.connection, desk.ledger.account_id, masters).keys()
    by_key = [e for e in due if e.held_id is None and e.intent["key"] is not None]
    ledger = desk.ledger
    others = _whose_keys(desk, by_key, known) if by_key else {}
    by_id = [e.operation_id for e in due if e.intent["key"] is None]
    fillers = filled_by_others(ledger.connection, ledger.account_id, by_id) if by_id else {}
    keyed = topic.kind
    named_by_id = replace(keyed, when_gone=Remedy.STAYS_GONE)  # None can be made with a given Id.
    for each in due:
        schema = known[each.intent["sobject"]]
        kind = named_by_id if each.intent["key"] is None else keyed
        decision = decide_record(each, schema, kind, along=along, gone=gone)
        if (filler := fillers.get(each.operation_id)) is not None:
            if fields := contested(each, filler.fields):
                _fail_contested(desk, each, decision, filler.account_id, fields)
                continue
            decision = decide_beside(each, schema, kind, filler.fields)
        if because := each.intent.get("because"):
            decision.reason = f"{decision.reason}; {because}"
        if (other := others.get(each.operation_id)) is not None:
            _fail_twin(desk, each, decision, other)
        elif hidden := [
            *unwritable_references(each, decision, schema),
            *desk.schemas.demanded(decision.sobject, left_out(decision)),
        ]:
            _fail_hidden(desk, decision, hidden)
        elif (
            decision.action != "create"
            or each.intent["key"] is None
            or desk.rooms.get(topic.flow, Room()).takes_one()
        ):
            yield each, decision


def _whose_keys(
    desk: Desk, new: Sequence[DueRecord], known: Mapping[str, SObjectSchema]
) -> Mapping[int, Holder]:
    """Others that have the keys of new records, as the org compares them."""
    told_apart = [
        each.operation_id
        for each in new
        if (key := known[each.intent["sobject"]].field(each.intent["key"][0]))
        and not key.ignores_case
    ]
    every = [each.operation_id for each in new]
    return whose_keys(desk.ledger.connection, desk.ledger.account_id, every, told_apart)


def _fail_twin(desk: Desk, due: DueRecord, decision: Decision, other: Holder) -> None:
    """The record of one key cannot be two things: each would overwrite the other for ever."""
    field = f"{decision.sobject}.{due.intent['key'][0]}"
    has = f"{due.natural_key} has the {field} of"
    if other.other_account is None:
        message = (
            f"{has} {other.natural_key}, which has the record; give each a key of its own at the "
            "source"
        )
    else:
        message = (
            f"{has} a record of account {other.other_account}, which has the same org; choose "
            "other objects there, or another prefix"
        )
    failed = Failed(
        decision.operation_id, OwnCode.KEY_TAKEN, message, 1, decision.sobject, "create"
    )
    record_failures(desk, decision.counted_as, [failed])


def _fail_contested(
    desk: Desk, due: DueRecord, decision: Decision, account_id: str, fields: Sequence[str]
) -> None:
    """A field of a record belongs to the account that filled it; two would overwrite each other."""
    sobject = (due.intent.get("about") or due.intent)["sobject"]
    named = ", ".join(f"{sobject}.{field}" for field in fields)
    message = (
        f"Account {account_id}, which has the same org, fills {named} of this record; choose other "
        "fields for one of the two"
    )
    failed = Failed(
        decision.operation_id, OwnCode.FIELD_TAKEN, message, 1, decision.sobject, "update"
    )
    record_failures(desk, decision.counted_as, [failed])


def _fail_hidden(desk: Desk, decision: Decision, hidden: Sequence[str]) -> None:
    """Without its reference a record would be nobody's, without a field half; it is not sent."""
    named = ", ".join(f"{decision.sobject}.{field}" for field in hidden)
    message = (
        f"The org does not let the user write {named}; give the user Read and Edit on it in a "
        "permission set"
    )
    desk.schemas.forget([decision.sobject])
    failed = Failed(
        decision.operation_id,
        OwnCode.HIDDEN_FIELD,
        message,
        1,
        decision.sobject,
        str(decision.action),
    )
    record_failures(desk, decision.counted_as, [failed])


def _absences(
    desk: Desk, topic: RecordTopic, pending: PendingRecords, details: list[_Detail]
) -> Iterator[list[Decided]]:
    """Yields a topic's records that are to be gone, in parts; to `details` it adds those apart."""
    if not _volumes(pending, topic, absent=True):
        return
    for due in _windows(desk, topic, absent=True):
        # Only what refers to one that goes may be its detail.
        going = ids_to_go(
            desk.ledger.connection, desk.ledger.account_id, set().union(*map(_masters, due))
        )
        may_go_along = [each for each in due if not going.isdisjoint(_masters(each))]
        sobjects = dict.fromkeys(each.intent["sobject"] for each in may_go_along)
        known = desk.schemas.describe(sobjects) if sobjects else {}
        deleted = []
        for each in due:
            schema = known.get(each.intent["sobject"])
            decision = decide_absence(each, topic.kind)
            if schema and goes_with_its_master(each, schema, going):
                details.append((each, decision, schema))
            else:
                deleted.append((each, decision))
        yield deleted


def _masters(due: DueRecord) -> set[str]:
    """The Ids of what a record referred to at its last writing."""
    return {to.salesforce_id for to in due.last_references.values() if to.salesforce_id}


def _settle_details(desk: Desk, details: Sequence[_Detail]) -> None:
    """Records details whose masters are deleted by now; the others stay pending."""
    if not details:
        return
    masters = set().union(*(_masters(each) for each, _, _ in details))
    gone = masters - held_keys(desk.ledger.connection, desk.ledger.account_id, masters).keys()
    done = []
    for each, decision, schema in reversed(details):
        if goes_with_its_master(each, schema, gone):
            record_id = decision.salesforce_id or ""
            gone.add(record_id)
            done.append(
                Done(
                    each.operation_id,
                    decision.sobject,
                    "delete",
                    record_id,
                    "deleted with its master",
                    attempts=0,
                )
            )
            desk.count_written(each.topic, RECORD, decision.sobject, "delete")
    with desk.ledger.step() as connection:
        record_done(connection, desk.ledger.cycle_id, done)
        forget_records(connection, [each.operation_id for each in done])


def _sent(decided: Sequence[Decided]) -> list[Decided]:
    return [(each, decision) for each, decision in decided if decision.action != "none"]


def _record_unchanged(desk: Desk, decided: Sequence[Decided]) -> None:
    by_id = {d.operation_id: d for _, d in decided if d.action == "none"}
    record_unchanged(desk, list(by_id.values()))
    done = [
        Done(ref, each.sobject, "none", each.salesforce_id or "") for ref, each in by_id.items()
    ]
    keep_held(desk.ledger, done, by_id)
