"""The org of an account's deliveries: its id is kept, and another one stops the account.

The ledger believes in records of one org. A changed login URL, a refreshed sandbox or an account
id that is given anew would have it believe in records that are not there.
"""

from dataclasses import dataclass

from sqlalchemy import Connection

from crm_pipeline.accounts.account import Account
from crm_pipeline.database.rows import objects
from crm_pipeline.database.statements import statement
from crm_pipeline.salesforce.errors import AccountStopped


@dataclass(frozen=True, slots=True)
class AccountOrg:
    """The org that the ledger is about, and another one that the last login led to, by their ids.

    `other_organization_id` is None where the last login led to the org itself.
    """

    organization_id: str
    other_organization_id: str | None


def org_of(connection: Connection, account_id: str) -> AccountOrg | None:
    """The account's org; None before its first login."""
    rows = connection.execute(statement("accounts/org_of"), {"account_id": account_id})
    return next(iter(objects(rows, AccountOrg)), None)


def org_is_unsure(connection: Connection, account_id: str) -> bool:
    """Returns whether a login may lead to another org than before; then one is due even if idle."""
    found: bool | None = connection.scalar(
        statement("accounts/org_is_unsure"), {"account_id": account_id}
    )
    return bool(found)


def org_is_shared(connection: Connection, account_id: str, organization_id: str) -> bool:
    """Returns whether another account works in this org, or may begin to."""
    shared: bool = connection.execute(
        statement("accounts/org_is_shared"),
        {"account_id": account_id, "organization_id": organization_id},
    ).scalar_one()
    return shared


def settle_org(
    connection: Connection, account: Account, organization_id: str, *, keeps: bool = True
) -> AccountStopped | None:
    """Compares the org that a login led to with the account's; keeps the first one.

    Writes within the caller's transaction, which holds a lock on the org from then on: no other
    account logs in there meanwhile.

    Args:
        connection: the caller's transaction.
        account: whose login it was.
        organization_id: the id that Salesforce told with the login; empty: it told none, and
            nothing is known or compared.
        keeps: whether what is written stays; if not, the org is not locked.

    Returns:
        Why nothing may be sent there, to be raised when the transaction is committed.
    """
    if not organization_id:
        return None
    whose = {"account_id": account.account_id, "organization_id": organization_id}
    if keeps:
        connection.execute(statement("accounts/lock_org"), {"organization_id": organization_id})
    known = org_of(connection, account.account_id)
    if known is not None and known.organization_id != organization_id:
        connection.execute(statement("accounts/note_other_org"), whose)
        only_account = {"account_id": account.account_id}
        if not connection.scalar(statement("accounts/knows_records"), only_account):
            take_other_org(connection, account.account_id)
            return settle_org(connection, account, organization_id, keeps=keeps)
        return AccountStopped(
            f"The login leads to org {organization_id}, but what account {account.account_id} has "
            f"written and read is in org {known.organization_id}",
            f"mend the login URL, or decide with `crm-pipeline account org {account.account_id}` "
            "whether the new org has the same data or all is to start anew",
        )
    found = rival_of(connection, account, organization_id)
    if found is not None:
        return _twice(account, organization_id, found)
    _keep_org(connection, account, organization_id)
    return None


@dataclass(frozen=True, slots=True)
class Rival:
    """Another account by which a client's webinars go to an org, or went there in former times."""

    account_id: str
    is_former: bool


def rival_of(connection: Connection, account: Account, organization_id: str) -> Rival | None:
    """The account that keeps this one from delivering its client to an org; None: it may."""
    rows = connection.execute(
        statement("accounts/account_in_org"),
        {
            "account_id": account.account_id,
            "organization_id": organization_id,
            "client_id": account.client_id,
        },
    )
    return next(iter(objects(rows, Rival)), None)


def deliver_again(connection: Connection, account: Account, organization_id: str) -> None:
    """Lets an account deliver its client to an org though another one did so in former times.

    Writes within the caller's transaction. It holds while the account's client and org stay these.
    """
    _keep_org(connection, account, organization_id)
    connection.execute(statement("accounts/deliver_again"), {"account_id": account.account_id})


def _keep_org(connection: Connection, account: Account, organization_id: str) -> None:
    connection.execute(
        statement("accounts/keep_org"),
        {
            "account_id": account.account_id,
            "organization_id": organization_id,
            "client_id": account.client_id,
            "login_url": account.login_url,
        },
    )


def _twice(account: Account, organization_id: str, rival: Rival) -> AccountStopped:
    what = f"client {account.client_id} to org {organization_id}"
    if rival.is_former:
        return AccountStopped(
            f"Account {rival.account_id} has delivered {what} before, and all that would be there "
            "twice",
            f"let {rival.account_id} deliver that client there again, and make "
            f"{account.account_id} the account of the other client or org; or say that you mean "
            f"it: `crm-pipeline account org {account.account_id} --deliver-again`",
        )
    return AccountStopped(
        f"Account {rival.account_id} delivers {what} already",
        f"use that account and disable {account.account_id}, since with both everything would "
        f"be there twice; or give {account.account_id} another client or org",
    )


def leave_client_in_org(connection: Connection, account_id: str) -> None:
    """Keeps that the account's client was delivered to its org, before one of them changes.

    Writes within the caller's transaction.
    """
    connection.execute(statement("accounts/leave_client_in_org"), {"account_id": account_id})


def take_other_org(connection: Connection, account_id: str) -> str | None:
    """Makes the org that the last login led to the account's own; returns its id.

    Writes within the caller's transaction. None: the last login led to the account's own org.
    """
    leave_client_in_org(connection, account_id)
    taken: str | None = connection.scalar(
        statement("accounts/take_other_org"), {"account_id": account_id}
    )
    return taken
