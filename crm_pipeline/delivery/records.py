"""Records of any object: upserted by a key of ours, updated by what differs, deleted when wanted.

Topics are sent in their order, parents first; what is to be gone goes afterwards, in the reverse
order. A record waits until everything that it refers to is held. What fits one call goes in one:
there a record names a parent that goes before it by that one's key.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from crm_pipeline.delivery.decisions import Decision
from crm_pipeline.delivery.kind import RECORD, RECORD_THAT_STAYS_GONE, Kind
from crm_pipeline.delivery.record_decisions import (
    Keys,
    decide_absence,
    decide_record,
    former_masters,
    goes_with_its_master,
    unwritable_references,
    write_of_record,
)
from crm_pipeline.delivery.recording import keep_held, record_failures, record_unchanged
from crm_pipeline.delivery.schemas import forget_schemas, schemas
from crm_pipeline.delivery.sending import RECORDS_PER_CALL, Outbox
from crm_pipeline.delivery.session import DeliverySession
from crm_pipeline.ledger.outcomes import Done, Failed, record_done
from crm_pipeline.ledger.read_back import held_keys
from crm_pipeline.ledger.records import (
    DueRecord,
    due_record_volumes,
    due_records,
    forget_records,
    ids_to_go,
    reopen_moved_records,
)
from crm_pipeline.salesforce.describe import SObjectSchema
from crm_pipeline.salesforce.limits import COMPOSITE_QUERIES_OR_COLLECTIONS
from crm_pipeline.salesforce.packing import collections_of

WINDOW = 10_000
"""Records decided at a time: their writes fill whole calls."""

Decided = tuple[DueRecord, Decision]


@dataclass(frozen=True, slots=True)
class RecordTopic:
    """A topic whose operations are records.

    Attributes:
        name: of the topic.
        when_deleted: what becomes of a record that people delete in the org: it is made anew
            with its next change, or left.
    """

    name: str
    when_deleted: Literal["recreate", "leave"]

    @property
    def kind(self) -> Kind:
        """How its operations are treated."""
        return RECORD if self.when_deleted == "recreate" else RECORD_THAT_STAYS_GONE


@dataclass(frozen=True, slots=True)
class _Absences:
    """What is to be gone, children first.

    Attributes:
        going: the Ids of all of it.
        deleted: those that are deleted by themselves.
        details: those that are deleted with their masters.
    """

    going: set[str]
    deleted: list[Decided] = field(default_factory=list)
    details: list[tuple[DueRecord, Decision, SObjectSchema]] = field(default_factory=list)


def send_records(session: DeliverySession, topics: Sequence[RecordTopic]) -> None:
    """Sends every pending record of these topics whose references are held, or go before it.

    Raises:
        SalesforceProblem: as `delivery.deliver`.
    """
    if not topics:
        return
    _reopen_moved(session)
    for _ in topics:
        pending = due_record_volumes(session.ledger, session.account_id)
        if not pending:
            return
        schemas(session, dict.fromkeys(sobject for _, sobject, absent in pending if not absent))
        if not _sent_in_one_call(session, topics, pending):
            break
        # What was made anew just now may be what other records refer to.
        if not _reopen_moved(session):
            return
    for topic in topics:
        if _send(session, topic):
            _reopen_moved(session)
    _delete(session, topics)


def _reopen_moved(session: DeliverySession) -> bool:
    reopened = reopen_moved_records(session.ledger, session.account_id)
    session.ledger.commit()
    return reopened > 0


def _sent_in_one_call(
    session: DeliverySession,
    topics: Sequence[RecordTopic],
    pending: Mapping[tuple[str, str, bool], int],
) -> bool:
    """Sends all that is due in one call; returns False where it does not fit one."""
    if sum(pending.values()) > RECORDS_PER_CALL or session.account.settings.route == "bulk":
        return False
    along: dict[str, Sequence[str]] = {}
    going: list[Decided] = []
    ranks: dict[int, int] = {}
    for rank, topic in enumerate(topics):
        for due in _windows(session, topic, along=along):
            for each, decision in _decide(session, topic, due, along):
                ranks[each.operation_id] = rank
                going.append((each, decision))
                if decision.action == "create" and each.intent["key"] is not None:
                    along[each.natural_key] = each.intent["key"]
    absences = _absences(session, topics)
    going += absences.deleted
    writes = [write_of_record(each, d, ranks.get(each.operation_id, 0)) for each, d in _sent(going)]
    if len(list(collections_of(writes))) > COMPOSITE_QUERIES_OR_COLLECTIONS:
        return False
    _record_unchanged(session, going)
    session.ledger.commit()
    volumes = Counter((write.sobject, str(write.written_as)) for write in writes)
    outbox = Outbox(session, "records", volumes)
    outbox.add([decision for _, decision in _sent(going)], writes)
    outbox.flush()
    _settle_details(session, absences)
    return True


def _send(session: DeliverySession, topic: RecordTopic) -> bool:
    """Sends a topic's records that are to be so; returns whether there were any."""
    outbox = None
    for due in _windows(session, topic):
        outbox = outbox or Outbox(session, topic.name, _volumes(session, topic, absent=False))
        decided = list(_decide(session, topic, due, {}))
        _add(session, outbox, decided)
    if outbox is not None:
        outbox.flush()
    return outbox is not None


