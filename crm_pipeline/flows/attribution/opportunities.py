"""Opportunities: what is read of the org, and what of it is kept.

Opportunities come with their history, and with the person where their account is one; roles come
with their contacts. Roles and conversions may be older than the first reading, and the org moves
some without a stamp: these are asked for.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection

from crm_pipeline.accounts.account import Account
from crm_pipeline.accounts.attribution import AttributionSettings
from crm_pipeline.declaration import Ask, Numbers, Taking, Watched
from crm_pipeline.flows.attribution.stages import in_order
from crm_pipeline.inbound.tombstones import sign_of, tombstones_of
from crm_pipeline.ledger import opportunities as ledger
from crm_pipeline.salesforce.changes import Children
from crm_pipeline.salesforce.composite import Record
from crm_pipeline.salesforce.emails import email_key
from crm_pipeline.salesforce.org_objects import OrgObject
from crm_pipeline.salesforce.phones import phone_keys

TOPIC = "opportunities"

ASKED_AT_ONCE = 10_000
"""Ids of one question; five pages."""

_EVER = timedelta(days=36_500)

OPPORTUNITY_COLUMNS = {
    "Name": "string",
    "StageName": "picklist",
    "IsClosed": "boolean",
    "IsWon": "boolean",
    "Probability": "percent",
    "ForecastCategory": "picklist",
    "Amount": "currency",
    "CloseDate": "date",
    "CreatedDate": "datetime",
}
"""What is read of an opportunity in every org, with its type as a describe has it."""

ROLE_COLUMNS = {
    "OpportunityId": "reference",
    "ContactId": "reference",
    "IsPrimary": "boolean",
    "Role": "picklist",
}
"""Likewise of a contact's role."""

_FIELDS = tuple(OPPORTUNITY_COLUMNS)
_CURRENCY = "CurrencyIsoCode"
_HISTORY = "OpportunityHistories"
_HISTORY_FIELDS = ("Id", "CreatedDate", "StageName", "Probability", "ForecastCategory")
_ROLE_FIELDS = tuple(ROLE_COLUMNS)
_CONTACT_FIELDS = ("Email", "Phone", "MobilePhone", "MailingCountry")
_LEAD_FIELDS = ("IsConverted", "ConvertedContactId", "ConvertedOpportunityId", "IsDeleted")
_LEAD_KNOWN_BY = ("Email", "Phone", "MobilePhone", "Country")
_MATCHED_BY = ("Email", "Phone")
"""Hidden, whoever is known by them would be somebody else at once."""

_STAGE_FIELDS = ("MasterLabel", "IsClosed", "IsWon")


def opportunity_fields(choices: AttributionSettings) -> tuple[str, ...]:
    """The fields of an opportunity that are kept, where the org has them: the filter's too."""
    named = (*(each.field for each in choices.opportunity_filter), choices.opportunity_id_field)
    return tuple(dict.fromkeys([*_FIELDS, _CURRENCY, *filter(None, named)]))


def watches(choices: AttributionSettings) -> Sequence[Watched]:
    """The objects that are read back: five, so that an idle reading is one call."""
    if not choices.triggers:
        return ()
    back = timedelta(days=choices.first_reading_days)
    id_field = () if choices.id_field is None else (choices.id_field,)
    known = (*_CONTACT_FIELDS, "IsDeleted", "MasterRecordId", *id_field)
    of_contact = [f"Contact.{name}" for name in known]
    of_account = [f"Account.PersonContact.{name}" for name in ("Id", *known)]
    named = [name for name in opportunity_fields(choices) if name not in (*_FIELDS, _CURRENCY)]
    return (
        Watched(
            "Opportunity",
            ("IsDeleted",),
            context=_FIELDS,
            if_there=(_CURRENCY, *of_account),
            named=tuple(named),
            children=(Children(_HISTORY, _HISTORY_FIELDS),),
            held_only=False,
            look_back=back,
        ),
        Watched(
            "OpportunityContactRole",
            ("IsDeleted",),
            context=_ROLE_FIELDS,
            if_there=tuple(of_contact),
            held_only=False,
            look_back=back,
        ),
        Watched(
            "Lead",
            (),
            context=_LEAD_FIELDS,
            if_there=_LEAD_KNOWN_BY,
            named=id_field,
            held_only=False,
        ),
        Watched(
            "Contact",
            (),
            context=("IsDeleted", "MasterRecordId"),
            if_there=_CONTACT_FIELDS,
            named=id_field,
            held_only=False,
        ),
        Watched(
            "OpportunityStage",
            (),
            context=_STAGE_FIELDS,
            held_only=False,
            look_back=_EVER,
        ),
    )


