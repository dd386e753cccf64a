"""Mapping of the warehouse's columns to Salesforce's values, and who must not reach an org."""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self

from sqlalchemy import Engine

from crm_pipeline.accounts.account import AccountSettings
from crm_pipeline.accounts.filters import matches
from crm_pipeline.accounts.store import FieldMapping
from crm_pipeline.accounts.templates import Template
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


@dataclass(frozen=True)
class FieldMap:
    """The source of each field of one sObject: a column, a template of columns, or a constant.

    Attributes:
        columns: of the extracts, by field.
        constants: values, by field.
        fallbacks: the same for where no row of a person says something.
        computed: columns that are computed of others (`sources.computed`), by field.
        timezone: of times of the warehouse that carry none.
        templates: what makes a value of columns, by field.
    """

    columns: Mapping[str, str]
    constants: Mapping[str, str]
    fallbacks: Mapping[str, str] = field(default_factory=dict)
    computed: Mapping[str, str] = field(default_factory=dict)
    timezone: str = "UTC"
    templates: Mapping[str, Template] = field(default_factory=dict)

    @property
    def sources(self) -> Mapping[str, str]:
        """The column of each field, be it of the extracts or computed; a template as it is told."""
        made = {name: str(template) for name, template in self.templates.items()}
        return {**self.columns, **self.computed, **made}

    @property
    def needed(self) -> frozenset[str]:
        """The columns that its fields are made of, computed ones among them."""
        of_templates = (c for template in self.templates.values() for c in template.columns)
        return frozenset((*self.columns.values(), *self.computed.values(), *of_templates))

    def columns_of(self, name: str) -> tuple[str, ...]:
        """Returns the columns that a field is made of."""
        template = self.templates.get(name)
        return (self.sources[name],) if template is None else template.columns

    def apply(self, columns: Mapping[str, Any]) -> dict[str, Any]:
        """The fields that have something to say; what is empty is left out, never blanked.

        Without fallbacks: other rows may say something.
        """
        if not (self.columns or self.computed or self.templates):
            return dict(self.constants)
        return self.fields(said(columns, self._asked))

    def of_the_only_row(self, columns: Mapping[str, Any]) -> dict[str, Any]:
        """The fields of what has no other row, with fallbacks where this one says nothing."""
        return {**self.fallbacks, **self.apply(columns)}

    def fields(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The fields out of what columns say (`said`), and the constants."""
        fields = {name: values[source] for name, source in self.columns.items() if source in values}
        for of_others in (self.computed, self.templates):
            for name, source in of_others.items():
                if (value := values.get(str(source))) is not None:
                    fields[name] = value
        fields.update(self.constants)
        return fields

    def missed(self, columns: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """Yields fields whose template makes nothing of what a row says, each with that."""
        if self.templates:
            values = said(columns, self._asked)
            for name, template in self.templates.items():
                if (strange := template.misses(values, self.timezone)) is not None:
                    yield name, strange

    @cached_property
    def _asked(self) -> "Needed":
        return Needed.of(self)


@dataclass(frozen=True, slots=True)
class Needed:
    """The columns that a row is asked for.

    Attributes:
        given: columns of the extracts.
        computed: those that are computed of them (`sources.computed`).
        templates: what makes values of both.
        timezone: of times of the warehouse that carry none.
    """

    given: Collection[str]
    computed: Collection[str]
    templates: Collection[Template]
    timezone: str

    @classmethod
    def of(cls, *maps: FieldMap) -> Self:
        """Returns what is asked for the fields of some maps, each thing once."""
        needed = dict.fromkeys(column for each in maps for column in sorted(each.needed))
        computes = {column for column in needed if computed(column) is not None}
        templates = {str(t): t for each in maps for t in each.templates.values()}
        return cls(
            [column for column in needed if column not in computes],
            [column for column in needed if column in computes],
            list(templates.values()),
            maps[0].timezone,
        )


def said(columns: Mapping[str, Any], asked: Needed) -> dict[str, Any]:
    """The values of some columns as the ledger keeps them (`salesforce_value`), by column.

    Columns that say nothing, or are not there, are left out. What a template makes of them has the
    template's description for a name.

    Args:
        columns: a row's.
        asked: what is asked of it.
    """
    values: dict[str, Any] = {}
    for name in asked.given:
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
    for name in asked.computed:
        compute = computed(name, asked.timezone)
        value = None if compute is None else salesforce_value(compute(columns))
        if value is not None:
            values[name] = value
    for template in asked.templates:
        if (value := template.value(values, asked.timezone)) is not None:
            values[str(template)] = value
    return values


def field_map(
    sources: Mapping[str, str | Template],
    constants: Mapping[str, str],
    fallbacks: Mapping[str, str] | None = None,
    timezone: str = "UTC",
) -> FieldMap:
    """Returns a map whose sources may be columns of the extracts, computed ones, or templates."""
    columns, of_others, templates = {}, {}, {}
    defaults = {}
    for name, source in sources.items():
        if isinstance(source, Template):
            templates[name] = source
            if source.default is not None:
                defaults[name] = source.default
        elif computed(source) is not None:
            of_others[name] = source
        else:
            columns[name] = source
    fallbacks = {**(fallbacks or {}), **defaults}
    return FieldMap(columns, constants, fallbacks, of_others, timezone, templates)


def field_maps(
    settings: AccountSettings, overrides: Sequence[FieldMapping], timezone: str = "UTC"
) -> dict[str, FieldMap]:
    """The account's mapping by sObject: the defaults, then what it overrides or adds.

    An override with neither source nor constant takes the field out. LeadSource from a column is
    the account's own where that says nothing.
    """
    maps = {}
    for sobject, default in DEFAULT_MAPPING.items():
        columns: dict[str, str | Template] = {**default}
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
        column: each for each in overrides if each.sobject != "Campaign" for column in each.columns
    }
    known = columns(warehouse) if sources else ()
    for source in sorted(each for each in sources if needed_for(each) not in known):
        field = f"{sources[source].sobject}.{sources[source].field}"
        raise ExtractError(
            f"The mapping fills {field} from {source!r}, a column that sql/extract/ does not give; "
            f"add it there, or mend {field} with `crm-pipeline account mapping`"
        )


def missed(maps: Mapping[str, FieldMap], columns: Mapping[str, Any]) -> Iterator[str]:
    """Yields the fields, as `Lead.Region__c`, whose template makes nothing of what a row says."""
    for sobject, each in maps.items():
        for name, _ in each.missed(columns):
            yield f"{sobject}.{name}"


def missed_told(
    account_id: str, rows: Mapping[str, int], mended_by: str = "account mapping set"
) -> str:
    """Says of which fields the template made nothing of what rows said, and what shows that.

    Args:
        account_id: the account.
        rows: how many rows, by field.
        mended_by: the command that changes these templates.
    """
    fields = ", ".join(f"{field} ({number})" for field, number in sorted(rows.items()))
    return (
        f"Rows say what the templates of these fields make nothing of: {fields}; "
        f"`crm-pipeline account mapping missed {account_id}` shows what, and `{mended_by}` adds it "
        "to the table"
    )


FILTERED = "filtered"
"""Why a row is rejected whose address a filter contains."""


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
        return FILTERED
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