def _delete(session: DeliverySession, topics: Sequence[RecordTopic]) -> None:
    """Sends what is to be gone, children first; details go with their masters."""
    absences = _absences(session, topics)
    for topic in reversed(topics):
        of_topic = [decided for decided in absences.deleted if decided[0].topic == topic.name]
        if of_topic:
            outbox = Outbox(session, topic.name, _volumes(session, topic, absent=True))
            for start in range(0, len(of_topic), WINDOW):
                _add(session, outbox, of_topic[start : start + WINDOW])
            outbox.flush()
    _settle_details(session, absences)


def _add(session: DeliverySession, outbox: Outbox, decided: Sequence[Decided]) -> None:
    _record_unchanged(session, decided)
    writes = [write_of_record(each, decision) for each, decision in _sent(decided)]
    session.ledger.commit()
    outbox.add([decision for _, decision in _sent(decided)], writes)


def _windows(
    session: DeliverySession, topic: RecordTopic, *, absent: bool = False, along: Keys | None = None
) -> Iterator[list[DueRecord]]:
    """What of a topic is due, in parts."""
    after = 0
    while due := due_records(
        session.ledger,
        session.account_id,
        topic.name,
        absent=absent,
        along=list(along or ()),
        after=after,
        limit=WINDOW,
    ):
        after = due[-1].operation_id
        yield due


def _volumes(
    session: DeliverySession, topic: RecordTopic, *, absent: bool
) -> dict[tuple[str, str], int]:
    pending = due_record_volumes(session.ledger, session.account_id)
    return {
        (sobject, "delete" if absent else "create"): number
        for (name, sobject, gone), number in pending.items()
        if name == topic.name and gone is absent
    }


def _decide(
    session: DeliverySession, topic: RecordTopic, due: Sequence[DueRecord], along: Keys
) -> Iterator[Decided]:
    """Decides records that are to be so; those that may not be written are told as failed."""
    known = schemas(session, dict.fromkeys(each.intent["sobject"] for each in due))
    masters = {
        master for each in due for master in former_masters(each, known[each.intent["sobject"]])
    }
    gone = masters - held_keys(session.ledger, session.account_id, masters).keys()
    for each in due:
        schema = known[each.intent["sobject"]]
        decision = decide_record(each, schema, topic.kind, along=along, gone=gone)
        if hidden := unwritable_references(each, decision, schema):
            _fail_hidden(session, decision, hidden)
        else:
            yield each, decision


def _fail_hidden(session: DeliverySession, decision: Decision, hidden: Sequence[str]) -> None:
    """Without its reference a record would be nobody's, so it is not sent."""
    named = ", ".join(f"{decision.sobject}.{field}" for field in hidden)
    message = (
        f"The org lets the user not write {named}; give the user Read and Edit on it in a "
        "permission set"
    )
    forget_schemas(session, [decision.sobject])
    failed = Failed(
        decision.operation_id, "HIDDEN_REFERENCE", message, 1, decision.sobject, "create"
    )
    record_failures(session, decision.counted_as, [failed])


def _absences(session: DeliverySession, topics: Sequence[RecordTopic]) -> _Absences:
    """What of all topics is to be gone."""
    absences = _Absences(ids_to_go(session.ledger, session.account_id))
    for topic in reversed(topics):
        for due in _windows(session, topic, absent=True):
            # Only what refers to one that goes may be its detail.
            may_go_along = [each for each in due if _refers_to(each, absences.going)]
            sobjects = dict.fromkeys(each.intent["sobject"] for each in may_go_along)
            known = schemas(session, sobjects) if sobjects else {}
            for each in due:
                schema = known.get(each.intent["sobject"])
                decision = decide_absence(each, topic.kind)
                if schema and goes_with_its_master(each, schema, absences.going):
                    absences.details.append((each, decision, schema))
                else:
                    absences.deleted.append((each, decision))
    return absences


def _refers_to(due: DueRecord, ids: Collection[str]) -> bool:
    return any(to.salesforce_id in ids for to in due.last_references.values())


def _settle_details(session: DeliverySession, absences: _Absences) -> None:
    """Records details whose masters are deleted by now; the others stay pending."""
    if not absences.details:
        return
    gone = absences.going - held_keys(session.ledger, session.account_id, absences.going).keys()
    done = []
    for each, decision, schema in reversed(absences.details):
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
            session.tally[each.topic, "delete"] += 1
    record_done(session.ledger, session.cycle_id, done)
    forget_records(session.ledger, [each.operation_id for each in done])
    session.ledger.commit()


def _sent(decided: Sequence[Decided]) -> list[Decided]:
    return [(each, decision) for each, decision in decided if decision.action != "none"]


def _record_unchanged(session: DeliverySession, decided: Sequence[Decided]) -> None:
    by_id = {d.operation_id: d for _, d in decided if d.action == "none"}
    record_unchanged(session, list(by_id.values()))
    done = [
        Done(ref, each.sobject, "none", each.salesforce_id or "") for ref, each in by_id.items()
    ]
    keep_held(session, done, by_id)