def needs(choices: AttributionSettings) -> Sequence[OrgObject]:
    """What the org must show, so that no value is told without what it lacks."""
    if not choices.triggers:
        return ()
    return [
        OrgObject(name, name, name, "", (), reads)
        for name, reads in (
            ("Opportunity", _FIELDS),
            ("OpportunityHistory", _HISTORY_FIELDS),
            ("OpportunityContactRole", _ROLE_FIELDS),
            ("OpportunityStage", _STAGE_FIELDS),
            ("Account", ("Id",)),
            ("Lead", (*_LEAD_FIELDS, *_MATCHED_BY)),
            ("Contact", _MATCHED_BY),
        )
    ]


def take(taking: Taking[AttributionSettings]) -> Numbers:
    """Keeps opportunities, roles, people around them and stages, as they were read."""
    connection, account_id, choices = taking.ledger, taking.account.account_id, taking.choices
    if not choices.triggers:
        return {}
    back = timedelta(days=choices.first_reading_days)
    ledger.begin(connection, account_id, taking.now - back)
    found = taking.records
    # The newest state of each comes last.
    opportunities = {each["Id"]: each for each in found.get("Opportunity", ())}
    stages = [
        ledger.OrgStage(each["Id"], each["MasterLabel"], each["IsClosed"], each["IsWon"])
        for each in found.get("OpportunityStage", ())
    ]
    retyped = ledger.note_stages(connection, account_id, stages)
    ledger.new_versions(connection, account_id, retyped.difference(opportunities))
    # One that the sweep found to be gone has the names as we wrote them.
    seen = next((each for each in opportunities.values() if each["CreatedDate"]), {})
    kept = {name: _shown_as(name, seen) or name for name in opportunity_fields(choices)}
    versions = ledger.note_opportunities(
        connection,
        account_id,
        [_opportunity(each, kept, choices) for each in opportunities.values()],
        retyped.intersection(opportunities),
    )
    roles = {each["Id"]: each for each in found.get("OpportunityContactRole", ())}
    accounts = {
        each["Id"]: (each["Account"] or {}).get("PersonContact")
        for each in opportunities.values()
        if "Account" in each and not each["IsDeleted"]
    }
    ledger.note_roles(
        connection,
        account_id,
        [
            *(_role(each) for each in roles.values()),
            *(_role_of_account(*each) for each in accounts.items()),
        ],
    )
    around = [*map(_contact, roles.values()), *accounts.values()]
    people = _of_others(taking, _people(taking, [each for each in around if each]))
    ledger.note_people(connection, account_id, people)
    ledger.looked_up(connection, account_id, _answered(taking.asked))
    read = len(opportunities)
    return {
        (TOPIC, "read"): read,
        (TOPIC, "new"): versions.new,
        (TOPIC, "changed"): versions.changed,
        (TOPIC, "unchanged"): read - versions.new - versions.changed,
    }


def asks(connection: Connection, account: Account, choices: AttributionSettings) -> Sequence[Ask]:
    """Questions to the org for whatever else is to be read (`ledger.to_look_up`)."""
    if not choices.triggers:
        return ()
    wanted = ledger.to_look_up(connection, account.account_id, limit=ASKED_AT_ONCE)
    return [
        Ask(sobject, field, tuple(ids), question)
        for question, sobject, field in _questions()
        if (ids := [each for each in wanted.get(question, ()) if _fits(question, sobject, each)])
    ]


def _questions() -> Iterator[tuple[str, str, str]]:
    yield "opportunity", "Opportunity", "Id"
    yield "roles", "OpportunityContactRole", "OpportunityId"
    yield "converted", "Lead", "ConvertedOpportunityId"
    yield "became", "Lead", "ConvertedContactId"
    yield "role", "OpportunityContactRole", "Id"
    yield "person", "Contact", "Id"
    yield "person", "Lead", "Id"


def _fits(question: str, sobject: str, record_id: str) -> bool:
    """Returns whether a record in doubt is one of this object, by the Id's prefix."""
    return question != "person" or record_id.startswith("003" if sobject == "Contact" else "00Q")


