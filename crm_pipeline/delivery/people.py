"""People: which record stands for each, what of it is to change, and sending that."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from crm_pipeline.accounts.account import AccountSettings
from crm_pipeline.accounts.orgs import org_is_shared
from crm_pipeline.accounts.people import LAST_CHANGED, NEEDS_A_LOOK, OPT_OUTS
from crm_pipeline.delivery.activities import ActivitiesBehind
from crm_pipeline.delivery.adoption import deleted_records, former_records
from crm_pipeline.delivery.contact_accounts import with_accounts
from crm_pipeline.delivery.decisions import (
    Decision,
    by_policy,
    cut_codes,
    decide_person,
    made_unheard,
    newest_for_each_record,
    without_codes,
)
from crm_pipeline.delivery.desk import Desk
from crm_pipeline.delivery.kind import PERSON
from crm_pipeline.delivery.lookup import SOBJECTS, Lookup, lookup_of
from crm_pipeline.delivery.numbers import Matched, without_others_records
from crm_pipeline.delivery.recording import (
    keep_updates,
    note_changes,
    record_failures,
    record_unchanged,
)
from crm_pipeline.delivery.refusals import PERSON_SOBJECTS
from crm_pipeline.delivery.replacing import replaced_by
from crm_pipeline.delivery.sending import RECORDS_PER_CALL, Dispatch, write_of
from crm_pipeline.delivery.windows import windows
from crm_pipeline.ledger.candidates import Choice, note_choices
from crm_pipeline.ledger.claims import claim_people, database_time, settle_claims
from crm_pipeline.ledger.codes import OwnCode
from crm_pipeline.ledger.conflicts import AskedField, AskedOfPerson, asked_of_people, note_asked
from crm_pipeline.ledger.due import (
    DuePerson,
    DueUpdate,
    DueVolumes,
    due_people,
    due_updates,
    due_volumes,
)
from crm_pipeline.ledger.left_out import leave_people_out
from crm_pipeline.ledger.outcomes import Failed
from crm_pipeline.ledger.parts import SOFTLY
from crm_pipeline.ledger.replaced import keep_replaced
from crm_pipeline.salesforce.composite import query_all
from crm_pipeline.salesforce.describe import SObjectSchema
from crm_pipeline.salesforce.matching import Match
from crm_pipeline.salesforce.soql import packed_in_queries
from crm_pipeline.settings import settings


def create_people(desk: Desk, due: DueVolumes, *, activities_follow: bool) -> None:
    """Decides every pending person; those who are in the org nowhere become Leads at once.

    Where the calls that are left might not do, updates wait for `update_people`: new leads go
    before activities, and these before updates. Those of a bulk job wait as well, since
    together they fill fewer jobs.

    Args:
        desk: the account's delivery.
        due: what is pending.
        activities_follow: whether activities may go right behind their people. They do where
            nothing has to wait and people fill more than one call.
    """
    ledger, unknown = desk.ledger, due.unknown_people
    dispatch = Dispatch(desk, "new leads", {("Lead", "create"): unknown})
    at_once = desk.allowance.does_for_all and not dispatch.by_bulk
    now = ("create", "update") if at_once else ("create",)
    if unknown:
        desk.allowance.demand_calls()
        desk.org.begin_login()
    with lookup_of(desk, unknown) as lookup:
        for people in windows(ledger, due_people):
            follow = at_once and activities_follow and len(people) > RECORDS_PER_CALL
            decisions, behind = _decisions(desk, lookup, people, follow=follow)
            # They are in the decisions, and take much memory while these are sent.
            people.clear()
            _record(desk, [d for d in decisions if d.action not in now])
            dispatch.add([d for d in decisions if d.action in now], behind=behind)
        dispatch.flush()
    with ledger.step():
        settle_claims(ledger)


def _decisions(
    desk: Desk, lookup: Lookup, people: Sequence[DuePerson], *, follow: bool
) -> tuple[list[Decision], ActivitiesBehind | None]:
    """Looks people up and decides them; with the activities that are to follow them. Commits."""
    looked_up_at = database_time(desk.ledger.connection)
    matches = _begin_lookup(lookup, people)
    # Read while the org looks people up.
    behind = ActivitiesBehind(desk, people) if follow else None
    found = matches()
    unsure = _report_several(desk, people, found)
    _note_choices(desk, people, found)
    decided = [d for d in _decided(desk, people, found) if d.operation_id not in unsure]
    decisions = _claim(desk, people, decided, looked_up_at)
    addresses = {person.operation_id: person.address for person in people}
    return with_accounts(desk, decisions, addresses), behind


def _note_choices(desk: Desk, people: Sequence[DuePerson], found: Matched) -> None:
    """Keeps of whom several records were found which these were. Commits."""
    several = [
        Choice(person.operation_id, match.salesforce_id, match.others)
        for person in people
        if person.is_to_be_found
        and (match := found.by_address.get(person.address)) is not None
        and match.others
    ]
    if several:
        with desk.ledger.step() as connection:
            note_choices(connection, desk.ledger.account_id, several)


def _report_several(desk: Desk, people: Sequence[DuePerson], found: Matched) -> set[int]:
    """Fails people for whom several records stand, where the account wants none of them. Commits.

    They wait for somebody who merges the records and has them tried again.
    """
    if desk.chosen.several_matches == "first":
        return set()
    failed = [
        Failed(
            person.operation_id,
            OwnCode.SEVERAL_MATCHES,
            f"{match.several} {match.sobject}s stand for the person ({match.reason}, "
            f"{match.salesforce_id}): merge them in the org, then requeue",
            attempts=None,
            sobject=match.sobject,
        )
        for person in people
        if person.is_to_be_found
        and (match := found.by_address.get(person.address)) is not None
        and match.several > 1
        and match.salesforce_id != person.salesforce_id
    ]
    if failed:
        with desk.ledger.step():
            record_failures(desk, PERSON.name, failed)
    return {each.operation_id for each in failed}


def _claim(
    desk: Desk,
    people: Sequence[DuePerson],
    decisions: Sequence[Decision],
    looked_up_at: datetime,
) -> list[Decision]:
    """The decisions without people whom another account of the org is creating just now. Commits.

    Those stay pending: looked up again, they are found.
    """
    address_of = {person.operation_id: person.address for person in people}
    new = {d.operation_id: address_of[d.operation_id] for d in decisions if d.action == "create"}
    if not new:
        return list(decisions)
    organization_id = desk.org.log_in().organization_id
    if not org_is_shared(desk.ledger.connection, desk.ledger.account_id, organization_id):
        return list(decisions)
    with desk.ledger.step():
        granted = claim_people(
            desk.ledger,
            organization_id,
            new,
            looked_up_at=looked_up_at,
            grace_seconds=settings().lost_answer_grace_seconds,
        )
    if len(granted) < len(new):
        desk.passes.another = True
    return [d for d in decisions if d.action != "create" or d.operation_id in granted]


def _record(desk: Desk, decisions: Sequence[Decision]) -> None:
    """Records what is not sent now: people without changes or left out, and later updates."""
    left_out = [d.operation_id for d in decisions if d.action == "leave_out"]
    updates = [d for d in decisions if d.action == "update"]
    with desk.ledger.step() as connection:
        unchanged = [d for d in decisions if d.action == "none"]
        record_unchanged(desk, unchanged)
        if left_out:
            leave_people_out(connection, left_out)
            desk.tally[PERSON.name, "people_left_out"] += len(left_out)
        if updates:
            keep_updates(connection, updates)
            decided = {each.operation_id: each for each in updates}
            replaced = replaced_by(map(write_of, updates), decided, desk.org.log_in().user_id)
            keep_replaced(desk.ledger, replaced, sent=False)
            note_changes(desk, updates)


def update_people(desk: Desk) -> None:
    """Sends the updates that are decided and wait."""
    ledger = desk.ledger
    due = due_volumes(ledger.connection, ledger.account_id)
    volumes = {("Lead", "update"): due.lead_updates, ("Contact", "update"): due.contact_updates}
    if not any(volumes.values()):
        return
    dispatch = Dispatch(desk, "updates of people", volumes)
    for updates in windows(ledger, due_updates):
        decisions = [_decision(update) for update in updates]
        if dispatch.by_bulk:
            # One field that the org hides since would fail the whole job.
            known = desk.schemas.describe(PERSON_SOBJECTS)
            decisions = [_fitted(decision, known) for decision in decisions]
        dispatch.add([decision for decision in decisions if decision.fields])
        with ledger.step():
            record_unchanged(desk, [decision for decision in decisions if not decision.fields])
    dispatch.flush()


class _Policies(dict[str, str]):
    """The account's policy of each field of a person, asked of the settings once.

    Attributes:
        compare: what we wrote last, or when a record was changed, decides about some field.
        ask: a person decides about some field.
    """

    def __init__(
        self,
        chosen: AccountSettings,
        soft: frozenset[str] = frozenset(),
        filled: frozenset[str] = frozenset(),
    ) -> None:
        super().__init__()
        self._chosen = chosen
        self._soft = soft
        self._filled = filled
        self._of_others: dict[tuple[frozenset[str], frozenset[str]], _Policies] = {}
        in_use = chosen.policies_in_use
        self.compare = bool(soft) or not in_use.isdisjoint(("unless_edited", "newest", "ask"))
        self._newest = "newest" in in_use
        self.ask = "ask" in in_use

    def __missing__(self, field: str) -> str:
        policy = self._chosen.policy(field, softly=field in self._soft)
        if field in self._filled and policy != "never":
            policy = "when_empty"
        self[field] = policy
        return policy

    def of(self, person: DuePerson, decision: Decision) -> "_Policies":
        """Returns the policies of what is wanted of a person.

        Some of it is wanted only softly; of what a conversion may have left behind, people may have
        made something else since.
        """
        if SOFTLY not in person.intent and not person.left_behind:
            return self
        soft = frozenset(person.intent.get(SOFTLY, ()))
        filled: frozenset[str] = frozenset()
        if person.left_behind and decision.salesforce_id == person.salesforce_id:
            filled = frozenset(person.left_behind).difference(person.changed(decision.sobject))
        if not soft and not filled:
            return self
        if (soft, filled) not in self._of_others:
            self._of_others[soft, filled] = _Policies(self._chosen, soft, filled)
        return self._of_others[soft, filled]

    def want_the_newest(self, fields: Iterable[str]) -> bool:
        """Returns whether the time of a record's last change counts, which no match tells."""
        return self._newest and any(self[field] == "newest" for field in fields)


