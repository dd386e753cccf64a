"""People: which record stands for each, what of it is to change, and sending that."""

from collections.abc import Iterable, Mapping, Sequence

from crm_pipeline.delivery.decisions import Decision, decide_person, newest_for_each_record
from crm_pipeline.delivery.schemas import describes, known_schemas, schemas, store_schemas
from crm_pipeline.delivery.sending import note_changes, record_unchanged, send
from crm_pipeline.delivery.session import DeliverySession
from crm_pipeline.ledger.due import DuePerson, DueUpdate, due_people, due_updates
from crm_pipeline.ledger.outcomes import Planned, decide_updates, identify_people
from crm_pipeline.salesforce.describe import SObjectSchema
from crm_pipeline.salesforce.matching import Match, choose, find_people

WINDOW = 10_000
"""People decided at a time: their queries and writes fill whole calls."""

SOBJECTS = ("Lead", "Contact", "Event")


def create_people(session: DeliverySession) -> None:
    """Decides every pending person; those who are in the org nowhere become Leads at once.

    Updates are only decided here, and sent by `update_people`: new leads go before activities,
    and these before updates.
    """
    after = 0
    while people := due_people(session.ledger, session.account_id, after=after, limit=WINDOW):
        after = people[-1].operation_id
        decisions = _decided(session, people)
        unchanged = [d for d in decisions if d.action == "none"]
        updates = [d for d in decisions if d.action == "update"]
        record_unchanged(session, unchanged)
        session.delivered.people_unchanged += len(unchanged)
        decide_updates(session.ledger, [_planned(d) for d in updates])
        note_changes(session, updates)
        identify_people(session.ledger, [d.operation_id for d in (*unchanged, *updates)])
        session.ledger.commit()
        send(session, [d for d in decisions if d.action == "create"])


def update_people(session: DeliverySession) -> None:
    """Sends the updates that are decided."""
    after = 0
    while updates := due_updates(session.ledger, session.account_id, after=after, limit=WINDOW):
        after = updates[-1].operation_id
        send(session, [_decision(update) for update in updates])


def _decided(session: DeliverySession, people: Sequence[DuePerson]) -> list[Decision]:
    unknown = [person for person in people if person.salesforce_id is None]
    known: Mapping[str, SObjectSchema] = known_schemas(session)
    matches: dict[str, Match] = {}
    if unknown:
        known, matches = _matched(session, unknown, known)
    elif not {"Lead", "Contact"} <= known.keys():
        known = schemas(session, SOBJECTS)
    return newest_for_each_record(
        (
            person,
            decide_person(person, matches.get(person.person_key), known, session.account.settings),
        )
        for person in people
    )


def _matched(
    session: DeliverySession, people: Sequence[DuePerson], known: Mapping[str, SObjectSchema]
) -> tuple[Mapping[str, SObjectSchema], dict[str, Match]]:
    """The record that each person has in the org, sought by email; describes ride along."""
    fields = {
        sobject: {field for person in people for field in person.intent[sobject]}
        for sobject in ("Lead", "Contact")
    }
    undescribed = [sobject for sobject in SOBJECTS if sobject not in known]
    found = find_people(
        session.org(),
        dict.fromkeys(person.person_key for person in people),
        lead_fields=_readable("Lead", fields["Lead"], known),
        contact_fields=_readable("Contact", fields["Contact"], known),
        also=describes(session, undescribed),
        parallel=session.account.settings.parallel_requests,
    )
    if undescribed:
        known = {**known, **store_schemas(session, undescribed, found.also)}
    matches = {key: choose(candidates) for key, candidates in found.items()}
    return known, {key: match for key, match in matches.items() if match is not None}


def _readable(
    sobject: str, fields: Iterable[str], known: Mapping[str, SObjectSchema]
) -> Iterable[str]:
    return known[sobject].readable(fields) if sobject in known else sorted(fields)


def _planned(decision: Decision) -> Planned:
    return Planned(
        decision.operation_id,
        decision.sobject,
        "update",
        decision.salesforce_id,
        decision.fields,
        decision.reason,
    )


def _decision(update: DueUpdate) -> Decision:
    return Decision(
        update.operation_id,
        "update",
        update.sobject,
        update.salesforce_id,
        update.sent,
        update.reason,
    )
