"""Applying: what is different of a cycle that does what a plan says, and nothing else."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection

from crm_pipeline.accounts.account import Account
from crm_pipeline.cycle.planning import with_start
from crm_pipeline.ledger.account_ledger import AccountLedger
from crm_pipeline.ledger.plans import KeptPlan, hold_unplanned


@dataclass(frozen=True, slots=True)
class Applying:
    """The plan by which alone something is sent."""

    plan: KeptPlan

    @property
    def plans(self) -> bool:
        """False, as what is planned is done."""
        return False

    @property
    def of_some_people(self) -> bool:
        """True if the plan is not about everybody."""
        return self.plan.of_some_people

    def account_of(self, account: Account) -> Account:
        """The account with the start that was planned with."""
        start = self.plan.start_at
        return with_start(account, None if start is None else start.isoformat())

    def hold_back(self, ledger: AccountLedger) -> Callable[[Connection], None]:
        """What keeps back all that the plan does not say."""
        return partial(hold_unplanned, account_id=ledger.account_id, plan_id=self.plan.plan_id)
