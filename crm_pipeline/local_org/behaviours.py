"""Behaviour of single objects beyond their describe: before and after a record is saved."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from crm_pipeline.local_org import opportunities, person_accounts
from crm_pipeline.local_org.addresses import sync_address
from crm_pipeline.local_org.errors import RowFailure, refuse
from crm_pipeline.local_org.event_bus import release
from crm_pipeline.local_org.schema import Row
from crm_pipeline.local_org.sharing import no_access
from crm_pipeline.local_org.store import Org
from crm_pipeline.local_org.tables import Table, timestamp
from crm_pipeline.local_org.transaction import WriteContext

Behaviour = Callable[[WriteContext, Table, Row, Row | None], None]

_PERSON_FIELDS = (
    "Salutation", "Name", "FirstName", "LastName", "Title", "Email", "Phone", "Fax", "MobilePhone",
    "Description", "LeadSource", "HasOptedOutOfEmail",
)  # fmt: skip
_ADDRESS_PARTS = ("Street", "City", "State", "PostalCode", "Country")
_MAX_MINUTES = 1_440
_TIMES = ("StartDateTime", "ActivityDateTime", "DurationInMinutes", "EndDateTime")
_FIRST_STATUSES = (
    {"Label": "Sent", "SortOrder": 1, "IsDefault": True, "HasResponded": False},
    {"Label": "Responded", "SortOrder": 2, "IsDefault": False, "HasResponded": True},
)


def _person(context: WriteContext, table: Table, row: Row, old: Row | None) -> None:
    if old is not None and old.get("IsConverted") and not context.seeding:
        raise _converted()
    first, last = row.get("FirstName"), row["LastName"]
    row["Name"] = f"{first} {last}" if first else last
    sync_address(table, row, old)


def _converted() -> Exception:
    return refuse("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead")


def _refuse_converted_lead(org: Org, row: Row, old: Row | None, name: str) -> None:
    lead_id = row.get(name)
    if lead_id and (old is None or old.get(name) != lead_id):
        lead = org.table("Lead").rows.get(lead_id)
        if lead is not None and lead["IsConverted"]:
            raise _converted()


def _activity(context: WriteContext, row: Row, old: Row | None) -> None:
    """Applies the rules that events and tasks share: whom they are about."""
    _refuse_converted_lead(context.org, row, old, "WhoId")
    who, what = row.get("WhoId"), row.get("WhatId")
    contact = context.org.table("Contact").live(who) if who else None
    if who and contact is None and what:
        text = "Related To ID: cannot be set when the name is a lead"
        raise refuse("FIELD_INTEGRITY_EXCEPTION", text, "WhatId")
    row["AccountId"] = _account_of(context.org, what) if what else None
    if contact and row["AccountId"] is None:
        row["AccountId"] = contact.get("AccountId")


def _account_of(org: Org, what_id: str) -> str | None:
    """The account that an activity is about, be it by an opportunity or by a detail of one."""
    table = org.table_of_id(what_id)
    if table is None or table.type.name == "Account":
        return what_id if table else None
    of = table.type
    names = [
        each.name
        for each in of.fields.values()
        if "Account" in each.reference_to and (each.name == "AccountId" or each.is_master_detail)
    ]
    return table.rows[what_id].get(names[0]) if names else None


def _task(context: WriteContext, _table: Table, row: Row, old: Row | None) -> None:
    _activity(context, row, old)
    row["IsHighPriority"] = row["Priority"] == "High"
    row["IsClosed"] = row["Status"] == "Completed"
    if not row["IsClosed"]:
        row["CompletedDateTime"] = None
    elif not row.get("CompletedDateTime"):
        row["CompletedDateTime"] = context.now


def _event(context: WriteContext, _table: Table, row: Row, old: Row | None) -> None:
    """Applies the rules of an Event's start, duration and end; the changed one counts."""
    _activity(context, row, old)
    before = old or {}
    given = {name: row.get(name) for name in _TIMES if row.get(name) != before.get(name)}
    start, due = given.get("StartDateTime"), given.get("ActivityDateTime")
    if start and due and start != due:
        text = "Start Date Time and Due Date Time must be the same"
        raise refuse("FIELD_INTEGRITY_EXCEPTION", text, "StartDateTime")
    if "StartDateTime" not in given and "ActivityDateTime" not in given:
        start = before.get("StartDateTime")
    start = start or due
    if start is None and row["IsAllDayEvent"] and row.get("ActivityDate"):
        start = f"{row['ActivityDate']}T00:00:00.000+0000"
    minutes, end = given.get("DurationInMinutes"), given.get("EndDateTime")
    if minutes is None and end is None:
        minutes = before.get("DurationInMinutes")
    missing = [] if start else ["ActivityDateTime"]
    if not row["IsAllDayEvent"] and minutes is None and not end:
        missing.append("DurationInMinutes")
    if missing or start is None:
        text = f"Required fields are missing: [{', '.join(missing)}]"
        raise refuse("REQUIRED_FIELD_MISSING", text, *missing)
    minutes = _duration(start, minutes, end)
    end = timestamp(_moment(start) + timedelta(minutes=minutes))
    row["StartDateTime"] = row["ActivityDateTime"] = start
    row["DurationInMinutes"], row["EndDateTime"] = minutes, end
    row["ActivityDate"], row["EndDate"] = start[:10], end[:10]


