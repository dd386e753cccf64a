"""Taking back: what is different of a cycle that does nothing but undo what another one wrote."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection

from crm_pipeline.accounts.account import Account
from crm_pipeline.ledger.account_ledger import AccountLedger


@dataclass(frozen=True, slots=True)
class TakingBack:
    """A cycle that sends what is to be as it was, and nothing else.

    Attributes:
        plans: whether it only plans.
    """

    plans: bool
    of_some_people: bool = True

    def account_of(self, account: Account) -> Account:
        """The account as it is."""
        return account

    def hold_back(self, _: AccountLedger) -> Callable[[Connection], None] | None:
        """Nothing is held back: only operations of the kind `undo` are sent."""
        return None
