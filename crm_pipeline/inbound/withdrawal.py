"""Withdrawal: what was to be sent of people who are not to be processed is sent no more."""

from sqlalchemy import Connection

from crm_pipeline.accounts.account import Account
from crm_pipeline.database.statements import statement
from crm_pipeline.inbound.tombstones import REMOVED, Tombstones, tombstones_of

AT_A_TIME = 10_000
"""Operations that are looked through at a time."""


def withdraw(connection: Connection, account: Account) -> int:
    """Withdraws what waits of people with a tombstone, within the caller's transaction.

    Operations about them, and those about nobody that name one of them. What was sent without an
    answer is not sent again.

    Returns:
        How many operations.

    Raises:
        AccountError: the key of hashes cannot be opened.
    """
    tombstones = tombstones_of(connection, account)
    if tombstones is None:
        return 0
    whose = {"account_id": account.account_id}
    people = connection.execute(statement("inbound/waiting_people"), whose)
    removed = [row.person_key for row in people if tombstones.hold(row.address)]
    return withdraw_people(connection, account.account_id, removed) + _withdraw_naming(
        connection, account, tombstones, of_nobody=True
    )


def withdraw_all_that_names(connection: Connection, account: Account) -> int:
    """Withdraws whatever waits and names somebody with a tombstone, such as in a text of others.

    Returns how many operations; does not commit.
    """
    tombstones = tombstones_of(connection, account)
    if tombstones is None:
        return 0
    return _withdraw_naming(connection, account, tombstones, of_nobody=False)


def withdraw_people(connection: Connection, account_id: str, person_keys: list[int]) -> int:
    """Withdraws what waits of these people; returns how many operations. Does not commit."""
    if not person_keys:
        return 0
    return connection.execute(
        statement("inbound/withdraw_people"),
        {"account_id": account_id, "person_keys": person_keys, "reason": REMOVED},
    ).rowcount


def _withdraw_naming(
    connection: Connection, account: Account, tombstones: Tombstones, *, of_nobody: bool
) -> int:
    after, named = 0, []
    while rows := connection.execute(
        statement("inbound/waiting_texts"),
        {
            "account_id": account.account_id,
            "of_nobody": of_nobody,
            "after": after,
            "limit": AT_A_TIME,
        },
    ).all():
        after = rows[-1].operation_id
        named += [row.operation_id for row in rows if tombstones.named_in(row.said)]
    if not named:
        return 0
    return connection.execute(
        statement("inbound/withdraw_operations"), {"operation_ids": named, "reason": REMOVED}
    ).rowcount
