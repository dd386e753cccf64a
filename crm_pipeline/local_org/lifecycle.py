"""What people do to records in Salesforce itself: convert leads, merge duplicates."""

from collections.abc import Sequence
from dataclasses import dataclass

from crm_pipeline.local_org.errors import SalesforceError
from crm_pipeline.local_org.ids import long_id
from crm_pipeline.local_org.schema import Row
from crm_pipeline.local_org.store import Org, Table
from crm_pipeline.local_org.transaction import WriteContext, committed

_PERSON_FIELDS = (
    "FirstName", "LastName", "Salutation", "Name", "Email", "Phone", "MobilePhone", "Fax", "Title",
    "LeadSource", "Description",
)  # fmt: skip
_ADDRESS_PARTS = ("Street", "City", "State", "PostalCode", "Country", "StateCode", "CountryCode")
_ACCOUNT_FIELDS = {
    "Company": "Name",
    "Website": "Website",
    "Industry": "Industry",
    "NumberOfEmployees": "NumberOfEmployees",
    "AnnualRevenue": "AnnualRevenue",
    "Phone": "Phone",
}
_NOT_MOVED = frozenset({"LeadOrContactId", "MasterRecordId"})
_MERGEABLE = ("Lead", "Contact", "Account")


@dataclass(frozen=True, slots=True)
class Converted:
    """Where a lead went."""

    lead_id: str
    account_id: str
    contact_id: str
    opportunity_id: str | None


def convert(
    org: Org,
    lead_id: str,
    *,
    account_id: str | None = None,
    contact_id: str | None = None,
    opportunity_name: str | None = None,
) -> Converted:
    """Converts a lead to an account and a contact, new or given, perhaps with an opportunity.

    Its open activities and campaign members go to the contact; the lead stays, read-only, with
    `IsConverted`. Salesforce: Converting Leads. Raises `SalesforceError`.
    """
    leads, contacts, accounts = org.table("Lead"), org.table("Contact"), org.table("Account")
    lead = _living(leads, lead_id)
    if lead["IsConverted"]:
        raise SalesforceError(400, "CANNOT_UPDATE_CONVERTED_LEAD", "lead is already converted")
    with committed(WriteContext(org, lead["OwnerId"])) as context:
        if contact_id is not None:
            contact = _living(contacts, contact_id)
            account_id = account_id or contact.get("AccountId")
        if account_id is None:
            account_id = context.insert(accounts, _account_of(org, lead))
        else:
            account_id = _living(accounts, account_id)["Id"]
        if contact_id is None:
            contact_id = context.insert(contacts, _contact_of(org, lead, account_id))
        else:
            _fill_in(context, contacts, contact_id, {**_person_of(lead), "AccountId": account_id})
            contact_id = _living(contacts, contact_id)["Id"]
        opportunity_id = None
        if opportunity_name is not None:
            opportunity_id = _opportunity(context, lead, account_id, contact_id, opportunity_name)
        _move_children(context, leads, lead["Id"], contact_id)
        context.change(
            leads,
            {
                **lead,
                "IsConverted": True,
                "Status": "Closed - Converted",
                "ConvertedDate": context.now[:10],
                "ConvertedAccountId": account_id,
                "ConvertedContactId": contact_id,
                "ConvertedOpportunityId": opportunity_id,
                "IsUnreadByOwner": False,
            },
            "convert",
        )
    return Converted(lead["Id"], account_id, contact_id, opportunity_id)


def merge(org: Org, sobject: str, master_id: str, loser_ids: Sequence[str]) -> str:
    """Merges up to two records into a master, which takes what it lacks and all children.

    The losers are deleted with `MasterRecordId`. Salesforce: merge(). Raises `SalesforceError`.
    """
    if sobject not in _MERGEABLE:
        raise SalesforceError(400, "INVALID_TYPE", f"{sobject} cannot be merged")
    if not 1 <= len(loser_ids) <= 2:
        raise SalesforceError(400, "INVALID_ARGUMENT", "one or two records are merged at a time")
    table = org.table(sobject)
    master = _living(table, master_id)
    losers = [_living(table, each) for each in loser_ids]
    if any(loser["Id"] == master["Id"] for loser in losers):
        raise SalesforceError(400, "INVALID_ARGUMENT", "a record cannot be merged with itself")
    with committed(WriteContext(org, master["OwnerId"])) as context:
        for loser in losers:
            _move_children(context, table, loser["Id"], master["Id"])
            _fill_in(context, table, master["Id"], loser)
            gone = {**loser, "IsDeleted": True, "MasterRecordId": master["Id"]}
            context.change(table, gone, "merge")
    return str(master["Id"])


