"""What the UI shows of each step of the flow; every number in it is plotted over time.

An account that has campaigns off shows that and zeros, so that no older failure of its partition
stays in sight.
"""

from collections.abc import Callable, Mapping

from crm_pipeline.cadence.flow_assets import Metadata
from crm_pipeline.cycle.report import CycleReport, Step
from crm_pipeline.salesforce.budget import backfill_calls


def _campaigns(report: CycleReport) -> Metadata:
    counts = report.counts
    return {
        "campaigns": "on" if report.campaigns else "off",
        "campaigns_created": counts.campaigns_created,
        "campaigns_linked": counts.campaigns_linked,
        "events_to_read_again": counts.backfills_waiting,
        "rows_to_read_again": counts.backfill_rows_waiting,
        "api_calls_to_read_again_at_most": backfill_calls(
            counts.backfills_waiting, counts.backfill_rows_waiting
        ),
    }


def _campaign_members(report: CycleReport) -> Metadata:
    counts = report.counts
    return {
        "campaigns": "on" if report.campaigns else "off",
        "memberships_new": counts.members_new,
        "memberships_changed": counts.members_changed,
        "memberships_without_campaign_or_status": counts.members_rejected,
        "members_created": counts.members_created,
        "members_updated": counts.members_updated,
        "members_unchanged": counts.members_unchanged,
        "people_left_out": counts.people_left_out,
    }


METADATA: Mapping[Step, Callable[[CycleReport], Metadata]] = {
    "campaigns": _campaigns,
    "campaign_members": _campaign_members,
}
