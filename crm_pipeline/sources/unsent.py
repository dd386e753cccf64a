"""Rows of the warehouse, and why each of them is not sent."""

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, Engine

from crm_pipeline.accounts.account import Account
from crm_pipeline.accounts.filters import matches
from crm_pipeline.accounts.store import pushed_sessions
from crm_pipeline.salesforce.emails import email_key
from crm_pipeline.sources.account_rows import account_rows
from crm_pipeline.sources.mapping import rejection
from crm_pipeline.sources.participations import EXTRACTS, Extract, Participation


class UnsentRow(NamedTuple):
    """A row, as in `registration:4711`, of which session, and why it is not sent.

    `why` is None where nothing speaks against it: a cycle reads it.
    """

    row: str
    event_session_id: int
    why: str | None


class UnsentRows:
    """An account's rows in the warehouse, each with why it is not sent."""

    def __init__(self, ledger: Connection, warehouse: Engine, account: Account) -> None:
        """Begins to look.

        Raises:
            ExtractError: a mapping names what the warehouse does not have.
        """
        self._pushed = {
            each.event_session_id for each in pushed_sessions(ledger, account.account_id)
        }
        self._rows = account_rows(ledger, warehouse, account, backfilled=[], pushed=[])

    def of_sessions(self, sessions: Sequence[int], email: str) -> Iterator[UnsentRow]:
        """Yields the rows of these sessions with an email address, however it is written.

        Raises:
            ExtractError: the warehouse is down, or the extract does not fit it.
        """
        for extract in EXTRACTS:
            for chunk in self._rows.of_sessions(sessions).chunks(extract, None, None):
                yield from (self._unsent(row) for row in chunk.rows if _is_of(row, email))

    def named(
        self, extract: Extract, ids: Collection[int], email: str | None = None
    ) -> Iterator[UnsentRow]:
        """Yields these rows of an extract, or those of them with an email address.

        Raises:
            ExtractError: as `of_sessions`.
        """
        for row in self._rows.named(extract, ids):
            if email is None or _is_of(row, email):
                yield self._unsent(row)

    def _unsent(self, row: Participation) -> UnsentRow:
        filters = self._rows.filter_strings
        why = rejection(row, filters)
        if why == "filtered":
            why = f"filtered by {matches(row.columns['email'], filters)!r}"
        if self._pushed and row.event_session_id not in self._pushed:
            why = "the account does not push its session"
        name = f"{row.source.removesuffix('s')}:{row.participation_id}"
        return UnsentRow(name, row.event_session_id, why)


def _is_of(row: Participation, email: str) -> bool:
    said: str | None = row.columns["email"]
    known = email_key(said)
    if known is None:
        return (said or "").strip().casefold() == email.strip().casefold()
    return known == email_key(email)
