"""The rules of tracked leads: who is sent, and the first and the last touch. Pure (spec 5)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, get_args

from crm_pipeline.accounts.attribution import TOUCH_COLUMNS, AttributionSettings, LeadKind
from crm_pipeline.accounts.filters import matches
from crm_pipeline.accounts.templates import Template, sources_of
from crm_pipeline.ledger.intents import Intent
from crm_pipeline.ledger.parts import SOFTLY, UNSAID, WITHDRAWN
from crm_pipeline.ledger.tracked_leads import VANISHED, TrackedLead, WantedBefore
from crm_pipeline.salesforce.emails import email_key
from crm_pipeline.salesforce.phones import phone_key, written_number
from crm_pipeline.salesforce.values import READERS
from crm_pipeline.sources.mapping import salesforce_value
from crm_pipeline.sources.source import BEFORE_START
from crm_pipeline.sources.tracked_leads import TrackedLeadRow
from crm_pipeline.text import digest, is_no_id, lines

KINDS: tuple[str, ...] = get_args(LeadKind)

DETAILS: Mapping[str, Mapping[str, str]] = {
    "Lead": {
        "FirstName": "first_name",
        "LastName": "last_name",
        "Company": "company_name",
        "City": "city",
        "State": "county",
        "PostalCode": "postal_code",
        "Country": "country_code",
        "Phone": "phone",
        "Email": "email",
    },
    "Contact": {
        "FirstName": "first_name",
        "LastName": "last_name",
        "MailingCity": "city",
        "MailingState": "county",
        "MailingPostalCode": "postal_code",
        "MailingCountry": "country_code",
        "Phone": "phone",
        "Email": "email",
    },
}
"""Field → column: who somebody is. Of an existing record they are written while nothing stands
there, or what we wrote last: a tracker's word for a name weighs less than a salesperson's."""

_NOT_KEPT = frozenset(("lead_id", "happened_at", "changed_at"))
_NO_TIME = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
_NEVER_WANTED = WantedBefore(_NO_TIME, ())


@dataclass(frozen=True, slots=True)
class LeadChoices:
    """The account's choices by which its leads are judged.

    Attributes:
        settings: of the flow.
        filter_strings: addresses that must not reach the org.
        start_at: leads of before are not sent, if there is such a moment.
    """

    settings: AttributionSettings
    filter_strings: Sequence[str]
    start_at: datetime | None

    @property
    def digest(self) -> bytes:
        """A digest of all by which `judge` judges."""
        settings = self.settings
        return digest(
            (settings.phone_region, settings.kinds, sorted(self.filter_strings), self.start_at)
        )


def tracked_lead(row: TrackedLeadRow, chosen: LeadChoices) -> TrackedLead | None:
    """Returns a lead as the ledger keeps it, rejected ones with the reason.

    Returns:
        None for a row without an id, which can be told from no other.
    """
    columns = row.columns
    if is_no_id(columns["lead_id"]):
        return None
    said = {}
    for name, raw in columns.items():
        if raw is None or name in _NOT_KEPT:
            continue
        value = lines(raw.strip()) or None if type(raw) is str else salesforce_value(raw)
        if value is not None:
            said[name] = value
    lead = TrackedLead(
        lead_id=str(columns["lead_id"]),
        happened_at=row.happened_at or _NO_TIME,
        as_of=row.changed_at,
        columns={**said, **_names(said)},
    )
    judge(lead, chosen)
    return lead


def judge(lead: TrackedLead, chosen: LeadChoices) -> tuple[str | None, ...]:
    """Sets what the account's choices make of a lead: its address, its number, why it stays.

    Returns:
        These three, to be compared with others.
    """
    said = lead.columns
    email = said.get("email")
    lead.email = email_key(email) if isinstance(email, str) else None
    lead.phone = phone_key(
        said.get("phone"), chosen.settings.phone_region, said.get("country_code")
    )
    lead.rejected_because = _rejection(lead, chosen)
    return lead.email, lead.phone, lead.rejected_because


def judged_otherwise(leads: Iterable[TrackedLead], chosen: LeadChoices) -> Iterator[TrackedLead]:
    """The leads of which these choices make something else than was made of them before.

    Whom they are about is to be found anew. What vanished stays so.
    """
    for lead in leads:
        if lead.rejected_because == VANISHED:
            continue
        before = lead.email, lead.phone, lead.rejected_because
        if judge(lead, chosen) != before:
            lead.address = lead.person_key = None
            yield lead


def number_of(row: TrackedLeadRow, chosen: AttributionSettings) -> str | None:
    """Returns the number that a lead gives, as `phone_key` writes it."""
    return phone_key(row.columns["phone"], chosen.phone_region, row.columns.get("country_code"))


def _rejection(lead: TrackedLead, chosen: LeadChoices) -> str | None:
    """Returns why a lead is not to reach the org, or None."""
    said, filter_strings = lead.columns, chosen.filter_strings
    kind = said.get("kind")
    reasons = (
        ("spam", _is_set(said.get("is_spam"))),
        ("duplicate", _is_set(said.get("is_duplicate"))),
        ("no kind", kind is None),
        ("unknown kind", kind not in KINDS),
        ("kind not sent", kind not in chosen.settings.kinds),
        ("happened_at is no usable time", lead.happened_at == _NO_TIME),
        (BEFORE_START, chosen.start_at is not None and lead.happened_at < chosen.start_at),
        ("filtered", bool(filter_strings and lead.email and matches(lead.email, filter_strings))),
        ("no email and no valid phone number", lead.email is None and lead.phone is None),
    )
    return next((reason for reason, holds in reasons if holds), None)


def _is_set(value: Any) -> bool:
    return value is True or (value not in (None, False) and READERS["boolean"](value) is True)


def _names(said: Mapping[str, Any]) -> dict[str, str]:
    """The parts of a whole name, where the tracker gives no parts.

    "Ada Lovelace" and "Lovelace, Ada" are the same; one word is a last name.
    """
    whole = said.get("contact_name")
    if "first_name" in said or "last_name" in said or not isinstance(whole, str):
        return {}
    last, comma, first = whole.partition(",")
    if not comma:
        first, _, last = whole.rpartition(" ")
    parts = {"first_name": " ".join(first.split()), "last_name": " ".join(last.split())}
    return {name: part for name, part in parts.items() if part}


def fingerprint(chosen: AttributionSettings) -> str:
    """Returns a text that differs where these settings would have people wanted otherwise."""
    ours = {"id_field", "kind_field", "first_touch", "last_touch", "further_fields", "lead_source"}
    return chosen.model_dump_json(include=ours)


def person_intents(
    leads: Mapping[int, Sequence[TrackedLead]],
    said: Mapping[int, WantedBefore],
    chosen: AttributionSettings,
    timezone: str = "UTC",
) -> list[Intent]:
    """Returns what is wanted of each person, by all leads that are about them.

    That is never older than what was wanted before: the newest lead may count no more. Of people
    of whom something was wanted and about whom none is left, nothing is.

    Args:
        leads: by person, the first one first; rejected ones are not among them.
        said: what was wanted of them last, if ever.
        chosen: the account's.
        timezone: of times of the warehouse that carry none.
    """
    told = [
        _person(person, of_person, said.get(person, _NEVER_WANTED), chosen, timezone)
        for person, of_person in leads.items()
    ]
    return told + [
        _withdrawn(person, before) for person, before in said.items() if person not in leads
    ]


def _person(
    person: int,
    leads: Sequence[TrackedLead],
    said: WantedBefore,
    chosen: AttributionSettings,
    timezone: str,
) -> Intent:
    attribution = _attribution(leads, said.fields, chosen)
    further, unsaid = _further(leads, chosen, timezone)
    attribution |= further
    columns: dict[str, Any] = {}
    for lead in leads:
        columns.update(lead.columns)
        if lead.email is not None:
            columns["email"] = lead.email
        if lead.phone is not None:
            columns["phone"] = written_number(lead.phone)
    fields: dict[str, Any] = {}
    details: dict[str, None] = {}
    for sobject, mapping in DETAILS.items():
        of_person = {field: columns[c] for field, c in mapping.items() if c in columns}
        of_person["LeadSource"] = chosen.lead_source
        details |= dict.fromkeys(of_person)
        fields[sobject] = of_person | attribution
    fields[SOFTLY] = sorted(details.keys() - attribution.keys())
    if unsaid:
        fields[UNSAID] = [f"{sobject}.{field}" for sobject in DETAILS for field in unsaid]
    as_of = max(said.as_of, *(lead.as_of for lead in leads))
    return Intent(f"person:{person}", "person", person, as_of, fields)


def _withdrawn(person: int, said: WantedBefore) -> Intent:
    """A person about whom no lead is: where there is a record, it shows no touch of theirs."""
    emptied = dict.fromkeys(said.fields)
    fields = {**dict.fromkeys(DETAILS, emptied), SOFTLY: [], WITHDRAWN: True}
    return Intent(f"person:{person}", "person", person, said.as_of, fields)


def _attribution(
    leads: Sequence[TrackedLead], said: Iterable[str], chosen: AttributionSettings
) -> dict[str, Any]:
    """The fields of both touches; what the last one does not say is emptied.

    A touch is what one lead says: of two of them nothing is mixed. One that says nothing of where
    it came from is no touch. What was `said` of a field and is not any more is emptied as well.
    """
    fields: dict[str, Any] = dict.fromkeys(said)
    if chosen.id_field is not None:
        fields[chosen.id_field] = leads[0].lead_id
    if chosen.kind_field is not None:
        fields[chosen.kind_field] = leads[0].columns["kind"]
    touches = [touch for lead in leads if (touch := _touch(lead))]
    if touches:
        for column, field in chosen.first_touch.named.items():
            if column in touches[0]:
                fields[field] = touches[0][column]
        for column, field in chosen.last_touch.named.items():
            fields[field] = touches[-1].get(column)
    return fields


def has_templates(chosen: AttributionSettings) -> bool:
    """Returns whether templates make any of the further fields."""
    return any(isinstance(each, Template) for each in sources_of(chosen.further_fields).values())


def missed(
    lead: TrackedLead, chosen: AttributionSettings, timezone: str
) -> Iterator[tuple[str, str]]:
    """Yields the further fields whose template makes nothing of what a lead says, each with that.

    Args:
        lead: the lead; of one that is not to be sent nothing is missed.
        chosen: the account's choices.
        timezone: of times of the warehouse that carry none.
    """
    for field, source in sources_of(chosen.further_fields).items():
        if isinstance(source, Template) and lead.rejected_because is None:
            strange = source.misses(lead.columns, timezone)
            if strange is not None:
                yield field, strange


def _further(
    leads: Sequence[TrackedLead], chosen: AttributionSettings, timezone: str
) -> tuple[dict[str, Any], list[str]]:
    """The further fields, each of the newest lead that says something; those with a default."""
    fields: dict[str, Any] = {}
    unsaid = []
    for field, source in sources_of(chosen.further_fields).items():
        if not isinstance(source, Template):
            value = _newest(lead.columns.get(source) for lead in leads)
        else:
            value = _newest(source.value(lead.columns, timezone) for lead in leads)
            if value is None and source.default is not None:
                value = source.default
                unsaid.append(field)
        if value is not None:
            fields[field] = value
    return fields, unsaid


def _touch(lead: TrackedLead) -> dict[str, Any]:
    return {name: lead.columns[name] for name in TOUCH_COLUMNS if name in lead.columns}


def _newest(values: Iterable[Any]) -> Any:
    """The last of some values that says something; None: none does."""
    said = [each for each in values if each is not None]
    return said[-1] if said else None