def _begin_lookup(lookup: Lookup, people: Sequence[DuePerson]) -> Callable[[], Matched]:
    sought = [person for person in people if person.is_to_be_found]
    return lookup(sought) if sought else lambda: Matched({}, {})


def _decided(desk: Desk, people: Sequence[DuePerson], found: Matched) -> list[Decision]:
    known = desk.schemas.describe(SOBJECTS)
    chosen = desk.chosen
    made, matched = made_unheard(people, found.by_address)
    made = {**found.made, **made}
    made |= deleted_records(desk, people, matched.keys(), made.keys())
    made |= former_records(desk, people, matched.keys(), made.keys())
    people = without_others_records(desk, people, matched)
    codes = chosen.codes
    decided = []
    for person in people:
        decision = decide_person(person, matched, known, chosen, made)
        if cut := cut_codes(decision.changes, codes):
            match = matched.get(person.address) or made.get(person.person_key)
            empty = _empty(person, decision, match, known[decision.sobject], cut)
            decision = without_codes(decision, cut, empty)
        decided.append((person, decision))
    for person, decision in decided:
        if decision.action == "create" and person.address in found.shared:
            decision.reason = "new; the number is several people's"
    of_all = _Policies(chosen)
    policies = [of_all.of(person, decision) for person, decision in decided]
    there = _read_values(
        desk,
        policies,
        [decision for _, decision in decided],
        [*found.by_address.values(), *made.values()],
    )
    placeholders = {"LastName": chosen.missing_last_name, "Company": chosen.missing_company}
    asked = _asked(desk, people)
    by_policies = [
        (
            person,
            decision
            if decision.action != "update"
            else by_policy(
                decision,
                of_person,
                there.get(decision.salesforce_id or "", {}),
                _written(person, decision, known) if of_person.compare else {},
                said_at=_said_at(person, decision),
                placeholders=placeholders,
                overwrites=asked[person.person_key].overwrites
                if person.person_key in asked
                else None,
                clears_opt_out=chosen.consent_clears_opt_out,
            ),
        )
        for (person, decision), of_person in zip(decided, policies, strict=True)
    ]
    if of_all.ask or asked:
        by_person = zip(decided, (each for _, each in by_policies), policies, strict=True)
        _note_asked(desk, by_person, there, asked)
    decisions = newest_for_each_record(by_policies)
    for each in decisions:
        if each.action == "update":
            each.replaces = there.get(each.salesforce_id or "", {})
    if len(decisions) < len(by_policies):
        desk.passes.another = True
    return decisions


