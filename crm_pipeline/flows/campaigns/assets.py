"""The campaign flow's steps as assets, with the tables and objects they stand between."""

from dagster import AssetKey, AssetSpec

from crm_pipeline.cadence.flow_assets import FlowAssets, step_asset
from crm_pipeline.flows.campaigns.checks import CHECKS
from crm_pipeline.flows.campaigns.metadata import METADATA

WAREHOUSE = [
    AssetSpec(
        AssetKey(["warehouse", "event"]),
        group_name="warehouse",
        kinds={"postgres"},
        description="The platform's events, each with its sessions, shipped every 15 minutes.",
    )
]

SALESFORCE = [
    AssetSpec(
        AssetKey(["salesforce", sobject]),
        deps=[step],
        group_name="salesforce",
        kinds={"salesforce"},
        description=what,
    )
    for sobject, step, what in (
        ("Campaign", "campaigns", "Campaigns in the client's org: one for each event."),
        (
            "CampaignMember",
            "campaign_members",
            "Members of the campaigns: each participant once, with how far they came.",
        ),
    )
]

SPECS = [
    step_asset(
        "campaigns",
        "The campaign of each event, for accounts that have campaigns on: named by a person, found "
        "by an external id, or created with the event's name, days and member statuses.",
        group="campaigns",
        kind="salesforce",
        deps=["load_results", AssetKey(["warehouse", "event"])],
    ),
    step_asset(
        "campaign_members",
        "Who registered for or attended an event as a member of its campaign, each person once, "
        "with one status out of all sessions.",
        group="campaigns",
        kind="salesforce",
        deps=[
            "campaigns",
            "load_results",
            AssetKey(["warehouse", "registration"]),
            AssetKey(["warehouse", "attendance"]),
        ],
    ),
]

CAMPAIGNS = FlowAssets(SPECS, METADATA, CHECKS)
