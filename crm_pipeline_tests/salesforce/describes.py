"""Describes as an org answers them, made small."""

from base64 import b64encode
from typing import Any


def described_field(name: str, kind: str = "string", **flags: Any) -> dict[str, Any]:
    """One field of a describe: text that may be written, unless told otherwise."""
    return {
        "name": name,
        "type": kind,
        "length": 0,
        "createable": True,
        "updateable": True,
        "nillable": True,
        "defaultedOnCreate": False,
        "restrictedPicklist": False,
        "idLookup": False,
        "externalId": False,
        "picklistValues": [],
        **flags,
    }


def choices(*values: str | tuple[str, str], **flags: Any) -> list[dict[str, Any]]:
    """Values of a picklist: texts, or pairs of value and label."""
    pairs = [value if isinstance(value, tuple) else (value, value) for value in values]
    return [
        {"value": value, "label": label, "active": True, "validFor": None, **flags}
        for value, label in pairs
    ]


def valid_for(*indexes: int) -> str:
    """The bitmap that makes a dependent value valid for controlling values, by their index."""
    bits = bytearray(max(indexes) // 8 + 1)
    for index in indexes:
        bits[index // 8] |= 0x80 >> (index % 8)
    return b64encode(bytes(bits)).decode()


LEAD: dict[str, Any] = {
    "name": "Lead",
    "fields": [
        described_field("Id", "id", length=18, createable=False, updateable=False, nillable=False),
        described_field("LastName", length=80, nillable=False),
        described_field("FirstName", length=40),
        described_field("Company", length=255, nillable=False),
        described_field("City", length=40),
        described_field("Email", "email", length=80, idLookup=True),
        described_field("Second_Email__c", "email", length=80, externalId=True),
        described_field("Description", "textarea", length=32000),
        described_field("Status", "picklist", length=255, nillable=False, defaultedOnCreate=True),
        described_field(
            "Rating",
            "picklist",
            length=255,
            restrictedPicklist=True,
            picklistValues=choices("Hot", ("W", "Warm")) + choices("Cold", active=False),
        ),
        described_field(
            "Topics__c",
            "multipicklist",
            length=4099,
            restrictedPicklist=True,
            picklistValues=choices("Tax", "Law"),
        ),
        described_field("Seats__c", "int"),
        described_field("Score__c", "double"),
        described_field("Opt_In__c", "boolean", nillable=False, defaultedOnCreate=True),
        described_field("Born__c", "date"),
        described_field("Seen__c", "datetime"),
        described_field("OwnerId", "reference", length=18, nillable=False, defaultedOnCreate=True),
        described_field("ConvertedContactId", "reference", createable=False, updateable=False),
        described_field("Origin__c", length=20, updateable=False),
        described_field("Review__c", length=20, createable=False),
    ],
}

CONTACT_WITH_PLACES: dict[str, Any] = {
    "name": "Contact",
    "fields": [
        described_field("LastName", length=80, nillable=False),
        described_field("MailingCountry", length=80),
        described_field("MailingState", length=80),
        described_field(
            "MailingCountryCode",
            "picklist",
            length=10,
            restrictedPicklist=True,
            picklistValues=choices(("US", "United States"), ("DE", "Germany"), ("AU", "Australia")),
        ),
        described_field(
            "MailingStateCode",
            "picklist",
            length=10,
            restrictedPicklist=True,
            picklistValues=choices(("TX", "Texas"), validFor=valid_for(0))
            + choices(("WA", "Washington"), validFor=valid_for(0))
            + choices(("WA", "Western Australia"), validFor=valid_for(2))
            + choices(("NSW", "New South Wales"), validFor=valid_for(2)),
        ),
    ],
}