def _empty(
    person: DuePerson,
    decision: Decision,
    match: Match | None,
    schema: SObjectSchema,
    cut: Collection[str],
) -> Collection[str]:
    """Those fields of codes in which nothing stands, by the record or by what was wanted last."""
    if match is not None and match.salesforce_id == decision.salesforce_id:
        return [name for name in cut if match.fields.get(name) is None]
    last = {name: value for name, value in (person.last_sent or {}).items() if name in cut}
    too_long = cut_codes(schema.fit(last, "update").changes, [name.lower() for name in cut])
    return [name for name, value in last.items() if value is None or name in too_long]


def _asked(desk: Desk, people: Sequence[DuePerson]) -> Mapping[int, AskedOfPerson]:
    ledger, keys = desk.ledger, [person.person_key for person in people]
    return asked_of_people(ledger.connection, ledger.account_id, keys)


def _note_asked(
    desk: Desk,
    decided: Iterable[tuple[tuple[DuePerson, Decision], Decision, _Policies]],
    there: Mapping[str, Mapping[str, Any]],
    known: Mapping[int, AskedOfPerson],
) -> None:
    """Keeps the fields that a person is to decide about, and notes those that are new. Commits.

    Whatever the policy, a field that was asked about is so no more once it is written.
    """
    asked = [
        AskedField(
            person.person_key,
            before.sobject,
            before.salesforce_id,
            field,
            there.get(before.salesforce_id or "", {}).get(field),
            value,
            is_held=field not in after.fields,
        )
        for (person, before), after, of_person in decided
        if before.action == "update"
        for field, value in before.fields.items()
        if field not in OPT_OUTS
        and (
            of_person[field] == "ask"
            or (
                field in after.fields
                and person.person_key in known
                and field in known[person.person_key].fields
            )
        )
    ]
    with desk.ledger.step() as connection:
        desk.notes.asked.update(note_asked(connection, desk.ledger.account_id, asked))


