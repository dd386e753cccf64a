"""Claims on people who are to be created in an org that several accounts share.

Each function works within the caller's transaction, on the connection that holds the account's
lock; a claim holds from its commit on. Where nothing is kept, nobody is claimed: that would have
the other accounts wait.
"""

from collections.abc import Mapping
from datetime import datetime

import orjson
from sqlalchemy import Connection

from crm_pipeline.database.statements import statement
from crm_pipeline.ledger.account_ledger import AccountLedger


def database_time(connection: Connection) -> datetime:
    """The database's clock (UTC), which all accounts share."""
    now: datetime = connection.execute(statement("ledger/now")).scalar_one()
    return now


def claim_people(
    ledger: AccountLedger,
    organization_id: str,
    address_of: Mapping[int, str],
    *,
    looked_up_at: datetime,
    grace_seconds: float,
) -> set[int]:
    """Claims the addresses of operations that are to create people.

    Args:
        ledger: of the account that is to create them.
        organization_id: where.
        address_of: their addresses, by operation.
        looked_up_at: by `database_time`, just before they were sought in the org.
        grace_seconds: after which a claim of an account that works no more is void.

    Returns:
        The operations that may go; the others' people are being created by another account.
    """
    rows = [{"operation_id": ref, "address": address} for ref, address in address_of.items()]
    granted = ledger.connection.scalars(
        statement("ledger/claim_people" if ledger.keeps else "plans/unclaimed_people"),
        {
            "account_id": ledger.account_id,
            "organization_id": organization_id,
            "rows": orjson.dumps(rows).decode(),
            "looked_up_at": looked_up_at,
            "grace_seconds": grace_seconds,
        },
    )
    return set(granted)


def settle_claims(ledger: AccountLedger) -> None:
    """Gives back the claims of people of whom it is known what became of them."""
    if ledger.keeps:
        whose = {"account_id": ledger.account_id}
        ledger.connection.execute(statement("ledger/settle_claims"), whose)
