"""Work of people on records in Salesforce itself: convert leads, merge duplicates."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from crm_pipeline.local_org import dml
from crm_pipeline.local_org.errors import SalesforceError
from crm_pipeline.local_org.ids import long_id
from crm_pipeline.local_org.opportunities import first_open_stage
from crm_pipeline.local_org.person_accounts import contacts_to_merge, person_of
from crm_pipeline.local_org.recycle_bin import deleted
from crm_pipeline.local_org.schema import Field, Row
from crm_pipeline.local_org.store import Org
from crm_pipeline.local_org.tables import Table
from crm_pipeline.local_org.transaction import WriteContext, committed

_PERSON_FIELDS = (
    "FirstName", "LastName", "Salutation", "Email", "Phone", "MobilePhone", "Fax", "Title",
    "LeadSource", "Description", "HasOptedOutOfEmail",
)  # fmt: skip
_ACCOUNT_FIELDS = ("Website", "Industry", "NumberOfEmployees", "AnnualRevenue", "Phone")
_ADDRESS_PARTS = ("Street", "City", "State", "PostalCode", "Country", "StateCode", "CountryCode")
_NOT_MOVED = frozenset({"LeadOrContactId", "MasterRecordId", "PersonContactId"})
_MERGEABLE = ("Lead", "Contact", "Account", "Opportunity")


@dataclass(frozen=True, slots=True)
class Converted:
    """The new records of a lead."""

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
    opportunity_id: str | None = None,
    status: str | None = None,
    user_id: str | None = None,
    hold_seconds: float | None = None,
) -> Converted:
    """Converts a lead to an account and a contact, perhaps an opportunity, each new or given.

    Its open activities and campaign members go to the contact; the lead stays, read-only, with
    `IsConverted` and a `status` that means so. The lead's owner gets what is new; it is he who
    converts, unless it is `user_id`; `hold_seconds` keeps the transaction open. Salesforce:
    Converting Leads. Raises `SalesforceError`.
    """
    leads, contacts, accounts = org.table("Lead"), org.table("Contact"), org.table("Account")
    lead = _living(leads, lead_id)
    if lead["IsConverted"]:
        raise SalesforceError(400, "CANNOT_UPDATE_CONVERTED_LEAD", "lead is already converted")
    converted_status = _converted_status(org, status)
    owner_id = _person(org, lead["OwnerId"], user_id)
    context = WriteContext(org, user_id or owner_id, seeding=True, hold_seconds=hold_seconds)
    with committed(context):
        contact = None if contact_id is None else _living(contacts, contact_id)
        account_id = account_id or (contact or {}).get("AccountId")
        if account_id is None:
            account = _taken(lead, accounts, _ACCOUNT_FIELDS, "Billing")
            account |= {"OwnerId": owner_id, **(person_of(lead) or {"Name": lead["Company"]})}
            account_id = _create(context, "Account", account)
            kept = accounts.rows[account_id].get("PersonContactId") or ""
            contact = contact or contacts.rows.get(kept)
        else:
            account_id = str(_living(accounts, account_id)["Id"])
        person = {
            **_taken(lead, contacts, _PERSON_FIELDS, "Mailing"),
            **_taken(lead, contacts, _mapped_fields(org, contacts)),
            "AccountId": account_id,
        }
        if contact is None:
            contact_id = _create(context, "Contact", {**person, "OwnerId": owner_id})
        else:
            contact_id = str(contact["Id"])
            _fill_in(context, contacts, contact_id, person)
        if opportunity_id is not None:
            opportunity_id = str(_living(org.table("Opportunity"), opportunity_id)["Id"])
            _join(context, opportunity_id, contact_id)
        elif opportunity_name is not None:
            opportunity = {
                "Name": opportunity_name,
                "AccountId": account_id,
                "ContactId": contact_id,
                "StageName": first_open_stage(org),
                "CloseDate": context.now[:10],
                "LeadSource": lead.get("LeadSource"),
                "OwnerId": owner_id,
            }
            opportunity_id = _create(context, "Opportunity", opportunity)
        _move_children(context, leads, lead["Id"], contact_id)
        context.change(
            leads,
            {
                **lead,
                "IsConverted": True,
                "Status": converted_status,
                "ConvertedDate": context.now[:10],
                "ConvertedAccountId": account_id,
                "ConvertedContactId": contact_id,
                "ConvertedOpportunityId": opportunity_id,
                "IsUnreadByOwner": False,
            },
            "convert",
        )
    return Converted(lead["Id"], account_id, contact_id, opportunity_id)


def merge(
    org: Org,
    sobject: str,
    master_id: str,
    loser_ids: Sequence[str],
    *,
    user_id: str | None = None,
    hold_seconds: float | None = None,
) -> str:
    """Merges up to two records into a master, which takes what it lacks and all children.

    The losers are deleted with `MasterRecordId`, which opportunities lack: Salesforce does not
    merge these, but apps do it so. It is the master's owner who merges, unless it is `user_id`;
    `hold_seconds` keeps the transaction open. Salesforce: merge(). Raises `SalesforceError`.
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
    user_id = user_id or _person(org, master["OwnerId"])
    context = WriteContext(org, user_id, seeding=True, hold_seconds=hold_seconds)
    with committed(context):
        for loser in losers:
            if sobject == "Account" and (people := contacts_to_merge(org, master, loser)):
                _merge_one(context, org.table("Contact"), *people)
            _merge_one(context, table, master, loser)
    return str(master["Id"])