def _written(
    person: DuePerson, decision: Decision, known: Mapping[str, SObjectSchema]
) -> Mapping[str, Sequence[Any]]:
    """The values that we may have written to a record last, as the org takes them, by field.

    Of a field whose last answer was lost, the one before as well; of a record that was made or
    matched without an answer, all that were sent.
    """
    versions: list[Mapping[str, Any]] = []
    if decision.action == "update" and decision.salesforce_id == person.salesforce_id:
        versions = [person.last_sent or {}]
        for field, values in (person.doubted or {}).items():
            versions += [{field: value} for value in values]
    elif decision.action == "update":
        versions = [sent["fields"] for sent in person.unheard or ()]
    ours: defaultdict[str, list[Any]] = defaultdict(list)
    for version in filter(None, versions):
        for field, value in known[decision.sobject].fit(version, "update").fields.items():
            ours[field].append(value)
    return ours


def _said_at(person: DuePerson, decision: Decision) -> datetime | None:
    """The moment at which the source said so: as it was read, or what it said all along."""
    is_news = decision.salesforce_id == person.salesforce_id
    return person.read_at if is_news else person.as_of


def _read_values(
    desk: Desk,
    policies: Sequence[_Policies],
    decisions: Sequence[Decision],
    matches: Iterable[Match],
) -> dict[str, Mapping[str, Any]]:
    """Returns the org's values of the fields whose policy needs a look, by record.

    A record that was just matched was read with it, but for when it was changed last; the others
    are read now, 10,000 in a call.
    """
    values: dict[str, Mapping[str, Any]] = {match.salesforce_id: match.fields for match in matches}
    queries = []
    for sobject in PERSON_SOBJECTS:
        unread = [
            (str(each.salesforce_id), field)
            for each, of_person in zip(decisions, policies, strict=True)
            if each.action == "update"
            and each.sobject == sobject
            and (each.salesforce_id not in values or of_person.want_the_newest(each.fields))
            for field in each.fields
            if of_person[field] in NEEDS_A_LOOK
        ]
        ids = dict.fromkeys(record_id for record_id, _ in unread)
        fields = ["Id", LAST_CHANGED, *sorted({field for _, field in unread})]
        queries += packed_in_queries(fields, sobject, "Id", ids)
    if queries:
        desk.allowance.demand_calls()
        for records in query_all(desk.org.log_in(), queries).records:
            values |= {record["Id"]: record for record in records}
    return values


def _decision(update: DueUpdate) -> Decision:
    return Decision(
        update.operation_id,
        "update",
        update.sobject,
        update.salesforce_id,
        dict(update.sent),
        update.reason,
        replaces=update.former,
        kind=PERSON,
    )


def _fitted(decision: Decision, known: Mapping[str, SObjectSchema]) -> Decision:
    """A decided update as the org takes it now."""
    fitted = known[decision.sobject].fit(decision.fields, "update")
    return replace(decision, fields=fitted.fields, changes=fitted.changes)
