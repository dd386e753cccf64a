"""`GET /limits`: what is left of an org's allocations."""

from crm_pipeline.local_org.bulk_jobs import BULK
from crm_pipeline.local_org.routing import Answer, Call, Route
from crm_pipeline.local_org.store import Org


def limits(org: Org, _call: Call) -> Answer:
    """`GET /limits`."""
    meter = org.meter
    daily = meter.limits.daily_api_requests
    batches, jobs = meter.limits.daily_bulk_batches, meter.limits.daily_bulk_query_jobs
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
            "DataStorageMB": {"Max": 1024, "Remaining": 1024},
        }
    )


ROUTES = (Route("GET", "/services/data/v{version}/limits", "limits", limits),)
