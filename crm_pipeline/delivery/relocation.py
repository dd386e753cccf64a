"""People whose record was converted, merged or deleted since: where they are now."""

from collections.abc import Sequence

from crm_pipeline.delivery.session import DeliverySession
from crm_pipeline.ledger.outcomes import Moved, decide_anew, move_identities
from crm_pipeline.salesforce.matching import follow_people
from crm_pipeline.salesforce.outcomes import Write


def relocate(session: DeliverySession, refused: Sequence[Write]) -> None:
    """Finds the successors of records that refused a write, and has the writes decided anew.

    A converted Lead is followed to its Contact, a merged record to the one that it was merged
    into. Where nothing is left, the person is matched by email again.

    Raises:
        SalesforceProblem: as `matching.follow_leads`.
    """
    records = {write.ref: _person_record(write) for write in refused}
    followed = follow_people(session.org(), records.values())
    moved, gone = [], []
    for ref, record in records.items():
        place = followed[record]
        if place.salesforce_id is None or place.salesforce_id == record:
            gone.append(ref)
        else:
            reason = f"{place.reason} from {record}"
            moved.append(Moved(ref, place.sobject, place.salesforce_id, reason))
    move_identities(session.ledger, moved)
    decide_anew(session.ledger, gone)
    session.ledger.commit()
    session.decided_anew = True


def _person_record(write: Write) -> str:
    """The Lead or Contact that a write is about."""
    named = (write.fields.get(field) for field in ("WhoId", "ContactId", "LeadId"))
    return str(next(filter(None, named), write.salesforce_id))
