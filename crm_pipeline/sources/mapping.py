"""Mapping of the warehouse's columns to Salesforce's values, and who must not reach an org."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine

from crm_pipeline.accounts.account import AccountSettings
from crm_pipeline.accounts.filters import matches
from crm_pipeline.accounts.store import FieldMapping
from crm_pipeline.inbound.tombstones import REMOVED
from crm_pipeline.salesforce.emails import bare_address, email_key
from crm_pipeline.sources.computed import computed, needed_for
from crm_pipeline.sources.errors import ExtractError
from crm_pipeline.sources.participations import RowOfPerson, columns
from crm_pipeline.text import JsonText, lines, parts, seen, written

_INT_64 = 2**63
"""From here on whole numbers are too large for JSON's readers."""


DEFAULT_MAPPING: Mapping[str, Mapping[str, str]] = {
    "Lead": {
        "FirstName": "first_name",
        "LastName": "surname",
        "Salutation": "title",
        "Title": "job_title",
        "Company": "company_name",
        "Street": "street",
        "City": "city",
        "State": "county",
        "PostalCode": "postal_code",
        "Country": "country_code",
        "Phone": "phone_1",
        "Email": "email",
    },
    "Contact": {
        "FirstName": "first_name",
        "LastName": "surname",
        "Salutation": "title",
        "Title": "job_title",
        "MailingStreet": "street",
        "MailingCity": "city",
        "MailingState": "county",
        "MailingPostalCode": "postal_code",
        "MailingCountry": "country_code",
        "Phone": "phone_1",
        "Email": "email",
    },
    "Event": {},
}
"""Field → column of the extract; `street` is address lines 1 to 3 (spec 1, field mappings)."""


OF_EACH_ROW = frozenset(
    column for sobject in ("Lead", "Contact") for column in DEFAULT_MAPPING[sobject].values()
)
"""Columns that each row of a person has."""


