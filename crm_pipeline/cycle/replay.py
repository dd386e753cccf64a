"""Replaying a period: its rows are read again, and what they come to otherwise by now is sent."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Engine

from crm_pipeline.accounts.account import Account
from crm_pipeline.declaration import Flow
from crm_pipeline.delivery.kind import OF_THE_ORG
from crm_pipeline.flows.registry import FLOWS
from crm_pipeline.inbound.tombstones import REMOVED
from crm_pipeline.ledger.positions import Position
from crm_pipeline.ledger.replay import replay_rows
from crm_pipeline.salesforce.emails import email_key
from crm_pipeline.sources.account_rows import account_rows
from crm_pipeline.sources.participations import EXTRACT_NAMES, EXTRACTS, Participation
from crm_pipeline.sources.shipped import NEVER, RowQuestion, shipped_since


@dataclass(frozen=True, slots=True)
class Period:
    """A time in which rows were shipped, UTC.

    Attributes:
        since: its first moment.
        until: the first moment after it; None: it lasts until now.
        address: of the one person whose rows they are to be; None: everybody's.
    """

    since: datetime
    until: datetime | None = None
    address: str | None = None


@dataclass(frozen=True, slots=True)
class PeriodRows:
    """The registrations and attendances that were shipped in a period, and not again since.

    Attributes:
        rows: their ids, by extract; without those of people who were removed.
        removed: how many rows of these there are.
        oldest: when the oldest row of the client was shipped (UTC): before it there is nothing;
            None: the warehouse has none.
    """

    rows: Mapping[str, list[int]]
    removed: int
    oldest: datetime | None


def rows_of_period(
    ledger: Connection, warehouse: Engine, account: Account, period: Period
) -> PeriodRows:
    """Finds the rows of a period in the warehouse; the caller undoes what is noted meanwhile.

    A row is of the time at which it was shipped last, with its person, its session and its event:
    a cycle has read it then. So what was shipped anew since a mapping was mended is no part of it.

    Args:
        ledger: the pipeline's database.
        warehouse: the platform's.
        account: whose rows.
        period: the period.

    Raises:
        ExtractError: the warehouse cannot be read.
    """
    of_account = account_rows(ledger, warehouse, account, backfilled=[])
    whose = None if period.address is None else email_key(period.address)
    rows: dict[str, list[int]] = {}
    removed = 0
    for extract in EXTRACTS:
        begin = Position(extract.name, period.since, period.since, 0, Decimal())
        for chunk in of_account.chunks(extract, begin, None):
            for row in chunk.rows:
                if row.changed_at < period.since or _is_after(row, period):
                    continue
                if row.flaw == REMOVED:
                    removed += whose is None
                elif type(row.participation_id) is int and (
                    whose is None or email_key(row.columns["email"] or "") == whose
                ):
                    rows.setdefault(extract.name, []).append(row.participation_id)
            if chunk.rows and _is_after(chunk.rows[0], period):
                break
    questions = [RowQuestion(account.client_id, name, NEVER) for name in EXTRACT_NAMES]
    shipped = shipped_since(questions).values()
    oldest = min((each.oldest for each in shipped if each.oldest is not None), default=None)
    return PeriodRows(rows, removed, oldest and oldest.astimezone(UTC))


def _is_after(row: Participation, period: Period) -> bool:
    return period.until is not None and row.changed_at >= period.until


def natural_keys(rows: Mapping[str, Sequence[int]]) -> list[str]:
    """Returns what the activities of these rows are called in the ledger."""
    return [f"{source.removesuffix('s')}:{each}" for source, ids in rows.items() for each in ids]


def replayed_objects(account: Account) -> dict[str, str]:
    """Returns the objects that a period's rows come to, each with its kind of operation."""
    return {
        sobject: kind
        for flow in _flows(account)
        for kind in flow.sent_kinds
        if kind in OF_THE_ORG
        for sobject, _ in OF_THE_ORG[kind].outcomes
    }


def ask_replay(
    ledger: Connection,
    account: Account,
    rows: Mapping[str, Sequence[int]],
    kinds: Collection[str] | None = None,
) -> None:
    """Has the next cycle read these rows again, by each flow of the account that reads them.

    Within the caller's transaction, on the connection that holds the account's lock.

    Args:
        ledger: the pipeline's database.
        account: whose rows.
        rows: their ids, by extract.
        kinds: of operations that are said again; None: all.
    """
    for flow in _flows(account):
        of_flow = kinds and flow.sent_kinds.intersection(kinds)
        if kinds is None or of_flow:
            replay_rows(ledger, account.account_id, flow.name, rows, of_flow)


def _flows(account: Account) -> list[Flow[Any]]:
    """The flows of an account that read registrations and attendances."""
    return [
        flow
        for flow in FLOWS
        if flow.settings(account.settings) is not None
        and set(EXTRACT_NAMES) <= {source.name for source in flow.sources}
    ]
