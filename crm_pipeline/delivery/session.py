"""What one delivery works with: the ledger's connection, the org, the counts, the allowance."""

from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from sqlalchemy import Connection

from crm_pipeline.accounts.account import Account
from crm_pipeline.accounts.credentials import mark_refused, read_credentials, refused
from crm_pipeline.accounts.orgs import org_is_unsure, settle_org
from crm_pipeline.salesforce.budget import RESUME_BELOW, Budget, Route, choose_route
from crm_pipeline.salesforce.connection import ApiUsage
from crm_pipeline.salesforce.describe import SObjectSchema
from crm_pipeline.salesforce.errors import AccountPaused, AccountStopped, CredentialsRefused
from crm_pipeline.salesforce.writes import AUTO_ASSIGN
from crm_pipeline.settings import settings

if TYPE_CHECKING:
    from crm_pipeline.salesforce.connection import Connection as Org

P = ParamSpec("P")
T = TypeVar("T")


def stop_if(asked: Callable[[], bool]) -> None:
    """Between two batches: ends the cycle in order, where somebody asked for that.

    Raises:
        AccountPaused: somebody did; the next cycle goes on.
    """
    if asked():
        raise AccountPaused(
            "Stopped by an operator; the next cycle goes on", until=datetime.now(UTC)
        )


