"""Refusals: what of a write an error is about, and what people can do. Pure."""

import re
from collections.abc import Iterable, Mapping

from crm_pipeline.salesforce.errors import Treatment, advice, field_named
from crm_pipeline.salesforce.outcomes import RowError, Write
from crm_pipeline.salesforce.values import Why, is_record_id

ABOUT = frozenset(("WhoId", "ContactId", "LeadId", "CampaignId", "Id"))
"""Fields that say which record a write is about."""

OF_A_REFERENCE = frozenset(
    ("INVALID_CROSS_REFERENCE_KEY", "ENTITY_IS_DELETED", "MALFORMED_ID", "INACTIVE_OWNER_OR_USER")
)
"""Codes that may be about a reference of the mapping, such as an owner who is gone."""

FIELD_IS_GONE: Mapping[str, Why] = {
    "INVALID_FIELD": Why.ABSENT,
    "INVALID_FIELD_FOR_INSERT_UPDATE": Why.READ_ONLY,
}
"""The org hides a field, or does not let our user write it any more."""

PERSON_SOBJECTS = frozenset(("Lead", "Contact"))

_API_NAME = re.compile(r"[A-Za-z]\w{0,79}", re.ASCII)


def is_of_a_reference(write: Write, error: RowError) -> bool:
    """Returns whether a field's target is refused, not the record that the write is about.

    A new person is about no record, so nothing of it can have been merged or converted.
    """
    if error.code not in OF_A_REFERENCE:
        return False
    if error.fields:
        return ABOUT.isdisjoint(error.fields)
    is_new_person = write.sobject in PERSON_SOBJECTS and write.action == "create"
    return is_new_person or error.code == "INACTIVE_OWNER_OR_USER"


def blamed(write: Write, error: RowError) -> tuple[str, ...]:
    """The fields that may be left out for an error."""
    if error.code in OF_A_REFERENCE:
        return error.fields or tuple(
            field
            for field, value in write.fields.items()
            if field not in ABOUT and field.endswith(("Id", "__c")) and is_record_id(value)
        )
    if error.treatment is Treatment.DEGRADE_FIELD:
        return error.blamed(write.sobject)
    return ()


def is_of_others(error: RowError) -> bool:
    """Returns whether it may be of another write: words alone refuse a whole request."""
    return error.code == "INVALID_FIELD" and not error.fields and bool(field_named(error.message))


def what_to_mend(code: str, sobject: str, errors: Iterable[RowError]) -> str:
    """The fields that an org names in refusals of one code, and what to do, in our own words."""
    named = {field for error in errors for field in error.blamed(sobject)}
    fields = ", ".join(f"{sobject}.{each}" for each in sorted(named) if _API_NAME.fullmatch(each))
    return "; ".join(filter(None, (fields, advice(code))))
