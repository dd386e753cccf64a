"""Reading all the people of an org by bulk queries, to find very many of them in few calls."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from crm_pipeline.salesforce.bulk import bulk_query
from crm_pipeline.salesforce.composite import Subrequest, composite, query_path
from crm_pipeline.salesforce.describe import SObjectSchema
from crm_pipeline.salesforce.emails import email_key
from crm_pipeline.salesforce.errors import OrgUnavailable
from crm_pipeline.salesforce.matching import (
    CONTACT_FIELDS,
    LEAD_FIELDS,
    Candidate,
    Found,
    add_converted,
)
from crm_pipeline.salesforce.soql import count, select

if TYPE_CHECKING:
    from crm_pipeline.salesforce.connection import Connection

CENSUS_CALLS = 9
"""API calls of a census: one to count, then two bulk queries of about four."""

_WITH_EMAIL = "Email != null"
_FIELDS = {"Lead": LEAD_FIELDS, "Contact": CONTACT_FIELDS}


def count_people(connection: "Connection") -> int:
    """How many Leads and Contacts with an email address the org has; one API call.

    Raises:
        OrgUnavailable: the org cannot count them now.
        SalesforceProblem: as `Connection.request`.
    """
    answers = composite(
        connection,
        [
            Subrequest(
                f"count{sobject}", "GET", query_path(count(sobject, _WITH_EMAIL)), kind="query"
            )
            for sobject in _FIELDS
        ],
    )
    failed = next((answer.error for answer in answers if answer.error), None)
    if failed is not None:
        raise OrgUnavailable(f"The org's people cannot be counted now: {failed[0]}")
    return sum(int(answer.body["totalSize"]) for answer in answers)


def find_people_by_census(
    connection: "Connection",
    email_keys: Collection[str],
    schemas: Mapping[str, SObjectSchema],
    *,
    lead_fields: Iterable[str],
    contact_fields: Iterable[str],
) -> Found:
    """As `matching.find_people`, by reading everybody: its calls do not grow with the addresses.

    Args:
        connection: the org.
        email_keys: as `email_key` makes them.
        schemas: of Lead and Contact; they tell numbers and truth values from text.
        lead_fields: what is to be known of Leads.
        contact_fields: the same for Contacts.

    Raises:
        SalesforceProblem: as `bulk_query`.
    """
    found = Found()
    asked = set(email_keys)
    wanted = {"Lead": lead_fields, "Contact": contact_fields}
    for sobject, needed in _FIELDS.items():
        schema = schemas[sobject]
        fields = list(dict.fromkeys((*needed, *schema.readable(wanted[sobject]))))
        for row in bulk_query(connection, select(fields, sobject, _WITH_EMAIL)):
            key = email_key(row["Email"])
            if key in asked:
                found.setdefault(key, []).append(_candidate(schema, row))
    add_converted(
        connection, found, [*CONTACT_FIELDS, *schemas["Contact"].readable(contact_fields)]
    )
    return found


def _candidate(schema: SObjectSchema, row: Mapping[str, str]) -> Candidate:
    fields = {name: _value(schema, name, text) for name, text in row.items()}
    return Candidate(
        schema.name,
        row["Id"],
        fields,
        datetime.fromisoformat(row["CreatedDate"]),
        bool(fields.get("IsConverted")),
        fields.get("ConvertedContactId"),
    )


def _value(schema: SObjectSchema, name: str, text: str) -> Any:
    """A value of a bulk query's CSV as REST would give it."""
    if text == "":
        return None
    field = schema.field(name)
    match field.type if field else "string":
        case "boolean":
            return text == "true"
        case "double" | "int" | "currency" | "percent":
            return float(text)
        case _:
            return text
