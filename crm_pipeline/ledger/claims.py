"""Claims on people who are to be created in an org that several accounts share.

Each function works within the caller's transaction, on the connection that holds the account's
lock; a claim holds from its commit on.
"""

from collections.abc import Mapping
from datetime import datetime

import orjson
from sqlalchemy import Connection

from crm_pipeline.database.statements import statement


def database_time(connection: Connection) -> datetime:
    """The database's clock (UTC), which all accounts share."""
    now: datetime = connection.execute(statement("ledger/now")).scalar_one()
    return now


def claim_people(
    connection: Connection,
    account_id: str,
    organization_id: str,
    address_of: Mapping[int, str],
    *,
    looked_up_at: datetime,
    grace_seconds: float,
) -> set[int]:
    """Claims the addresses of operations that are to create people.

    Args:
        connection: the caller's transaction.
        account_id: who is to create them.
        organization_id: where.
        address_of: their addresses, by operation.
        looked_up_at: by `database_time`, just before they were sought in the org.
        grace_seconds: after which a claim of an account that works no more is void.

    Returns:
        The operations that may go; the others' people are being created by another account.
    """
    rows = [{"operation_id": ref, "address": address} for ref, address in address_of.items()]
    granted = connection.scalars(
        statement("ledger/claim_people"),
        {
            "account_id": account_id,
            "organization_id": organization_id,
            "rows": orjson.dumps(rows).decode(),
            "looked_up_at": looked_up_at,
            "grace_seconds": grace_seconds,
        },
    )
    return set(granted)


def settle_claims(connection: Connection, account_id: str) -> None:
    """Gives back the claims of people of whom it is known what became of them."""
    connection.execute(statement("ledger/settle_claims"), {"account_id": account_id})
