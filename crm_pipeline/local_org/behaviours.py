"""What single objects do beyond their describe: before and after a record is saved."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

from crm_pipeline.local_org.addresses import sync_address
from crm_pipeline.local_org.errors import refuse
from crm_pipeline.local_org.schema import Row
from crm_pipeline.local_org.store import Org, Table
from crm_pipeline.local_org.transaction import WriteContext

Behaviour = Callable[[WriteContext, Table, Row, Row | None], None]

_MAX_MINUTES = 1_440
_STAGES = {
    "Prospecting": (10, "Pipeline"),
    "Qualification": (10, "Pipeline"),
    "Needs Analysis": (20, "Pipeline"),
    "Value Proposition": (50, "Pipeline"),
    "Id. Decision Makers": (60, "Pipeline"),
    "Perception Analysis": (70, "Pipeline"),
    "Proposal/Price Quote": (75, "Pipeline"),
    "Negotiation/Review": (90, "Pipeline"),
    "Closed Won": (100, "Closed"),
    "Closed Lost": (0, "Omitted"),
}
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


def _account(_context: WriteContext, table: Table, row: Row, old: Row | None) -> None:
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
    """What events and tasks share: whom they are about."""
    _refuse_converted_lead(context.org, row, old, "WhoId")
    who, what = row.get("WhoId"), row.get("WhatId")
    contact = context.org.table("Contact").live(who) if who else None
    if who and contact is None and what:
        raise refuse(
            "FIELD_INTEGRITY_EXCEPTION",
            "Related To ID: cannot be set when the name is a lead",
            "WhatId",
        )
    row["AccountId"] = contact.get("AccountId") if contact else None
    if what and what.startswith("001"):
        row["AccountId"] = what


def _task(context: WriteContext, _table: Table, row: Row, old: Row | None) -> None:
    _activity(context, row, old)
    row["IsHighPriority"] = row["Priority"] == "High"
    row["IsClosed"] = row["Status"] == "Completed"
    if not row["IsClosed"]:
        row["CompletedDateTime"] = None
    elif not row.get("CompletedDateTime"):
        row["CompletedDateTime"] = context.now


def _event(context: WriteContext, _table: Table, row: Row, old: Row | None) -> None:
    """Salesforce: Event, with its rules of start, duration and end."""
    _activity(context, row, old)
    start = _changed_of(row, old, "StartDateTime", "ActivityDateTime")
    if start is None and row["IsAllDayEvent"] and row.get("ActivityDate"):
        start = f"{row['ActivityDate']}T00:00:00.000+0000"
    missing = [] if start else ["ActivityDateTime"]
    if not row["IsAllDayEvent"] and row.get("DurationInMinutes") is None:
        missing += [] if row.get("EndDateTime") else ["DurationInMinutes"]
    if missing or start is None:
        raise refuse(
            "REQUIRED_FIELD_MISSING",
            f"Required fields are missing: [{', '.join(missing)}]",
            *missing,
        )
    minutes = _duration(row, old, start)
    end = _moment(start) + timedelta(minutes=minutes)
    row["StartDateTime"] = row["ActivityDateTime"] = start
    row["DurationInMinutes"] = minutes
    row["EndDateTime"] = end.strftime("%Y-%m-%dT%H:%M:%S.000+0000")
    row["ActivityDate"], row["EndDate"] = start[:10], row["EndDateTime"][:10]


def _changed_of(row: Row, old: Row | None, one: str, other: str) -> Any:
    """The value of two fields that mean the same: the one that was given counts."""
    if old is None:
        if row.get(one) and row.get(other) and row[one] != row[other]:
            raise refuse(
                "FIELD_INTEGRITY_EXCEPTION",
                "Start Date Time and Due Date Time must be the same",
                one,
            )
        return row.get(one) or row.get(other)
    return row.get(other) if row.get(one) == old.get(one) else row.get(one)


def _duration(row: Row, old: Row | None, start: str) -> int:
    minutes, end = row.get("DurationInMinutes"), row.get("EndDateTime")
    if (
        old is not None
        and minutes == old.get("DurationInMinutes")
        and end != old.get("EndDateTime")
    ):
        minutes = None
    elif old is not None and minutes is not None:
        end = None
    between = (_moment(end) - _moment(start)).total_seconds() / 60 if end else None
    if minutes is None:
        minutes = _MAX_MINUTES if between is None else int(between)
    elif between is not None and between != minutes:
        raise refuse(
            "FIELD_INTEGRITY_EXCEPTION",
            "Duration must match the time between Start Date Time and End Date Time",
            "DurationInMinutes",
        )
    if not 0 <= minutes <= _MAX_MINUTES:
        raise refuse(
            "FIELD_INTEGRITY_EXCEPTION",
            f"Duration must be between 0 and {_MAX_MINUTES} minutes",
            "DurationInMinutes",
        )
    return int(minutes)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _campaign(context: WriteContext, _table: Table, _row: Row, _old: Row | None) -> None:
    user = next((each for each in context.org.users.values() if each.id == context.user_id), None)
    if user is not None and not user.marketing_user:
        raise refuse("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id")


def _add_member_statuses(context: WriteContext, _table: Table, row: Row, old: Row | None) -> None:
    """Every new campaign has the statuses Sent, the default, and Responded."""
    if old is None:
        statuses = context.org.table("CampaignMemberStatus")
        for each in _FIRST_STATUSES:
            context.insert(statuses, {**each, "CampaignId": row["Id"]})


def _member_status(context: WriteContext, table: Table, row: Row, old: Row | None) -> None:
    others = [
        each for each in table.children_of("CampaignId", row["CampaignId"]) if each is not old
    ]
    if row.get("SortOrder") is None:
        row["SortOrder"] = max((each.get("SortOrder") or 0 for each in others), default=0) + 1
    for name in ("Label", "SortOrder"):
        for other in others:
            if other[name] == row[name]:
                raise refuse(
                    "DUPLICATE_VALUE",
                    f"duplicate value found: {name} duplicates value on record with id: "
                    f"{other['Id'][:15]}",
                    name,
                )
    if old is not None and old["IsDefault"] and not row["IsDefault"] and not context.seeding:
        row["IsDefault"] = True


def _only_default(context: WriteContext, table: Table, row: Row, _old: Row | None) -> None:
    if row["IsDefault"]:
        for other in table.children_of("CampaignId", row["CampaignId"]):
            if other["Id"] != row["Id"] and other["IsDefault"]:
                context.change(table, {**other, "IsDefault": False})


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


def _opportunity(_context: WriteContext, _table: Table, row: Row, old: Row | None) -> None:
    stage = row["StageName"]
    probability, category = _STAGES.get(stage, (0, "Pipeline"))
    if old is None or old["StageName"] != stage:
        if row.get("Probability") == (old or {}).get("Probability"):
            row["Probability"] = float(probability)
        row["ForecastCategory"] = row["ForecastCategoryName"] = category
        row["IsClosed"] = stage.startswith("Closed")
        row["IsWon"] = stage == "Closed Won"
    amount = row.get("Amount")
    row["ExpectedRevenue"] = None if amount is None else amount * row["Probability"] / 100
    close = date.fromisoformat(row["CloseDate"])
    row["FiscalYear"], row["FiscalQuarter"] = close.year, (close.month + 2) // 3
    row["Fiscal"] = f"{row['FiscalYear']} {row['FiscalQuarter']}"


def _add_contact_role(context: WriteContext, _table: Table, row: Row, old: Row | None) -> None:
    """ContactId, which one can only give on creation, makes the primary contact role."""
    if old is None and row.get("ContactId"):
        roles = context.org.table("OpportunityContactRole")
        context.insert(
            roles, {"OpportunityId": row["Id"], "ContactId": row["ContactId"], "IsPrimary": True}
        )


def _only_primary(context: WriteContext, table: Table, row: Row, _old: Row | None) -> None:
    if row["IsPrimary"]:
        for other in table.children_of("OpportunityId", row["OpportunityId"]):
            if other["Id"] != row["Id"] and other["IsPrimary"]:
                context.change(table, {**other, "IsPrimary": False})


def name_after_id(_context: WriteContext, table: Table, row: Row, _old: Row | None) -> None:
    """A custom object's record without a name is called by its id."""
    if row.get("Name") is None:
        row["Id"] = row.get("Id") or table.ids.next()
        row["Name"] = row["Id"][:15]


BEFORE_SAVE: dict[str, Behaviour] = {
    "Account": _account,
    "Campaign": _campaign,
    "CampaignMember": _campaign_member,
    "CampaignMemberStatus": _member_status,
    "Contact": _person,
    "Event": _event,
    "Lead": _person,
    "Opportunity": _opportunity,
    "Task": _task,
    "User": _person,
}
AFTER_SAVE: dict[str, Behaviour] = {
    "Campaign": _add_member_statuses,
    "CampaignMemberStatus": _only_default,
    "Opportunity": _add_contact_role,
    "OpportunityContactRole": _only_primary,
}
