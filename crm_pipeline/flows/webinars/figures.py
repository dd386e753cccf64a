"""Figures of people over all webinars: how many they registered for, attended, when last, how long.

Pure but for `with_figures`, which keeps what rows say within the caller's transaction.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC
from typing import Any

from sqlalchemy import Connection

from crm_pipeline.accounts.stages import Words
from crm_pipeline.accounts.store import FieldMapping
from crm_pipeline.accounts.templates import Template
from crm_pipeline.flows.webinars import rules
from crm_pipeline.ledger.intents import Intent
from crm_pipeline.ledger.people import Who
from crm_pipeline.ledger.person_rows import CountedRow, note_person_rows, person_rows
from crm_pipeline.sources.computed import FIGURES
from crm_pipeline.sources.minutes import Interval, minutes_together
from crm_pipeline.sources.participations import Participation
from crm_pipeline.sources.people import who
from crm_pipeline.sources.stages import visit, word_of
from crm_pipeline.text import salesforce_time

_PEOPLE = ("Lead", "Contact")


MappedFigures = Mapping[str, Mapping[str, str | Template]]
"""By sObject and field, the figure that fills it, or the template that makes a value of figures."""


def mapped_figures(overrides: Iterable[FieldMapping]) -> MappedFigures:
    """Returns the figure of each field that has one, by sObject."""
    found: dict[str, dict[str, str | Template]] = {sobject: {} for sobject in _PEOPLE}
    for each in overrides:
        if each.sobject in found and each.source is not None and FIGURES.issuperset(each.columns):
            found[each.sobject][each.field] = each.source
    return found if any(found.values()) else {}


def with_figures(
    ledger: Connection,
    account_id: str,
    mapped: MappedFigures,
    chosen: rules.Choices,
    *,
    rows: Sequence[Participation],
    people: Mapping[Who, int],
    refused: Collection[int],
    intents: Sequence[Intent],
) -> list[Intent]:
    """Returns the intents, those of people with their figures.

    Args:
        ledger: where rows are kept.
        account_id: whose.
        mapped: the figure of each field, by sObject.
        chosen: the account's choices.
        rows: those that were read.
        people: the person of each row that is sent.
        refused: the places of the others.
        intents: what is wanted.
    """
    counting = [
        _counted(row, people[who(row)], chosen.words)
        for place, row in enumerate(rows)
        if place not in refused
        and type(row.participation_id) is int
        and word_of(row, chosen.words) in ("registered", "attended")
    ]
    read = {
        (row.source == "attendances", row.participation_id)
        for row in rows
        if type(row.participation_id) is int
    }
    note_person_rows(ledger, account_id, read, counting)
    keys = {each.person_key for each in intents if each.kind == "person" and each.person_key}
    of_person: defaultdict[int, list[CountedRow]] = defaultdict(list)
    for each in person_rows(ledger, account_id, keys):
        of_person[each.person_key].append(each)
    for intent in intents:
        if intent.kind == "person" and intent.person_key is not None:
            figures = figures_of(of_person[intent.person_key], chosen.words.least_minutes)
            for sobject, fields in mapped.items():
                made = {name: _made(source, figures) for name, source in fields.items()}
                said = {name: value for name, value in made.items() if value is not None}
                intent.fields[sobject].update(said)
    return list(intents)


def _made(source: str | Template, figures: Mapping[str, Any]) -> Any:
    if not isinstance(source, Template):
        return figures[source]
    value = source.value(figures)
    return source.default if value is None else value


def _counted(row: Participation, person_key: int, words: Words) -> CountedRow:
    is_attendance = row.source == "attendances"
    at, minutes = (is_attendance and visit(row, words)) or (row.happened_at, None)
    session, number = row.event_session_id, row.participation_id
    return CountedRow(person_key, is_attendance, session, at.astimezone(UTC), minutes, number)


def figures_of(rows: Sequence[CountedRow], least_minutes: int = 1) -> dict[str, Any]:
    """Returns the figures of one person; each session and each minute of one counts once.

    Whoever was at a session for fewer than `least_minutes`, all visits together, was not there.
    """
    visits: defaultdict[int, list[CountedRow]] = defaultdict(list)
    for each in rows:
        if each.is_attendance:
            visits[each.event_session_id].append(each)
    minutes = {session: _minutes(there) for session, there in visits.items()}
    for session, known in minutes.items():
        if known is not None and known < least_minutes:
            del visits[session]
    came = [each.at for there in visits.values() for each in there]
    registered = {each.event_session_id for each in rows if not each.is_attendance}
    total = sum(minutes[session] or 0 for session in visits)
    return {
        "webinars_registered": len(registered),
        "webinars_attended": len(visits),
        "last_attended_at": salesforce_time(max(came)) if came else None,
        "minutes_total": int(total) if float(total).is_integer() else total,
    }


def _minutes(visits: Iterable[CountedRow]) -> float | None:
    """The minutes of one session's visits; None: nobody knows any."""
    known: list[Interval] = [(each.at, each.minutes) for each in visits if each.minutes is not None]
    return minutes_together(known) if known else None
