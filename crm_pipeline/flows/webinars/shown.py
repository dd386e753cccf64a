"""The webinar cycle in numbers: what a batch comes to, and what is shown of a cycle. Pure."""

from collections import Counter
from collections.abc import Mapping

from crm_pipeline.declaration import Batch, Numbers, Shown, Table
from crm_pipeline.flows.webinars.rules import PART_OF_ANOTHER
from crm_pipeline.ledger.intents import Recorded
from crm_pipeline.report import CycleReport
from crm_pipeline.sources.mapping import DEFAULT_MAPPING


def count(batch: Batch, recorded: Mapping[str, Recorded]) -> Numbers:
    """Counts a batch; numbers that its rows say anew may be added up over cycles.

    Of the rows that a cycle reads, some it has read before: those shipped shortly before the last
    one. Those that say something new are accepted, part of another attendance or rejected, and
    together with the ones that are known already they are the rows read. Each intended one is
    delivered or queued; the conservation check says so.
    """
    activities, people = recorded.get("activity", Recorded()), recorded.get("person", Recorded())
    accepted, rejected = activities.new + activities.changed, Counter(activities.rejected)
    parts = rejected.pop(PART_OF_ANOTHER, 0)
    return {
        (batch.source, "rows"): accepted + parts + rejected.total(),
        ("filtered_leads", "rows_read"): batch.rows,
        ("filtered_leads", "known_already"): activities.unchanged,
        ("filtered_leads", "rows_in"): accepted + parts + rejected.total(),
        ("filtered_leads", "rejected"): rejected.total(),
        ("filtered_leads", "part_of_another"): parts,
        ("filtered_leads", "accepted"): accepted,
        **{("filtered_leads", f"{_REJECTED}{r}"): n for r, n in rejected.items()},
        ("lead_payloads", "people"): people.new + people.changed,
        ("lead_payloads", "activities_new"): activities.new,
        ("lead_payloads", "activities_changed"): activities.changed,
    }


_REJECTED = "rejected: "
"""Before the reason, where rejected rows are counted by reason."""


def registrations(report: CycleReport) -> Shown:
    """Rows are plotted as a partition's."""
    return {
        "dagster/partition_row_count": report.tally["registrations", "rows"],
        "event_sessions": len(report.sessions),
        "rows_by_event_session": Table("event_session_id", report.sessions),
    }


def attendances(report: CycleReport) -> Shown:
    """Rows are plotted as a partition's."""
    return {"dagster/partition_row_count": report.tally["attendances", "rows"]}


def filtered_leads(report: CycleReport) -> Shown:
    """The rejected rows by reason."""
    counted = report.tally.by_topic.get("filtered_leads", {})
    reasons = {
        outcome.removeprefix(_REJECTED): number
        for outcome, number in counted.items()
        if outcome.startswith(_REJECTED)
    }
    return {"rejected_by_reason": Table("reason", reasons)}


def load_results(report: CycleReport) -> Shown:
    """Returns the cost of the delivery and how it went."""
    counts = report.counts
    return {
        "incidents": counts.incidents,
        "api_calls": counts.api_calls,
        "api_calls_forecast": counts.api_calls_forecast,
        "api_calls_by_kind": Table("kind", report.api_calls_by_kind),
        "data_storage_mb": counts.data_storage_mb,
        "route": report.route,
        "route_reason": report.route_reason,
        "api_used_today": report.api_used,
        "api_limit_a_day": report.api_limit,
    }


def columns() -> dict[str, tuple[str, ...]]:
    """Returns the warehouse columns of each field of a payload, in the default mapping."""
    street = tuple(f"warehouse/person.address_{line}" for line in (1, 2, 3))
    return {
        f"{sobject}.{field}": street if column == "street" else (f"warehouse/person.{column}",)
        for sobject, columns in DEFAULT_MAPPING.items()
        for field, column in columns.items()
    }