def _living(table: Table, record_id: str) -> Row:
    row = table.live(long_id(record_id) or "")
    if row is None:
        raise SalesforceError(
            404, "NOT_FOUND", f"there is no {table.type.name} with the id {record_id}"
        )
    return row


def _account_of(org: Org, lead: Row) -> Row:
    account = {to: lead.get(source) for source, to in _ACCOUNT_FIELDS.items()}
    account.update(_address(org.table("Account"), "Billing", lead))
    return _with_defaults(org.table("Account"), {**account, "OwnerId": lead["OwnerId"]})


def _contact_of(org: Org, lead: Row, account_id: str) -> Row:
    table = org.table("Contact")
    contact = {**_person_of(lead), **_address(table, "Mailing", lead)}
    custom = {
        each.name: lead[each.name]
        for each in table.type.fields.values()
        if each.describe["custom"] and lead.get(each.name) is not None and not each.unique
    }
    return _with_defaults(
        table, {**contact, **custom, "AccountId": account_id, "OwnerId": lead["OwnerId"]}
    )


def _person_of(lead: Row) -> Row:
    return {name: lead.get(name) for name in _PERSON_FIELDS}


def _address(table: Table, prefix: str, lead: Row) -> Row:
    return {
        prefix + part: lead.get(part) for part in _ADDRESS_PARTS if table.type.find(prefix + part)
    }


def _with_defaults(table: Table, row: Row) -> Row:
    defaults = {
        each.name: each.default for each in table.type.fields.values() if each.default is not None
    }
    return {**defaults, **{name: value for name, value in row.items() if value is not None}}


def _opportunity(
    context: WriteContext, lead: Row, account_id: str, contact_id: str, name: str
) -> str:
    opportunities = context.org.table("Opportunity")
    opportunity_id = context.insert(
        opportunities,
        _with_defaults(
            opportunities,
            {
                "Name": name,
                "AccountId": account_id,
                "StageName": "Prospecting",
                "CloseDate": context.now[:10],
                "LeadSource": lead.get("LeadSource"),
                "OwnerId": lead["OwnerId"],
            },
        ),
    )
    roles = context.org.table("OpportunityContactRole")
    role = {"OpportunityId": opportunity_id, "ContactId": contact_id, "IsPrimary": True}
    context.insert(roles, role)
    return opportunity_id


def _fill_in(context: WriteContext, table: Table, record_id: str, source: Row) -> None:
    """Gives a record those values that it has none of."""
    row = _living(table, record_id)
    missing = {
        name: value
        for name, value in source.items()
        if value is not None and row.get(name) is None and name != "MasterRecordId"
    }
    if missing:
        context.change(table, {**row, **missing})


def _move_children(context: WriteContext, table: Table, from_id: str, to_id: str) -> None:
    """Lets what points at one record point at another."""
    org = context.org
    for child in table.type.all_children:
        children = org.table(child.child_object)
        if not children.is_indexed(child.field) or child.field in _NOT_MOVED:
            continue
        for child_id in children.lookup(child.field, from_id):
            row = children.live(child_id)
            if row is None:
                continue
            if child.child_object == "CampaignMember":
                _move_member(context, children, row, to_id)
            else:
                context.change(children, {**row, child.field: to_id}, "move")


def _move_member(context: WriteContext, members: Table, row: Row, to_id: str) -> None:
    """Salesforce keeps the lead beside the contact in the member of a converted lead."""
    kind = "Contact" if to_id.startswith("003") else "Lead"
    name = f"{kind}Id"
    twice = any(
        other["CampaignId"] == row["CampaignId"] and other["Id"] != row["Id"]
        for other_id in members.lookup(name, to_id)
        if (other := members.live(other_id)) is not None
    )
    if twice:
        context.change(members, {**row, "IsDeleted": True}, "delete")
    else:
        moved = {**row, name: to_id, "LeadOrContactId": to_id, "Type": kind}
        context.change(members, moved, "move")
