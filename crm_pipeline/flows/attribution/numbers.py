"""Keeping the phone numbers of the org true, by what is read back of leads and contacts."""

from crm_pipeline.accounts.attribution import AttributionSettings
from crm_pipeline.declaration import Numbers, Taking, Watched
from crm_pipeline.inbound.tombstones import of_others
from crm_pipeline.ledger.org_phones import forget_phones, keep_phones
from crm_pipeline.salesforce.numbers import COUNTRY_FIELD, PHONE_FIELDS, numbers_of

WATCHED = tuple(
    Watched(sobject, (), if_there=(*PHONE_FIELDS[sobject], COUNTRY_FIELD[sobject]))
    for sobject in PHONE_FIELDS
)
"""Changes of numbers are no news to anybody; they are read along."""


def keep(taking: Taking[AttributionSettings]) -> Numbers:
    """Keeps the numbers of what was read; those of deleted and converted records are gone.

    Where the reading of leads or contacts only begins, what was known before may be out of date.
    """
    if PHONE_FIELDS.keys() & set(taking.begins):
        forget_phones(taking.ledger, taking.account.account_id)
        return {}
    numbers = {
        record["Id"]: set()
        if record.get("IsDeleted") or record.get("IsConverted")
        else numbers_of(sobject, record, taking.choices.phone_region)
        for sobject in PHONE_FIELDS
        for record in taking.records.get(sobject, ())
    }
    others = of_others(taking.ledger, taking.account, numbers)
    keep_phones(taking.ledger, taking.account.account_id, others)
    return {}
