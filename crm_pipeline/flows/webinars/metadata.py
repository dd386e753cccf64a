"""What the UI shows of each step of an account's cycle; every number in it is plotted over time.

Numbers, ids and reasons only: no personal data reaches Dagster's events.
"""

from collections.abc import Callable, Mapping
from typing import Any

from dagster import MetadataValue, TableColumn, TableRecord, TableSchema

from crm_pipeline.cycle.report import CycleReport, Step

Metadata = dict[str, Any]


def _registrations(report: CycleReport) -> Metadata:
    return {
        "dagster/partition_row_count": report.counts.registrations,
        "rows": report.counts.registrations,
        "event_sessions": len(report.sessions),
        "rows_by_event_session": _table("event_session_id", report.sessions),
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
        "rejected_by_reason": _table("reason", report.rejected_by_reason),
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
        "api_calls_by_kind": _table("kind", report.api_calls_by_kind),
        "route": report.route,
        "route_reason": report.route_reason,
        "api_used_today": report.api_used,
        "api_limit_a_day": report.api_limit,
    }


def _sync_state(report: CycleReport) -> Metadata:
    return {
        "state": report.state,
        "reason": report.reason,
        "watermark": MetadataValue.timestamp(report.watermark) if report.watermark else None,
        "seconds": report.seconds,
        "waiting": report.counts.waiting,
        "exhausted": report.counts.exhausted,
    }


_METADATA: Mapping[Step, Callable[[CycleReport], Metadata]] = {
    "registrations": _registrations,
    "attendances": _attendances,
    "filtered_leads": _filtered_leads,
    "lead_payloads": _lead_payloads,
    "retried_operations": _retried_operations,
    "load_results": _load_results,
    "sync_state": _sync_state,
}


def metadata(step: Step, report: CycleReport) -> Metadata:
    """The metadata of a step's materialization in an account's cycle."""
    of_step = _METADATA[step](report)
    said = {name: value for name, value in of_step.items() if value not in (None, "")}
    return {"account": report.account_name, "cycle": report.cycle_id or 0} | said


def _table(name: str, numbers: Mapping[Any, int]) -> MetadataValue:
    return MetadataValue.table(
        [TableRecord({name: str(each), "number": numbers[each]}) for each in sorted(numbers)],
        TableSchema([TableColumn(name), TableColumn("number", "int")]),
    )
