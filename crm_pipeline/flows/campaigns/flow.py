"""Campaigns, declared: events as campaigns, participants as their members (spec 2)."""

from crm_pipeline.declaration import Flow, Outside, Promise, Topic
from crm_pipeline.flows.campaigns import NAME, shown
from crm_pipeline.flows.campaigns.reading import read
from crm_pipeline.sources.participations import EXTRACT_NAMES, EXTRACTS

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

_OUTSIDE = (
    Outside(
        "warehouse/event",
        "The platform's events, each with its sessions, shipped every 15 minutes.",
        "postgres",
    ),
    Outside(
        "salesforce/Campaign",
        "Campaigns in the client's org: one for each event.",
        "salesforce",
        after=("campaigns",),
    ),
    Outside(
        "salesforce/CampaignMember",
        "Members of the campaigns: each participant once, with how far they came.",
        "salesforce",
        after=("campaign_members",),
    ),
)

_PROMISES = (
    Promise(
        "every_event_has_its_campaign",
        "campaigns",
        "Each event with participants found or got its campaign, with the statuses its members "
        "need; what is missing is told by the account's incidents.",
    ),
    Promise(
        "nobody_is_a_member_twice",
        "campaign_members",
        "Nobody has two memberships in one campaign.",
    ),
)

CAMPAIGNS = Flow(
    NAME,
    settings=lambda account: account.campaigns,
    topics=_TOPICS,
    sources=EXTRACTS,
    outside=_OUTSIDE,
    promises=_PROMISES,
    read=read,
    share=100_000,
    count=shown.count,
)
