"""The budget of API requests, and how to spend it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Literal, NamedTuple

from crm_pipeline.salesforce.limits import (
    BULK_UPLOAD_BYTES,
    BULK_WORTHWHILE_RECORDS,
    COLLECTION_RECORDS,
    COMPOSITE_QUERIES_OR_COLLECTIONS,
    PARALLEL_REQUESTS,
    QUERY_PAGE,
)

PAUSE_AT = 0.95
RESUME_BELOW = 0.75

BULK_JOB_CALLS = 6
"""Of one ingest job: create, upload, close, two looks at its state, results."""

RECORD_BYTES = 600
"""Of one record in a bulk upload, as a guess before it is written."""

# A bulk job waits in Salesforce's queue before it starts, then works in parallel batches.
_BULK_WAIT_SECONDS = 2.0
_BULK_RECORDS_PER_SECOND = 10_000
_MUCH_CHEAPER = 3

# A thousand records with an org's own automation take seconds; a guess before any is seen.
_WRITING_CALL_SECONDS = 3.0

Mode = Literal["auto", "composite", "bulk"]
RouteName = Literal["composite", "bulk"]
Volumes = Mapping[tuple[str, str], int]


class Route(NamedTuple):
    """The route of records, the reason, and how many API calls that takes as forecast."""

    name: RouteName
    reason: str
    calls: int


@dataclass(frozen=True, slots=True)
class Budget:
    """The calls that an account may spend.

    The org's day rolls over 24 hours and is shared with all of its other integrations, so
    what counts is what all of them used.

    Attributes:
        used: API requests of the org's last 24 hours, by everybody; None where unknown.
        limit: what the org is allowed; None where unknown.
        share: of the limit, the part up to which this account may drive the org's usage.
        per_cycle: most requests of one cycle; None: no cap.
        spent: requests of this cycle so far.
    """

    used: int | None = None
    limit: int | None = None
    share: float = 1.0
    per_cycle: int | None = None
    spent: int = 0

    @property
    def cap(self) -> int | None:
        """Up to where the org's usage may go; None where the limit is unknown."""
        return None if self.limit is None else int(self.limit * self.share)

    @property
    def day_left(self) -> int | None:
        """Requests up to the point of pausing; None where unknown."""
        if self.cap is None or self.used is None:
            return None
        return max(0, ceil(self.cap * PAUSE_AT) - self.used)

    @property
    def calls_left(self) -> int | None:
        """Requests that this cycle may still make; None: as many as it needs."""
        cycle = None if self.per_cycle is None else max(0, self.per_cycle - self.spent)
        known = [left for left in (cycle, self.day_left) if left is not None]
        return min(known, default=None)

    def paused(self, *, before: bool) -> bool:
        """Returns whether the account is to pause: from 95 % of its cap, until usage is under 75 %.

        Args:
            before: whether it was paused already.
        """
        if self.used is None or self.cap is None:
            return False
        return self.used >= self.cap * (RESUME_BELOW if before else PAUSE_AT)

    def slice_left(self, share: float, spent: int) -> int | None:
        """Requests left of a slice of this cycle's (the retries' own); None: no cap.

        Args:
            share: of what the cycle could spend in all.
            spent: what of the slice is spent already.
        """
        left = self.calls_left
        if left is None:
            return None
        return min(left, max(0, ceil((left + self.spent) * share) - spent))


def lookup_calls(values: int, sobjects: int = 2) -> int:
    """API calls to look up so many values in each of some sObjects (one page per query)."""
    return ceil(sobjects * ceil(values / QUERY_PAGE) / COMPOSITE_QUERIES_OR_COLLECTIONS)


def backfill_calls(campaigns: int, rows: int) -> int:
    """API calls to look at so many campaigns and members again, if each member has changed.

    Of a member, one row is a registration and another one an attendance, so this is an upper
    bound: linking 1,000 campaigns takes a call or two, the members' lookup and writes the rest.
    """
    if not campaigns:
        return 0
    linking = 1 + ceil(campaigns / QUERY_PAGE) + ceil(campaigns / COMPOSITE_QUERIES_OR_COLLECTIONS)
    return linking + lookup_calls(rows) + composite_calls({("CampaignMember", "update"): rows})


def composite_calls(volumes: Volumes) -> int:
    """API calls to send so many records by (sObject, action), each of these by itself."""
    return sum(
        ceil(ceil(number / COLLECTION_RECORDS) / COMPOSITE_QUERIES_OR_COLLECTIONS)
        for number in volumes.values()
    )


def bulk_calls(volumes: Volumes, record_bytes: int = RECORD_BYTES) -> int:
    """The same by Bulk API 2.0: a job for each (sObject, action), and for each 100 MB."""
    return BULK_JOB_CALLS * _jobs(volumes, record_bytes)


def forecast_calls(lookups: int, volumes: Volumes, route: RouteName) -> int:
    """API calls of a delivery: looking up so many people, then sending by a route."""
    sending = composite_calls(volumes) if route == "composite" else bulk_calls(volumes)
    return lookup_calls(lookups) + sending


def seconds_to_write(calls: int, *, jobs: int = 0, parallel: int = PARALLEL_REQUESTS) -> float:
    """Returns about how long calls that write take, of which some are those of bulk jobs."""
    by_composite = max(0, calls - jobs * BULK_JOB_CALLS)
    return by_composite / parallel * _WRITING_CALL_SECONDS + jobs * _BULK_WAIT_SECONDS


def choose_route(
    volumes: Volumes,
    latency: float | None,
    calls_left: int | None,
    mode: Mode = "auto",
    *,
    record_bytes: int = RECORD_BYTES,
    parallel: int = PARALLEL_REQUESTS,
) -> Route:
    """Composite collections or Bulk API 2.0, by counting calls and estimating seconds.

    Args:
        volumes: records by (sObject, action).
        latency: seconds that a call takes, as seen so far; None: not known yet.
        calls_left: `Budget.calls_left`.
        mode: the account's choice.
        record_bytes: of one record in a bulk upload, roughly.
        parallel: composite calls at once.
    """
    composite, bulk = composite_calls(volumes), bulk_calls(volumes, record_bytes)
    if mode != "auto":
        return Route(mode, "the account's setting", composite if mode == "composite" else bulk)
    records = sum(volumes.values())
    if records < BULK_WORTHWHILE_RECORDS or composite <= bulk:
        return Route("composite", f"{composite} calls, by bulk {bulk}", composite)
    if bulk * _MUCH_CHEAPER <= composite:
        return Route("bulk", f"{bulk} calls, by composite {composite}", bulk)
    if calls_left is not None and bulk <= calls_left < composite:
        return Route("bulk", f"{calls_left} calls left, by composite {composite}", bulk)
    seconds = composite / parallel * (latency or 0.0)
    bulk_seconds = (
        bulk * (latency or 0.0)
        + _BULK_WAIT_SECONDS * _jobs(volumes, record_bytes)
        + records / _BULK_RECORDS_PER_SECOND
    )
    estimates = f"about {seconds:.0f} s by composite, {bulk_seconds:.0f} s by bulk"
    faster = bulk_seconds < seconds
    return Route("bulk", estimates, bulk) if faster else Route("composite", estimates, composite)


def _jobs(volumes: Volumes, record_bytes: int) -> int:
    return sum(ceil(number * record_bytes / BULK_UPLOAD_BYTES) for number in volumes.values())
