"""The rows of an account's sessions, and whom they are about: for every flow that reads them."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy import Connection, Engine

from crm_pipeline.accounts.account import Account
from crm_pipeline.accounts.stages import status_word
from crm_pipeline.accounts.store import (
    FieldMapping,
    PushedSession,
    field_mappings,
    filter_strings,
    pushed_sessions,
)
from crm_pipeline.inbound.tombstones import Tombstones, keep, tombstones_of
from crm_pipeline.ledger.aliases import aliases_of
from crm_pipeline.ledger.people import Sighting, Who, identify
from crm_pipeline.ledger.positions import Position
from crm_pipeline.settings import settings
from crm_pipeline.sources.aliases import note_joined, sightings_at_main, with_main_addresses
from crm_pipeline.sources.extracts import ClientRows
from crm_pipeline.sources.mapping import check_columns
from crm_pipeline.sources.participations import (
    ROLE,
    Extract,
    Participation,
    RowOfPerson,
    Rows,
    RowSelection,
    without_person,
    without_texts,
)
from crm_pipeline.sources.people import present, sightings
from crm_pipeline.sources.redaction import Redaction
from crm_pipeline.sources.source import BEFORE_START, Chunk
from crm_pipeline.sources.stages import role_of
from crm_pipeline.text import digest


@dataclass(frozen=True, slots=True)
class AccountRows:
    """The rows of an account, with what it says of all of them.

    Attributes:
        ledger: where people are known; they are written within the caller's transaction.
        account: whose.
        selection: what to read.
        overrides: the account's own mapping.
        filter_strings: the account's.
        redaction: what is taken out of free texts, and how much of it was.
    """

    ledger: Connection
    account: Account
    selection: RowSelection
    overrides: Sequence[FieldMapping]
    filter_strings: Sequence[str]
    redaction: Redaction

    @property
    def account_id(self) -> str:
        """The account's id."""
        return self.account.account_id

    def with_again(self, again: Rows) -> "AccountRows":
        """The same, and these rows whatever their time."""
        return replace(self, selection=replace(self.selection, again=again))

    def of_sessions(self, sessions: Sequence[int], chunk_rows: int | None = None) -> "AccountRows":
        """The rows of these sessions alone, pushed or not; `chunk_rows` at a time."""
        at_once = chunk_rows or self.selection.chunk_rows
        chosen = replace(self.selection, sessions=list(sessions), chunk_rows=at_once)
        return replace(self, selection=chosen)

    def chunks(
        self, extract: Extract, position: Position | None, choices: object
    ) -> Iterator[Chunk[Participation]]:
        """Reads an extract from a position on; of people who were removed it gives nothing.

        Args:
            extract: the extract.
            position: of the last reading; None: from the start.
            choices: all that the flow makes of a row by; with others, rows are read again.

        Raises:
            ExtractError: the warehouse is down, or the extract does not fit it.
        """
        for chunk in extract.read(self.selection, position, self._read_by(choices)):
            yield replace(chunk, rows=self._screened(self._flawed(chunk.rows)))

    def named(self, extract: Extract, ids: Collection[int]) -> Sequence[Participation]:
        """Reads these rows of an extract, whatever their time, as far as they are there.

        Raises:
            ExtractError: the warehouse is down, or the extract does not fit it.
        """
        return self._screened(self._flawed(extract.named(self.selection, ids)))

    def parts(self, extract: Extract, ids: Collection[int]) -> Iterator[Sequence[Participation]]:
        """Reads these rows of an extract, as `named`, as many at a time as a chunk has.

        Raises:
            ExtractError: the warehouse is down, or the extract does not fit it.
        """
        listed = sorted(ids)
        for start in range(0, len(listed), self.selection.chunk_rows):
            yield self.named(extract, listed[start : start + self.selection.chunk_rows])

    def _read_by(self, choices: object) -> bytes:
        selection = self.selection
        by = (
            choices,
            self.overrides,
            self.filter_strings,
            self.account.settings.roles,
            self.account.settings.alias,
            self.account.settings.redaction,
            self.account.settings.start_at,
            selection.sessions,
            selection.timezone,
            selection.overlap.total_seconds(),
        )
        return digest(by)

    def _flawed(self, rows: Sequence[Participation]) -> Sequence[Participation]:
        """The rows; those that the account does not want at all say why they stay.

        That is those of before its start, and those of people in roles that it does not want.
        """
        start = self.account.settings.start_at
        if start is not None:
            for row in rows:
                if row.flaw is None and row.happened_at < start:
                    row.flaw = BEFORE_START
        if rows and "role" in rows[0].columns:
            wanted = {status_word(role) for role in self.account.settings.roles}
            for row in rows:
                if row.flaw is None and (role := role_of(row.columns)) not in wanted:
                    row.flaw = f"{ROLE}{role}"
        return rows

    def _screened(self, rows: Sequence[Participation]) -> Sequence[Participation]:
        if self.redaction.steps:
            rows = [replace(row, columns=self.redaction.columns(row.columns)) for row in rows]
        tombstones = tombstones_of(self.ledger, self.account) if rows else None
        if tombstones is not None:
            rows = self._without_removed(rows, tombstones)
        if self.account.settings.alias == "follow":
            rows = with_main_addresses(self.ledger, self.account_id, rows)
        return rows

    def _without_removed(
        self, rows: Sequence[Participation], tombstones: Tombstones
    ) -> Sequence[Participation]:
        removed = {e for row in rows if tombstones.hold(e := row.columns["email"])}
        keep(self.ledger, tombstones.hasher, removed)
        return [
            without_person(row)
            if row.columns["email"] in removed
            else without_texts(row, tombstones.blotted)
            for row in rows
        ]

    def people(self, rows: Sequence[Participation]) -> dict[Who, int]:
        """Returns the people whom rows are about; writes new ones, does not commit.

        Args:
            rows: to be sent, all of them (`mapping.rejection` is None).
        """
        people = people_of_rows(
            self.ledger, self.account, self.selection, self.filter_strings, rows
        )
        if self.account.settings.alias == "follow":
            note_joined(self.ledger, self.account_id, rows, people)
        return people


