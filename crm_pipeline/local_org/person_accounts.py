"""Person accounts, where an org has them switched on: people who are an account of their own.

Salesforce: an Account with a last name is a person. The Contact that is kept of it, the account's
PersonContactId, holds what is personal; the account shows that as PersonEmail and the like, custom
fields of Contact as `Name__pc`. Both always have one stamp.
"""

from collections.abc import Callable, Mapping
from typing import Any

from crm_pipeline.local_org.errors import refuse
from crm_pipeline.local_org.schema import Row, SObjectType, make_field
from crm_pipeline.local_org.store import Org
from crm_pipeline.local_org.tables import Table
from crm_pipeline.local_org.transaction import WriteContext

_NAMES = ("Salutation", "FirstName", "LastName")
_PERSONAL = (
    "Email", "MobilePhone", "Title", "LeadSource", "HasOptedOutOfEmail",
    *(f"Mailing{part}" for part in ("Street", "City", "State", "PostalCode", "Country")),
)  # fmt: skip
_SHARED = ("Name", "Phone", "OwnerId", "IsPersonAccount", "CurrencyIsoCode")
_IS_PERSON = {
    "name": "IsPersonAccount",
    "label": "Is Person Account",
    "type": "boolean",
    "createable": False,
    "updateable": False,
    "defaultedOnCreate": True,
    "defaultValue": False,
}
_CONTACT_ID = {
    "name": "PersonContactId",
    "label": "Contact ID",
    "type": "reference",
    "createable": False,
    "updateable": False,
    "referenceTo": ["Contact"],
    "relationshipName": "PersonContact",
}


def add_person_accounts(types: Mapping[str, SObjectType]) -> None:
    """Gives Account and Contact the fields of person accounts; leads may lack a company then."""
    account, contact, lead = types["account"], types["contact"], types["lead"]
    for shown, name in _shown_as(contact).items():
        own = contact.fields[name.lower()].given
        given = {**own, "name": shown, "nillable": True, "compoundFieldName": None}
        account.fields[shown.lower()] = make_field(given)
    for of in (account, contact):
        of.fields["ispersonaccount"] = make_field(_IS_PERSON)
    account.fields["personcontactid"] = make_field(_CONTACT_ID)
    # A person is called by the first and last name.
    named = {**account.fields["name"].given, "defaultedOnCreate": True}
    account.fields["name"] = make_field(named)
    lead.fields["company"] = make_field({**lead.fields["company"].given, "nillable": True})


def show_person_fields(tables: Mapping[str, Table]) -> None:
    """Teaches Account what it reads from its contact; `tables` are by lower-case name."""
    contacts, accounts = tables["contact"], tables["account"]

    def reader(name: str) -> Callable[[Row], Any]:
        return lambda row: contacts.rows.get(row.get("PersonContactId") or "", {}).get(name)

    for shown, name in _shown_as(contacts.type).items():
        accounts.type.computed[shown] = reader(name)
    accounts.build_indexes()


def person_of(lead: Row) -> Row | None:
    """The account that a lead without a company becomes; None of one that has a company."""
    if lead.get("Company"):
        return None
    personal = {f"Person{name}": lead.get(name) for name in ("Email", "MobilePhone", "Title")}
    return {**{name: lead.get(name) for name in _NAMES}, **personal, "Phone": lead.get("Phone")}


def before_account(_context: WriteContext, table: Table, row: Row, _old: Row | None) -> None:
    """A person's account is called as the person is."""
    row["IsPersonAccount"] = bool(row.get("LastName") or row.get("PersonContactId"))
    if row["IsPersonAccount"]:
        names = [_value(table, row, name) for name in ("FirstName", "LastName")]
        row["Name"] = " ".join(filter(None, names))
    elif not row.get("Name"):
        raise refuse("REQUIRED_FIELD_MISSING", "Required fields are missing: [Name]", "Name")


def after_account(context: WriteContext, table: Table, row: Row, _old: Row | None) -> None:
    """What was written of a person goes to the contact, which is made with the account."""
    if not row.get("IsPersonAccount"):
        return
    contacts = context.org.table("Contact")
    shown = _shown_as(contacts.type)
    written = {name: row[each] for each, name in shown.items() if each in row}
    written |= {name: row.get(name) for name in _SHARED if name in row}
    contact_id = row.get("PersonContactId")
    if contact_id is None:
        fields = contacts.type.fields.values()
        defaults = {f.name: f.default_value for f in fields if f.default_value is not None}
        contact_id = context.insert(contacts, {**defaults, **written, "AccountId": row["Id"]})
    else:
        context.change(contacts, {**contacts.rows[contact_id], **written})
    kept = {name: value for name, value in row.items() if name not in shown}
    context.change(table, {**kept, "PersonContactId": contact_id}, stamped=False)


def after_contact(context: WriteContext, _table: Table, row: Row, old: Row | None) -> None:
    """The account of a person has the name and the stamp of its contact."""
    if old is not None and row.get("IsPersonAccount"):
        accounts = context.org.table("Account")
        shared = {name: row.get(name) for name in ("Name", "Phone")}
        account = {**accounts.rows[row["AccountId"]], **shared}
        context.change(accounts, account)


def contacts_to_merge(org: Org, master: Row, loser: Row) -> tuple[Row, Row] | None:
    """The contacts of two people whose accounts are merged, the master's first; None of companies.

    Raises INVALID_ARGUMENT as a row's failure where only one of them is a person.
    """
    persons = [bool(each.get("IsPersonAccount")) for each in (master, loser)]
    if persons[0] is not persons[1]:
        raise refuse("INVALID_ARGUMENT", "a person account is merged with another one only")
    if not all(persons):
        return None
    rows = org.table("Contact").rows
    return rows[master["PersonContactId"]], rows[loser["PersonContactId"]]


def _value(table: Table, row: Row, name: str) -> Any:
    return row[name] if name in row else table.type.reader(name)(row)


def _shown_as(contact: SObjectType) -> dict[str, str]:
    """The fields of a contact, by the name under which its account shows each."""
    custom = [each.name for each in contact.fields.values() if each.custom and not each.unique]
    return {
        **{name: name for name in _NAMES},
        **{f"Person{name}": name for name in _PERSONAL},
        **{f"{name.removesuffix('c')}pc": name for name in custom},
    }
