"""Members that people put into campaigns, whom the platform is to register or to invite."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

import orjson
from sqlalchemy import Connection

from crm_pipeline.database.rows import objects
from crm_pipeline.database.statements import statement


@dataclass(frozen=True, slots=True)
class Wish:
    """A member of a campaign who is to be registered or invited.

    Attributes:
        member_id: of the CampaignMember.
        campaign_id: of the Campaign.
        person_id: the Lead or Contact.
        email: as `email_key` writes it.
        first_name: as the org has it.
        last_name: likewise.
        noticed_at: when the org said so, UTC.
        campaign_key: the event or session whose campaign it is; empty: not known yet.
    """

    member_id: str
    campaign_id: str
    person_id: str
    email: str
    first_name: str | None
    last_name: str | None
    noticed_at: datetime
    campaign_key: str = ""


def campaigns_to_ask(
    connection: Connection, account_id: str, wanted: str, *, limit: int
) -> list[str]:
    """Returns linked campaigns whose members were not read yet for these statuses."""
    parameters = {"account_id": account_id, "wanted": wanted, "limit": limit}
    return list(connection.scalars(statement("campaigns/to_ask"), parameters))


def campaigns_were_asked(
    connection: Connection, account_id: str, wanted: str, campaigns: Collection[str]
) -> None:
    """Notes campaigns whose members were read."""
    parameters = {"account_id": account_id, "wanted": wanted, "campaigns": list(campaigns)}
    connection.execute(statement("campaigns/were_asked"), parameters)


def asked_for_people(
    connection: Connection, account_id: str, person_keys: Collection[int]
) -> set[int]:
    """Returns those of these people whom the platform was told of: the org has a record of them."""
    parameters = {"account_id": account_id, "person_keys": list(person_keys)}
    return set(connection.scalars(statement("campaigns/asked_for_people"), parameters))


def given_statuses(
    connection: Connection, account_id: str, members: Collection[str]
) -> dict[str, set[str]]:
    """Returns the statuses that we gave, or may have given, to members, in small letters."""
    parameters = {"account_id": account_id, "members": list(members)}
    found: dict[str, set[str]] = {}
    for row in connection.execute(statement("campaigns/given_statuses"), parameters):
        found.setdefault(row.member_id, set()).add(row.status.casefold())
    return found


def note_wishes(connection: Connection, account_id: str, wishes: Sequence[Wish]) -> int:
    """Keeps wishes about campaigns of events and sessions, and returns how many are new.

    Those of other campaigns are none.
    """
    if not wishes:
        return 0
    rows = [{k: v for k, v in asdict(each).items() if k != "campaign_key"} for each in wishes]
    parameters = {"account_id": account_id, "wishes": orjson.dumps(rows).decode()}
    return connection.execute(statement("campaigns/note_wishes"), parameters).rowcount


def wishes_to_look_at(connection: Connection, account_id: str, *, limit: int) -> list[str]:
    """Returns the members of wishes to be told next that were not seen for ten minutes."""
    parameters = {"account_id": account_id, "limit": limit}
    return list(connection.scalars(statement("campaigns/wishes_to_look_at"), parameters))


def look_at_wishes(
    connection: Connection, account_id: str, wanted: Collection[str], others: Collection[str]
) -> int:
    """Notes which members are wanted still; wishes of the others that wait are withdrawn.

    Returns:
        How many are.
    """
    if not wanted and not others:
        return 0
    seen = {"account_id": account_id, "members": list(wanted)}
    connection.execute(statement("campaigns/wishes_were_seen"), seen)
    gone = {"account_id": account_id, "members": list(others)}
    return connection.execute(statement("campaigns/withdraw_wishes"), gone).rowcount


def waiting_wishes(connection: Connection, account_id: str, *, limit: int) -> list[Wish]:
    """Returns wishes that the platform was not told, oldest first."""
    parameters = {"account_id": account_id, "limit": limit}
    return objects(connection.execute(statement("campaigns/waiting_wishes"), parameters), Wish)


def wishes_were_told(connection: Connection, account_id: str, wishes: Sequence[Wish]) -> None:
    """Notes wishes that are told now."""
    parameters = {
        "account_id": account_id,
        "members": [each.member_id for each in wishes],
        "campaign_keys": [each.campaign_key for each in wishes],
    }
    connection.execute(statement("campaigns/wishes_were_told"), parameters)
