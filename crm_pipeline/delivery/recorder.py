"""The recorder: what came of the writes of one round, by the one error table."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from crm_pipeline.delivery.decisions import Decision
from crm_pipeline.delivery.desk import Desk
from crm_pipeline.delivery.kind import (
    ACTIVITY,
    MEMBER,
    PASSING,
    PERSON,
    RECORD,
    UNDO,
    Remedy,
    remedy,
)
from crm_pipeline.delivery.recording import keep_held, keep_updates, note_changes, record_failures
from crm_pipeline.delivery.refusals import (
    ABOUT,
    FIELD_IS_GONE,
    OF_A_REFERENCE,
    PERSON_SOBJECTS,
    blamed,
    is_of_a_reference,
    is_of_others,
    what_to_mend,
)
from crm_pipeline.ledger.campaigns import note_members
from crm_pipeline.ledger.incidents import Incident, note_incident, open_incidents
from crm_pipeline.ledger.org_phones import add_phones
from crm_pipeline.ledger.outcomes import (
    LEFT_DELETED,
    Done,
    Emptied,
    Failed,
    back_to_pending,
    forget_moved_activities,
    let_others_fill,
    record_done,
)
from crm_pipeline.ledger.read_back import OrgValue, note_values
from crm_pipeline.ledger.records import (
    forget_records,
    which_held,
)
from crm_pipeline.ledger.undo import forget_undone_members, take_for_ours
from crm_pipeline.salesforce.describe import FieldChange
from crm_pipeline.salesforce.errors import Treatment
from crm_pipeline.salesforce.numbers import numbers_of
from crm_pipeline.salesforce.outcomes import Outcome, RowError, Write

INCIDENT_FROM = 20
"""So many records of one batch, all refused for one reason, are one incident."""


class Recorder:
    """Records the outcomes of one round and gathers what is to be sent again."""

    def __init__(
        self,
        desk: Desk,
        writes: Sequence[Write],
        decisions: dict[int, Decision],
        *,
        last: bool = False,
        by_bulk: bool = False,
    ) -> None:
        """Expects the outcomes of writes.

        Args:
            desk: the account's delivery.
            writes: what is sent.
            decisions: theirs, to which `expect` adds.
            last: whether nothing is sent again in this cycle: what is refused has failed.
            by_bulk: whether it is a bulk job's: its remedies are those of the composite calls that
                mend it afterwards, once each.
        """
        self.desk = desk
        self.last = last
        self.by_bulk = by_bulk
        self.writes = {write.ref: write for write in writes}
        self.decisions = decisions
        self.lost: list[int] = []
        self.locked = 0
        self.again: list[Write] = []
        self.moved: list[Write] = []
        self.duplicates: list[Write] = []
        self.deleted: list[Write] = []
        self.anew: list[Write] = []
        self.to_read: list[Write] = []
        self.perhaps_gone: list[tuple[Write, RowError]] = []
        self._held: list[tuple[Write, RowError]] = []

    def expect(self, writes: Sequence[Write], decisions: Mapping[int, Decision]) -> None:
        """Takes in what is going to have outcomes too."""
        self.writes |= {write.ref: write for write in writes}
        self.decisions |= decisions

    def record(self, outcomes: Sequence[Outcome]) -> list[Done]:
        """Records a batch of outcomes within the current transaction; returns what went through."""
        done = self._record_successes([o for o in outcomes if o.status == "ok"])
        self.lost += [o.ref for o in outcomes if o.status == "lost"]
        refused = [o for o in outcomes if o.status == "error"]
        self._keep_updates([o.ref for o in refused])
        failed: list[Failed] = []
        orphans = self._orphans([o.ref for o in refused])
        for outcome in refused:
            if outcome.ref not in orphans:
                self._treat(self.writes[outcome.ref], outcome.errors, failed)
        self._record_deleted()
        if len(failed) == len(outcomes) >= INCIDENT_FROM:
            failed = self._as_one_incident(failed, outcomes)
        else:
            failed = self._with_common_causes(failed, refused)
        self._record_failed(failed)
        self._note_held()
        return done

    def _record_failed(self, failed: Sequence[Failed]) -> None:
        by_topic: defaultdict[str, list[Failed]] = defaultdict(list)
        for each in failed:
            by_topic[self.decisions[each.operation_id].counted_as].append(each)
        for topic, some in by_topic.items():
            record_failures(self.desk, topic, some)

    def _orphans(self, refused: Sequence[int]) -> set[int]:
        """Records that were refused since a parent was, which went out before them.

        They wait for it, at no cost.
        """
        parents = {
            ref: holds.by_key
            for ref in refused
            if (holds := self.decisions[ref].holds) and holds.by_key
        }
        if not parents:
            return set()
        desk = self.desk
        held = which_held(
            desk.ledger.connection, desk.ledger.account_id, frozenset().union(*parents.values())
        )
        orphans = {ref for ref, keys in parents.items() if not keys <= held}
        if orphans:
            back_to_pending(desk.ledger.connection, list(orphans))
            desk.passes.another = True
        return orphans

    def _record_successes(self, outcomes: Sequence[Outcome]) -> list[Done]:
        successes: list[Done] = []
        met: list[Done] = []
        for outcome in outcomes:
            write, decision = self.writes[outcome.ref], self.decisions[outcome.ref]
            action = write.written_as
            self.desk.count_written(decision.counted_as, decision.kind, write.sobject, action)
            if _is_made_anew(write, decision):
                self.anew.append(write)
                continue
            differs = decision.altered or write.fields != decision.fields
            altered = differs or self.desk.is_planned
            done = Done(
                outcome.ref,
                write.sobject,
                action,
                str(outcome.salesforce_id),
                decision.reason,
                sent=write.fields if altered else None,
                filled=decision.filled,
            )
            (met if _met_an_old_one(write, decision, outcome) else successes).append(done)
        self._keep_met(met)
        # First, as it goes by what the ledger knows of earlier tries.
        keep_held(self.desk.ledger, successes, self.decisions)
        if record_done(self.desk.ledger.connection, self.desk.ledger.cycle_id, successes):
            self.desk.passes.another = True
        self._let_others_fill(successes)
        self._note_written(successes)
        self._note_numbers(successes)
        self._note_members(successes)
        self._note_taken_back(successes)
        return successes

    def _keep_met(self, met: Sequence[Done]) -> None:
        """Has records updated that were taken for new: what is to be empty has an old value yet.

        People took them out of the bin, or the ledger is younger than they are.
        """
        if not met:
            return
        refs = [each.operation_id for each in met]
        for ref in refs:
            holds = self.decisions[ref].holds
            self.decisions[ref].holds = holds and replace(holds, last={})
        keep_held(self.desk.ledger, met, self.decisions)
        self._note_written(met)
        back_to_pending(self.desk.ledger.connection, refs)
        self.desk.passes.another = True

    def _let_others_fill(self, done: Sequence[Done]) -> None:
        """Decides those anew who share a record of which another person's fields were emptied."""
        updates = [
            (each, self.writes[each.operation_id].fields)
            for each in done
            if each.action == "update" and self.decisions[each.operation_id].kind is PERSON
        ]
        emptied = [
            Emptied(each.operation_id, each.salesforce_id, fields)
            for each, written in updates
            if (fields := [field for field, value in written.items() if value is None])
        ]
        if not emptied:
            return
        if let_others_fill(self.desk.ledger, emptied, self.desk.chosen.fields_that_go_together):
            self.desk.passes.another = True

    def _note_written(self, done: Sequence[Done]) -> None:
        """Keeps what was written to watched fields: read back, it is no change."""
        watched = self.desk.watched
        if not watched:
            return
        values = {
            each.salesforce_id: OrgValue(written=written)
            for each in done
            if (fields := watched.get(each.sobject))
            and (
                written := {
                    name: value
                    for name, value in self.writes[each.operation_id].fields.items()
                    if name in fields
                }
            )
        }
        note_values(self.desk.ledger, self.desk.org.log_in().organization_id, values)

    def _note_numbers(self, done: Sequence[Done]) -> None:
        """Keeps the numbers of people: who calls within minutes is known before it is read back."""
        if not self.desk.chosen.knows_by_phone:
            return
        region = self.desk.chosen.phone_region
        numbers = {
            str(each.salesforce_id): numbers_of(
                each.sobject, self.writes[each.operation_id].fields, region
            )
            for each in done
            if each.sobject in PERSON_SOBJECTS
        }
        add_phones(self.desk.ledger.connection, self.desk.ledger.account_id, numbers)

    def _note_members(self, done: Sequence[Done]) -> None:
        refs = [each.operation_id for each in done]
        members = [ref for ref in refs if self.decisions[ref].kind is MEMBER]
        if members:
            note_members(self.desk.ledger.connection, members)

    def _note_taken_back(self, done: Sequence[Done]) -> None:
        """What was restored is ours where people's edits stay; a membership that went is none."""
        undone = [e for e in done if self.decisions[e.operation_id].kind is UNDO]
        connection = self.desk.ledger.connection
        if "unless_edited" in self.desk.chosen.policies_in_use and (
            restored := [each.operation_id for each in undone if each.action == "update"]
        ):
            take_for_ours(connection, restored)
        if members := [e.operation_id for e in undone if e.sobject == "CampaignMember"]:
            forget_undone_members(connection, members)

    def _keep_updates(self, refused: Sequence[int]) -> None:
        """People whose update is refused are known all the same: their activities go on."""
        decided = [self.decisions[ref] for ref in refused]
        undecided = [
            each
            for each in decided
            if each.kind is PERSON and each.action == "update" and each.altered
        ]
        if undecided:
            keep_updates(self.desk.ledger.connection, undecided)

    def _treat(self, write: Write, errors: Sequence[RowError], failed: list[Failed]) -> None:
        """Treats one refused row by the error table. Faults of the account never come here."""
        if self._may_degrade(write, errors[0]) and self._degraded(write, errors):
            return
        error = errors[0]
        if self._lacks_what_is_never_left_out(write, error):
            self._describe_anew(write, error, failed)
            return
        self.locked += error.treatment is Treatment.RETRY_SERIALLY
        chosen = self._remedy(write, error)
        match chosen:
            case Remedy.AGAIN if not self.last:
                self.again.append(write)
            case Remedy.AGAIN_ONCE if self.by_bulk or (not self.last and self._once(write, error)):
                self.again.append(write)
            case Remedy.READ_ANEW:
                self.to_read.append(write)
            case Remedy.SEE_WHICH_IS_GONE:
                self.perhaps_gone.append((write, error))
            case Remedy.STAYS_GONE:
                self.deleted.append(write)
            case Remedy.MADE_ANEW:
                self.anew.append(write)
            case Remedy.RELOCATE if self._may_have_moved(write, error):
                self.moved.append(write)
            case Remedy.USE_DUPLICATE if self.by_bulk or self._once(write, error):
                self.duplicates.append(write)
            case Remedy.WAITS:
                self._held.append((write, error))
                failed.append(_failed(write, error, 0))
            case _:
                passing = chosen in PASSING or (chosen is Remedy.WITHOUT_FIELDS and self.last)
                failed.append(_failed(write, error, 1 if passing else None))

    def _remedy(self, write: Write, error: RowError) -> Remedy:
        decision = self.decisions[write.ref]
        # A record that the org cannot even read was found among others by halving their request.
        unreadable = error.treatment is Treatment.STOP_ACCOUNT
        treatment = Treatment.GIVE_UP if unreadable else error.treatment
        of_reference = decision.names_another(write)
        chosen = remedy(decision.kind, treatment, write.written_as, of_reference=of_reference)
        of_activity = decision.kind is ACTIVITY and write.action == "update"
        if of_activity and chosen is Remedy.RELOCATE and self._was_tried(write, error):
            # Its person was found since: perhaps it is the activity itself that is gone.
            return Remedy.SEE_WHICH_IS_GONE
        return chosen

    def _was_tried(self, write: Write, error: RowError) -> bool:
        return self.desk.passes.was_tried(write.ref, error.code)

    def _once(self, write: Write, error: RowError) -> bool:
        return self.desk.passes.try_once(write.ref, error.code)

    def _may_degrade(self, write: Write, error: RowError) -> bool:
        """Returns whether another try without the refused fields may help.

        A reference is at fault where it says so, or where the person is where it was before.
        """
        if self.last:
            return False
        asked_before = self._was_tried(write, error)
        of_a_reference = error.code in OF_A_REFERENCE and not error.fields and asked_before
        return (
            error.treatment is Treatment.DEGRADE_FIELD
            or of_a_reference
            or is_of_a_reference(write, error)
        )

    def _lacks_what_is_never_left_out(self, write: Write, error: RowError) -> bool:
        if error.code not in FIELD_IS_GONE:
            return False
        at_fault = blamed(write, error)
        return not self._never_left_out(write).isdisjoint(at_fault) or self._demanded(
            write, at_fault
        )

    def _describe_anew(self, write: Write, error: RowError, failed: list[Failed]) -> None:
        """Has the object described anew, which names the field that the org hides, and stops.

        Where the describe shows the field all the same, the row loses one of its tries.
        """
        self.desk.schemas.forget([write.sobject], now=True)
        if self._once(write, error):
            back_to_pending(self.desk.ledger.connection, [write.ref])
            self.desk.passes.another = True
        else:
            failed.append(_failed(write, error, 1))

    def _demanded(self, write: Write, fields: Iterable[str]) -> bool:
        """Returns whether a flow demands one of these fields for its records."""
        is_record = self.decisions[write.ref].kind.name == RECORD.name
        return is_record and bool(self.desk.schemas.demanded(write.sobject, fields))

    def _never_left_out(self, write: Write) -> frozenset[str]:
        """The fields without which a record would be another one, or nobody's."""
        decision = self.decisions[write.ref]
        references = decision.holds.references if decision.holds else ()
        key = [write.external_id_field] if write.external_id_field else ()
        return decision.kind.identifying.union(ABOUT, references, key)

    def _may_have_moved(self, write: Write, error: RowError) -> bool:
        """Returns whether the record that a write is about is to be looked for, once."""
        return not is_of_a_reference(write, error) and self.desk.passes.try_once(
            write.ref, error.code
        )

    def _record_deleted(self) -> None:
        """Records that people deleted and that stay gone: there is nothing left to update."""
        if not self.deleted and not self.anew:
            return
        to_make = {w.ref for w in self.deleted if _is_made_anew(w, self.decisions[w.ref])}
        to_make |= forget_moved_activities(
            self.desk.ledger.connection,
            [each.ref for each in self.deleted if each.action == "update"],
        )
        self.anew += [write for write in self.deleted if write.ref in to_make]
        self.deleted = [write for write in self.deleted if write.ref not in to_make]
        gone = [
            Done(each.ref, each.sobject, "none", str(each.salesforce_id), LEFT_DELETED)
            for each in self.deleted
        ]
        record_done(self.desk.ledger.connection, self.desk.ledger.cycle_id, gone)
        self._note_members(gone)
        forget_records(
            self.desk.ledger.connection,
            [each.ref for each in self.deleted if each.action == "delete"],
        )
        self.deleted = []
        if self.anew:
            refs = [each.ref for each in self.anew]
            forget_records(self.desk.ledger.connection, refs)
            back_to_pending(self.desk.ledger.connection, refs)
            self.desk.passes.another = True
        self.anew = []

    def record_perhaps_gone(self, there: Collection[str]) -> None:
        """Records what becomes of `perhaps_gone`, of which these are in the org.

        A record that is there itself names another that is gone: it loses one of its tries.
        """
        failed: list[Failed] = []
        for write, error in self.perhaps_gone:
            if write.salesforce_id in there:
                failed.append(_failed(write, error, 1))
            elif self.decisions[write.ref].kind.when_gone is Remedy.MADE_ANEW:
                self.anew.append(write)
            else:
                self.deleted.append(write)
        self.perhaps_gone = []
        self._record_deleted()
        self._record_failed(failed)

    def _as_one_incident(
        self, failed: Sequence[Failed], outcomes: Sequence[Outcome]
    ) -> list[Failed]:
        """Makes one incident, without attempts, of a cause that refused a whole batch."""
        if len({each.error_code for each in failed}) > 1:
            return list(failed)
        self._held = [(self.writes[each.ref], each.errors[0]) for each in outcomes]
        return [replace(each, attempts=0) for each in failed]

    def _with_common_causes(
        self, failed: Sequence[Failed], refused: Sequence[Outcome]
    ) -> list[Failed]:
        """Takes no attempt of what may heal by itself where its cause hits many, or did.

        Then it is an incident, though others of the batch went through.
        """
        waiting = [e for e in failed if not self.decisions[e.operation_id].kind.gives_up]
        if not waiting:
            return list(failed)
        numbers = Counter((each.error_code, each.sobject) for each in waiting)
        open_ones = open_incidents(self.desk.ledger.connection, self.desk.ledger.account_id)
        known = {(each.code, each.subject) for each in open_ones}
        common = {c for c, number in numbers.items() if number >= INCIDENT_FROM or c in known}
        held = {e.operation_id for e in waiting if (e.error_code, e.sobject) in common}
        self._held += [
            (self.writes[each.ref], each.errors[0]) for each in refused if each.ref in held
        ]
        return [replace(e, attempts=0) if e.operation_id in held else e for e in failed]

    def _note_held(self) -> None:
        """Opens an incident for each cause that holds up records until people mend it."""
        causes: defaultdict[tuple[str, str], list[RowError]] = defaultdict(list)
        for write, error in self._held:
            causes[error.code, write.sobject].append(error)
        self._held = []
        for (code, sobject), errors in causes.items():
            note_incident(
                self.desk.ledger.connection,
                self.desk.ledger.account_id,
                Incident(code, sobject, len(errors), what_to_mend(code, sobject, errors)),
            )

    def _degraded(self, write: Write, errors: Sequence[RowError]) -> bool:
        """Takes the refused fields out, where the account allows it, and sends the rest.

        Not the email: without it the person would be taken for another one next time. A write
        that has none of the fields was refused along with one that has, and goes again.
        """
        refused = {
            field: error.code
            for error in errors
            for at_fault in blamed(write, error)
            for field in write.fields
            if field.lower() == at_fault.lower()
        }
        if not refused and is_of_others(errors[0]):
            self.again.append(write)
            return True
        allowed = self.desk.account.settings.degrade_fields
        kind = self.decisions[write.ref].kind
        if not (allowed and refused) or not self._never_left_out(write).isdisjoint(refused):
            return False
        if self._demanded(write, (f for f, code in refused.items() if code in FIELD_IS_GONE)):
            return False
        rest = {field: value for field, value in write.fields.items() if field not in refused}
        note_changes(
            self.desk,
            [
                Decision(
                    write.ref,
                    "update",
                    write.sobject,
                    write.salesforce_id,
                    rest,
                    "",
                    [
                        FieldChange(
                            field,
                            FIELD_IS_GONE.get(code, f"refused: {code}"),
                            write.fields[field],
                            None,
                        )
                        for field, code in refused.items()
                    ],
                    kind=kind,
                )
            ],
        )
        self.desk.schemas.forget(
            [write.sobject], now=not FIELD_IS_GONE.keys().isdisjoint(refused.values())
        )
        self.again.append(replace(write, fields=rest))
        return True


def _is_made_anew(write: Write, decision: Decision) -> bool:
    """Returns whether a record is deleted so as to be made anew, under another master."""
    holds = decision.holds
    return write.action == "delete" and holds is not None and holds.is_wanted


def _met_an_old_one(write: Write, decision: Decision, outcome: Outcome) -> bool:
    """Returns whether the org had a record by its key, which keeps what is to be empty."""
    holds = decision.holds
    is_old = write.action == "upsert" and not outcome.created
    return is_old and holds is not None and holds.leaves_empty


def _failed(write: Write, error: RowError, attempts: int | None) -> Failed:
    return Failed(write.ref, error.code, error.message, attempts, write.sobject, write.written_as)