def people_of_rows(
    ledger: Connection,
    account: Account,
    selection: ClientRows,
    filter_strings: Sequence[str],
    rows: Sequence[RowOfPerson],
) -> dict[Who, int]:
    """Returns the people whom some rows of a client are about.

    Writes new ones within the caller's transaction.

    Args:
        ledger: where people are known.
        account: whose people.
        selection: of which client, in which warehouse.
        filter_strings: the account's.
        rows: to be sent, all of them (`mapping.rejection` is None).

    Raises:
        ExtractError: the warehouse is down, or `sql/extract/addresses.sql` does not fit it.
    """
    where = present(selection, filter_strings)

    def where_now(source_people: Collection[str]) -> Collection[Sighting]:
        tombstones = tombstones_of(ledger, account)
        found = where(source_people)
        if account.settings.alias == "follow":
            told = {each.address for each in found}
            found = sightings_at_main(found, aliases_of(ledger, account.account_id, told))
        return [s for s in found if tombstones is None or not tombstones.hold(s.address)]

    return identify(ledger, account.account_id, sightings(rows), where_now)


def account_rows(
    ledger: Connection,
    warehouse: Engine,
    account: Account,
    *,
    backfilled: Sequence[int],
    again: Rows | None = None,
    pushed: Sequence[PushedSession] | None = None,
) -> AccountRows:
    """The rows of the sessions that an account pushes.

    Args:
        ledger: the pipeline's database.
        warehouse: the platform's.
        account: whose.
        backfilled: sessions that are to be read whole.
        again: rows that are to be read whatever their time.
        pushed: the account's sessions, where the caller knows them already.

    Raises:
        ExtractError: a mapping names what the warehouse does not have.
    """
    if pushed is None:
        pushed = pushed_sessions(ledger, account.account_id)
    chosen = settings()
    selection = RowSelection(
        warehouse=warehouse,
        client_id=account.client_id,
        sessions=[each.event_session_id for each in pushed] or None,
        backfilled=backfilled,
        overlap=timedelta(minutes=chosen.overlap_minutes),
        chunk_rows=chosen.chunk_rows,
        timezone=chosen.warehouse_timezone,
        again=again or {},
    )
    overrides = field_mappings(ledger, account.account_id)
    check_columns(warehouse, overrides)
    filters = filter_strings(ledger, account.account_id)
    redaction = Redaction.of(account.settings.redaction)
    return AccountRows(ledger, account, selection, overrides, filters, redaction)
