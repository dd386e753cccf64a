"""Campaigns, declared: events as campaigns, participants as their members (spec 2)."""

from typing import TYPE_CHECKING

from crm_pipeline.accounts.campaigns import CampaignSettings
from crm_pipeline.declaration import Flow, Outside, Promise, Topic
from crm_pipeline.flows.campaigns import NAME, from_salesforce, shown
from crm_pipeline.flows.campaigns.reading import read
from crm_pipeline.sources.participations import EXTRACT_NAMES, EXTRACTS
from crm_pipeline.sources.tables import COLUMNS_READ

if TYPE_CHECKING:
    from crm_pipeline.delivery.desk import Desk

CENSUS = "campaign_census"

_TOPICS = (
    Topic(
        "campaigns",
        "The campaign of each event, for accounts that have campaigns on: named by a person, found "
        "by an external id, or created with the event's name, days and member statuses.",
        group=NAME,
        technology="salesforce",
        after=("load_results", "warehouse/event"),
        counts=("campaigns_created", "campaigns_linked", *shown.WAITING, "failed"),
        shows=shown.campaigns,
        reads=EXTRACT_NAMES,
        records=True,
        sends=("campaign",),
    ),
    Topic(
        "campaign_members",
        "Registrants and attendees of an event as members of its campaign, each person once, "
        "with one status out of all sessions.",
        group=NAME,
        technology="salesforce",
        after=("campaigns", "load_results", "warehouse/registration", "warehouse/attendance"),
        counts=(
            "memberships_new",
            "memberships_changed",
            shown.WITHOUT,
            "members_created",
            "members_updated",
            "members_deleted",
            "members_unchanged",
            "failed",
        ),
        shows=lambda report: {"campaigns": shown.on_or_off(report)},
        reads=EXTRACT_NAMES,
        records=True,
        sends=("member",),
    ),
)


def _take_census(desk: "Desk", chosen: CampaignSettings) -> None:
    # What acts is loaded by cycles only: it speaks to orgs.
    from crm_pipeline.delivery.campaign_census import take_campaign_census

    take_campaign_census(desk, CENSUS, daily=chosen.census == "daily")


_CENSUS = Topic(
    CENSUS,
    "How many members the campaigns of the last 90 days have in the org, against those that were "
    "sent: once a day, or where `crm-pipeline campaign census` asked for it; who is not there is "
    "named, and the campaign says whether its list is complete.",
    group=NAME,
    technology="salesforce",
    after=("campaign_members",),
    counts=("campaigns_counted", "complete", "members_missing"),
    shows=lambda report: {"campaigns": shown.on_or_off(report)},
    acts=_take_census,
)

_EXTERNAL = "external_activities"


def _tell_activities(desk: "Desk", chosen: CampaignSettings) -> None:
    if chosen.account_engagement is None:
        return
    from crm_pipeline.delivery.external_activities import tell_activities

    tell_activities(desk, _EXTERNAL, chosen.account_engagement)


_ACTIVITIES = Topic(
    _EXTERNAL,
    "How far people came, as external activities of Account Engagement, where an account chose "
    "that: a call for each stage that a member comes to, so many a day, each told once.",
    group=NAME,
    technology="salesforce",
    after=("campaign_members",),
    counts=("told", "waiting", "refused", "unsure"),
    shows=lambda report: {"campaigns": shown.on_or_off(report)},
    acts=_tell_activities,
    option="account_engagement",
)

_FROM_SALESFORCE = Topic(
    from_salesforce.TOPIC,
    "Members whom people put into the campaigns of events, with a status that the account names: "
    "the platform is told to register or to invite them, each once, never those who opted out.",
    group=NAME,
    technology="salesforce",
    after=("campaigns",),
    counts=("members_wanted", "opted_out", "without_usable_address", "told", "failed"),
    shows=lambda report: {"campaigns": shown.on_or_off(report)},
    reads_back=True,
    sends=("message",),
)

_OUTSIDE = (
    Outside(
        "warehouse/event",
        "The platform's events, each with its sessions, shipped every 15 minutes.",
        "postgres",
        columns=COLUMNS_READ["event"],
    ),
    Outside(
        "salesforce/Campaign",
        "Campaigns in the client's org: one for each event.",
        "salesforce",
        after=("campaigns",),
        columns={
            "Name": "string",
            "Description": "textarea",
            "Type": "picklist",
            "Status": "picklist",
            "StartDate": "date",
            "EndDate": "date",
            "IsActive": "boolean",
            "ParentId": "reference",
        },
    ),
    Outside(
        "salesforce/CampaignMember",
        "Members of the campaigns: each participant once, with how far they came.",
        "salesforce",
        after=("campaign_members",),
        columns={
            "CampaignId": "reference",
            "LeadId": "reference",
            "ContactId": "reference",
            "Status": "picklist",
        },
    ),
)

_PROMISES = (
    Promise(
        "every_event_has_its_campaign",
        "campaigns",
        "Each event with participants found or got its campaign, with the statuses its members "
        "need; what is missing is told by the account's incidents.",
        numbers={
            "events_without_campaign": "Those whose campaign is not there, or lacks a status.",
        },
    ),
    Promise(
        "campaign_census",
        CENSUS,
        "Everybody who was sent as a member of a campaign was one in the org when they were "
        "counted last.",
        only_warns=True,
        numbers={
            "campaigns": "Campaigns that were counted.",
            "members_expected": "Members that were sent to them.",
            "members_in_org": "Members that the org showed.",
            "missing": "Those who were sent and not shown.",
            "with_another_status": "Those whose status is another one than ours.",
            "waiting": "Those who were still to be sent then.",
        },
    ),
    Promise(
        "nobody_is_a_member_twice",
        "campaign_members",
        "Nobody has two memberships in one campaign.",
        numbers={
            "members_twice": "People with two memberships in one campaign.",
        },
    ),
)

CAMPAIGNS = Flow(
    NAME,
    settings=lambda account: account.campaigns,
    topics=(*_TOPICS, _CENSUS, _ACTIVITIES, _FROM_SALESFORCE),
    sources=EXTRACTS,
    outside=_OUTSIDE,
    promises=_PROMISES,
    read=read,
    share=100_000,
    count=shown.count,
    watches=from_salesforce.watches,
    asks=from_salesforce.asks,
    take=from_salesforce.take,
    follow=from_salesforce.follow,
)
