"""What the UI shows of each step of the flow; every number in it is plotted over time.

Numbers, ids and reasons only: no personal data reaches Dagster's events.
"""

from collections.abc import Callable, Mapping

from crm_pipeline.cadence.flow_assets import Metadata, table
from crm_pipeline.cycle.report import CycleReport, Step


def _registrations(report: CycleReport) -> Metadata:
    return {
        "dagster/partition_row_count": report.counts.registrations,
        "rows": report.counts.registrations,
        "event_sessions": len(report.sessions),
        "rows_by_event_session": table("event_session_id", report.sessions),
    }


def _attendances(report: CycleReport) -> Metadata:
    return {
        "dagster/partition_row_count": report.counts.attendances,
        "rows": report.counts.attendances,
    }


def _filtered_leads(report: CycleReport) -> Metadata:
    counts = report.counts
    return {
        "rows_in": counts.registrations + counts.attendances,
        "rejected": counts.rejected,
        "accepted": counts.registrations + counts.attendances - counts.rejected,
        "rejected_by_reason": table("reason", report.rejected_by_reason),
        **{f"rejected: {reason}": n for reason, n in report.rejected_by_reason.items()},
    }


def _lead_payloads(report: CycleReport) -> Metadata:
    counts = report.counts
    return {
        "people": counts.people,
        "activities_new": counts.intents_new,
        "activities_changed": counts.intents_changed,
        "activities_unchanged": counts.unchanged,
    }


def _retried_operations(report: CycleReport) -> Metadata:
    counts = report.counts
    return {
        "retried": counts.retried,
        "retried_done": counts.retried_done,
        "exhausted": counts.exhausted,
    }


def _load_results(report: CycleReport) -> Metadata:
    counts = report.counts
    return {
        "leads_created": counts.leads_created,
        "leads_updated": counts.leads_updated,
        "contacts_created": counts.contacts_created,
        "contacts_updated": counts.contacts_updated,
        "people_unchanged": counts.people_unchanged,
        "activities_created": counts.activities_created,
        "activities_updated": counts.activities_updated,
        "activities_unchanged": counts.activities_unchanged,
        "failed": counts.failed,
        "looked_up": counts.looked_up,
        "fields_changed_to_fit": counts.fields_changed_to_fit,
        "incidents": counts.incidents,
        "api_calls": counts.api_calls,
        "api_calls_forecast": counts.api_calls_forecast,
        "api_calls_by_kind": table("kind", report.api_calls_by_kind),
        "route": report.route,
        "route_reason": report.route_reason,
        "api_used_today": report.api_used,
        "api_limit_a_day": report.api_limit,
    }


METADATA: Mapping[Step, Callable[[CycleReport], Metadata]] = {
    "registrations": _registrations,
    "attendances": _attendances,
    "filtered_leads": _filtered_leads,
    "lead_payloads": _lead_payloads,
    "retried_operations": _retried_operations,
    "load_results": _load_results,
}
