"""Positions: how far each source of an account has been read, by each flow on its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Connection

from crm_pipeline.database.rows import objects
from crm_pipeline.database.statements import statement


@dataclass(frozen=True, slots=True)
class Position:
    """The position of one source (`registrations`, `attendances`, …): how far it has been read.

    Attributes:
        watermark: shipping time of the last record read, UTC.
        seen_since: rows shipped after this, `seen_rows` of them, were there when it was read.
        seen_rows: their number; another number later means that rows arrived below the
            watermark (late commits).
        seen_seconds: their times as seconds after `seen_since`, added up; another sum later
            means that rows were shipped anew below the watermark.
        read_by: digest of the choices by which these rows were read; by others they would become
            something else. None: not known.
    """

    source: str
    watermark: datetime
    seen_since: datetime
    seen_rows: int
    seen_seconds: Decimal
    read_by: bytes | None = None


def positions(connection: Connection, account_id: str, flow: str) -> dict[str, Position]:
    """An account's positions of a flow, by source; a source never read is not among them."""
    of_flow = {"account_id": account_id, "flow": flow}
    rows = connection.execute(statement("ledger/positions"), of_flow)
    return {each.source: each for each in objects(rows, Position)}


def positions_of_accounts(
    connection: Connection, account_ids: Sequence[str]
) -> dict[tuple[str, str, str], Position]:
    """The positions of many accounts, by account, flow and source."""
    rows = connection.execute(
        statement("ledger/positions_of_accounts"), {"account_ids": list(account_ids)}
    )
    return {
        (row.account_id, row.flow, row.source): Position(
            row.source, row.watermark, row.seen_since, row.seen_rows, row.seen_seconds, row.read_by
        )
        for row in rows
    }


def advance(connection: Connection, account_id: str, flow: str, position: Position) -> None:
    """Moves a flow's position, in the transaction that records what was read up to it."""
    connection.execute(
        statement("ledger/advance_position"),
        {
            "account_id": account_id,
            "flow": flow,
            "source": position.source,
            "watermark": position.watermark,
            "seen_since": position.seen_since,
            "seen_rows": position.seen_rows,
            "seen_seconds": position.seen_seconds,
            "read_by": position.read_by,
        },
    )
