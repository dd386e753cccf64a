"""Outbound messages of Salesforce: SOAP, taken and acknowledged.

Of a message only the org, each notification's id and the record's address are read; its session
id, where the org sends one, is neither kept nor shown.
"""

from typing import NamedTuple
from xml.etree.ElementTree import ParseError, fromstring

from crm_pipeline.listener.answers import Refused
from crm_pipeline.listener.asked import HttpQuestion

_ENVELOPE = "{http://schemas.xmlsoap.org/soap/envelope/}"
_OUTBOUND = "{http://soap.sforce.com/2005/09/outbound}"

ACK = (
    b'<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope '
    b'xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>'
    b'<notificationsResponse xmlns="http://soap.sforce.com/2005/09/outbound"><Ack>true</Ack>'
    b"</notificationsResponse></soapenv:Body></soapenv:Envelope>"
)

MOST_NOTIFICATIONS = 100
"""Of a message, as Salesforce sends them."""


class Notification(NamedTuple):
    """A notification: its id, and the address that its record has."""

    notification_id: str
    address: str | None


def notifications_of(asked: HttpQuestion, address_field: str) -> tuple[str, list[Notification]]:
    """Returns the org's id and the notifications of a message.

    Raises:
        Refused: it is no outbound message.
    """
    kind = asked.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in ("text/xml", "application/soap+xml"):
        raise Refused(415, "Content-Type: text/xml is expected")
    if b"<!DOCTYPE" in asked.body or b"<!ENTITY" in asked.body or b"\x00" in asked.body:
        raise Refused(400, "the message declares a document type")
    try:
        envelope = fromstring(asked.body)  # noqa: S314 - without a document type
    except (ParseError, ValueError, LookupError):
        raise Refused(400, "the message is no XML") from None
    said = envelope.find(f"{_ENVELOPE}Body/{_OUTBOUND}notifications")
    if said is None:
        raise Refused(400, "this is no outbound message")
    organization = (said.findtext(f"{_OUTBOUND}OrganizationId") or "").strip()
    found = []
    for each in said.findall(f"{_OUTBOUND}Notification"):
        number = (each.findtext(f"{_OUTBOUND}Id") or "").strip()
        record = each.find(f"{_OUTBOUND}sObject")
        if not number or record is None:
            raise Refused(400, "a notification has no Id, or no record")
        address = next(
            (part.text for part in record if part.tag.rpartition("}")[2] == address_field), None
        )
        found.append(Notification(number, address))
    if not 0 < len(found) <= MOST_NOTIFICATIONS:
        raise Refused(400, f"1 to {MOST_NOTIFICATIONS} notifications are expected")
    return organization, found
