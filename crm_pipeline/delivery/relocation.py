"""Records that are gone: where their people are now, and whether it is a campaign that is gone."""

from collections.abc import Sequence

from crm_pipeline.delivery.org_access import OrgAccess
from crm_pipeline.delivery.recording import CAMPAIGN_MEMBER
from crm_pipeline.ledger.account_ledger import AccountLedger
from crm_pipeline.ledger.campaigns import reopen_links
from crm_pipeline.ledger.outcomes import Moved, back_to_pending, decide_anew, move_identities
from crm_pipeline.salesforce.matching import follow_people
from crm_pipeline.salesforce.outcomes import Write


def relocate(ledger: AccountLedger, org: OrgAccess, refused: Sequence[Write]) -> None:
    """Finds the successors of records that refused a write, and has the writes decided anew.

    A converted Lead is followed to its Contact, a merged record to the one that it was merged
    into. Where nothing is left, the person is matched by email again. Where a membership's person
    is where it was, its campaign may be gone: that is looked at before anything else is sent there.

    Raises:
        SalesforceProblem: as `matching.follow_leads`.
    """
    records = {write.ref: _person_record(write) for write in refused}
    followed = follow_people(org.log_in(), filter(None, records.values()))
    moved, gone, of_campaigns = [], [], {}
    for write in refused:
        ref, record = write.ref, records[write.ref]
        if record is None:
            gone.append(ref)
            continue
        place = followed[record]
        if place.salesforce_id == record and write.sobject == CAMPAIGN_MEMBER:
            of_campaigns[ref] = write.fields["CampaignId"]
        elif place.salesforce_id is None or place.salesforce_id == record:
            gone.append(ref)
        else:
            reason = f"{place.reason} from {record}"
            moved.append(Moved(ref, place.sobject, place.salesforce_id, reason))
    with ledger.step() as connection:
        move_identities(connection, moved)
        decide_anew(connection, gone)
        back_to_pending(connection, list(of_campaigns))
        reopen_links(connection, ledger.account_id, set(of_campaigns.values()))


def _person_record(write: Write) -> str | None:
    """The Lead or Contact that a write is about; None of a new one."""
    named = (write.fields.get(field) for field in ("WhoId", "ContactId", "LeadId"))
    return next(filter(None, named), write.salesforce_id)
