"""Values that updates replaced in an org, kept for `UNDO_DAYS`, so that they can be taken back."""

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, NamedTuple

from crm_pipeline.database.statements import statement
from crm_pipeline.ledger.account_ledger import AccountLedger
from crm_pipeline.text import storable_json

_ROWS_AT_ONCE = 1_000
"""A bulk job has a hundred thousand: they are not held once more."""


class Replaced(NamedTuple):
    """What stood in some fields of a record, and what an operation writes over it.

    Attributes:
        found_at: the SystemModstamp that the record had, in the org's notation; None: unread.
        found_ours: whether our user was the last one to change it.
    """

    operation_id: int
    salesforce_id: str
    sobject: str
    former: Mapping[str, Any]
    written: Mapping[str, Any]
    found_at: str | None = None
    found_ours: bool | None = None


def keep_replaced(ledger: AccountLedger, replaced: Iterable[Replaced], *, sent: bool) -> None:
    """Keeps what updates of a cycle replace; does not commit.

    Args:
        ledger: the account's.
        replaced: by them.
        sent: whether they go out now; else they are only decided.
    """
    remaining = iter(replaced)
    while some := [each._asdict() for each in islice(remaining, _ROWS_AT_ONCE)]:
        ledger.connection.execute(
            statement("ledger/keep_replaced"),
            {
                "account_id": ledger.account_id,
                "cycle_id": ledger.cycle_id,
                "sent": sent,
                "rows": storable_json(some),
            },
        )
