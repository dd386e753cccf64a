"""Fields of campaign members that are read from their lead or contact."""

from collections.abc import Callable, Mapping
from typing import Any

from crm_pipeline.local_org.schema import Row
from crm_pipeline.local_org.store import Table

_PERSON_FIELDS = (
    "Salutation", "Name", "FirstName", "LastName", "Title", "Email", "Phone", "Fax", "MobilePhone",
    "Description", "LeadSource",
)  # fmt: skip
_ADDRESS_PARTS = ("Street", "City", "State", "PostalCode", "Country")


def add_member_fields(tables: Mapping[str, Table]) -> None:
    """Teaches CampaignMember those fields; `tables` are by lower-case name."""
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