def _answered(asked: Sequence[Ask]) -> Mapping[str, list[str]]:
    answered: dict[str, list[str]] = {}
    for each in asked:
        answered.setdefault(each.about, []).extend(each.values)
    return answered


def _opportunity(
    record: Record, kept: Mapping[str, str], choices: AttributionSettings
) -> ledger.OpportunityRow:
    """An opportunity; one that the sweep found to be gone says nothing of itself.

    Args:
        record: as it was read.
        kept: the names of its fields, and the one under which the org shows each.
        choices: the account's.
    """
    fields = {name: record[shown] for name, shown in kept.items() if shown in record}
    if (id_field := choices.opportunity_id_field) in fields:
        fields[id_field] = _tracker_id(fields[id_field])
    rows = [{name: row[name] for name in _HISTORY_FIELDS} for row in record.get(_HISTORY) or ()]
    return ledger.OpportunityRow(
        record["Id"],
        fields,
        in_order(rows),
        bool(record["IsDeleted"]),
        record["SystemModstamp"],
        record["CreatedDate"],
    )


def _shown_as(name: str, record: Mapping[str, Any]) -> str | None:
    """Returns the name under which a record has a field, whose name people write in any case."""
    if name in record:
        return name
    return next((each for each in record if each.lower() == name.lower()), None)


def _tracker_id(value: Any) -> str | None:
    """Returns the tracker's id as the tracker writes it; a field of the org may be a number."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return None if value is None else str(value).strip() or None


def _role(record: Record) -> ledger.RoleRow:
    return ledger.RoleRow(
        record["Id"],
        record["OpportunityId"],
        record["ContactId"],
        bool(record["IsPrimary"]),
        record["Role"],
        bool(record["IsDeleted"]),
    )


def _contact(role: Record) -> Mapping[str, Any] | None:
    """The contact who has a role; None where the role is gone."""
    if role["ContactId"] is None or role["IsDeleted"]:
        return None
    return {**(role.get("Contact") or {}), "Id": role["ContactId"]}


def _role_of_account(opportunity_id: str, contact: Record | None) -> ledger.RoleRow:
    """The role of the person who is the account; one that is gone where a company is."""
    contact_id = None if contact is None else contact["Id"]
    deleted = contact is None
    return ledger.RoleRow(
        opportunity_id, opportunity_id, contact_id, is_primary=False, role=None, deleted=deleted
    )


def _people(
    taking: Taking[AttributionSettings], contacts: Sequence[Mapping[str, Any]]
) -> list[ledger.PersonRow]:
    """Contacts around opportunities, those known already, and leads that were converted."""
    people = {each["Id"]: _person(each, taking.choices) for each in contacts}
    for contact in taking.records.get("Contact", ()):
        is_new = contact["Id"] in people
        people[contact["Id"]] = _person(contact, taking.choices, is_new=is_new)
    for lead in taking.records.get("Lead", ()):
        if lead["IsConverted"]:
            people[lead["Id"]] = _person(lead, taking.choices)
    return list(people.values())


def _of_others(
    taking: Taking[AttributionSettings], people: Sequence[ledger.PersonRow]
) -> list[ledger.PersonRow]:
    """The people; of those who were removed on request nothing but that they are there."""
    tombstones = tombstones_of(taking.ledger, taking.account) if people else None
    if tombstones is None:
        return list(people)
    return [
        replace(each, tracker_id=None, email=None, phones=())
        if tombstones.hold(each.email) or tombstones.hold_sign(sign_of("record", each.record_id))
        else each
        for each in people
    ]


def _person(
    record: Mapping[str, Any], choices: AttributionSettings, *, is_new: bool = True
) -> ledger.PersonRow:
    phones: dict[str, None] = {}
    for name in ("Phone", "MobilePhone"):
        if number := record.get(name):
            country = record.get("MailingCountry") or record.get("Country")
            phones |= dict.fromkeys(phone_keys(number, choices.phone_region, country))
    id_field = choices.id_field and _shown_as(choices.id_field, record)
    return ledger.PersonRow(
        record["Id"],
        None if id_field is None else _tracker_id(record[id_field]),
        email_key(record.get("Email")),
        [*phones],
        bool(record.get("IsDeleted")),
        record.get("MasterRecordId"),
        record.get("ConvertedContactId"),
        record.get("ConvertedOpportunityId"),
        is_new,
    )
