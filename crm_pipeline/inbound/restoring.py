"""After a restored backup: tombstones are read back, and removals are asked for again."""

from sqlalchemy import Connection

from crm_pipeline.accounts.account import Account
from crm_pipeline.database.statements import statement
from crm_pipeline.inbound.asking import ask_for_removal
from crm_pipeline.inbound.tombstone_file import read_back
from crm_pipeline.inbound.tombstones import hasher_of, tombstones_of


def restore_removals(connection: Connection, account: Account) -> int:
    """Reads tombstones back, and asks again for the removal of those whom the copy still knows.

    Within the caller's transaction; for a database that may be an older copy.

    Returns:
        How many people are to be removed again.

    Raises:
        AccountError: as `tombstone_file.read_back`.
    """
    if not read_back(connection, account):
        return 0
    tombstones = tombstones_of(connection, account)
    if tombstones is None:
        return 0
    hasher, again = hasher_of(connection, account), 0
    whose = {"account_id": account.account_id}
    erased = frozenset(map(bytes, connection.scalars(statement("inbound/erased"), whose)))
    for address in connection.scalars(statement("inbound/people_of_account"), whose).all():
        if erased.intersection(hasher.digests(address)):
            ask_for_removal(
                connection, hasher, address, does="erase", door="restored", name="restored"
            )
            again += 1
    return again
