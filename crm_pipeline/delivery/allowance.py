"""The allowance: calls that a cycle may spend on an org, and the route that does the most."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from math import ceil
from typing import TYPE_CHECKING

from crm_pipeline.accounts.account import AccountSettings
from crm_pipeline.salesforce.budget import RESUME_BELOW, Budget, Route, choose_route
from crm_pipeline.salesforce.connection import ApiUsage
from crm_pipeline.salesforce.errors import AccountPaused

if TYPE_CHECKING:
    from crm_pipeline.salesforce.connection import Org


LEAST_SHARE = 10
"""API calls below which a share does for nothing: a lookup, a describe, a few writes."""


class ShareSpent(AccountPaused):
    """A part of the delivery has spent its share of the calls; there are some for the others."""


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
class Allowance:
    """The calls that one account may still spend in one cycle.

    Attributes:
        chosen: the account's settings.
        tally: what became of everything so far, by topic or kind of operation, and outcome.
        usage_before: what of the org's day was used, as an earlier cycle saw it.
        before_until: how long that is taken to be so (UTC).
        paused_before: whether the account was paused already.
        latency_before: seconds that a call took in earlier cycles.
        stop_asked: whether somebody wants the cycle to end.
        org: what counts the calls, once it is logged in to.
        forecast: API calls that all that was pending should take.
        routes: how things travelled, by what they are.
        only_composite: whether nothing is to go by bulk jobs any more.
        kept: calls that are kept for other parts of the delivery (`share`).
    """

    chosen: AccountSettings
    tally: Counter[tuple[str, str]] = field(default_factory=Counter)
    usage_before: ApiUsage | None = None
    before_until: datetime | None = None
    paused_before: bool = False
    latency_before: float | None = None
    stop_asked: Callable[[], bool] = lambda: False
    org: "Org | None" = None
    forecast: int = 0
    routes: dict[str, Route] = field(default_factory=dict)
    only_composite: bool = False
    kept: int = 0

    @property
    def api_calls(self) -> int:
        """API requests spent so far."""
        return self.org.api_calls if self.org else 0

    @property
    def api_calls_asked(self) -> int:
        """Those of them that reached the org; a stand-in has answered the others."""
        return self.api_calls - self.org.answered_for if self.org else 0

    @property
    def calls_by_kind(self) -> Mapping[str, int]:
        """API requests spent so far, by kind."""
        return self.org.calls if self.org else {}

    @property
    def usage(self) -> ApiUsage | None:
        """The used share of the org's day, as last seen."""
        return self.usage_now or self.usage_before

    @property
    def usage_now(self) -> ApiUsage | None:
        """The used share of the org's day, if this cycle saw it."""
        return self.org.usage if self.org else None

    @property
    def latency(self) -> float | None:
        """Seconds that a call takes, smoothed; None when there was none."""
        return (self.org.latency if self.org else None) or self.latency_before

    @property
    def budget(self) -> Budget:
        """The calls that this cycle may still spend."""
        used, limit = self.usage or (None, None)
        return Budget(
            used=used,
            limit=limit,
            share=self.chosen.api_day_share,
            per_cycle=self.chosen.api_calls_per_cycle,
            spent=self.api_calls,
        )

    @property
    def calls_left(self) -> int | None:
        """Calls that may still be made for what is being sent; None: nothing limits them."""
        left = self.budget.calls_left
        return None if left is None else max(0, left - self.kept)

    @contextmanager
    def share(self, among: int) -> Iterator[None]:
        """Lets the block spend its share of the calls that are left, where they are limited.

        Within it `demand_calls` raises `ShareSpent` once these are spent.

        Args:
            among: how many have something to send, the block's among them.
        """
        kept, left = self.kept, self.calls_left
        if left is not None:
            self.kept += max(0, left - max(LEAST_SHARE, ceil(left / among)))
        try:
            yield
        finally:
            self.kept = kept

    def share_out(self, parts: Sequence[tuple[Callable[[], None], bool]]) -> None:
        """Does parts of the delivery in their order, each from its share of the calls.

        The calls that the others leave over go to those whose share did not do.

        Args:
            parts: each with whether something waits for it; without, it keeps no share.

        Raises:
            AccountPaused: the calls are spent.
        """
        short = []
        for place, (part, _) in enumerate(parts, start=1):
            others = sum(waits for _, waits in parts[place:])
            try:
                with self.share(among=1 + others):
                    part()
            except ShareSpent:
                short.append(part)
        for part in short:
            part()

    @property
    def does_for_all(self) -> bool:
        """True if the calls that are left do for all that is pending, mending included."""
        left = self.budget.calls_left
        return left is None or left >= 2 * self.forecast

    def demand_calls(self) -> int | None:
        """Returns how many calls may be made now; None if nothing limits them.

        Raises:
            AccountPaused: none is left, of the cycle or of the account's share of the day, or
                somebody asked to stop.
            ShareSpent: none is left of a share.
        """
        stop_if(self.stop_asked)
        budget = self.budget
        if budget.paused(before=self.paused_before):
            raise AccountPaused(
                f"The org has used {budget.used} of its {budget.limit} API requests; this account"
                f" goes on when that is under {RESUME_BELOW:.0%} of its share",
                until=None if self.usage_now else self.before_until,
                action=_to_go_on_sooner(budget),
            )
        left = self.calls_left
        if left is not None and left <= 0:
            raise ShareSpent("Others wait, too") if self.kept else self._spent(budget.per_cycle)
        return left

    def _spent(self, per_cycle: int | None) -> AccountPaused:
        """The pause where the cycle's calls are spent; where they do for nothing, with advice."""
        spent, now = f"This cycle's {per_cycle} API calls are spent", datetime.now(UTC)
        if any(outcome != "fields_changed_to_fit" for _, outcome in +self.tally):
            return AccountPaused(f"{spent}; the next one goes on", until=now)
        by_bulk = any(route.name == "bulk" for route in self.routes.values())
        enough = f" ({2 * self.forecast} would do for all that waits)" if self.forecast else ""
        return AccountPaused(
            f"{spent} before anything went through, and the next one's will be, too",
            until=now,
            action=f"raise the account's api_calls_per_cycle{enough}"
            + (", or have small volumes go by few calls with route=auto" if by_bulk else ""),
        )

    def choose_route(self, stage: str, volumes: Mapping[tuple[str, str], int]) -> Route:
        """Chooses how so many records travel, and keeps that for the report.

        Args:
            stage: what they are, for people.
            volumes: records by (sObject, action).
        """
        chosen = self.chosen
        route = choose_route(
            volumes, self.latency, self.calls_left, chosen.route, parallel=chosen.parallel_requests
        )
        if self.only_composite:
            return Route("composite", "what a bulk job refused", route.calls)
        if sum(volumes.values()):
            self.routes[stage] = route
        return route


def _to_go_on_sooner(budget: Budget) -> str:
    """The remedy for an account that has spent its share of the day; empty: there is none."""
    of_the_day = replace(budget, share=1.0)
    if of_the_day.paused(before=False):
        return ""
    return "raise the account's api_day_share, if it is to go on sooner"
