"""Sending decided writes: by composite calls as they come, or gathered for a bulk job."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import compress

from crm_pipeline.delivery.allowance import Allowance
from crm_pipeline.delivery.decisions import BY_DUPLICATE_RULE, Decision
from crm_pipeline.delivery.desk import Desk
from crm_pipeline.delivery.lost_records import ask_which_are_there
from crm_pipeline.delivery.recorder import Recorder
from crm_pipeline.delivery.recording import note_changes
from crm_pipeline.delivery.relocation import relocate
from crm_pipeline.delivery.replacing import read_replaced, replaced_by
from crm_pipeline.delivery.storage import EVERYTHING
from crm_pipeline.ledger.bulk_jobs import forget_bulk_job, note_bulk_job
from crm_pipeline.ledger.outcomes import (
    Done,
    end_sending,
    note_sending,
    record_done,
)
from crm_pipeline.ledger.replaced import keep_replaced
from crm_pipeline.salesforce.budget import RouteName
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

_OF_RECORD = 1_600
"""Bytes that a record's keys, references and fields as they were read take beside its write."""

LOCKED_FROM = 20
"""So many rows of a round, locked: calls go one at a time for the rest of the cycle."""

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


class Dispatch:
    """Takes decisions, window by window, and sends them by the route that suits their number."""

    def __init__(self, desk: Desk, stage: str, volumes: Mapping[tuple[str, str], int]) -> None:
        """Chooses the route.

        Args:
            desk: the account's delivery.
            stage: what is sent, for the report.
            volumes: about how many records, by (sObject, action).
        """
        self._desk = desk
        self.by_bulk = desk.allowance.choose_route(stage, volumes).name == "bulk"
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
        decisions, queue = _that_may_go(self._desk, decisions, queue)
        read_replaced(self._desk, decisions)
        note_changes(self._desk, decisions)
        decided = {decision.operation_id: decision for decision in decisions}
        if not self.by_bulk:
            _send_by_composite(self._desk, queue, decided, behind)
            return
        self._gathered += queue
        self._decided |= decided
        self._bytes += sum(map(_memory, decisions, queue))
        if self._bytes >= GATHERED_BYTES:
            self.flush()

    def flush(self) -> None:
        """Sends what is kept. Raises as `add`."""
        if self._gathered:
            _send_by_bulk(self._desk, self._gathered, self._decided)
        self._gathered, self._decided, self._bytes = [], {}, 0


def _that_may_go(
    desk: Desk, decisions: Sequence[Decision], writes: list[Write]
) -> tuple[Sequence[Decision], list[Write]]:
    """Decisions and their writes without those that stay pending.

    The org has no room for these, or the plan by which alone something is sent says otherwise.
    """
    if desk.approval is None and EVERYTHING not in desk.rooms:
        return decisions, writes
    unapproved = desk.unapproved(writes)
    may_go = [
        decision.operation_id not in unapproved and desk.has_room(decision)
        for decision in decisions
    ]
    return list(compress(decisions, may_go)), list(compress(writes, may_go))


def _send_by_composite(
    desk: Desk,
    queue: list[Write],
    decisions: dict[int, Decision],
    behind: Behind | None,
) -> None:
    """Sends composite calls and records each answer as it comes."""
    parallel = 1 if desk.passes.one_at_a_time else desk.chosen.parallel_requests
    for sent in range(ROUNDS):
        if not queue:
            return
        queue, beyond = _within_allowance(desk.allowance, queue)
        recorder = Recorder(desk, queue, decisions, last=sent + 1 == ROUNDS)
        _send_round(desk, queue, recorder, parallel, behind)
        desk.passes.one_at_a_time |= recorder.locked >= LOCKED_FROM
        _see_what_moved(desk, recorder)
        _attach_duplicates(desk, recorder.duplicates, decisions)
        if beyond:
            desk.allowance.demand_calls()
        queue, parallel = [*recorder.again, *beyond], 1


