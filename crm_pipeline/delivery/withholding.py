"""Going on where a removal was asked for while a delivery was under way."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

from crm_pipeline.delivery.desk import Desk
from crm_pipeline.inbound.withdrawal import withdraw, withdraw_all_that_names
from crm_pipeline.salesforce.errors import AccountPaused, Withheld

T = TypeVar("T")

MOST_MEANWHILE = 50
"""Removals that interrupt one part of a cycle; then the next cycle goes on."""


def without_removed(desk: Desk, part: Callable[[], T]) -> T:
    """Runs a part of a cycle; begins it anew without whoever is to be removed meanwhile.

    Commits.

    Raises:
        AccountPaused: that happened too often; what was not sent is pending.
        SalesforceProblem: as the part.
    """
    # With nobody to withdraw the transaction goes on: to end it takes longer than to look.
    if withdraw(desk.ledger.connection, desk.account):
        desk.ledger.connection.commit()
    for _ in range(MOST_MEANWHILE):
        try:
            return part()
        except Withheld:
            desk.ledger.connection.rollback()
            with desk.ledger.step() as connection:
                if not withdraw(connection, desk.account):
                    withdraw_all_that_names(connection, desk.account)
    raise AccountPaused(
        "Removals were asked for again and again; the next cycle goes on", until=datetime.now(UTC)
    )
