"""`GET /limits`: what is left of an org's allocations."""

from crm_pipeline.local_org.bulk_jobs import BULK
from crm_pipeline.local_org.routing import Answer, Call, Route
from crm_pipeline.local_org.store import Org

_RECORD_BYTES = 2_048


def limits(org: Org, _call: Call) -> Answer:
    """`GET /limits`."""
    meter = org.meter
    daily = meter.limits.daily_api_requests
    batches, jobs = meter.limits.daily_bulk_batches, meter.limits.daily_bulk_query_jobs
    storage = meter.limits.data_storage_mb
    return Answer(
        body={
            "DailyApiRequests": {"Max": daily, "Remaining": daily - meter.used(org.now())},
            "DailyBulkApiBatches": {
                "Max": batches,
                "Remaining": max(0, batches - BULK[org].batches),
            },
            "DailyBulkV2QueryJobs": {
                "Max": jobs,
                "Remaining": max(0, jobs - meter.calls["bulk2.query.create_job"]),
            },
            "DataStorageMB": {"Max": storage, "Remaining": max(0, storage - _megabytes(org))},
            "FileStorageMB": {"Max": 1024, "Remaining": 1024},
        }
    )


def _megabytes(org: Org) -> int:
    """Salesforce: a record takes 2 KB, with few exceptions, whatever is in it."""
    records = sum(
        len(table.rows)
        for table in org.tables.values()
        if table.type.describe["createable"] and table.type.publish is None
    )
    return records * _RECORD_BYTES // 1024**2


def record_count(org: Org, call: Call) -> Answer:
    """`GET /limits/recordCount?sObjects=Account,Contact`: records that are not deleted.

    Salesforce counts now and then, so that its numbers lag; it leaves out what is not there.
    """
    wanted = call.query.get("sObjects")
    names = wanted.split(",") if wanted else sorted(each.name for each in org.types())
    tables = [org.tables.get(name.strip().lower()) for name in names]
    counts = [
        {"count": len(table.rows) - table.deleted, "name": table.type.name}
        for table in tables
        if table is not None
    ]
    return Answer(body={"sObjects": counts})


_LIMITS = "/services/data/v{version}/limits"

ROUTES = (
    Route("GET", _LIMITS, "limits", limits),
    Route("GET", f"{_LIMITS}/recordCount", "limits", record_count),
)