def _send_round(
    desk: Desk,
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
        decisions, writes = _that_may_go(
            desk, [decision for decision, _ in ready], [write for _, write in ready]
        )
        if not writes:
            return []
        note_changes(desk, decisions)
        recorder.expect(writes, {decision.operation_id: decision for decision in decisions})
        _note_sending(desk, writes, recorder.decisions, "composite")
        return writes

    with _under_way(queue, recorder, "composite"):
        for outcomes in send_by_composite(
            desk.org.log_in(), queue, headers=desk.org.headers(), parallel=parallel, more=more
        ):
            with desk.ledger.step():
                done += recorder.record(outcomes)


@contextmanager
def _under_way(writes: Sequence[Write], recorder: Recorder, route: RouteName) -> Iterator[None]:
    """Notes what is about to be sent, and commits that, before the first request of the block.

    From there on a crash or a lost answer leaves it to be looked up, never to be sent blindly
    again. Operations without an outcome stay as they were.
    """
    desk = recorder.desk
    ledger = desk.ledger
    _note_sending(desk, writes, recorder.decisions, route)
    try:
        yield
    except SalesforceProblem:
        with ledger.step() as connection:
            end_sending(connection, ledger.account_id, recorder.lost)
        raise
    org = desk.allowance.org
    with ledger.step() as connection:
        end_sending(
            connection, ledger.account_id, recorder.lost, org_time=org.org_time if org else None
        )


def _note_sending(
    desk: Desk, writes: Sequence[Write], decisions: Mapping[int, Decision], route: RouteName
) -> None:
    refs: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for write in writes:
        refs[write.sobject, write.written_as].append(write.ref)
    ledger = desk.ledger
    replaced = replaced_by(writes, decisions, desk.org.log_in().user_id)
    with ledger.step() as connection:
        note_sending(connection, ledger.account_id, ledger.cycle_id, refs, route)
        keep_replaced(ledger, replaced, sent=True)


def _within_allowance(allowance: Allowance, queue: list[Write]) -> tuple[list[Write], list[Write]]:
    """Splits the queue into the writes that the remaining calls can carry, and the rest."""
    left = allowance.demand_calls()
    if left is None:
        return queue, []
    return queue[: left * RECORDS_PER_CALL], queue[left * RECORDS_PER_CALL :]


def _send_by_bulk(desk: Desk, writes: Sequence[Write], decisions: dict[int, Decision]) -> None:
    """Sends bulk jobs; what is refused but can be mended goes by composite calls afterwards.

    So does a value that a bulk job would take for an empty one.
    """
    desk.allowance.demand_calls()
    jobs: dict[str, set[int]] = {}

    def note(job_id: str, refs: list[int]) -> None:
        with desk.ledger.step() as connection:
            note_bulk_job(connection, desk.ledger.account_id, job_id)
        jobs[job_id] = set(refs)

    sent = [write for write in writes if NULL not in write.fields.values()]
    rule_id = _ask_assignment_rule(desk, sent)
    recorder = Recorder(desk, sent, decisions, by_bulk=True)
    org = desk.org.log_in()
    with _under_way(sent, recorder, "bulk"):
        for outcomes in send_by_bulk(org, sent, assignment_rule_id=rule_id, on_job=note):
            for start in range(0, len(outcomes), RECORDED_AT_A_TIME):
                with desk.ledger.step():
                    recorder.record(outcomes[start : start + RECORDED_AT_A_TIME])
    with desk.ledger.step() as connection:
        for job_id, refs in jobs.items():
            if refs.isdisjoint(recorder.lost):
                forget_bulk_job(connection, desk.ledger.account_id, job_id)
    _see_what_moved(desk, recorder)
    if recorder.again or recorder.duplicates or len(sent) < len(writes):
        desk.allowance.only_composite = True
        desk.passes.another = True


def _ask_assignment_rule(desk: Desk, writes: Sequence[Write]) -> str | None:
    """The rule that is to run on new leads of a bulk job: one call, and only where one is to."""
    new_leads = any(write.sobject == "Lead" and write.action == "create" for write in writes)
    if not (desk.chosen.assignment_rules and new_leads):
        return None
    return active_assignment_rule(desk.org.log_in())


def _attach_duplicates(
    desk: Desk, stopped_by_rule: Sequence[Write], decisions: dict[int, Decision]
) -> None:
    """Leads that a duplicate rule stopped: their people are the records that the rule names.

    Only a create that goes alone is told which records those are. They are somebody's work and
    were found by other means than the email, so their fields stay as they are.
    """
    for start in range(0, len(stopped_by_rule), COMPOSITE_SUBREQUESTS):
        batch = stopped_by_rule[start : start + COMPOSITE_SUBREQUESTS]
        recorder = Recorder(desk, batch, decisions)
        with _under_way(batch, recorder, "composite"):
            created = single_create(desk.org.log_in(), batch, headers=desk.org.headers())
            attached = [
                Done(
                    each.outcome.ref,
                    each.duplicates[0].sobject,
                    "none",
                    each.duplicates[0].salesforce_id,
                    BY_DUPLICATE_RULE,
                )
                for each in created
                if each.outcome.status == "error" and each.duplicates
            ]
            record_done(desk.ledger.connection, desk.ledger.cycle_id, attached)
            settled = {done.operation_id for done in attached}
            recorder.record([each.outcome for each in created if each.outcome.ref not in settled])


def _see_what_moved(desk: Desk, recorder: Recorder) -> None:
    """Asks the org for records that are not where they were, and records what becomes of them.

    Schedules another pass where the org's records differ from what was expected.
    """
    if recorder.moved:
        relocate(desk.ledger, desk.org, recorder.moved)
    if recorder.moved or recorder.to_read:
        desk.passes.another = True
    ids: defaultdict[str, list[str]] = defaultdict(list)
    for write, _ in recorder.perhaps_gone:
        ids[write.sobject].append(str(write.salesforce_id))
    if ids:
        there = ask_which_are_there(desk.org, ids)
        with desk.ledger.step():
            recorder.record_perhaps_gone(there)


def _memory(decision: Decision, write: Write) -> int:
    """About how many bytes a write, its decision and its outcome take while they are kept."""
    texts = sum(len(value) for value in write.fields.values() if isinstance(value, str))
    of_record = _OF_RECORD if decision.holds else 0
    return 340 + 110 * len(write.fields) + texts + of_record
