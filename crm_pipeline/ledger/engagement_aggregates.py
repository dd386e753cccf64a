"""Accounts whose Contacts have prospects, and their Opportunities: what they have together.

Each function works within the caller's transaction, on the connection that holds the account's
lock.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection

from crm_pipeline.database.rows import objects
from crm_pipeline.database.statements import statement
from crm_pipeline.text import storable_json


@dataclass(slots=True)
class Aggregated:
    """An Account or Opportunity of the org that has what an Account's Contacts have, or had it.

    Attributes:
        salesforce_id: its Id.
        sobject: which of the two.
        org_account: the Account whose Contacts count; None: an Opportunity has none.
        is_there: whether it is not deleted.
        is_engaged: whether it has, or is to have, data of prospects.
    """

    salesforce_id: str
    sobject: Literal["Account", "Opportunity"]
    org_account: str | None
    is_there: bool
    is_engaged: bool


@dataclass(slots=True)
class Aggregate:
    """What the Contacts of an Account have together of one tag, of one score, or as temperature.

    Attributes:
        org_account: the Account's Id.
        kind: of which of these.
        given_id: the tag's or the score's; empty for the temperature.
        said: `since` and `times`, `value` and `grade`, or `temperature`.
    """

    org_account: str
    kind: Literal["tag", "score", "temperature"]
    given_id: str
    said: Mapping[str, Any]


def take_org_accounts(
    connection: Connection, account_id: str, rows: Sequence[Mapping[str, Any]]
) -> None:
    """Keeps what became of Accounts: `salesforce_id`, `is_there`, `merged_into` (an Id or None)."""
    if rows:
        parameters = {"account_id": account_id, "rows": storable_json(rows)}
        connection.execute(statement("engagement/take_org_accounts"), parameters)


def take_opportunities(
    connection: Connection, account_id: str, rows: Sequence[Mapping[str, Any]]
) -> None:
    """Keeps those of some Opportunities that belong to such an Account, or did.

    Args:
        connection: the caller's.
        account_id: whose.
        rows: `salesforce_id`, `org_account`, `is_there`, `stamp`.
    """
    if rows:
        parameters = {"account_id": account_id, "rows": storable_json(rows)}
        connection.execute(statement("engagement/take_opportunities"), parameters)


def org_accounts_to_seek(connection: Connection, account_id: str, limit: int) -> list[str]:
    """Accounts, by their Ids, whose Opportunities were not asked for yet."""
    parameters = {"account_id": account_id, "limit": limit}
    return list(connection.scalars(statement("engagement/org_accounts_to_seek"), parameters))


def note_opportunities_sought(
    connection: Connection, account_id: str, org_accounts: Collection[str]
) -> None:
    """Notes that the Opportunities of Accounts were asked for."""
    parameters = {"account_id": account_id, "org_accounts": list(org_accounts)}
    connection.execute(statement("engagement/note_opportunities_sought"), parameters)


def aggregates_to_say(connection: Connection, account_id: str, *, limit: int) -> list[Aggregated]:
    """Accounts and Opportunities of which something is to be said."""
    parameters = {"account_id": account_id, "limit": limit}
    rows = connection.execute(statement("engagement/aggregates_to_say"), parameters)
    return objects(rows, Aggregated)


def note_said_aggregates(
    connection: Connection,
    account_id: str,
    records: Sequence[Aggregated],
    engaged: Collection[str],
) -> None:
    """Notes that what is wanted of these was said, and which of them have data of prospects."""
    parameters = {
        "account_id": account_id,
        "salesforce_ids": [each.salesforce_id for each in records],
        "engaged": list(engaged),
    }
    connection.execute(statement("engagement/note_said_aggregates"), parameters)


def aggregates_of(
    connection: Connection, account_id: str, org_accounts: Collection[str]
) -> dict[str, list[Aggregate]]:
    """Returns what the Contacts of Accounts have together, by the Accounts' Ids."""
    parameters = {"account_id": account_id, "org_accounts": list(org_accounts)}
    rows = connection.execute(statement("engagement/aggregates"), parameters)
    found: dict[str, list[Aggregate]] = {}
    for each in objects(rows, Aggregate):
        found.setdefault(each.org_account, []).append(each)
    return found
