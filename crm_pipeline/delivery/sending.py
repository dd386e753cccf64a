"""Sending decided writes: by composite calls as they come, or gathered for a bulk job."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from crm_pipeline.delivery.decisions import Decision
from crm_pipeline.delivery.lost_records import which_are_there
from crm_pipeline.delivery.recording import Recorder, note_changes
from crm_pipeline.delivery.relocation import relocate
from crm_pipeline.delivery.session import DeliverySession
from crm_pipeline.ledger.bulk_jobs import forget_bulk_job, note_bulk_job
from crm_pipeline.ledger.outcomes import (
    Done,
    end_sending,
    note_sending,
    record_done,
)
from crm_pipeline.salesforce.bulk import active_assignment_rule, send_by_bulk
from crm_pipeline.salesforce.bulk_csv import NULL
from crm_pipeline.salesforce.errors import SalesforceProblem
from crm_pipeline.salesforce.limits import (
    COLLECTION_RECORDS,
    COMPOSITE_QUERIES_OR_COLLECTIONS,
    COMPOSITE_SUBREQUESTS,
)
from crm_pipeline.salesforce.outcomes import Write
from crm_pipeline.salesforce.writes import send_by_composite, single_create

ROUNDS = 4
"""How often what was refused is mended and sent again within one cycle."""

RECORDS_PER_CALL = COLLECTION_RECORDS * COMPOSITE_QUERIES_OR_COLLECTIONS

GATHERED_BYTES = 140_000_000
"""Memory that gathered writes may take, roughly, before they go out as bulk jobs."""

RECORDED_AT_A_TIME = 10_000
"""Outcomes of a bulk job that are recorded in one transaction."""


def write_of(decision: Decision, external_id: tuple[str, str] | None = None) -> Write:
    """The write that a decision comes to; `external_id` (field, value) makes it an upsert."""
    fields = decision.fields
    if external_id is not None and decision.action == "create":
        field, value = external_id
        return Write(
            decision.operation_id,
            decision.sobject,
            "upsert",
            {**fields, field: value},
            external_id_field=field,
        )
    return Write(
        decision.operation_id,
        decision.sobject,
        decision.action if decision.action in ("create", "delete") else "update",
        fields,
        salesforce_id=decision.salesforce_id,
        group_key=fields.get("WhoId") or fields.get("CampaignId") or decision.salesforce_id,
    )


Behind = Callable[[Sequence[Done]], Sequence[tuple[Decision, Write]]]
"""Told what just went through, gives what can go behind it now."""


class Outbox:
    """Takes decisions, window by window, and sends them by the route that suits their number."""

    def __init__(
        self, session: DeliverySession, stage: str, volumes: Mapping[tuple[str, str], int]
    ) -> None:
        """Chooses the route.

        Args:
            session: the account's delivery.
            stage: what is sent, for the report.
            volumes: about how many records, by (sObject, action).
        """
        self._session = session
        self.by_bulk = session.route(stage, volumes).name == "bulk"
        self._gathered: list[Write] = []
        self._decided: dict[int, Decision] = {}
        self._bytes = 0

    def add(
        self,
        decisions: Sequence[Decision],
        writes: Sequence[Write] | None = None,
        *,
        behind: Behind | None = None,
    ) -> None:
        """Sends decisions, or keeps them for a bulk job.

        Args:
            decisions: creates and updates, each operation once.
            writes: what to send for them, in their order; by default what they say.
            behind: gives what goes out behind them, while others of them are still on the way.
                Not with bulk jobs.

        Raises:
            AccountStopped, AccountPaused, OrgUnavailable: the rest was not sent and is pending.
        """
        queue = list(writes if writes is not None else map(write_of, decisions))
        note_changes(self._session, decisions)
        decided = {decision.operation_id: decision for decision in decisions}
        if not self.by_bulk:
            _send_by_composite(self._session, queue, decided, behind)
            return
        self._gathered += queue
        self._decided |= decided
        self._bytes += sum(map(_memory, queue))
        if self._bytes >= GATHERED_BYTES:
            self.flush()

    def flush(self) -> None:
        """Sends what is kept. Raises as `add`."""
        if self._gathered:
            _send_by_bulk(self._session, self._gathered, self._decided)
        self._gathered, self._decided, self._bytes = [], {}, 0


def _send_by_composite(
    session: DeliverySession,
    queue: list[Write],
    decisions: dict[int, Decision],
    behind: Behind | None,
) -> None:
    """Sends composite calls and records each answer as it comes."""
    parallel = session.account.settings.parallel_requests
    for sent in range(ROUNDS):
        if not queue:
            return
        queue, beyond = _within_allowance(session, queue)
        recorder = Recorder(session, queue, decisions, last=sent + 1 == ROUNDS)
        _send_round(session, queue, recorder, parallel, behind)
        if recorder.moved:
            relocate(session, recorder.moved)
        _see_which_is_gone(session, recorder)
        _read_again(session, recorder.to_read)
        _attach_duplicates(session, recorder.duplicates, decisions)
        if beyond:
            session.calls_left()
        queue, parallel = [*recorder.again, *beyond], 1


def _send_round(
    session: DeliverySession,
    queue: Sequence[Write],
    recorder: Recorder,
    parallel: int,
    behind: Behind | None,
) -> None:
    done: list[Done] = []

    def more() -> list[Write]:
        ready = behind(done) if behind else ()
        done.clear()
        if not ready:
            return []
        decisions = [decision for decision, _ in ready]
        writes = [write for _, write in ready]
        note_changes(session, decisions)
        recorder.expect(writes, {decision.operation_id: decision for decision in decisions})
        _note_sending(session, writes)
        return writes

    with _under_way(session, queue, recorder):
        for outcomes in send_by_composite(
            session.org(), queue, headers=session.headers(), parallel=parallel, more=more
        ):
            done += recorder.record(outcomes)
            session.ledger.commit()


@contextmanager
def _under_way(
    session: DeliverySession, writes: Sequence[Write], recorder: Recorder
) -> Iterator[None]:
    """Notes what is about to be sent, and commits that, before the first request of the block.

    From there on a crash or a lost answer leaves it to be looked up, never to be sent blindly
    again. What the block has no outcome for is as it was before.
    """
    _note_sending(session, writes)
    try:
        yield
    except SalesforceProblem:
        end_sending(session.ledger, session.account_id, recorder.lost)
        session.ledger.commit()
        raise
    end_sending(session.ledger, session.account_id, recorder.lost)
    session.ledger.commit()


def _note_sending(session: DeliverySession, writes: Sequence[Write]) -> None:
    refs: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for write in writes:
        refs[write.sobject, write.written_as].append(write.ref)
    note_sending(session.ledger, session.account_id, session.cycle_id, refs)
    session.ledger.commit()


def _within_allowance(
    session: DeliverySession, queue: list[Write]
) -> tuple[list[Write], list[Write]]:
    """What the calls that are left can carry, and the rest."""
    left = session.calls_left()
    if left is None:
        return queue, []
    return queue[: left * RECORDS_PER_CALL], queue[left * RECORDS_PER_CALL :]


def _send_by_bulk(
    session: DeliverySession, writes: Sequence[Write], decisions: dict[int, Decision]
) -> None:
    """Sends bulk jobs; what is refused but can be mended goes by composite calls afterwards.

    So does a value that a bulk job would take for an empty one.
    """
    session.calls_left()
    jobs: dict[str, set[int]] = {}

    def note(job_id: str, refs: list[int]) -> None:
        note_bulk_job(session.ledger, session.account_id, job_id)
        session.ledger.commit()
        jobs[job_id] = set(refs)

    sent = [write for write in writes if NULL not in write.fields.values()]
    rule_id = _assignment_rule(session, sent)
    recorder = Recorder(session, sent, decisions, by_bulk=True)
    with _under_way(session, sent, recorder):
        for outcomes in send_by_bulk(session.org(), sent, assignment_rule_id=rule_id, on_job=note):
            for start in range(0, len(outcomes), RECORDED_AT_A_TIME):
                recorder.record(outcomes[start : start + RECORDED_AT_A_TIME])
                session.ledger.commit()
    for job_id, refs in jobs.items():
        if refs.isdisjoint(recorder.lost):
            forget_bulk_job(session.ledger, session.account_id, job_id)
    session.ledger.commit()
    if recorder.moved:
        relocate(session, recorder.moved)
    _see_which_is_gone(session, recorder)
    _read_again(session, recorder.to_read)
    if recorder.again or recorder.duplicates or len(sent) < len(writes):
        session.mend_by_composite()


def _assignment_rule(session: DeliverySession, writes: Sequence[Write]) -> str | None:
    """The rule that is to run on new leads of a bulk job: one call, and only where one is to."""
    new_leads = any(write.sobject == "Lead" and write.action == "create" for write in writes)
    if not (session.account.settings.assignment_rules and new_leads):
        return None
    return active_assignment_rule(session.org())


def _attach_duplicates(
    session: DeliverySession, stopped_by_rule: Sequence[Write], decisions: dict[int, Decision]
) -> None:
    """Leads that a duplicate rule stopped: their people are the records that the rule names.

    Only a create that goes alone is told which records those are. They are somebody's work and
    were found by other means than the email, so their fields stay as they are.
    """
    for start in range(0, len(stopped_by_rule), COMPOSITE_SUBREQUESTS):
        batch = stopped_by_rule[start : start + COMPOSITE_SUBREQUESTS]
        recorder = Recorder(session, batch, decisions)
        with _under_way(session, batch, recorder):
            created = single_create(session.org(), batch, headers=session.headers())
            attached = [
                Done(
                    each.outcome.ref,
                    each.duplicates[0].sobject,
                    "none",
                    each.duplicates[0].salesforce_id,
                    "named by a duplicate rule",
                )
                for each in created
                if each.outcome.status == "error" and each.duplicates
            ]
            record_done(session.ledger, session.cycle_id, attached)
            settled = {done.operation_id for done in attached}
            recorder.record([each.outcome for each in created if each.outcome.ref not in settled])


def _see_which_is_gone(session: DeliverySession, recorder: Recorder) -> None:
    """Asks the org for records that may be deleted, and records what becomes of them."""
    ids: defaultdict[str, list[str]] = defaultdict(list)
    for write, _ in recorder.perhaps_gone:
        ids[write.sobject].append(str(write.salesforce_id))
    there = [which_are_there(session, sobject, each) for sobject, each in ids.items()]
    if there:
        recorder.record_perhaps_gone(frozenset().union(*there))
        session.ledger.commit()


def _read_again(session: DeliverySession, to_read: Sequence[Write]) -> None:
    """Members that are there already, or no more: what the org has is read before the next try."""
    if to_read:
        session.decided_anew = True


def _memory(write: Write) -> int:
    """About how many bytes a write and its decision take while they are kept."""
    texts = sum(len(value) for value in write.fields.values() if isinstance(value, str))
    return 340 + 110 * len(write.fields) + texts
