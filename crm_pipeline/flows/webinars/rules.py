"""The rules of the webinar cycle: filter, map, merge. Pure functions, no I/O (spec 1)."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from crm_pipeline.accounts.account import AccountSettings, Vanished
from crm_pipeline.accounts.people import OPT_OUT
from crm_pipeline.accounts.store import FieldMapping
from crm_pipeline.ledger.intents import Intent
from crm_pipeline.ledger.people import Who
from crm_pipeline.salesforce.values import READERS
from crm_pipeline.sources.mapping import FieldMap, rejection
from crm_pipeline.sources.participations import ExtractName, Participation
from crm_pipeline.sources.people import who
from crm_pipeline.text import JsonText, salesforce_time, written

SUBJECT: Mapping[ExtractName, str] = {
    "registrations": "Webinar Registration",
    "attendances": "Webinar Attendance",
}

NATURAL_KEY: Mapping[ExtractName, str] = {
    "registrations": "registration",
    "attendances": "attendance",
}

DEFAULT_MAPPING: Mapping[str, Mapping[str, str]] = {
    "Lead": {
        "FirstName": "first_name",
        "LastName": "surname",
        "Salutation": "title",
        "Title": "job_title",
        "Company": "company_name",
        "Street": "street",
        "City": "city",
        "State": "county",
        "PostalCode": "postal_code",
        "Country": "country_code",
        "Phone": "phone_1",
        "Email": "email",
    },
    "Contact": {
        "FirstName": "first_name",
        "LastName": "surname",
        "Salutation": "title",
        "Title": "job_title",
        "MailingStreet": "street",
        "MailingCity": "city",
        "MailingState": "county",
        "MailingPostalCode": "postal_code",
        "MailingCountry": "country_code",
        "Phone": "phone_1",
        "Email": "email",
    },
    "Event": {},
}
"""Field → column of the extract; `street` is address lines 1 to 3 (spec 1, field mappings)."""


VANISHED = "not in the warehouse any more"
"""Why an activity is to be gone whose row is."""


def field_maps(settings: AccountSettings, overrides: Sequence[FieldMapping]) -> dict[str, FieldMap]:
    """The account's mapping by sObject: the defaults, then what it overrides or adds.

    An override with neither source nor constant takes the field out.
    """
    maps = {}
    for sobject, default in DEFAULT_MAPPING.items():
        columns = dict(default)
        constants = {} if sobject == "Event" else {"LeadSource": settings.lead_source}
        for override in overrides:
            if override.sobject != sobject:
                continue
            columns.pop(override.field, None)
            constants.pop(override.field, None)
            if override.source is not None:
                columns[override.field] = override.source
            elif override.constant is not None:
                constants[override.field] = override.constant
        maps[sobject] = FieldMap(columns, constants)
    return maps


def intents(
    participations: Iterable[Participation],
    maps: Mapping[str, FieldMap],
    filter_strings: Sequence[str],
    people: Mapping[Who, int],
    vanished: Vanished = "keep",
) -> list[Intent]:
    """Returns the intents of the participations: an activity for each, and each person once.

    Where a participation is not to be sent, its activity is there with the reason. An
    activity in the org whose address is filtered out by now, or is none, counts as vanished.

    Args:
        participations: rows of the warehouse.
        maps: the account's mapping, by sObject.
        filter_strings: the account's.
        people: the person of each row that is to be sent (`sources.people.sightings`).
        vanished: what becomes of what the org has of such rows.
    """
    activities, accepted = {}, []
    for participation in participations:
        activity = _activity(participation, maps["Event"], filter_strings, people, vanished)
        activities[activity.natural_key] = activity
        if activity.person_key is not None:
            accepted.append((activity.person_key, participation))
    return [*_people(accepted, maps), *activities.values()]


def vanished_activity(source: ExtractName, participation_id: int, as_of: datetime) -> Intent:
    """The activity of a row that is not in the warehouse any more: it is to be gone, too.

    Args:
        source: of the row.
        participation_id: its id.
        as_of: when the source said last what is known of it (UTC); if the row comes back with the
            same time, it counts.
    """
    return Intent(
        natural_key=f"{NATURAL_KEY[source]}:{participation_id}",
        kind="activity",
        person_key=None,
        as_of=as_of,
        fields={},
        rejected_because=VANISHED,
        memory={"vanished": True},
        undoes=True,
    )


def description(columns: Mapping[str, Any]) -> str:
    """The last 10 poll questions with answers and the last 5 chat messages with replies.

    Blank and missing values have no line.
    """
    lines: list[str] = []
    for poll in _several(columns.get("polls")):
        whole = poll if type(poll) is dict else {"question": poll}
        _say(lines, "Poll", whole.get("question"))
        _say(lines, "Answer", whole.get("answer"))
    for chat in _several(columns.get("chats")):
        whole = chat if type(chat) is dict else {"message": chat}
        _say(lines, "Chat", whole.get("message"))
        for reply in _several(whole.get("replies")):
            _say(lines, "Reply", reply)
    return "\n".join(lines)


def _say(lines: list[str], label: str, value: Any) -> None:
    if text := (value if type(value) is str else written(value)).strip():
        lines.append(f"{label}: {text}")


def _several(value: Any) -> Sequence[Any]:
    """The values in one of JSON, be it one or many."""
    if value is None:
        return ()
    inner = value.parsed() if type(value) is JsonText else value
    return inner if type(inner) is list else (inner,)


def merged(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """One person's fields out of several rows, oldest first.

    The newest row wins; what it leaves empty is filled from the next newest. A clear no to emails
    stays one, whatever a newer row says.
    """
    fields: dict[str, Any] = {}
    for row in rows:
        fields.update(row)
    if OPT_OUT in fields and any(READERS["boolean"](row.get(OPT_OUT)) is True for row in rows):
        fields[OPT_OUT] = True
    return fields


def _activity(
    participation: Participation,
    event_map: FieldMap,
    filter_strings: Sequence[str],
    people: Mapping[Who, int],
    vanished: Vanished,
) -> Intent:
    columns = participation.columns
    reason = rejection(participation, filter_strings)
    fields: dict[str, Any] = {}
    if reason is None:
        fields = {
            "Subject": SUBJECT[participation.source],
            "ActivityDateTime": salesforce_time(participation.happened_at),
            "DurationInMinutes": 0,
        }
        if text := description(columns):
            fields["Description"] = text
        fields.update(event_map.apply(columns))
    return Intent(
        natural_key=f"{NATURAL_KEY[participation.source]}:{participation.participation_id}",
        kind="activity",
        person_key=None if reason is not None else people[who(participation)],
        as_of=participation.changed_at,
        fields=fields,
        rejected_because=reason,
        memory=None if (parts := columns.get("parts")) is None else {"parts": parts},
        undoes=vanished == "delete" and reason not in (None, participation.flaw),
    )


def _people(
    accepted: Iterable[tuple[int, Participation]], maps: Mapping[str, FieldMap]
) -> list[Intent]:
    """One intent a person: of several rows, what the newest ones say."""
    rows_by_person: dict[int, list[tuple[datetime, int, Mapping[str, Any]]]] = {}
    for key, participation in accepted:
        said = min(participation.happened_at, participation.changed_at)
        row = (said, participation.participation_id, participation.columns)
        rows_by_person.setdefault(key, []).append(row)
    people = []
    for key, rows in rows_by_person.items():
        rows.sort(key=lambda row: row[:2])
        columns = [row[2] for row in rows]
        fields = {
            sobject: merged([maps[sobject].apply(each) for each in columns])
            for sobject in ("Lead", "Contact")
        }
        people.append(Intent(f"person:{key}", "person", key, rows[-1][0], fields))
    return people
