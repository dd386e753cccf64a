"""The result of a delivery, as the report and people are told of it."""

from collections.abc import Mapping, Sequence
from datetime import UTC

from crm_pipeline.delivery.allowance import Allowance
from crm_pipeline.delivery.desk import Desk, Notes
from crm_pipeline.delivery.kind import CREATED
from crm_pipeline.ledger.due import Volume
from crm_pipeline.ledger.incidents import Incident
from crm_pipeline.report import CycleReport, Tally
from crm_pipeline.salesforce.data_storage import RECORDS_OF_A_CAMPAIGN, megabytes


def tell_of(
    desk: Desk, report: CycleReport, topics: Mapping[str, str], still_open: Mapping[str, Volume]
) -> None:
    """Adds a delivery to the report.

    Args:
        desk: the delivery's.
        report: the cycle's.
        topics: under which topic each kind of operation is counted.
        still_open: what is open now, by kind.
    """
    for (kind, outcome), number in desk.tally.items():
        report.tally[topics.get(kind, kind), outcome] += number
    for (sobject, action), number in desk.written.items():
        report.outside[f"salesforce/{sobject}", action] += number
    count_open(report, still_open)
    counts, spent = report.counts, desk.allowance
    counts.api_calls = spent.api_calls
    counts.api_calls_forecast = spent.forecast
    made = sum(report.tally.overall(each) for each in CREATED)
    campaigns = report.tally.overall("campaigns_created")
    counts.data_storage_mb = megabytes(made + (RECORDS_OF_A_CAMPAIGN - 1) * campaigns)
    report.api_calls_by_kind = dict(spent.calls_by_kind)
    if spent.usage is not None:
        report.api_used, report.api_limit = spent.usage
    report.route, report.route_reason = _routes(spent)


def count_open(report: CycleReport, still_open: Mapping[str, Volume]) -> None:
    """Adds to the report what waits and what is exhausted, of all kinds together."""
    counts = report.counts
    counts.waiting = sum(v.pending + v.in_flight + v.failed for v in still_open.values())
    counts.exhausted = sum(volume.exhausted for volume in still_open.values())


def _routes(spent: Allowance) -> tuple[str, str]:
    """Returns the routes that everything travelled, and the reason."""
    routes = spent.routes.items()
    return (
        ", ".join(f"{stage} by {route.name}" for stage, route in routes),
        "; ".join(f"{stage}: {route.reason}" for stage, route in routes),
    )


def _at(incident: Incident) -> str:
    """The next time at which a cause is looked at; a person may have that done at once."""
    if incident.next_try is None:
        return ""
    return (
        f" (next try at {incident.next_try.astimezone(UTC):%H:%M} UTC, or in the next cycle after "
        f"`crm-pipeline operations requeue --account ACCOUNT --code {incident.code}`)"
    )


def notes_for_people(notes: Notes, tally: Tally, incidents: Sequence[Incident]) -> list[str]:
    """Returns notes that people may want to read although nothing was stopped, a line each."""
    lines = [
        f"{each.code} holds up {each.operations} records ({each.subject}); they go when it is"
        f" mended in the org{_at(each)}" + (f": {each.message}" if each.message else "")
        for each in incidents
    ]
    lines += notes.lines
    deleted = {
        "activities": tally.overall("activities_deleted"),
        "memberships": tally.overall("members_deleted"),
    }
    if any(deleted.values()):
        numbers = ", ".join(f"{number} {what}" for what, number in deleted.items() if number)
        lines.append(f"Deleted in the org, as the source no longer has or allows them: {numbers}")
    for what, fields in (
        ("Not in the org, or hidden, so not sent", notes.not_seen),
        ("Not to be written by the user, so not sent", notes.read_only),
        ("Values changed to fit the org", notes.changed),
        ("Kept as people wrote them until `crm-pipeline conflict list ACCOUNT`", notes.asked),
        ("Statuses of members that campaigns lack, and get", notes.statuses),
    ):
        if fields:
            counted = (f"{field} ({number})" for field, number in sorted(fields.items()))
            lines.append(f"{what}: {', '.join(counted)}")
    return lines