def _merge_one(context: WriteContext, table: Table, master: Row, loser: Row) -> None:
    stamped = context.org.config.merge_stamps_children
    _move_children(context, table, loser["Id"], master["Id"], stamped=stamped)
    _fill_in(context, table, master["Id"], loser)
    gone = deleted(loser, loser["Id"], [])
    if table.type.find("MasterRecordId"):
        gone["MasterRecordId"] = master["Id"]
    context.change(table, gone, "merge")


def _converted_status(org: Org, status: str | None) -> str:
    """The status of a converted lead. Raises INVALID_STATUS for one that does not mean that."""
    rows = org.table("LeadStatus").rows.values()
    converted = [row["MasterLabel"] for row in rows if row["IsConverted"]]
    if status is not None and status not in converted:
        raise SalesforceError(400, "INVALID_STATUS", f"invalid convertedStatus: {status}")
    return str(status or converted[0])


def _join(context: WriteContext, opportunity_id: str, contact_id: str) -> None:
    """Gives the contact a role, the primary one if nobody has that."""
    roles = context.org.table("OpportunityContactRole")
    held = list(roles.children_of("OpportunityId", opportunity_id))
    if all(each["ContactId"] != contact_id for each in held):
        role: Row = {"OpportunityId": opportunity_id, "ContactId": contact_id}
        role["IsPrimary"] = not any(each["IsPrimary"] for each in held)
        _create(context, "OpportunityContactRole", role)


def _person(org: Org, owner_id: str, user_id: str | None = None) -> str:
    """The owner of a record, if that is a user; of what a queue owns, somebody."""
    if owner_id in org.table("User").rows:
        return owner_id
    return user_id or next(iter(org.users.values())).id


def _living(table: Table, record_id: str) -> Row:
    row = table.live(long_id(record_id) or "")
    if row is None:
        raise SalesforceError(
            404, "NOT_FOUND", f"there is no {table.type.name} with the id {record_id}"
        )
    return row


def _mapped_fields(org: Org, table: Table) -> list[str]:
    """The custom fields that go to those of the same name.

    Those stay behind in which each record has its own value, and those that nobody has mapped.
    """
    unmapped = {name.lower() for name in org.config.unmapped_lead_fields}
    return [
        each.name
        for each in table.type.fields.values()
        if each.custom and not each.unique and each.name.lower() not in unmapped
    ]


def _taken(lead: Row, table: Table, names: Iterable[str], address: str | None = None) -> Row:
    """Returns the values that a record takes over from a lead, perhaps with the lead's address."""
    sources = {name: name for name in names}
    if address is not None:
        sources |= {f"{address}{part}": part for part in _ADDRESS_PARTS}
    return {
        name: lead[source]
        for name, source in sources.items()
        if lead.get(source) is not None and table.type.find(name)
    }


def _create(context: WriteContext, sobject: str, fields: Row) -> str:
    return dml.saved_id(dml.create(context.org, context, sobject, fields))


def _fill_in(context: WriteContext, table: Table, record_id: str, source: Row) -> None:
    """Gives a record those values that it has none of."""
    row = _living(table, record_id)
    missing = {
        name: value
        for name, value in source.items()
        if value is not None
        and row.get(name) is None
        and name != "MasterRecordId"
        and table.type.find(name)
    }
    if missing:
        dml.change(context, table, row, missing)


def _move_children(
    context: WriteContext, table: Table, from_id: str, to_id: str, *, stamped: bool = True
) -> None:
    """Lets what points at one record point at another, if it may: some lookups take leads only."""
    target = context.org.table_of_id(to_id) or table
    for child, lookup in table.type.children:
        children = context.org.table(child.name)
        takes = target.type.name in lookup.reference_to or child.name == "CampaignMember"
        if lookup.name in _NOT_MOVED or not takes:
            continue
        for row in children.children_of(lookup.name, from_id):
            if child.name == "CampaignMember":
                _move_member(context, children, row, to_id, stamped=stamped)
            else:
                moved = {lookup.name: to_id} | _not_primary_twice(context.org, row, lookup, to_id)
                dml.change(context, children, row, moved, "move", stamped=stamped)


def _not_primary_twice(org: Org, role: Row, lookup: Field, to_id: str) -> Row:
    """Returns a contact's role, not primary at an opportunity where somebody is that already."""
    if lookup.name != "OpportunityId" or not role.get("IsPrimary"):
        return {}
    held = org.table("OpportunityContactRole").children_of("OpportunityId", to_id)
    return {"IsPrimary": not any(each["IsPrimary"] for each in held)}


def _move_member(
    context: WriteContext, members: Table, row: Row, to_id: str, *, stamped: bool
) -> None:
    """Salesforce keeps the lead beside the contact in the member of a converted lead."""
    kind = "Contact" if to_id.startswith("003") else "Lead"
    name = f"{kind}Id"
    others = members.children_of(name, to_id)
    if any(each["CampaignId"] == row["CampaignId"] and each is not row for each in others):
        context.change(members, {**row, "IsDeleted": True}, "delete")
    else:
        moved = {**row, name: to_id, "LeadOrContactId": to_id, "Type": kind}
        context.change(members, moved, "move", stamped=stamped)
