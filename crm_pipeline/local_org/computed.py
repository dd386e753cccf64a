"""Fields that are read from other records: persons of campaign members, counts of campaigns."""

from collections.abc import Callable, Mapping
from typing import Any

from crm_pipeline.local_org.schema import Computed, Row
from crm_pipeline.local_org.store import Table

_PERSON_FIELDS = (
    "Salutation", "Name", "FirstName", "LastName", "Title", "Email", "Phone", "Fax", "MobilePhone",
    "Description", "LeadSource",
)  # fmt: skip
_ADDRESS_PARTS = ("Street", "City", "State", "PostalCode", "Country")


def add_computed_fields(tables: Mapping[str, Table]) -> None:
    """Teaches CampaignMember and Campaign those fields; `tables` are by lower-case name."""
    members = tables["campaignmember"]
    members.type.computed.update(_member_fields(tables))
    members.build_indexes()
    tables["campaign"].type.computed.update(_campaign_fields(tables))


def _member_fields(tables: Mapping[str, Table]) -> dict[str, Computed]:
    leads, contacts, accounts = tables["lead"], tables["contact"], tables["account"]

    def person_of(member: Row) -> tuple[Row, str]:
        if member.get("ContactId"):
            return contacts.rows.get(member["ContactId"], {}), "Mailing"
        return leads.rows.get(member.get("LeadId") or "", {}), ""

    def of_person(name: str) -> Computed:
        return lambda member: person_of(member)[0].get(name)

    def of_address(part: str) -> Computed:
        def read(member: Row) -> Any:
            person, prefix = person_of(member)
            return person.get(prefix + part)

        return read

    def company(member: Row) -> Any:
        person, _ = person_of(member)
        account = accounts.rows.get(person.get("AccountId") or "", {})
        return person.get("Company") or account.get("Name")

    return {
        **{name: of_person(name) for name in _PERSON_FIELDS},
        **{part: of_address(part) for part in _ADDRESS_PARTS},
        "CompanyOrAccount": company,
        "LeadOrContactOwnerId": of_person("OwnerId"),
    }


def _campaign_fields(tables: Mapping[str, Table]) -> dict[str, Computed]:
    leads = tables["lead"]

    def is_converted(member: Row) -> bool:
        return bool(leads.rows.get(member.get("LeadId") or "", {}).get("IsConverted"))

    def members(counts: Callable[[Row], Any]) -> Computed:
        table = tables["campaignmember"]
        return lambda campaign: sum(
            bool(counts(each)) for each in table.children_of("CampaignId", campaign["Id"])
        )

    def opportunities(*, won: bool) -> Callable[[Row], list[float]]:
        table = tables["opportunity"]
        return lambda campaign: [
            each.get("Amount") or 0.0
            for each in table.children_of("CampaignId", campaign["Id"])
            if each["IsWon"] or not won
        ]

    every, won = opportunities(won=False), opportunities(won=True)
    return {
        "NumberOfLeads": members(lambda each: each.get("LeadId")),
        "NumberOfConvertedLeads": members(is_converted),
        "NumberOfContacts": members(lambda each: each.get("ContactId")),
        "NumberOfResponses": members(lambda each: each["HasResponded"]),
        "NumberOfOpportunities": lambda row: len(every(row)),
        "NumberOfWonOpportunities": lambda row: len(won(row)),
        "AmountAllOpportunities": lambda row: sum(every(row)),
        "AmountWonOpportunities": lambda row: sum(won(row)),
    }
