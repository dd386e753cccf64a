"""Campaigns that are in the org already: sought by Id, by external id, or by what was sent."""

import itertools
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from crm_pipeline.delivery.desk import Desk
from crm_pipeline.delivery.follow import followed
from crm_pipeline.delivery.recording import CAMPAIGN_MEMBER
from crm_pipeline.delivery.replacing import LAST_TOUCHED
from crm_pipeline.ledger.campaigns import DueCampaign, linked_campaigns
from crm_pipeline.salesforce.composite import QueryRefused, Record, query_all
from crm_pipeline.salesforce.describe import Fitted
from crm_pipeline.salesforce.errors import AccountStopped
from crm_pipeline.salesforce.soql import packed_in_queries, quote, select

CAMPAIGN, STATUS = "Campaign", "CampaignMemberStatus"

MARK = "Description"
"""The field of a new campaign that says what it is about."""

PARENT = "ParentId"
"""The field that has the campaign above one."""

_TOUCHED_BY = "LastModifiedById"


class SearchKey(NamedTuple):
    """A field and its value, by which a campaign is sought; of two with one name, by their mark."""

    field: str
    value: str
    mark: str | None = None


class FoundCampaign(NamedTuple):
    """A campaign of the org and its statuses."""

    campaign_id: str
    statuses: Sequence[Record]
    record: Record


def seek(desk: Desk, due: Sequence[DueCampaign]) -> dict[int, FoundCampaign]:
    """The campaigns that are in the org already, by operation; describes ride along."""
    keys = {each.operation_id: _search_keys(desk, each) for each in due}
    wanted = dict.fromkeys(itertools.chain.from_iterable(keys.values()))
    if not wanted:
        desk.schemas.describe((CAMPAIGN, CAMPAIGN_MEMBER))
        return {}
    to_follow: list[str] = []
    if desk.may_be_older_copy or any(each.former or each.parent_id for each in due):
        schema = desk.schemas.describe((CAMPAIGN, CAMPAIGN_MEMBER))[CAMPAIGN]
        names = dict.fromkeys(field for each in due for field in followed(each.intent))
        to_follow = schema.readable(names)
    records, of_campaign = _ask(desk, wanted, to_follow)
    by_id = {record["Id"]: record for record in records}
    there: dict[SearchKey, dict[str, None]] = {}
    for record in records:
        for field in {key.field for key in wanted}:
            mark = record.get(MARK) if field == "Name" else None
            is_at = SearchKey(field, _sought(field, str(record.get(field))), mark)
            there.setdefault(is_at, {})[record["Id"]] = None
    _leave_others(desk, there, records)
    found = {}
    for operation_id, sought in keys.items():
        key = next((key for key in sought if there.get(key)), None)
        if key is not None:
            campaign_id = next(iter(there[key]))
            if key.field == "Name":
                del there[key][campaign_id]
            found[operation_id] = FoundCampaign(
                campaign_id, of_campaign.get(campaign_id, []), by_id[campaign_id]
            )
    return found


def fitted_wanted(desk: Desk, each: DueCampaign) -> Fitted:
    """The fields of a campaign as they are wanted, with the one above it, as the org takes them."""
    return fitted(desk, each.intent["campaign"], each.parent_id)


def fitted(desk: Desk, campaign: Mapping[str, Any], parent_id: str | None) -> Fitted:
    """The fields of a campaign below a parent, as the org takes them."""
    schema = desk.schemas.describe((CAMPAIGN, CAMPAIGN_MEMBER))[CAMPAIGN]
    wanted = dict(campaign) if parent_id is None else {**campaign, PARENT: parent_id}
    # There is no way to escape what refers to another subrequest.
    wanted["Name"] = wanted["Name"].replace("@{", "@ {")
    return schema.fit(wanted, "create")


def is_touched_by_us_alone(desk: Desk, record: Record) -> bool:
    """Returns whether our user has made a record and nobody else changed it since."""
    us = desk.org.log_in().user_id[:15]
    return all(str(record.get(by))[:15] == us for by in ("CreatedById", _TOUCHED_BY))