def _duration(start: str, minutes: int | None, end: str | None) -> int:
    """The length of an event; without minutes and end, as all-day events may be, it is a day."""
    between = int((_moment(end) - _moment(start)).total_seconds() // 60) if end else minutes
    if minutes is None:
        minutes = _MAX_MINUTES if between is None else between
    text = None
    if between not in (None, minutes):
        text = "Duration must match the time between Start Date Time and End Date Time"
    elif not 0 <= minutes <= _MAX_MINUTES:
        text = f"Duration must be between 0 and {_MAX_MINUTES} minutes"
    if text:
        raise refuse("FIELD_INTEGRITY_EXCEPTION", text, "DurationInMinutes")
    return minutes


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _campaign(context: WriteContext, _table: Table, _row: Row, _old: Row | None) -> None:
    users = context.org.users.values()
    if any(each.id == context.user_id and not each.marketing_user for each in users):
        raise no_access()


def _add_member_statuses(context: WriteContext, _table: Table, row: Row, old: Row | None) -> None:
    """Every new campaign has the statuses Sent, the default, and Responded."""
    if old is None:
        statuses = context.org.table("CampaignMemberStatus")
        for each in _FIRST_STATUSES:
            context.insert(statuses, {**each, "CampaignId": row["Id"]})


def duplicate_value(name: str, other_id: str) -> RowFailure:
    """The refusal of a value that another record has."""
    text = f"duplicate value found: {name} duplicates value on record with id: {other_id[:15]}"
    return refuse("DUPLICATE_VALUE", text, name)


def _member_status(context: WriteContext, table: Table, row: Row, old: Row | None) -> None:
    others = [one for one in table.children_of("CampaignId", row["CampaignId"]) if one is not old]
    if row.get("SortOrder") is None:
        row["SortOrder"] = max((each.get("SortOrder") or 0 for each in others), default=0) + 1
    for name in ("Label", "SortOrder"):
        for other in others:
            if other[name] == row[name]:
                raise duplicate_value(name, other["Id"])
    if old is not None and old["IsDefault"] and not row["IsDefault"] and not context.seeding:
        row["IsDefault"] = True


def _only_one(flag: str, parent: str) -> Behaviour:
    """Returns a behaviour that leaves the flag only at the record of a parent saved last."""

    def unflag(context: WriteContext, table: Table, row: Row, _old: Row | None) -> None:
        if row[flag]:
            for other in table.children_of(parent, row[parent]):
                if other["Id"] != row["Id"] and other[flag]:
                    context.change(table, {**other, flag: False})

    return unflag


_ONLY_PRIMARY = _only_one("IsPrimary", "OpportunityId")


def _campaign_member(context: WriteContext, table: Table, row: Row, old: Row | None) -> None:
    """Salesforce: CampaignMember. Of a lead and a contact it keeps the contact, silently."""
    if row.get("ContactId") and old is None and not context.seeding:
        row["LeadId"] = None
    name = "ContactId" if row.get("ContactId") else "LeadId"
    if row.get(name) is None:
        raise refuse("REQUIRED_FIELD_MISSING", "Required fields are missing: [LeadId]", "LeadId")
    if old is None:
        _refuse_converted_lead(context.org, row, old, name)
        for other in table.lookup(name, row[name]):
            member = table.live(other)
            if member is not None and member["CampaignId"] == row["CampaignId"]:
                raise refuse("DUPLICATE_VALUE", "Already a campaign member.")
    row["LeadOrContactId"] = row[name]
    row["Type"] = name.removesuffix("Id")
    status = _status_of(context.org, row)
    row["Status"], row["HasResponded"] = status["Label"], status["HasResponded"]
    if status["HasResponded"] and not row.get("FirstRespondedDate"):
        row["FirstRespondedDate"] = context.now[:10]


def _status_of(org: Org, member: Row) -> Row:
    """The campaign's status of that label, or, silently, its default."""
    table = org.table("CampaignMemberStatus")
    statuses = list(table.children_of("CampaignId", member["CampaignId"]))
    label = (member.get("Status") or "").lower()
    for each in statuses:
        if each["Label"].lower() == label:
            return each
    return next((each for each in statuses if each["IsDefault"]), _FIRST_STATUSES[0])


def name_after_id(_context: WriteContext, table: Table, row: Row, _old: Row | None) -> None:
    """A custom object's record without a name is called by its id."""
    if row.get("Name") is None:
        row["Id"] = row.get("Id") or table.ids.next()
        row["Name"] = row["Id"][:15]


def _second_primary(_context: WriteContext, table: Table, row: Row) -> None:
    """A role out of the bin is no longer the primary one if another has become that."""
    held = table.children_of("OpportunityId", row["OpportunityId"])
    row["IsPrimary"] = row["IsPrimary"] and not any(each["IsPrimary"] for each in held)


def _contact_role(context: WriteContext, table: Table, row: Row, old: Row | None) -> None:
    _ONLY_PRIMARY(context, table, row, old)
    opportunities.follow_primary_role(context, table, row)


def _account(context: WriteContext, table: Table, row: Row, old: Row | None) -> None:
    sync_address(table, row, old)
    if context.org.config.person_accounts:
        person_accounts.before_account(context, table, row, old)


def publish_at_once(context: WriteContext, table: Table, _row: Row, _old: Row | None) -> None:
    """Lets an event go out whatever becomes of the transaction."""
    context.writes.pop()
    release(context.org, [table])


BEFORE_SAVE: dict[str, Behaviour] = {
    "Account": _account,
    "Campaign": _campaign,
    "CampaignMember": _campaign_member,
    "CampaignMemberStatus": _member_status,
    "Contact": _person,
    "Event": _event,
    "Lead": _person,
    "Opportunity": opportunities.before_opportunity,
    "OpportunityStage": opportunities.before_stage,
    "Task": _task,
    "User": _person,
}
AFTER_SAVE: dict[str, Behaviour] = {
    "Account": person_accounts.after_account,
    "Campaign": _add_member_statuses,
    "CampaignMemberStatus": _only_one("IsDefault", "CampaignId"),
    "Contact": person_accounts.after_contact,
    "Opportunity": opportunities.after_opportunity,
    "OpportunityContactRole": _contact_role,
    "OpportunityStage": opportunities.after_stage,
}
AFTER_DELETE: dict[str, Callable[[WriteContext, Table, Row], None]] = {
    "OpportunityContactRole": opportunities.follow_primary_role,
}

BEFORE_UNDELETE: dict[str, Callable[[WriteContext, Table, Row], None]] = {
    "OpportunityContactRole": _second_primary,
}


def add_member_fields(tables: Mapping[str, Table]) -> None:
    """Teaches CampaignMember what it reads from its person; `tables` are by lower-case name."""
    leads, contacts, accounts = tables["lead"], tables["contact"], tables["account"]

    def reader(of_contact: str, of_lead: str) -> Callable[[Row], Any]:
        def read(member: Row) -> Any:
            if member.get("ContactId"):
                return contacts.rows.get(member["ContactId"], {}).get(of_contact)
            return leads.rows.get(member.get("LeadId") or "", {}).get(of_lead)

        return read

    account_or_company = reader("AccountId", "Company")

    def company(member: Row) -> Any:
        found = account_or_company(member)
        return accounts.rows[found]["Name"] if found in accounts.rows else found

    members = tables["campaignmember"]
    members.type.computed.update(
        {name: reader(name, name) for name in _PERSON_FIELDS},
        LeadOrContactOwnerId=reader("OwnerId", "OwnerId"),
        CompanyOrAccount=company,
        **{part: reader(f"Mailing{part}", part) for part in _ADDRESS_PARTS},
    )
    members.build_indexes()