@dataclass(frozen=True, slots=True)
class FieldMap:
    """The source of each field of one sObject: a column, or a constant.

    Attributes:
        columns: of the extracts, by field.
        constants: values, by field.
        fallbacks: the same for where no row of a person says something.
        computed: columns that are computed of others (`sources.computed`), by field.
        timezone: of times of the warehouse that carry none.
    """

    columns: Mapping[str, str]
    constants: Mapping[str, str]
    fallbacks: Mapping[str, str] = field(default_factory=dict)
    computed: Mapping[str, str] = field(default_factory=dict)
    timezone: str = "UTC"

    @property
    def sources(self) -> Mapping[str, str]:
        """The column of each field, be it of the extracts or computed."""
        return {**self.columns, **self.computed}

    def apply(self, columns: Mapping[str, Any]) -> dict[str, Any]:
        """The fields that have something to say; what is empty is left out, never blanked."""
        if not (self.columns or self.computed):
            return dict(self.constants)
        return self.fields(
            said(columns, self.columns.values(), self.computed.values(), self.timezone)
        )

    def fields(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The fields out of what columns say (`said`), and the constants."""
        fields = {name: values[source] for name, source in self.columns.items() if source in values}
        if self.computed:
            of_others = self.computed.items()
            fields |= {name: values[source] for name, source in of_others if source in values}
        fields.update(self.constants)
        return fields


def said(
    columns: Mapping[str, Any],
    given: Iterable[str],
    of_others: Iterable[str] = (),
    timezone: str = "UTC",
) -> dict[str, Any]:
    """The values of some columns as the ledger keeps them (`salesforce_value`), by column.

    Columns that say nothing, or are not there, are left out.

    Args:
        columns: a row's.
        given: columns of the extracts.
        of_others: those that are computed of them (`sources.computed`).
        timezone: of times of the warehouse that carry none.
    """
    values = {}
    for name in given:
        value = columns.get(name)
        if value is None:
            continue
        if type(value) is str:
            text = value.strip()
            if text.isprintable():
                if text:
                    values[name] = text
            elif seen(text):
                values[name] = lines(text)
        elif (value := salesforce_value(value)) is not None:
            values[name] = value
    for name in of_others:
        compute = computed(name, timezone)
        value = None if compute is None else salesforce_value(compute(columns))
        if value is not None:
            values[name] = value
    return values


def field_map(
    sources: Mapping[str, str],
    constants: Mapping[str, str],
    fallbacks: Mapping[str, str] | None = None,
    timezone: str = "UTC",
) -> FieldMap:
    """Returns a map whose sources may be columns of the extracts or computed ones."""
    of_others = {name: source for name, source in sources.items() if computed(source) is not None}
    columns = {name: source for name, source in sources.items() if name not in of_others}
    return FieldMap(columns, constants, fallbacks or {}, of_others, timezone)


def field_maps(
    settings: AccountSettings, overrides: Sequence[FieldMapping], timezone: str = "UTC"
) -> dict[str, FieldMap]:
    """The account's mapping by sObject: the defaults, then what it overrides or adds.

    An override with neither source nor constant takes the field out. LeadSource from a column is
    the account's own where that says nothing.
    """
    maps = {}
    for sobject, default in DEFAULT_MAPPING.items():
        columns = dict(default)
        constants = {} if sobject == "Event" else {"LeadSource": settings.lead_source}
        fallbacks: dict[str, str] = {}
        if settings.person_id_field is not None and sobject != "Event":
            columns[settings.person_id_field] = "person_id"
        for override in overrides:
            if override.sobject != sobject:
                continue
            columns.pop(override.field, None)
            former = constants.pop(override.field, None)
            if override.source is not None:
                columns[override.field] = override.source
                if former is not None:
                    fallbacks[override.field] = former
            elif override.constant is not None:
                constants[override.field] = override.constant
        maps[sobject] = field_map(columns, constants, fallbacks, timezone)
    return maps


def check_columns(warehouse: Engine, overrides: Sequence[FieldMapping]) -> None:
    """Refuses a mapping of a column that no extract has: it would send nothing, silently.

    Raises:
        ExtractError: it names the field and the column.
    """
    sources = {
        each.source: each
        for each in overrides
        if each.source is not None and each.sobject != "Campaign"
    }
    known = columns(warehouse) if sources else ()
    for source in sorted(each for each in sources if needed_for(each) not in known):
        field = f"{sources[source].sobject}.{sources[source].field}"
        raise ExtractError(
            f"The mapping fills {field} from {source!r}, a column that sql/extract/ does not give; "
            f"add it there, or mend {field} with `crm-pipeline account mapping`"
        )


def rejection(row: RowOfPerson, filter_strings: Sequence[str]) -> str | None:
    """Returns why this is not to reach Salesforce, or None (spec 1, step 8).

    No address that could name a person, an address that the client filters out, or a row that
    lacks what every activity needs.
    """
    if row.flaw == REMOVED:
        return REMOVED
    email = row.columns["email"]
    if email_key(email) is None:
        return "invalid email" if bare_address(email or "") else "no email"
    if matches(email, filter_strings) is not None:
        return "filtered"
    return row.flaw


def salesforce_value(value: Any) -> Any:
    """A value as the ledger keeps it, for fields of any type: JSON, with nothing lost of it.

    Text is without outer blanks, times are in UTC, several values are a list of texts; what
    JSON would change, such as a number with many digits, is text.

    Returns:
        None for what has nothing to say: null, blank text, several such values.
    """
    if type(value) is str and (text := value.strip()).isprintable():
        return text or None  # As nearly all values are.
    inner = value.parsed() if isinstance(value, JsonText) else value
    if isinstance(inner, list | tuple):
        return parts(inner) or None
    if isinstance(inner, int) and -_INT_64 <= inner < _INT_64:
        return inner
    if isinstance(inner, float) and math.isfinite(inner):
        return inner
    return seen(written(value)) or None
