"""The rules of the platform's users and tickets: whom and what the org is to have. Pure."""

from collections.abc import Mapping, Sequence

from crm_pipeline.accounts.feedback_records import FeedbackObject
from crm_pipeline.accounts.inbound import InboundSettings
from crm_pipeline.flows.platform import FEEDBACK
from crm_pipeline.ledger.intents import Intent
from crm_pipeline.ledger.parts import SOFTLY
from crm_pipeline.ledger.people import Who
from crm_pipeline.ledger.records import RecordWant, Target
from crm_pipeline.salesforce.record_keys import fitting
from crm_pipeline.sources.mapping import FieldMap
from crm_pipeline.sources.people import who
from crm_pipeline.sources.platform_rows import PlatformRow
from crm_pipeline.text import digest

TICKET = "ticket"
"""Begins the natural keys of tickets."""


def fingerprint_of_users(chosen: InboundSettings, maps: Mapping[str, FieldMap]) -> bytes:
    """Returns a digest that differs where these settings would have users kept otherwise."""
    return digest((chosen.filter_columns, maps if chosen.users_in_org else None))


def fingerprint_of_tickets(chosen: FeedbackObject, maps: Mapping[str, FieldMap]) -> bytes:
    """Returns a digest that differs where these settings would have tickets sent otherwise."""
    return digest((chosen.model_dump(mode="json"), maps))


def person_intents(
    rows: Sequence[PlatformRow], people: Mapping[Who, int], maps: Mapping[str, FieldMap]
) -> list[Intent]:
    """Returns what is wanted of each person, by the newest row about them.

    Args:
        rows: those that are to be sent, each with its person in `people`.
        people: the person of each row.
        maps: the account's mapping, by object.
    """
    newest: dict[int, PlatformRow] = {}
    for row in rows:
        person = people[who(row)]
        if person not in newest or newest[person].changed_at <= row.changed_at:
            newest[person] = row
    return [
        Intent(
            f"person:{person}",
            "person",
            person,
            row.changed_at,
            {s: maps[s].of_the_only_row(row.columns) for s in ("Lead", "Contact")} | {SOFTLY: []},
        )
        for person, row in newest.items()
    ]


def ticket_want(
    row: PlatformRow, chosen: FeedbackObject, mapped: FieldMap, person: int | None
) -> RecordWant:
    """Returns the record of a ticket; one of nobody who is known stands alone.

    Args:
        row: the ticket.
        chosen: the account's object.
        mapped: its mapping.
        person: who submitted it.
    """
    ticket = str(row.columns["ticket_id"])
    return RecordWant(
        f"{TICKET}:{ticket}",
        FEEDBACK,
        row.changed_at,
        Target(chosen.object, (chosen.key, fitting(ticket))),
        mapped.of_the_only_row(row.columns),
        refs={} if person is None else dict.fromkeys(chosen.people_fields, f"person:{person}"),
    )
