"""Campaigns in numbers: what a batch comes to, and what is shown of a cycle. Pure."""

from collections.abc import Mapping

from crm_pipeline.declaration import Batch, Numbers, Shown
from crm_pipeline.flows.campaigns import NAME
from crm_pipeline.ledger.intents import Recorded
from crm_pipeline.report import CycleReport
from crm_pipeline.salesforce.budget import backfill_calls


def count(_: Batch, recorded: Mapping[str, Recorded]) -> Numbers:
    """Counts a batch."""
    members = recorded.get("member", Recorded())
    return {
        ("campaign_members", "memberships_new"): members.new,
        ("campaign_members", "memberships_changed"): members.changed,
        ("campaign_members", WITHOUT): members.rejected.total(),
    }


WITHOUT = "memberships_without_campaign_or_status"


def campaigns(report: CycleReport) -> Shown:
    """Returns whether the account has campaigns on, and what is still to be read again."""
    waiting = (report.tally[NAME, outcome] for outcome in WAITING)
    return {"campaigns": on_or_off(report), _CALLS: backfill_calls(*waiting)}


WAITING = ("events_to_read_again", "rows_to_read_again")
_CALLS = "api_calls_to_read_again_at_most"


def on_or_off(report: CycleReport) -> str:
    """An account that has campaigns off shows that, so that no older failure stays in sight."""
    return "on" if NAME in report.flows else "off"
