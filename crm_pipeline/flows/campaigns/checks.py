"""The promises of campaigns as asset checks; each is a statement in `sql/checks/`."""

from crm_pipeline.cadence.flow_assets import Check

CHECKS = (
    Check(
        "every_event_has_its_campaign",
        "campaigns",
        "Each event with participants found or got its campaign, with the statuses its members "
        "need; what is missing is told by the account's incidents.",
    ),
    Check(
        "nobody_is_a_member_twice",
        "campaign_members",
        "Nobody has two memberships in one campaign.",
    ),
)
