"""The census of campaigns: the org's members against those that were sent."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from crm_pipeline.delivery.campaign_search import CAMPAIGN
from crm_pipeline.delivery.desk import Desk
from crm_pipeline.delivery.recording import CAMPAIGN_MEMBER
from crm_pipeline.ledger.campaign_census import (
    CountedCampaign,
    ExpectedMember,
    census_is_due,
    expected_members,
    members_of_campaigns,
    record_campaign_census,
)
from crm_pipeline.salesforce.composite import Record, Subrequest, composite, query_all
from crm_pipeline.salesforce.limits import COLLECTION_RECORDS, COMPOSITE_QUERIES_OR_COLLECTIONS
from crm_pipeline.salesforce.soql import count_by, in_list, packed_in_queries
from crm_pipeline.text import salesforce_time

LOOKED_BACK = timedelta(days=90)
"""Events that ended before are counted no more."""

CAMPAIGNS_PER_QUERY = 150
"""Salesforce groups no more than 2,000 rows: so many campaigns with a dozen statuses each."""

NAMED_AT_MOST = 100

EXPECTED, COMPLETE = "Members_Expected__c", "Complete_As_Of__c"
"""Fields of Campaign in which marketing sees whether the list of members is complete."""


def take_campaign_census(desk: Desk, topic: str, *, daily: bool) -> None:
    """Counts the members of campaigns where that is asked for or due; commits.

    A call counts 750 campaigns; the members of those that differ are read, 10,000 in a call; where
    the org has the fields, the campaigns are told, 1,000 in a call.

    Args:
        desk: the account's delivery.
        topic: what it is counted under.
        daily: whether the account takes one each day.

    Raises:
        SalesforceProblem: as `query_all`.
    """
    account_id = desk.ledger.account_id
    if not census_is_due(desk.ledger.connection, account_id, daily=daily):
        return
    now = datetime.now(UTC)
    expected = expected_members(desk.ledger.connection, account_id, (now - LOOKED_BACK).date())
    desk.ledger.connection.commit()
    wanted: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for each in expected:
        if each.status is not None:
            wanted[each.campaign_key][each.status.casefold()] += each.members
    in_org = _count(desk, sorted({each.campaign_id for each in expected}))
    counted = {
        each.campaign_key: CountedCampaign(
            each.campaign_key,
            each.campaign_id,
            wanted[each.campaign_key].total(),
            in_org[each.campaign_id].total(),
            each.waiting,
        )
        for each in expected
    }
    differing = [e for e in counted.values() if wanted[e.campaign_key] != in_org[e.campaign_id]]
    if differing:
        _compare(desk, differing)
    refused = _tell(desk, list(counted.values()), now)
    with desk.ledger.step() as connection:
        record_campaign_census(connection, account_id, list(counted.values()))
    desk.tally[topic, "campaigns_counted"] += len(counted)
    desk.tally[topic, "complete"] += sum(each.is_complete for each in counted.values())
    desk.tally[topic, "members_missing"] += sum(len(each.missing) for each in counted.values())
    if refused:
        desk.tally[topic, "campaigns_not_told"] += refused
        desk.notes.lines.append(
            f"The org did not take whether the list is complete, of {refused} campaigns: "
            f"{EXPECTED} and {COMPLETE} are as they were; the next census tells again"
        )


def _count(desk: Desk, campaigns: Sequence[str]) -> Mapping[str, Counter[str]]:
    """Counts the members of campaigns, by status in small letters."""
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    queries = [
        count_by(
            ("CampaignId", "Status"),
            CAMPAIGN_MEMBER,
            in_list("CampaignId", campaigns[start : start + CAMPAIGNS_PER_QUERY]),
        )
        for start in range(0, len(campaigns), CAMPAIGNS_PER_QUERY)
    ]
    if queries:
        desk.allowance.demand_calls()
        for page in query_all(desk.org.log_in(), queries).records:
            for row in page:
                found[row["CampaignId"]][str(row["Status"]).casefold()] += int(row["records"])
    return found


def _compare(desk: Desk, differing: Sequence[CountedCampaign]) -> None:
    """Names the people who are no members, or have another status, of campaigns that differ."""
    ours = members_of_campaigns(
        desk.ledger.connection, desk.ledger.account_id, [each.campaign_key for each in differing]
    )
    desk.ledger.connection.commit()
    if not ours:
        return
    desk.allowance.demand_calls()
    fields = ("Id", "CampaignId", "LeadId", "ContactId", "Status")
    campaigns = sorted({each.campaign_id for each in differing})
    queries = packed_in_queries(fields, CAMPAIGN_MEMBER, "CampaignId", campaigns, per_query=1)
    there: dict[tuple[str, str], Record] = {}
    for page in query_all(desk.org.log_in(), queries).records:
        for row in page:
            for person_id in filter(None, (row["LeadId"], row["ContactId"])):
                there[row["CampaignId"], person_id] = row
    of_campaign: defaultdict[str, list[ExpectedMember]] = defaultdict(list)
    for member in ours:
        of_campaign[member.campaign_key].append(member)
    for each in differing:
        for member in of_campaign[each.campaign_key]:
            found = there.get((each.campaign_id, member.person_id))
            if found is None and len(each.missing) < NAMED_AT_MOST:
                each.missing.append(member.person_key)
            elif (
                found is not None
                and str(found["Status"]).casefold() != member.status.casefold()
                and len(each.changed) < NAMED_AT_MOST
            ):
                each.changed.append(member.person_key)


def _tell(
    desk: Desk,
    counted: Sequence[CountedCampaign],
    now: datetime,
) -> int:
    """Writes to campaigns how many members they are to have, and since when all were there.

    Returns how many of them the org did not take.
    """
    if not counted:
        return 0
    schema = desk.schemas.describe((CAMPAIGN,))[CAMPAIGN]
    records = []
    for each in counted:
        said: dict[str, Any] = {
            EXPECTED: each.expected + each.waiting,
            COMPLETE: salesforce_time(now) if each.is_complete else None,
        }
        fields = {name: value for name, value in said.items() if schema.field(name) is not None}
        if fields:
            records.append({"attributes": {"type": CAMPAIGN}, "id": each.campaign_id, **fields})
    chunks = [
        records[start : start + COLLECTION_RECORDS]
        for start in range(0, len(records), COLLECTION_RECORDS)
    ]
    taken = 0
    for start in range(0, len(chunks), COMPOSITE_QUERIES_OR_COLLECTIONS):
        desk.allowance.demand_calls()
        answers = composite(
            desk.org.log_in(),
            [
                Subrequest(
                    f"told{number}",
                    "PATCH",
                    "composite/sobjects",
                    {"allOrNone": False, "records": chunk},
                    "update",
                )
                for number, chunk in enumerate(
                    chunks[start : start + COMPOSITE_QUERIES_OR_COLLECTIONS]
                )
            ],
            writes=True,
        )
        results = [row for each in answers if isinstance(each.body, list) for row in each.body]
        taken += sum(isinstance(row, dict) and row.get("success") is True for row in results)
    return len(records) - taken
