"""People whom a sample org knows before the first cycle, in every way that an org may."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from crm_pipeline.sample.accounts import SampleAccount

MOST_PEOPLE = 2_000
"""Known people of an org at most, however large the sample is."""


@dataclass
class KnownPeople:
    """The people who are in the org already.

    Attributes:
        records: what the org holds, by object.
        as_leads: addresses of people whom a Lead stands for.
        as_contacts: addresses of people whom a Contact stands for.
    """

    records: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    as_leads: list[str] = field(default_factory=list)
    as_contacts: list[str] = field(default_factory=list)

    @property
    def addresses(self) -> set[str]:
        """The addresses of all of them."""
        return {*self.as_leads, *self.as_contacts}


def known_people(account: SampleAccount, addresses: Sequence[str]) -> KnownPeople:
    """One in five of the people with these addresses, in turn in each of seven ways."""
    known = KnownPeople()
    if account.known_people:
        known.records = {"Account": [_CUSTOMERS], "Contact": [], "Lead": []}
        if "engagement" in account.settings:
            known.records["Opportunity"] = [_DEAL]
        for number, address in enumerate(addresses[: 5 * MOST_PEOPLE : 5]):
            _WAYS[number % len(_WAYS)](known, address)
    return known


def known_callers(known: KnownPeople, numbers: Sequence[str]) -> list[str]:
    """Has every fourth of these callers in the org, and every tenth of those in two records.

    Args:
        known: whom the org knows; the records are added.
        numbers: of German callers, each by the area and the rest, as 1712000001.

    Returns:
        The numbers of those who are there once.
    """
    once = []
    for place, number in enumerate(numbers[: 4 * MOST_PEOPLE : 4]):
        contacts = known.records.setdefault("Contact", [])
        for spelling in ("(0{}) {}", "+49 {} {}")[: 2 if place % 10 == 9 else 1]:
            phone = spelling.format(number[:3], number[3:])
            contacts.append(
                {
                    "Id": f"003{len(contacts) + 1:012}AAA",
                    "LastName": "Caller",
                    "Phone": phone,
                    "CreatedDate": "2022-03-01T09:30:00.000+0000",
                }
            )
        if place % 10 != 9:
            once.append(number)
    return once


# No id here has a capital letter, so AAA is the checksum of each.
_CUSTOMERS = {"Id": "001000000000001AAA", "Name": "Customers of old"}

_DEAL = {
    "Name": "More for customers of old",
    "AccountId": _CUSTOMERS["Id"],
    "StageName": "Prospecting",
    "CloseDate": "2026-12-31",
}


def _lead(known: KnownPeople, address: str) -> None:
    _add_lead(known, address, 2023)
    known.as_leads.append(address)


def _lead_in_capitals(known: KnownPeople, address: str) -> None:
    _add_lead(known, address.upper(), 2021)
    known.as_leads.append(address)


def _two_leads(known: KnownPeople, address: str) -> None:
    _add_lead(known, address, 2024)
    _add_lead(known, address.title(), 2020)
    known.as_leads.append(address)


def _lead_and_contact(known: KnownPeople, address: str) -> None:
    _add_contact(known, address, 2019)
    _add_lead(known, address, 2024)
    known.as_leads.append(address)


def _contact(known: KnownPeople, address: str) -> None:
    _add_contact(known, address, 2022)
    known.as_contacts.append(address)


def _two_contacts(known: KnownPeople, address: str) -> None:
    _add_contact(known, address, 2022)
    _add_contact(known, address.upper(), 2018)
    known.as_contacts.append(address)


def _converted_lead(known: KnownPeople, address: str) -> None:
    contact_id = _add_contact(known, f"private.{address}", 2022)
    _add_lead(known, address, 2021)
    known.records["Lead"][-1] |= {
        "Status": "Closed - Converted",
        "IsConverted": True,
        "ConvertedDate": "2022-02-02",
        "ConvertedAccountId": _CUSTOMERS["Id"],
        "ConvertedContactId": contact_id,
    }
    known.as_contacts.append(address)


_WAYS: Sequence[Callable[[KnownPeople, str], None]] = (
    _lead,
    _contact,
    _lead_in_capitals,
    _converted_lead,
    _two_leads,
    _two_contacts,
    _lead_and_contact,
)


def _add_lead(known: KnownPeople, address: str, year: int) -> None:
    known.records["Lead"].append(
        {
            "LastName": "Known",
            "Company": "As it was",
            "Email": address,
            "LeadSource": "Trade Show",
            "CreatedDate": f"{year}-03-01T09:30:00.000+0000",
        }
    )


def _add_contact(known: KnownPeople, address: str, year: int) -> str:
    contacts = known.records["Contact"]
    contact_id = f"003{len(contacts) + 1:012}AAA"
    contacts.append(
        {
            "Id": contact_id,
            "AccountId": _CUSTOMERS["Id"],
            "LastName": "Known",
            "Email": address,
            "LeadSource": "Trade Show",
            "CreatedDate": f"{year}-03-01T09:30:00.000+0000",
        }
    )
    return contact_id
