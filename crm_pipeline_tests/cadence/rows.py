"""Rows of the pipeline's and the warehouse's tables, as small as a test of the pace needs them."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, text

from crm_pipeline.accounts.account import Account, AccountSettings
from crm_pipeline.accounts.store import add_account
from crm_pipeline.ledger.positions import Position, advance

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def an_account(connection: Connection, account_id: str, *, enabled: bool = True) -> None:
    """An account whose client in the warehouse is `client-<account_id>`."""
    account = Account(
        account_id=account_id,
        client_id=f"client-{account_id}",
        name=account_id.title(),
        login_url="https://login.salesforce.com",
        enabled=enabled,
        settings=AccountSettings(),
    )
    add_account(connection, account)


def a_state(
    connection: Connection, account_id: str, state: str = "Complete", **columns: Any
) -> None:
    """The account's sync state; it finished two hours ago unless told otherwise."""
    columns = {
        "state": state,
        "finished_at": datetime.now(UTC) - timedelta(hours=2),
        "account_id": account_id,
    } | columns
    # The account was not changed after that.
    connection.execute(
        text("UPDATE crm.account SET updated_at = :long_ago WHERE account_id = :id"),
        {"long_ago": LONG_AGO, "id": account_id},
    )
    names = ", ".join(columns)
    values = ", ".join(f":{name}" for name in columns)
    connection.execute(text(f"INSERT INTO crm.sync_state ({names}) VALUES ({values})"), columns)


def read_up_to(
    connection: Connection, account_id: str, moment: datetime, rows: int = 0, seconds: int = 0
) -> None:
    """Both sources of the account were read up to the moment.

    `rows` were in the overlap, `seconds` after its begin in sum.
    """
    for source in ("registrations", "attendances"):
        position = Position(
            source,
            watermark=moment,
            seen_since=moment - timedelta(minutes=30),
            seen_rows=rows,
            seen_seconds=Decimal(seconds),
        )
        advance(connection, account_id, "webinars", position)


def an_idle_account(connection: Connection, account_id: str) -> None:
    """An account whose last cycle was complete, with nothing in the warehouse."""
    an_account(connection, account_id)
    a_state(connection, account_id)
    read_up_to(connection, account_id, LONG_AGO)


def an_operation(connection: Connection, account_id: str, key: str, **columns: Any) -> int:
    """An operation of the ledger: a pending person unless told otherwise. Returns its id."""
    columns = {
        "account_id": account_id,
        "flow": "webinars",
        "kind": "person",
        "natural_key": key,
        "version": 1,
        "as_of": LONG_AGO,
        "content_hash": b"",
        "intent": "{}",
    } | columns
    names = ", ".join(columns)
    values = ", ".join(f":{name}" for name in columns)
    operation_id: int = connection.execute(
        text(f"INSERT INTO crm.operation ({names}) VALUES ({values}) RETURNING operation_id"),
        columns,
    ).scalar_one()
    return operation_id


def a_shipped_person(connection: Connection, account_id: str, person_id: int, at: datetime) -> None:
    """A row of the warehouse that concerns the account's client."""
    client = f"client-{account_id}"
    connection.execute(
        text("INSERT INTO warehouse.client VALUES (:client, :client) ON CONFLICT DO NOTHING"),
        {"client": client},
    )
    connection.execute(
        text(
            "INSERT INTO warehouse.person (person_id, client_id, email, shipped_at)"
            " VALUES (:person_id, :client, 'a@b.test', :at)"
        ),
        {"person_id": person_id, "client": client, "at": at},
    )