@dataclass(slots=True)
class DeliverySession:
    """One account's delivery in one cycle. The caller holds the account's lock on `ledger`."""

    ledger: Connection
    account: Account
    cycle_id: int
    tally: Counter[tuple[str, str]] = field(default_factory=Counter)
    watched: Mapping[str, frozenset[str]] = field(default_factory=dict)
    notes: dict[str, int] = field(default_factory=dict)
    not_seen: dict[str, int] = field(default_factory=dict)
    schemas: dict[str, SObjectSchema] = field(default_factory=dict)
    forecast: int = 0
    decided_anew: bool = False
    may_be_older_copy: bool = False
    routes: dict[str, Route] = field(default_factory=dict)
    usage_before: ApiUsage | None = None
    paused_before: bool = False
    latency_before: float | None = None
    stop_asked: Callable[[], bool] = lambda: False
    _org: "Org | None" = None
    _logging_in: "Future[Org] | None" = None
    _beside: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(max_workers=1))
    _mending: bool = False
    _tried: set[tuple[int, str]] = field(default_factory=set)

    @property
    def account_id(self) -> str:
        """Whose delivery it is."""
        return self.account.account_id

    def be_sure_of_org(self) -> None:
        """Logs in where the login may lead to another org than before, even if nothing is to send.

        Raises:
            SalesforceProblem: as `org`.
        """
        if org_is_unsure(self.ledger, self.account_id):
            self.org()

    def org(self) -> "Org":
        """The org, logged in to when first needed: nothing to send costs no login. Commits then.

        Raises:
            CredentialsRefused: they are not tried again before they change.
            AccountStopped: the login URL or the API version is to be changed, or it is not the
                org that the ledger is about.
            OrgUnavailable: the org does not answer.
        """
        if self._org is None:
            logging_in = self._begun_login()
            self._logging_in = None
            try:
                org = logging_in.result()
            except CredentialsRefused as refusal:
                mark_refused(self.ledger, self.account_id, str(refusal))
                self.ledger.commit()
                raise
            elsewhere = settle_org(self.ledger, self.account, org.organization_id)
            self.ledger.commit()
            if elsewhere is not None:
                org.log_out()
                raise elsewhere
            self._org = org
        return self._org

    def begin_login(self) -> None:
        """Begins to log in, unless that is done, where the org is sure to be asked.

        Raises:
            AccountStopped: the credentials were refused before.
        """
        if self._org is None:
            self._begun_login()

    def _begun_login(self) -> "Future[Org]":
        if self._logging_in is None:
            from crm_pipeline.salesforce.login import log_in

            if reason := refused(self.ledger, self.account_id):
                raise AccountStopped(reason, "not tried again before the credentials are changed")
            self._logging_in = self.beside(
                log_in,
                self.account.login_url,
                read_credentials(self.ledger, self.account_id),
                api_version=self.account.settings.api_version,
                read_timeout=settings().salesforce_read_timeout_seconds,
            )
        return self._logging_in

    def beside(self, ask: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Asks the org in another thread, while the ledger is worked with in this one."""
        return self._beside.submit(ask, *args, **kwargs)

    def headers(self) -> dict[str, str]:
        """The request headers that the account's settings ask for, for writes."""
        chosen = {AUTO_ASSIGN: "TRUE" if self.account.settings.assignment_rules else "FALSE"}
        if self.account.settings.duplicate_rules == "allow":
            chosen["Sforce-Duplicate-Rule-Header"] = "allowSave=true"
        return chosen

    def once(self, operation_id: int, remedy: str) -> bool:
        """True the first time that a remedy is asked for an operation in this cycle."""
        asked = self.was_tried(operation_id, remedy)
        self._tried.add((operation_id, remedy))
        return not asked

    def was_tried(self, operation_id: int, remedy: str) -> bool:
        """Whether a remedy was asked for an operation in this cycle (`once`)."""
        return (operation_id, remedy) in self._tried

    @property
    def api_calls(self) -> int:
        """API requests spent so far."""
        return self._org.api_calls if self._org else 0

    @property
    def calls_by_kind(self) -> Mapping[str, int]:
        """API requests spent so far, by kind."""
        return self._org.calls if self._org else Counter()

    @property
    def usage(self) -> ApiUsage | None:
        """What of the org's day is used, as last seen."""
        return (self._org.usage if self._org else None) or self.usage_before

    @property
    def latency(self) -> float | None:
        """Seconds that a call takes, smoothed; None when there was none."""
        return (self._org.latency if self._org else None) or self.latency_before

    @property
    def budget(self) -> Budget:
        """What this cycle may still spend."""
        used, limit = self.usage or (None, None)
        chosen = self.account.settings
        return Budget(
            used=used,
            limit=limit,
            share=chosen.api_day_share,
            per_cycle=chosen.api_calls_per_cycle,
            spent=self.api_calls,
        )

    def calls_left(self) -> int | None:
        """API calls that may still be made; None where nothing limits them.

        Raises:
            AccountPaused: none is left, of the cycle or of the account's share of the day, or
                somebody asked to stop.
        """
        stop_if(self.stop_asked)
        budget = self.budget
        if budget.paused(before=self.paused_before):
            raise AccountPaused(
                f"The org has used {budget.used} of its {budget.limit} API requests; this account"
                f" goes on when that is under {RESUME_BELOW:.0%} of its share",
                action="raise the account's api_day_share, where it is to go on sooner",
            )
        left = budget.calls_left
        if left is not None and left <= 0:
            raise self._spent(budget.per_cycle)
        return left

    def _spent(self, per_cycle: int | None) -> AccountPaused:
        """The pause where the cycle's calls are spent; where they do for nothing, with advice."""
        spent, now = f"This cycle's {per_cycle} API calls are spent", datetime.now(UTC)
        if any(outcome != "fields_changed_to_fit" for _, outcome in +self.tally):
            return AccountPaused(f"{spent}; the next one goes on", until=now)
        by_bulk = any(route.name == "bulk" for route in self.routes.values())
        enough = f" ({2 * self.forecast} do for all that waits)" if self.forecast else ""
        return AccountPaused(
            f"{spent} before anything went through, and the next one's will be, too",
            until=now,
            action=f"raise the account's api_calls_per_cycle{enough}"
            + (", or have small volumes go by few calls with route=auto" if by_bulk else ""),
        )

    def can_afford_all(self) -> bool:
        """Whether the calls that are left do for all that is pending, mending included."""
        left = self.budget.calls_left
        return left is None or left >= 2 * self.forecast

    def route(self, stage: str, volumes: Mapping[tuple[str, str], int]) -> Route:
        """How so many records travel; kept for the report.

        Args:
            stage: what they are, for people.
            volumes: records by (sObject, action).
        """
        chosen = self.account.settings
        calls_left = self.budget.calls_left
        route = choose_route(
            volumes, self.latency, calls_left, chosen.route, parallel=chosen.parallel_requests
        )
        if self._mending:
            return Route("composite", "what a bulk job refused", route.calls)
        if sum(volumes.values()):
            self.routes[stage] = route
        return route

    def mend_by_composite(self) -> None:
        """From now on everything goes by composite calls, which tell more of a refusal."""
        self._mending = True
        self.decided_anew = True

    def log_out(self) -> None:
        """Ends the session with the org, if there is one.

        Raises:
            AccountStopped, OrgUnavailable: as `org`, of a login that nobody has waited for.
        """
        if self._logging_in is not None:
            self.org()
        if self._org is not None:
            self._org.log_out()
