"""Counters of an org: calls, the day's API requests, long requests."""

from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from crm_pipeline.local_org.config import LimitsConfig
from crm_pipeline.local_org.errors import SalesforceError

_LOG_LENGTH = 1_000
_DAY = timedelta(hours=24)


@dataclass(slots=True)
class Meter:
    """Counts one org's calls. Salesforce: requests of the last 24 hours, by the hour here."""

    limits: LimitsConfig
    calls: Counter[str] = field(default_factory=Counter)
    """Calls by kind, the subrequests of a composite not among them."""
    charged: int = 0
    """API requests since the last reset, as charged to the daily limit."""
    log: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=_LOG_LENGTH))
    in_flight: dict[int, float] = field(default_factory=dict)
    """Calls that are being worked on: number to the time (monotonic) when they came."""
    _hours: Counter[datetime] = field(default_factory=Counter)

    def used(self, now: datetime) -> int:
        """API requests of the last 24 hours."""
        for hour in [hour for hour in self._hours if hour <= now - _DAY]:
            del self._hours[hour]
        return self._hours.total()

    def charge(self, now: datetime, requests: int = 1) -> None:
        """Charges API requests. Raises REQUEST_LIMIT_EXCEEDED if none are left."""
        if self.used(now) + requests > self.limits.daily_api_requests:
            raise SalesforceError(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
        self._hours[now.replace(minute=0, second=0, microsecond=0)] += requests
        self.charged += requests

    def set_used(self, now: datetime, requests: int) -> None:
        """Pretends that so many API requests were used today."""
        self._hours.clear()
        self._hours[now.replace(minute=0, second=0, microsecond=0)] = requests

    def refuse_if_too_many_long(self, monotonic: float) -> None:
        """Raises REQUEST_LIMIT_EXCEEDED while too many requests take longer than 20 s."""
        since = monotonic - self.limits.long_request_seconds
        long_ones = sum(started <= since for started in self.in_flight.values())
        if long_ones >= self.limits.concurrent_long_requests:
            raise SalesforceError(
                403,
                "REQUEST_LIMIT_EXCEEDED",
                "ConcurrentRequests (Concurrent API Requests) Limit exceeded.",
            )

    def info(self, now: datetime) -> str:
        """The header `Sforce-Limit-Info`."""
        return f"api-usage={self.used(now)}/{self.limits.daily_api_requests}"
