"""A good engineer's glue for values of opportunities: four queries, dictionaries, one COPY.

It reads what changed since a time, matches it by conversion, by the address and by the number of
its contacts, and writes the whole state with a version that grows where it differs. It knows
neither late commits nor what was merged or deleted, and keeps nothing of what waits.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import orjson
import phonenumbers
import psycopg
from simple_salesforce.api import Salesforce

REGION = "DE"

_OPPORTUNITIES = (
    "SELECT Id, Name, StageName, IsClosed, IsWon, Probability, Amount, CloseDate, CreatedDate,"
    " (SELECT Id, CreatedDate, StageName, Probability FROM OpportunityHistories)"
    " FROM Opportunity WHERE SystemModstamp >= {since}"
)
_ROLES = (
    "SELECT Id, OpportunityId, ContactId, IsPrimary, Contact.Email, Contact.Phone,"
    " Contact.MobilePhone FROM OpportunityContactRole WHERE SystemModstamp >= {since}"
)
_LEADS = (
    "SELECT Id, Email, Phone, MobilePhone, ConvertedContactId, ConvertedOpportunityId FROM Lead"
    " WHERE IsConverted = TRUE AND SystemModstamp >= {since}"
)
_STAGES = "SELECT MasterLabel, IsClosed, IsWon FROM OpportunityStage"


@dataclass(frozen=True, slots=True)
class _Tracked:
    """The tracker's leads, by address and by number."""

    by_email: dict[str, str] = field(default_factory=dict)
    by_phone: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, database: psycopg.Connection[Any]) -> "_Tracked":
        tracked = cls()
        rows = database.execute("SELECT lead_id, email, phone FROM crm.tracked_lead")
        for lead_id, email, phone in rows.fetchall():
            if email is not None:
                tracked.by_email[email] = lead_id
            if phone is not None:
                tracked.by_phone[phone.removeprefix("tel:")] = lead_id
        return tracked

    def lead_of(self, person: Mapping[str, Any]) -> tuple[str, str] | None:
        """Returns the rule, and the lead."""
        email = (person["Email"] or "").strip().lower()
        if email in self.by_email:
            return "email", self.by_email[email]
        for name in ("Phone", "MobilePhone"):
            number = _e164(person[name])
            if number in self.by_phone:
                return "phone", self.by_phone[number]
        return None


def tell(salesforce: Salesforce, database: psycopg.Connection[Any], since: str) -> int:
    """Reads opportunities, matches them, and writes their values.

    Args:
        salesforce: logged in.
        database: with the table of tracked leads, and one for the values.
        since: a SOQL time.

    Returns:
        How many values it has read.
    """
    tracked = _Tracked.read(database)
    meanings = {
        stage["MasterLabel"]: (stage["IsClosed"], stage["IsWon"])
        for stage in salesforce.query_all_iter(_STAGES)
    }
    converted: dict[str, str] = {}
    for lead in salesforce.query_all_iter(_LEADS.format(since=since)):
        found = tracked.lead_of(lead)
        if found and lead["ConvertedOpportunityId"]:
            converted[lead["ConvertedOpportunityId"]] = found[1]
    by_role: dict[str, tuple[bool, bool, str, str]] = {}
    for role in salesforce.query_all_iter(_ROLES.format(since=since)):
        found = tracked.lead_of(role["Contact"]) if role["Contact"] else None
        if found:
            # An address goes before a number, and then the primary contact before others.
            best = (found[0] == "email", bool(role["IsPrimary"]), *found)
            by_role[role["OpportunityId"]] = max(best, by_role.get(role["OpportunityId"], best))
    written = 0
    with database.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE read_value (lead_id text, opportunity_id text, body jsonb)"
            " ON COMMIT DROP"
        )
        with cursor.copy("COPY read_value (lead_id, opportunity_id, body) FROM STDIN") as copy:
            for each in salesforce.query_all_iter(_OPPORTUNITIES.format(since=since)):
                if each["Id"] in converted:
                    rule, lead_id = "converted_lead", converted[each["Id"]]
                elif each["Id"] in by_role:
                    *_, rule, lead_id = by_role[each["Id"]]
                else:
                    continue
                body = orjson.dumps(_value(each, lead_id, rule, meanings)).decode()
                copy.write_row((lead_id, each["Id"], body))
                written += 1
        cursor.execute(
            "INSERT INTO glue_value AS v (lead_id, opportunity_id, version, body)"
            " SELECT lead_id, opportunity_id, 1, body FROM read_value"
            " ON CONFLICT (lead_id, opportunity_id) DO UPDATE"
            " SET body = excluded.body, version = v.version + 1 WHERE v.body <> excluded.body"
        )
    database.commit()
    return written


def _value(
    opportunity: Mapping[str, Any],
    lead_id: str,
    rule: str,
    meanings: Mapping[str, tuple[bool, bool]],
) -> dict[str, Any]:
    standing = "open"
    if opportunity["IsClosed"]:
        standing = "won" if opportunity["IsWon"] else "lost"
    amount = _cents(opportunity["Amount"])
    return {
        "lead": lead_id,
        "opportunity": opportunity["Id"],
        "name": opportunity["Name"],
        "standing": standing,
        "amount": amount,
        "closed_amount": amount if standing == "won" else "0.00",
        "whole_amount": amount,
        "currency": "EUR",
        "stage": opportunity["StageName"],
        "probability": opportunity["Probability"],
        "close_date": opportunity["CloseDate"],
        "history": list(_moves(opportunity, meanings)),
        "match": {"rule": rule},
    }


def _moves(
    opportunity: Mapping[str, Any], meanings: Mapping[str, tuple[bool, bool]]
) -> Iterator[dict[str, Any]]:
    rows = (opportunity["OpportunityHistories"] or {"records": []})["records"]
    stage = None
    for row in sorted(rows, key=lambda each: (each["CreatedDate"], each["Id"])):
        if row["StageName"] != stage:
            stage = row["StageName"]
            is_closed, is_won = meanings.get(stage, (False, False))
            yield {
                "stage": stage,
                "at": row["CreatedDate"],
                "is_closed": is_closed,
                "is_won": is_won,
                "probability": row["Probability"],
            }


def _cents(amount: float | None) -> str | None:
    return None if amount is None else str(Decimal(str(amount)).quantize(Decimal("0.01")))


def _e164(text: str | None) -> str | None:
    if not text:
        return None
    try:
        number = phonenumbers.parse(text, REGION)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
