"""The promises of campaigns as asset checks; each is a statement in `sql/checks/`."""

from dagster import AssetCheckSeverity

from crm_pipeline.cadence.flow_assets import Check

CHECKS = (
    Check(
        "every_event_has_its_campaign",
        "campaigns",
        "Each event with participants found or got its campaign, with the statuses its members "
        "need; what is missing is told by the account's incidents.",
    ),
    Check(
        "every_status_word_is_known",
        "campaign_members",
        "No registration is held because nobody has said what its status word means (`stage_of` "
        "of the account's campaigns).",
        AssetCheckSeverity.WARN,
    ),
    Check(
        "nobody_is_a_member_twice",
        "campaign_members",
        "Nobody has two memberships in one campaign.",
    ),
)
