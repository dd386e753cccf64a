"""The census of campaigns in the ledger: what is to be there, and what was found."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import NamedTuple

import orjson
from sqlalchemy import Connection

from crm_pipeline.database.rows import objects
from crm_pipeline.database.statements import statement


class Expected(NamedTuple):
    """How many members of one status a campaign is to have, and how many are not sent yet."""

    campaign_key: str
    campaign_id: str
    status: str | None
    members: int
    waiting: int


class ExpectedMember(NamedTuple):
    """A member that is to be there."""

    campaign_key: str
    person_key: int
    person_id: str
    status: str


@dataclass(slots=True)
class CountedCampaign:
    """What a census found of a campaign.

    Attributes:
        campaign_key: of the event or session.
        campaign_id: in the org.
        expected: members that were sent and are to be there.
        in_org: all members that are there.
        waiting: members that are still to be sent.
        missing: people who are no members there, at most 100.
        changed: people whose members have another status, at most 100.
        taken_at: UTC.
    """

    campaign_key: str
    campaign_id: str
    expected: int
    in_org: int
    waiting: int
    missing: list[int] = field(default_factory=list)
    changed: list[int] = field(default_factory=list)
    taken_at: datetime | None = None

    @property
    def is_complete(self) -> bool:
        """True if everybody is there of whom the platform has told."""
        return not self.missing and not self.waiting


def census_is_due(connection: Connection, account_id: str, *, daily: bool) -> bool:
    """Returns whether a census is asked for, or due as each day."""
    parameters = {"account_id": account_id, "daily": daily}
    return bool(connection.scalar(statement("campaigns/census_is_due"), parameters))


def request_campaign_census(connection: Connection, account_id: str) -> None:
    """Asks for a census with the next cycle."""
    connection.execute(statement("campaigns/request_census"), {"account_id": account_id})


def expected_members(connection: Connection, account_id: str, since: date) -> list[Expected]:
    """Returns the members, by status, of campaigns whose events or sessions ended after a day."""
    parameters = {"account_id": account_id, "since": since.isoformat()}
    return [
        Expected(*row)
        for row in connection.execute(statement("campaigns/census_expected"), parameters)
    ]


def members_of_campaigns(
    connection: Connection, account_id: str, keys: Collection[str]
) -> list[ExpectedMember]:
    """Returns the members that are to be in the campaigns with these keys."""
    parameters = {"account_id": account_id, "keys": list(keys)}
    rows = connection.execute(statement("campaigns/census_members"), parameters)
    return [
        ExpectedMember(row.campaign_key, int(row.person_key), row.person_id, row.status)
        for row in rows
    ]


def record_campaign_census(
    connection: Connection, account_id: str, counted: Sequence[CountedCampaign]
) -> None:
    """Keeps a census in place of the last one, and notes that it was taken."""
    rows = [{k: v for k, v in asdict(each).items() if k != "taken_at"} for each in counted]
    parameters = {
        "account_id": account_id,
        "keys": [each.campaign_key for each in counted],
        "counted": orjson.dumps(rows).decode(),
    }
    connection.execute(statement("campaigns/record_census"), parameters)


def last_campaign_census(connection: Connection, account_id: str) -> list[CountedCampaign]:
    """Returns the last census of an account, by campaign."""
    rows = connection.execute(statement("campaigns/last_census"), {"account_id": account_id})
    return objects(rows, CountedCampaign)