def _search_keys(desk: Desk, each: DueCampaign) -> list[SearchKey]:
    """Returns the keys by which to seek an event's campaign.

    By the Id that a person named, and nowhere else. Or by the external id, then by the Id known
    so far. Or, where the answer to a creation was lost, by what was sent.
    """
    intent = each.intent
    if intent["campaign_id"] is not None:
        return [SearchKey("Id", _sought("Id", intent["campaign_id"]))]
    keys = []
    if intent["external_id_field"]:
        keys.append(SearchKey(intent["external_id_field"], each.campaign_key))
    if each.campaign_id is not None:
        keys.append(SearchKey("Id", _sought("Id", each.campaign_id)))
    if not keys and intent["create"]:
        made = [
            *each.sent,
            *([fitted_wanted(desk, each).fields] if desk.may_be_older_copy else []),
        ]
        keys += [SearchKey("Name", body["Name"], body.get(MARK)) for body in made]
        if desk.may_be_older_copy and (mark := made[-1].get(MARK)) is not None:
            # Made since the copy, under a name that the event had then.
            keys.append(SearchKey(MARK, mark))
    return keys


def _leave_others(
    desk: Desk, there: Mapping[SearchKey, dict[str, None]], records: Sequence[Record]
) -> None:
    """Takes out campaigns without a mark that are another event's, or were made by others."""
    unmarked = [key for key in there if key.field == "Name" and key.mark is None]
    if unmarked:
        taken = linked_campaigns(desk.ledger.connection, desk.ledger.account_id)
        us = desk.org.log_in().user_id[:15]
        ours = {each["Id"] for each in records if each["CreatedById"][:15] == us} - taken
        for key in unmarked:
            for campaign_id in there[key].keys() - ours:
                del there[key][campaign_id]


def _sought(field: str, value: str) -> str:
    """An Id has 15 characters, and three more in its long form."""
    return value[:15] if field == "Id" else value


def _ask(
    desk: Desk, keys: Collection[SearchKey], to_follow: Collection[str]
) -> tuple[list[Record], dict[str, list[Record]]]:
    """The campaigns with these keys, and the statuses of each; `to_follow` are further fields."""
    desk.allowance.demand_calls()
    known = desk.schemas.known()
    undescribed = [name for name in (CAMPAIGN, CAMPAIGN_MEMBER) if name not in known]
    marked = [MARK] if to_follow or any(key.mark is not None for key in keys) else []
    made_by = ["CreatedById"] if any(key.field == "Name" for key in keys) else []
    if to_follow:
        made_by += LAST_TOUCHED
    if desk.may_be_older_copy:
        made_by += ["CreatedById", _TOUCHED_BY]
    sought = dict.fromkeys(("Id", *(key.field for key in keys)))
    fields = dict.fromkeys((*sought, *marked, *made_by, *to_follow))
    campaigns: list[str] = []
    statuses: list[str] = []
    for field in sought:
        values = dict.fromkeys(key.value for key in keys if key.field == field)
        campaigns += _at(desk, field, values, fields)
        statuses += [
            select(("CampaignId", "Label", "SortOrder"), STATUS, f"CampaignId IN ({inner})")
            for inner in _at(desk, field, values, ["Id"])
        ]
    try:
        result = query_all(
            desk.org.log_in(), [*campaigns, *statuses], also=desk.schemas.subrequests(undescribed)
        )
    except QueryRefused as refused:
        if undescribed:
            desk.schemas.keep(undescribed, refused.also)
        for field in fields:
            if (
                field.endswith("__c")
                and desk.schemas.describe([CAMPAIGN])[CAMPAIGN].field(field) is None
            ):
                raise AccountStopped(
                    f"The org does not show Campaign.{field} to the user",
                    "create it, let the user see it, or mend external_id_field of the account's "
                    "campaigns",
                ) from None
        raise
    if undescribed:
        desk.schemas.keep(undescribed, result.also)
    records = [record for page in result.records[: len(campaigns)] for record in page]
    of_campaign: dict[str, list[Record]] = {}
    for page in result.records[len(campaigns) :]:
        for record in page:
            of_campaign.setdefault(record["CampaignId"], []).append(record)
    return records, of_campaign


def _at(desk: Desk, field: str, values: Collection[str], fields: Iterable[str]) -> list[str]:
    """Queries for the campaigns with these values; by our mark, for all that our user made.

    No query finds a long text.
    """
    if field == MARK:
        return [select(fields, CAMPAIGN, f"CreatedById = {quote(desk.org.log_in().user_id)}")]
    return packed_in_queries(fields, CAMPAIGN, field, values)
