"""Windows: what is due of one sort, in parts that fill whole calls."""

from collections.abc import Callable, Iterator
from typing import Any, Protocol, TypeVar

from crm_pipeline.ledger.account_ledger import AccountLedger

WINDOW = 10_000
"""Operations decided at a time: their queries and writes fill whole calls."""


class _Due(Protocol):
    @property
    def operation_id(self) -> int: ...


D = TypeVar("D", bound=_Due)


def windows(
    ledger: AccountLedger,
    due: Callable[..., list[D]],
    *about: Any,
    limit: int | None = None,
    **more: Any,
) -> Iterator[list[D]]:
    """Yields what is due, oldest first; what becomes due meanwhile is among it, each at most once.

    Args:
        ledger: the account's.
        due: reads it, above an operation id `after` and at most `limit`: `ledger.due_people`.
        about: further arguments of `due`, after connection and account.
        limit: operations at a time; by default `WINDOW`.
        more: further arguments of `due`, by name.
    """
    after, most = 0, limit or WINDOW
    while found := due(
        ledger.connection, ledger.account_id, *about, after=after, limit=most, **more
    ):
        after = found[-1].operation_id
        yield found
