"""People: which record stands for each, what of it is to change, and sending that."""

from collections.abc import Sequence

from crm_pipeline.delivery.decisions import Decision, decide_person, newest_for_each_record
from crm_pipeline.delivery.lookup import SOBJECTS, Lookup, lookup_of
from crm_pipeline.delivery.recording import note_changes, record_unchanged
from crm_pipeline.delivery.schemas import schemas
from crm_pipeline.delivery.sending import Outbox
from crm_pipeline.delivery.session import DeliverySession
from crm_pipeline.ledger.due import DuePerson, DueUpdate, due_people, due_updates, due_volumes
from crm_pipeline.ledger.outcomes import Planned, decide_updates, identify_people

WINDOW = 10_000
"""People decided at a time: their queries and writes fill whole calls."""


def create_people(session: DeliverySession) -> None:
    """Decides every pending person; those who are in the org nowhere become Leads at once.

    Updates are only decided here, and sent by `update_people`: new leads go before activities,
    and these before updates.
    """
    unknown = due_volumes(session.ledger, session.account_id).unknown_people
    outbox = Outbox(session, "new leads", {("Lead", "create"): unknown})
    lookup = lookup_of(session, unknown)
    after = 0
    while people := due_people(session.ledger, session.account_id, after=after, limit=WINDOW):
        after = people[-1].operation_id
        decisions = _decided(session, lookup, people)
        unchanged = [d for d in decisions if d.action == "none"]
        updates = [d for d in decisions if d.action == "update"]
        record_unchanged(session, unchanged)
        session.delivered.people_unchanged += len(unchanged)
        decide_updates(session.ledger, [_planned(d) for d in updates])
        note_changes(session, updates)
        identify_people(session.ledger, [d.operation_id for d in (*unchanged, *updates)])
        session.ledger.commit()
        outbox.add([d for d in decisions if d.action == "create"])
    outbox.flush()


def update_people(session: DeliverySession) -> None:
    """Sends the updates that are decided."""
    due = due_volumes(session.ledger, session.account_id)
    volumes = {("Lead", "update"): due.lead_updates, ("Contact", "update"): due.contact_updates}
    outbox = Outbox(session, "updates of people", volumes)
    after = 0
    while updates := due_updates(session.ledger, session.account_id, after=after, limit=WINDOW):
        after = updates[-1].operation_id
        outbox.add([_decision(update) for update in updates])
    outbox.flush()


def _decided(
    session: DeliverySession, lookup: Lookup, people: Sequence[DuePerson]
) -> list[Decision]:
    unknown = [person for person in people if person.salesforce_id is None]
    matches = lookup(unknown) if unknown else {}
    known = schemas(session, SOBJECTS)
    return newest_for_each_record(
        (
            person,
            decide_person(person, matches.get(person.person_key), known, session.account.settings),
        )
        for person in people
    )


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
