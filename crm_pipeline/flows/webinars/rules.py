"""The rules of the webinar cycle: filter, map, merge. Pure functions, no I/O (spec 1)."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from operator import itemgetter
from typing import Any, get_args

from crm_pipeline.accounts.account import AccountSettings, Vanished
from crm_pipeline.accounts.activities import Activities, CancelledActivity
from crm_pipeline.accounts.filters import named_filter
from crm_pipeline.accounts.people import OPT_OUT, OPT_OUTS
from crm_pipeline.accounts.stages import STAGES_OF_PEOPLE, Stage, Words, status_word
from crm_pipeline.accounts.store import FieldMapping
from crm_pipeline.flows.webinars.telling import Telling
from crm_pipeline.flows.webinars.visits import NOT_JOINED, Joined, one_of_many
from crm_pipeline.ledger.held import Held
from crm_pipeline.ledger.intents import Intent
from crm_pipeline.ledger.left_out import NO_ACTIVITY
from crm_pipeline.ledger.parts import UNSAID
from crm_pipeline.ledger.people import Who
from crm_pipeline.salesforce.values import READERS
from crm_pipeline.sources.mapping import (
    FILTERED,
    OF_EACH_ROW,
    FieldMap,
    Needed,
    field_maps,
    rejection,
    said,
)
from crm_pipeline.sources.participations import ExtractName, Participation
from crm_pipeline.sources.people import who
from crm_pipeline.sources.stages import is_too_short, why_absent, word_of
from crm_pipeline.text import salesforce_time

NATURAL_KEY: Mapping[ExtractName, str] = {
    "registrations": "registration",
    "attendances": "attendance",
}

VANISHED = "not in the warehouse any more"
"""Why an activity is to be gone whose row is."""


UNKNOWN_STATUS = "nobody has said what its status means (stage_of)"
"""Why a registration is held; its word is kept beside it."""

TOO_SHORT = "there for fewer minutes than count as attended"

_ENDED: tuple[Stage, ...] = ("cancelled", "substituted")
"""Stages of registrations that are over before the session."""

CANCELLED = "cancelled, and the account has such activities deleted"

_WHEN = itemgetter(0, 1)

_NO_ID = -1
"""For rows that are named by anything but a number: each is an attendance of its own."""

PART_OF_ANOTHER = "part of another visit's attendance"
"""Why an attendance has no activity of its own: the person came back, or came twice at once."""


@dataclass(frozen=True, slots=True)
class Choices:
    """The account's choices that its people and activities depend on.

    Attributes:
        maps: its mapping, by sObject.
        filter_strings: addresses that must not reach the org.
        vanished: what becomes of what the org has of rows that are gone.
        words: the meaning of its status words.
        people_from: stages whose rows become people and activities.
        cancelled_activity: the fate of the activity of a registration that is cancelled.
        telling: the words of activities.
        activities: the rows of which there are activities.
        clears_opt_out: whether a clear yes to emails counts like a clear no.
    """

    maps: Mapping[str, FieldMap]
    filter_strings: Sequence[str] = ()
    vanished: Vanished = "keep"
    words: Words = field(default_factory=Words)
    people_from: Sequence[Stage] = STAGES_OF_PEOPLE
    cancelled_activity: CancelledActivity = "mark"
    telling: Telling = field(default_factory=Telling)
    activities: Activities = "all"
    clears_opt_out: bool = False

    def lasting_noes(self, sobject: str) -> frozenset[str]:
        """Returns the fields in which a clear no stays one, whatever is said later."""
        lasting = OPT_OUTS - {OPT_OUT} if self.clears_opt_out else OPT_OUTS
        return lasting & self.maps[sobject].sources.keys()

    @property
    def needs_known(self) -> bool:
        """Returns whether some rows of a person say what others do not."""
        return not (self.maps["Lead"].needed | self.maps["Contact"].needed) <= OF_EACH_ROW

    def tells_of(self, row: Participation) -> bool:
        """Returns whether rows of this kind have activities."""
        return self.activities == "all" or (
            self.activities == "attendance" and row.source == "attendances"
        )

    def go_on(self, held: Sequence[Held]) -> list[str]:
        """The status words whose registrations are held for no reason any more, or for another."""
        stage = self.words.stage
        return [
            each.status
            for each in held
            if stage(each.status) in self.people_from or (each.is_unknown and stage(each.status))
        ]


def choices(
    settings: AccountSettings,
    overrides: Sequence[FieldMapping],
    filter_strings: Sequence[str],
    timezone: str = "UTC",
) -> Choices:
    """The choices in an account's settings and its own mapping.

    Args:
        settings: the account's.
        overrides: its own mapping.
        filter_strings: addresses that must not reach the org.
        timezone: of times of the warehouse that carry none.
    """
    return Choices(
        field_maps(settings, overrides, timezone),
        filter_strings,
        settings.vanished,
        settings.words,
        settings.people_from_stages,
        settings.cancelled_activity,
        Telling(
            settings.on_demand_subject,
            settings.activity_subject,
            settings.activity_text,
            settings.cancelled_activity == "mark",
            timezone,
        ),
        settings.activities,
        settings.consent_clears_opt_out,
    )


def refusals(participations: Iterable[Participation], chosen: Choices) -> dict[int, str]:
    """Returns why rows are to have no activity, by their place, of those that are to have none."""
    reasons = (refusal(each, chosen) for each in participations)
    return {place: reason for place, reason in enumerate(reasons) if reason is not None}


def refusal(participation: Participation, chosen: Choices) -> str | None:
    """Returns why a row is to have no activity, or None.

    Beside what no flow sends (`sources.mapping.rejection`): a status that is no registration, one
    that nobody has explained, and a visit of no minutes, or of none since the session began.
    """
    reason = rejection(participation, chosen.filter_strings)
    if reason is not None:
        return reason
    stage = word_of(participation, chosen.words)
    if stage == "unknown":
        return UNKNOWN_STATUS
    if stage == "absent":
        return why_absent(participation)
    if stage in _ENDED and chosen.cancelled_activity == "delete":
        return CANCELLED
    return None if stage in chosen.people_from else stage


def intents(
    participations: Sequence[Participation],
    chosen: Choices,
    people: Mapping[Who, int],
    refused: Mapping[int, str],
    visits: Joined = NOT_JOINED,
) -> list[Intent]:
    """Returns the intents of the participations: an activity for each, and each person once.

    Where a participation is not to be sent, its activity is there with the reason. An
    activity in the org whose row is refused by now counts as vanished, unless nobody knows what
    the row says.

    Args:
        participations: rows of the warehouse.
        chosen: the account's choices.
        people: the person of each row that is to be sent (`sources.people.sightings`).
        refused: why those that are not to be sent are not, by their place among the rows.
        visits: which rows are one attendance, where they are attendances.
    """
    rows_of: defaultdict[int, list[Participation]] = defaultdict(list)
    for row in participations if len(set(visits.first_of.values())) < len(visits.first_of) else ():
        if type(row.participation_id) is int and row.participation_id in visits.first_of:
            rows_of[visits.first_of[row.participation_id]].append(row)
    activities, accepted = {}, []
    tells_of_all = chosen.activities == "all"
    for place, row in enumerate(participations):
        reason = refused.get(place)
        number = row.participation_id if type(row.participation_id) is int else _NO_ID
        first = visits.first_of.get(number, number)
        whole = one_of_many(rows, row) if rows_of and (rows := rows_of.get(number)) else row
        if reason is None and is_too_short(row, chosen.words):
            together = one_of_many(rows_of.get(first) or [row], row)
            reason = TOO_SHORT if is_too_short(together, chosen.words) else None
        person = None
        if reason is None:
            person = people[who(row)]
            accepted.append((person, row))
            if first != number:
                reason = PART_OF_ANOTHER
            elif not (tells_of_all or chosen.tells_of(row)):
                reason = NO_ACTIVITY
        activity = _activity(whole, chosen, person, reason)
        if reason == PART_OF_ANOTHER:
            part = {"part_of": f"{NATURAL_KEY[row.source]}:{first}"}
            activity = replace(activity, fields=part, undoes=False)
        if number in visits.undone:
            activity = replace(activity, undoes=True)
        activities[activity.natural_key] = activity
    return [*_people(accepted, chosen), *activities.values()]


def unknown_words(activities: Iterable[Intent]) -> list[str]:
    """The status words of registrations that nobody has explained, one for each such row."""
    return [
        each.memory["unknown"] for each in activities if each.memory and "unknown" in each.memory
    ]


def vanished_activity(
    source: ExtractName, participation_id: int, as_of: datetime, *, undoes: bool = True
) -> Intent:
    """The activity of a row that is not in the warehouse any more: it is not to be sent.

    Args:
        source: of the row.
        participation_id: its id.
        as_of: when the source said last what is known of it (UTC); if the row comes back with the
            same time, it counts.
        undoes: whether what was sent is to be gone, too.
    """
    return Intent(
        natural_key=f"{NATURAL_KEY[source]}:{participation_id}",
        kind="activity",
        person_key=None,
        as_of=as_of,
        fields={},
        rejected_because=VANISHED,
        memory={"vanished": True},
        undoes=undoes,
    )


def person_fields(
    chosen: Choices,
) -> Callable[[Sequence[Mapping[str, Any]]], dict[str, Any]]:
    """Returns a function that makes one person's fields, by sObject, of rows, oldest first.

    The newest row wins; what it leaves empty is filled from the next newest. A clear no stays one,
    whatever a newer row says, unless a yes to emails clears that to them (`clears_opt_out`). Fields
    of which no row says anything, and which have a fallback, are named beside (`UNSAID`).
    """
    maps = {sobject: chosen.maps[sobject] for sobject in ("Lead", "Contact")}
    asked = Needed.of(*maps.values())
    noes = [(s, no, m.sources[no]) for s, m in maps.items() for no in chosen.lasting_noes(s)]
    ours = {sobject: each.fallbacks for sobject, each in maps.items() if each.fallbacks}
    reads_no = READERS["boolean"]

    def fields_of(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        told = [said(columns, asked) for columns in rows]
        values: dict[str, Any] = {}
        for each in told:
            values |= each
        fields = {sobject: mapped.fields(values) for sobject, mapped in maps.items()}
        unsaid = []
        for sobject, fallbacks in ours.items():
            unsaid += [f"{sobject}.{name}" for name in fallbacks if name not in fields[sobject]]
            fields[sobject] = {**fallbacks, **fields[sobject]}
        for sobject, no, column in noes:
            if any(reads_no(row.get(column)) is True for row in told):
                fields[sobject][no] = True
        return {**fields, UNSAID: unsaid} if unsaid else fields

    return fields_of


def _activity(
    participation: Participation, chosen: Choices, person: int | None, reason: str | None
) -> Intent:
    columns = participation.columns
    memory: dict[str, Any] = {}
    if (parts := columns.get("parts")) is not None:
        memory["shipped"] = parts
    fields: dict[str, Any] = {}
    if reason is None:
        fields = {
            "Subject": chosen.telling.subject(participation),
            "ActivityDateTime": salesforce_time(participation.happened_at),
            "DurationInMinutes": 0,
        }
        ended = None
        if participation.source == "registrations":
            stage = word_of(participation, chosen.words)
            ended = stage if stage in _ENDED else None
        if text := chosen.telling.description(participation, ended=ended):
            fields["Description"] = text
        fields.update(chosen.maps["Event"].of_the_only_row(columns))
    elif participation.source == "registrations" and (
        reason == UNKNOWN_STATUS or reason in get_args(Stage)
    ):
        fields = {"status": status_word(columns.get("status"))}
        memory |= fields
        if reason == UNKNOWN_STATUS:
            memory["unknown"] = fields["status"]
    if reason == FILTERED:
        memory["filter"] = named_filter(columns["email"], chosen.filter_strings)
    return Intent(
        natural_key=f"{NATURAL_KEY[participation.source]}:{participation.participation_id}",
        kind="activity",
        person_key=None if reason not in (None, NO_ACTIVITY) else person,
        as_of=participation.changed_at,
        fields=fields,
        rejected_because=reason,
        memory=memory or None,
        undoes=reason == CANCELLED
        or (
            chosen.vanished == "delete"
            and reason not in (None, participation.spoilt, UNKNOWN_STATUS, NO_ACTIVITY)
        ),
    )


def _people(accepted: Iterable[tuple[int, Participation]], chosen: Choices) -> list[Intent]:
    """One intent a person: of several rows, what the newest ones say."""
    rows_by_person: dict[int, list[tuple[datetime, int, Mapping[str, Any]]]] = {}
    for key, participation in accepted:
        at = min(participation.happened_at, participation.changed_at)
        row = (at, participation.participation_id, participation.columns)
        rows_by_person.setdefault(key, []).append(row)
    fields_of = person_fields(chosen)
    people = []
    for key, rows in rows_by_person.items():
        rows.sort(key=_WHEN)
        fields = fields_of([columns for _, _, columns in rows])
        people.append(Intent(f"person:{key}", "person", key, rows[-1][0], fields))
    return people
