"""Reading all the people of an org by bulk queries, to find very many of them in few calls."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from crm_pipeline.salesforce.bulk import bulk_query
from crm_pipeline.salesforce.counting import count_records
from crm_pipeline.salesforce.describe import SObjectSchema
from crm_pipeline.salesforce.emails import email_key
from crm_pipeline.salesforce.matching import CONTACT_FIELDS, LEAD_FIELDS, Candidate, created_at
from crm_pipeline.salesforce.soql import select
from crm_pipeline.salesforce.values import number

if TYPE_CHECKING:
    from crm_pipeline.salesforce.connection import Org

_WITH_EMAIL = "Email != null"
_FIELDS = {"Lead": LEAD_FIELDS, "Contact": CONTACT_FIELDS}


def count_people(connection: "Org") -> int:
    """Counts the org's Leads and Contacts with an email address; one API call.

    Raises:
        SalesforceProblem: as `count_records`.
    """
    numbers = count_records(connection, dict.fromkeys(_FIELDS, _WITH_EMAIL))
    return sum(number or 0 for number in numbers.values())


def read_people(
    connection: "Org",
    schemas: Mapping[str, SObjectSchema],
    wanted: Mapping[str, Iterable[str]],
) -> Iterator[tuple[str, Candidate]]:
    """Everybody who has an email address; the calls do not grow with their number.

    Args:
        connection: the org.
        schemas: of Lead and Contact; they tell numbers and truth values from text.
        wanted: what is to be known of Leads and of Contacts, beside what `choose` needs.

    Yields:
        The email key and the record, for `matching.choose`.

    Raises:
        SalesforceProblem: as `bulk_query`.
    """
    for sobject, needed in _FIELDS.items():
        schema = schemas[sobject]
        fields = list(dict.fromkeys((*needed, *schema.readable(wanted[sobject]))))
        for row in bulk_query(connection, select(fields, sobject, _WITH_EMAIL)):
            key = email_key(row["Email"])
            if key is not None:
                yield key, _candidate(schema, row)


def _candidate(schema: SObjectSchema, row: Mapping[str, str]) -> Candidate:
    fields = {name: _value(schema, name, text) for name, text in row.items()}
    return Candidate(
        schema.name,
        row["Id"],
        fields,
        created_at(row["CreatedDate"]),
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
            return number(text)
        case _:
            return text
