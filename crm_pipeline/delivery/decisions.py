"""Decisions: the writes that a person or an activity needs. Pure functions, no I/O."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from crm_pipeline.accounts.account import AccountSettings
from crm_pipeline.accounts.people import LAST_CHANGED, OPT_OUTS, is_written
from crm_pipeline.delivery.kind import ACTIVITY, PERSON, Kind
from crm_pipeline.inbound.tombstones import BLOT
from crm_pipeline.ledger.due import DueActivity, DuePerson
from crm_pipeline.ledger.records import Reference
from crm_pipeline.salesforce.describe import FieldChange, SObjectSchema
from crm_pipeline.salesforce.emails import same_address
from crm_pipeline.salesforce.matching import Match
from crm_pipeline.salesforce.outcomes import Write
from crm_pipeline.salesforce.values import Why

EVENT = "Event"
"""The object that activities are written to."""

BY_DUPLICATE_RULE = "named by a duplicate rule"
"""The reason for the record of a person whom a duplicate rule kept from being created."""


@dataclass(slots=True)
class Holding:
    """The ledger's knowledge of a record that stands in the org.

    Attributes:
        natural_key: what it stands for.
        topic: under which it is counted.
        references: what its fields refer to, with the Ids that were written for it.
        last: the values that it has then, where these are others than those that are wanted.
        by_key: what it refers to by the key of a record that goes out before it.
        is_wanted: whether it is to be there; deleted all the same, it is made anew.
        is_published: whether it is an event, of which nothing is kept.
        about: of an event, the object and the Id of the record that it is to change.
        leaves_empty: whether it goes as a new one without the fields that are to be empty.
    """

    natural_key: str
    topic: str
    references: Mapping[str, Reference]
    last: Mapping[str, Any] | None = None
    by_key: frozenset[str] = frozenset()
    is_wanted: bool = True
    is_published: bool = False
    about: tuple[str, str] | None = None
    leaves_empty: bool = False


@dataclass(slots=True)
class Decision:
    """The action and the fields that one operation needs.

    Attributes:
        action: `none` where the org has it all already; `leave_out` for a person whom the org
            does not know and whom the account does not create.
        salesforce_id: the record; None for a new one.
        fields: what is to be written, made to fit the org.
        changes: the values that had to be changed to fit.
        reason: why this record.
        altered: whether other fields go out than the ledger has: those of the intent, or those
            of an update that had to wait.
        filled: of what had been left behind, the fields of which this decides.
        replaces: of an update, the record's values as far as they were read; by field, and maybe
            more than are written.
        kind: of the operation.
        holds: of a record of any object: what the ledger keeps once it stands in the org.
    """

    operation_id: int
    action: Literal["create", "update", "delete", "none", "leave_out"]
    sobject: str
    salesforce_id: str | None
    fields: dict[str, Any]
    reason: str
    changes: Sequence[FieldChange] = ()
    altered: bool = False
    filled: Sequence[str] = field(default=(), kw_only=True)
    replaces: Mapping[str, Any] = field(default_factory=dict, kw_only=True)
    kind: Kind = field(kw_only=True)
    holds: Holding | None = field(default=None, kw_only=True)

    @property
    def counted_as(self) -> str:
        """Under which topic or kind its outcome is counted."""
        return self.kind.name if self.holds is None else self.holds.topic

    def without(self, held: Collection[str]) -> "Decision":
        """Returns the update of all fields but these."""
        fields = {field: value for field, value in self.fields.items() if field not in held}
        return Decision(
            self.operation_id,
            "update" if fields else "none",
            self.sobject,
            self.salesforce_id,
            fields,
            self.reason,
            [each for each in self.changes if each.new is None or each.field in fields],
            altered=self.altered,
            filled=self.filled,
            replaces=self.replaces,
            kind=self.kind,
            holds=self.holds,
        )

    def names_another(self, write: Write) -> bool:
        """Returns whether a write of it names another record, which may be the one that is gone."""
        further = self.holds.references if self.holds else ()
        return not self.kind.references.union(further).isdisjoint(write.fields)


def made_unheard(
    people: Iterable[DuePerson], matches: Mapping[str, Match]
) -> tuple[Mapping[int, Match], Mapping[str, Match]]:
    """Records that were made by requests of which no answer came, before addresses were corrected.

    A person who has such an address now is somebody else, whose record this is not.

    Returns:
        These records by person, and the matches without them.
    """
    made: dict[int, Match] = {}
    left = dict(matches)
    searching = [each for each in people if each.salesforce_id is None and each.sent_emails]
    while True:
        found = {
            person.person_key: address
            for person in searching
            if person.person_key not in made and person.address not in left
            for address in person.addresses
            if address in left
        }
        if not found:
            return made, left
        for person_key, address in found.items():
            if address in left:
                made[person_key] = left.pop(address)


def decide_person(
    person: DuePerson,
    matches: Mapping[str, Match],
    schemas: Mapping[str, SObjectSchema],
    settings: AccountSettings,
    made: Mapping[int, Match],
) -> Decision:
    """Decides which record gets which fields.

    A person whose record is known gets what changed since it was last sent, so that what a
    salesperson edited stays; with another address than before, the person is whoever has that
    one in the org, else still that record. One found in the org for the first time gets the
    fields that differ there. Anyone else becomes a Lead (spec 1, step 8).

    Args:
        person: what is known and wanted.
        matches: the records that were found, by address.
        schemas: of Lead and Contact.
        settings: the account's.
        made: records of people who were created without an answer (`made_unheard`).
    """
    match = matches.get(person.address) if person.is_to_be_found else None
    if person.sobject is not None and person.salesforce_id is not None:
        if match is None or match.salesforce_id == person.salesforce_id:
            return _decide_known(person, person.sobject, person.salesforce_id, schemas)
        return _decide_matched(person, match, schemas)
    if match is not None and not person.is_withdrawn:
        return _decide_matched(person, match, schemas)
    if person.person_key in made:
        return _decide_matched(person, made[person.person_key], schemas, has_our_email=True)
    if person.is_withdrawn:
        return _left_out(person, "nothing is wanted of them any more")
    return _decide_new(person, schemas, settings)


def _left_out(person: DuePerson, reason: str) -> Decision:
    return Decision(person.operation_id, "leave_out", "Lead", None, {}, reason, kind=PERSON)


def _decide_new(
    person: DuePerson, schemas: Mapping[str, SObjectSchema], settings: AccountSettings
) -> Decision:
    chosen = settings.unknown_email
    if chosen == "neither":
        return _left_out(person, "not in the org")
    missing = {"LastName": settings.missing_last_name}
    if chosen == "Lead":
        missing["Company"] = settings.missing_company
    fitted = schemas[chosen].fit(missing | dict(person.intent[chosen]), "create")
    return Decision(
        person.operation_id,
        "create",
        chosen,
        None,
        fitted.fields,
        "new",
        fitted.changes,
        altered=fitted.fields != person.intent[chosen],
        kind=PERSON,
    )


def cut_codes(changes: Iterable[FieldChange], codes: Collection[str]) -> Collection[str]:
    """The fields in which a code was cut to their length, which makes another one of it.

    Args:
        changes: of values, for the org to take them.
        codes: the fields that hold codes, in small letters.
    """
    return {
        each.field for each in changes if each.why == Why.TOO_LONG and each.field.lower() in codes
    }


def without_codes(decision: Decision, cut: Collection[str], empty: Collection[str]) -> Decision:
    """A decision that leaves these codes out, and empties their fields where anything may stand.

    Args:
        decision: on which fields are to be written.
        cut: the fields of the codes.
        empty: the fields of the record in which nothing stands.
    """
    changes = [c._replace(new=None) if c.field in cut else c for c in decision.changes]
    kept = {name: value for name, value in decision.fields.items() if name not in cut}
    if decision.action == "create":
        return replace(decision, fields=kept, changes=changes, altered=True)
    emptied = {name: None for name in cut if name not in empty}
    return replace(
        decision,
        action="update" if kept or emptied else "none",
        fields=kept | emptied,
        changes=changes,
        altered=True,
    )


def by_policy(
    decision: Decision,
    policies: Mapping[str, str],
    there: Mapping[str, Any],
    ours: Mapping[str, Sequence[Any]],
    *,
    said_at: datetime | None = None,
    placeholders: Mapping[str, str] | None = None,
    overwrites: Mapping[str, Any] | None = None,
    clears_opt_out: bool = False,
) -> Decision:
    """An update of an existing person, without what the account does not want written (spec 1).

    Args:
        decision: what would be written.
        policies: the account's, by field; each field of the decision has one.
        there: the record's values, of fields whose policy needs a look.
        ours: the values that we wrote there last, as the org takes them; by field, each that may
            be the last.
        said_at: when the source said so (UTC), for what is to be the newest.
        placeholders: by field, the value that stands for none where Salesforce requires one; so
            does what a removal leaves there.
        overwrites: by field, the value that a person wants over the one that stands there.
        clears_opt_out: whether a clear yes to emails clears a no.
    """
    if decision.action != "update":
        return decision
    # Most fields need no look at anything.
    unsure = [f for f in decision.fields if policies[f] != "source" or f in OPT_OUTS]
    if not unsure:
        return decision
    changed_at = there.get(LAST_CHANGED)
    is_newer = bool(said_at and changed_at and said_at > datetime.fromisoformat(str(changed_at)))
    empty, agreed = placeholders or {}, overwrites or {}
    held = {
        field
        for field in unsure
        if not (field in agreed and agreed[field] == decision.fields[field])
        and not is_written(
            policies[field],
            field,
            decision.fields[field],
            None if there.get(field) in (BLOT, empty.get(field)) else there.get(field),
            ours.get(field, ()),
            is_newer=is_newer,
            clears_opt_out=clears_opt_out,
        )
    }
    return decision.without(held) if held else decision


def _decide_known(
    person: DuePerson, sobject: str, salesforce_id: str, schemas: Mapping[str, SObjectSchema]
) -> Decision:
    reason = person.identity_reason or "known"
    if person.is_to_be_found:
        reason = "had another email before"
    sent = person.last_sent or {}
    wanted = {field: sent[field] for field in person.left_behind if field in sent}
    fitted = schemas[sobject].fit(wanted | person.changed(sobject), "update")
    action: Literal["update", "none"] = "update" if fitted.fields else "none"
    return Decision(
        person.operation_id,
        action,
        sobject,
        salesforce_id,
        fitted.fields,
        reason,
        fitted.changes,
        altered=True,
        filled=person.left_behind,
        kind=PERSON,
    )


def _decide_matched(
    person: DuePerson,
    match: Match,
    schemas: Mapping[str, SObjectSchema],
    *,
    has_our_email: bool = False,
) -> Decision:
    fitted = schemas[match.sobject].fit(person.intent[match.sobject], "update")
    differing = {
        field: value
        for field, value in fitted.fields.items()
        if (there := match.fields.get(field)) != value
        and (there is None or not _same(field, value, there))
    }
    if not (has_our_email or _same("Email", person.address, match.fields.get("Email"))):
        # Reached through a converted Lead: the Contact's own address is not ours to change.
        differing.pop("Email", None)
    changes = [c for c in fitted.changes if c.new is None or c.field in differing]
    return Decision(
        person.operation_id,
        "update" if differing else "none",
        match.sobject,
        match.salesforce_id,
        differing,
        match.reason,
        changes,
        altered=True,
        kind=PERSON,
    )


def _same(field: str, ours: Any, theirs: Any) -> bool:
    """Returns whether a value stands in the org already; an email does in whatever case."""
    if isinstance(ours, str) and isinstance(theirs, str):
        return same_address(ours, theirs) if field == "Email" else ours.strip() == theirs.strip()
    return bool(ours == theirs)


def decide_activity(activity: DueActivity, schema: SObjectSchema) -> Decision:
    """The activity under its person: a new one, or what changed of the one that is there.

    One that is to be gone is deleted where it is there.
    """
    if activity.gone_because is not None:
        return Decision(
            activity.operation_id,
            "none" if activity.salesforce_id is None else "delete",
            EVENT,
            activity.salesforce_id,
            {},
            activity.gone_because,
            altered=True,
            kind=ACTIVITY,
        )
    wanted = dict(activity.intent)
    if activity.salesforce_id is None:
        fitted = schema.fit({**wanted, "WhoId": activity.who_id}, "create")
        return Decision(
            activity.operation_id,
            "create",
            EVENT,
            None,
            fitted.fields,
            "new",
            fitted.changes,
            altered=bool(fitted.changes),
            kind=ACTIVITY,
        )
    last = activity.last_intent or {}
    changed = {field: value for field, value in wanted.items() if last.get(field) != value}
    if activity.last_person_key != activity.person_key:
        changed["WhoId"] = activity.who_id
    fitted = schema.fit(changed, "update")
    return Decision(
        activity.operation_id,
        "update" if fitted.fields else "none",
        EVENT,
        activity.salesforce_id,
        fitted.fields,
        "changed in the warehouse",
        fitted.changes,
        altered=True,
        kind=ACTIVITY,
    )


def newest_for_each_record(
    people: Iterable[tuple[DuePerson, Decision]],
) -> list[Decision]:
    """Keeps the newest of several people who turn out to be one record: it speaks for all.

    Somebody of whom nothing is wanted any more speaks for nobody, and empties what was theirs once
    the others have spoken.

    Returns:
        A decision for each person but those who wait for another one; those that another one makes
        superfluous do nothing.
    """
    decided = list(people)
    newest: dict[str, DuePerson] = {}
    opted_out: dict[str, set[str]] = {}
    for person, decision in decided:
        if decision.action == "update" and decision.salesforce_id is not None:
            rival = newest.get(decision.salesforce_id)
            if rival is None or _weight(rival) <= _weight(person):
                newest[decision.salesforce_id] = person
            noes = {field for field in OPT_OUTS if decision.fields.get(field) is True}
            opted_out.setdefault(decision.salesforce_id, set()).update(noes)
    for person, decision in decided:
        # A no is a no, whoever of them said it.
        if newest.get(str(decision.salesforce_id)) is person:
            decision.fields.update(dict.fromkeys(opted_out[str(decision.salesforce_id)], True))
    spoken = []
    for person, decision in decided:
        if decision.action != "update" or newest[str(decision.salesforce_id)] is person:
            spoken.append(decision)
        elif not person.is_withdrawn:
            reason = f"{decision.reason}; a newer row spoke for it"
            spoken.append(replace(decision, action="none", reason=reason))
    return spoken


def _weight(person: DuePerson) -> tuple[bool, datetime]:
    return not person.is_withdrawn, person.as_of
