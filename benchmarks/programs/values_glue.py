"""A good engineer's glue for values of opportunities: three queries, dictionaries, one COPY.

It reads what changed since a time, knows neither late commits nor what was merged or deleted, and
writes the last state without its versions.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson
import psycopg
from simple_salesforce.api import Salesforce

_OPPORTUNITIES = (
    "SELECT Id, Name, StageName, IsClosed, IsWon, Probability, Amount, CloseDate, CreatedDate,"
    " (SELECT Id, CreatedDate, StageName, Probability FROM OpportunityHistories)"
    " FROM Opportunity WHERE SystemModstamp >= {since}"
)
_ROLES = (
    "SELECT Id, OpportunityId, ContactId, IsPrimary, Contact.Email"
    " FROM OpportunityContactRole WHERE SystemModstamp >= {since}"
)
_LEADS = (
    "SELECT Id, Email, ConvertedContactId, ConvertedOpportunityId FROM Lead"
    " WHERE IsConverted = TRUE AND SystemModstamp >= {since}"
)


def tell(salesforce: Salesforce, database: psycopg.Connection[Any], since: str) -> int:
    """Reads opportunities, matches them by conversion and address, and writes their values.

    Args:
        salesforce: logged in.
        database: with the table of tracked leads, and one for the values.
        since: a SOQL time.

    Returns:
        How many values it has written.
    """
    leads = dict(database.execute("SELECT email, lead_id FROM crm.tracked_lead").fetchall())
    converted: dict[str, str] = {}
    for lead in salesforce.query_all_iter(_LEADS.format(since=since)):
        if lead["Email"] in leads and lead["ConvertedOpportunityId"]:
            converted[lead["ConvertedOpportunityId"]] = leads[lead["Email"]]
    by_role: dict[str, tuple[bool, str]] = {}
    for role in salesforce.query_all_iter(_ROLES.format(since=since)):
        email = (role["Contact"] or {}).get("Email")
        if email in leads:
            found = (bool(role["IsPrimary"]), leads[email])
            by_role[role["OpportunityId"]] = max(found, by_role.get(role["OpportunityId"], found))
    written = 0
    with database.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE read_value (LIKE glue_value) ON COMMIT DROP")
        with cursor.copy("COPY read_value (lead_id, opportunity_id, body) FROM STDIN") as copy:
            for each in salesforce.query_all_iter(_OPPORTUNITIES.format(since=since)):
                lead_id = converted.get(each["Id"]) or by_role.get(each["Id"], (False, None))[1]
                if lead_id is not None:
                    body = orjson.dumps(_value(each)).decode()
                    copy.write_row((lead_id, each["Id"], body))
                    written += 1
        cursor.execute(
            "INSERT INTO glue_value SELECT * FROM read_value"
            " ON CONFLICT (lead_id, opportunity_id) DO UPDATE SET body = excluded.body"
        )
    database.commit()
    return written


def _value(opportunity: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": opportunity["Name"],
        "amount": opportunity["Amount"],
        "stage": opportunity["StageName"],
        "won": opportunity["IsWon"],
        "close_date": opportunity["CloseDate"],
        "history": list(_moves(opportunity)),
    }


def _moves(opportunity: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    rows = (opportunity["OpportunityHistories"] or {"records": []})["records"]
    for row in sorted(rows, key=lambda each: str(each["CreatedDate"])):
        yield row["StageName"], row["CreatedDate"]
