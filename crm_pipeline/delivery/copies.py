"""A ledger that was restored from a backup would send again what it sent since: noticed here."""

from datetime import datetime

from crm_pipeline.delivery.decisions import EVENT
from crm_pipeline.delivery.desk import Desk
from crm_pipeline.ledger.copies import activities_to_create
from crm_pipeline.ledger.due import known_activities
from crm_pipeline.salesforce.composite import query_all
from crm_pipeline.salesforce.errors import AccountStopped
from crm_pipeline.salesforce.soql import quote, select

NEWEST = 2_000
"""Activities that are looked at, the newest: as many as one answer has."""


def refuse_older_copy(desk: Desk) -> None:
    """Compares what is about to be sent with the newest that our user made in the org; one call.

    Only for a ledger that may be an older copy (`ledger.copies`), since that costs a call.

    Raises:
        AccountStopped: the org has some of it, and the ledger does not know.
        SalesforceProblem: as `delivery.deliver`.
    """
    waiting = activities_to_create(desk.ledger.connection, desk.ledger.account_id)
    told_by = {(each.subject, each.happened_at) for each in waiting}
    about_to_go = {(each.subject, each.happened_at) for each in waiting if not each.in_flight}
    unanswered = {(each.subject, each.happened_at) for each in waiting if each.in_flight}
    subjects = sorted({subject for subject, _ in told_by if subject is not None})
    times = sorted(datetime.fromisoformat(at) for _, at in told_by if at is not None)
    if not about_to_go or not subjects or not times:
        return
    desk.allowance.demand_calls()
    query = select(
        ("Id", "Subject", "ActivityDateTime"),
        EVENT,
        f"CreatedById = {quote(desk.org.log_in().user_id)}",
        f"Subject IN ({','.join(map(quote, subjects))})",
        f"ActivityDateTime >= {quote(times[0])}",
        f"ActivityDateTime <= {quote(times[-1])}",
    )
    [records] = query_all(
        desk.org.log_in(),
        [f"{query} ORDER BY CreatedDate DESC LIMIT {NEWEST}"],
        include_deleted=True,
    ).records
    alike = [
        each["Id"]
        for each in records
        if (each["Subject"], each["ActivityDateTime"]) in about_to_go - unanswered
    ]
    unknown = set(alike) - known_activities(desk.ledger.connection, alike)
    if unknown:
        raise AccountStopped(
            f"The org has {len(unknown)} activities that are about to be sent to it, as if the "
            "pipeline's database had been restored from a backup",
            f"make sure that no other pipeline writes there, then `crm-pipeline account adopt "
            f"{desk.ledger.account_id}`",
        )
