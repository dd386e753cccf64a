"""The platform's users, as far as requests need them: id, keyed hash, the columns of filters."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection

from crm_pipeline.accounts.inbound import InboundSettings
from crm_pipeline.database.engines import engine
from crm_pipeline.database.statements import statement
from crm_pipeline.delivery.desk import Desk
from crm_pipeline.flows.inbound import NAME
from crm_pipeline.inbound.tombstones import Hasher, Tombstones, hasher_of, tombstones_of
from crm_pipeline.ledger.positions import Position, advance, positions
from crm_pipeline.salesforce.emails import email_key
from crm_pipeline.settings import settings
from crm_pipeline.sources.errors import ExtractError, explained
from crm_pipeline.sources.extracts import moment
from crm_pipeline.sources.shipped import NEVER
from crm_pipeline.text import storable_json, written

TOPIC = "platform_users"


def refresh(desk: Desk, choices: InboundSettings) -> None:
    """Reads the users that were shipped since the last time, once a cycle; commits.

    Only of accounts that take requests. Of people who were removed nothing is kept.

    Raises:
        ExtractError: the warehouse cannot be read, or a filter names a column that it lacks.
    """
    if desk.chosen.inbound is None or not desk.passes.try_once(0, TOPIC):
        return
    wanted = sorted({name for each in choices.listeners.values() for name in each.filter})
    # With other columns all users are read again.
    source = ":".join(("users", *wanted))
    ledger, process = desk.ledger, settings()
    before = positions(ledger.connection, ledger.account_id, NAME).get(source)
    overlap = timedelta(minutes=process.overlap_minutes)
    since = NEVER if before is None else before.watermark
    reached = since
    hasher = hasher_of(ledger.connection, desk.account)
    with explained("users"), engine("warehouse").connect() as warehouse:
        rows = warehouse.execution_options(
            stream_results=True, max_row_buffer=process.chunk_rows
        ).execute(
            statement("extract/users"),
            {"client_id": desk.account.client_id, "since": max(since - overlap, NEVER)},
        )
        names = list(rows.keys())
        for name in ("user_id", "email", "changed_at", *wanted):
            if name not in names:
                raise ExtractError(f"sql/extract/users.sql lacks the column {name}: add it there")
        for partition in rows.partitions(process.chunk_rows):
            users = [dict(zip(names, row, strict=True)) for row in partition]
            with ledger.step() as connection:
                tombstones = tombstones_of(connection, desk.account)
                reached = max(
                    reached,
                    _kept(connection, hasher, tombstones, users, wanted) or reached,
                )
                position = Position(source, reached, reached, 0, Decimal())
                advance(connection, ledger.account_id, NAME, position)
            desk.tally[TOPIC, "users_read"] += len(users)


def _kept(
    connection: Connection,
    hasher: Hasher,
    tombstones: Tombstones | None,
    users: list[dict[str, Any]],
    wanted: list[str],
) -> datetime | None:
    """Keeps users; returns when the last of them was shipped."""
    zone = settings().warehouse_timezone
    kept, newest = [], None
    for user in users:
        at = moment(user["changed_at"], zone)
        newest = at if newest is None or (at is not None and at > newest) else newest
        address = email_key(None if user["email"] is None else written(user["email"]))
        if user["user_id"] is None or address is None:
            continue
        if tombstones is not None and tombstones.hold(address):
            continue
        kept.append(
            {
                "user_id": str(user["user_id"]),
                "digest": hasher.digest(hasher.without_plus_part(address)).hex(),
                "columns": {name: written(user[name]) for name in wanted},
                "shipped_at": at or NEVER,
            }
        )
    if kept:
        connection.execute(
            statement("inbound/keep_users"),
            {"account_id": hasher.account_id, "rows": storable_json(kept)},
        )
    return newest
