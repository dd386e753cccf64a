"""Rows of the warehouse, and why each of them is not sent."""

from collections.abc import Collection, Iterator
from typing import NamedTuple

from sqlalchemy import Connection, Engine

from crm_pipeline.accounts.account import Account
from crm_pipeline.accounts.filters import matches
from crm_pipeline.accounts.store import pushed_sessions
from crm_pipeline.sources.account_rows import account_rows
from crm_pipeline.sources.clients import rows_of_people, spellings
from crm_pipeline.sources.mapping import FILTERED, rejection
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

    def of_person(self, email: str) -> Iterator[UnsentRow]:
        """Yields the rows of whoever has an email address, however it is written.

        Raises:
            ExtractError: the warehouse is down, or an extract does not fit it.
        """
        warehouse, client_id = self._rows.selection.warehouse, self._rows.account.client_id
        if emails := spellings(warehouse, client_id, email):
            for extract in EXTRACTS:
                ids = rows_of_people(warehouse, client_id, extract.name, emails)
                yield from self.named(extract, ids)

    def named(self, extract: Extract, ids: Collection[int]) -> Iterator[UnsentRow]:
        """Yields these rows of an extract.

        Raises:
            ExtractError: as `of_person`.
        """
        yield from map(self._unsent, self._rows.named(extract, ids))

    def _unsent(self, row: Participation) -> UnsentRow:
        filters = self._rows.filter_strings
        why = rejection(row, filters)
        if why == FILTERED:
            why = f"filtered by {matches(row.columns['email'], filters)!r}"
        if self._pushed and row.event_session_id not in self._pushed:
            why = "the account does not push its session"
        name = f"{row.source.removesuffix('s')}:{row.participation_id}"
        return UnsentRow(name, row.event_session_id, why)
