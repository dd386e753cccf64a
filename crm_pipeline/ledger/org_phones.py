"""Phone numbers in an account's org and whose they are: read once, kept by what is read back.

Each function works within the caller's transaction, on the connection that holds the account's
lock.
"""

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection

from crm_pipeline.database.statements import statement

SEVERAL = 20
"""Records with one number of which is looked whether they are one person; more are several."""


def phones_are_kept(connection: Connection, account_id: str, region: str | None) -> bool:
    """Returns whether the org's numbers are known, as they are to be read in this region."""
    parameters = {"account_id": account_id, "region": region}
    kept: bool = connection.execute(statement("phones/are_kept"), parameters).scalar_one()
    return kept


def forget_phones(connection: Connection, account_id: str) -> None:
    """Has the numbers read anew when they are needed next."""
    connection.execute(statement("phones/forget"), {"account_id": account_id})


def phones_are_known(connection: Connection, account_id: str, region: str | None) -> None:
    """Notes that all numbers of the org have been added."""
    parameters = {"account_id": account_id, "region": region}
    connection.execute(statement("phones/are_known_now"), parameters)


def keep_phones(
    connection: Connection, account_id: str, numbers: Mapping[str, Iterable[str]]
) -> None:
    """Takes the numbers of records that were read back, in place of their former ones.

    Args:
        connection: in the transaction that moves the positions in the org.
        account_id: whose org.
        numbers: by Salesforce Id; none of a record that is gone.
    """
    whose = {"account_id": account_id}
    if numbers:
        dropped = {**whose, "salesforce_ids": list(numbers)}
        connection.execute(statement("phones/drop_records"), dropped)
        add_phones(connection, account_id, numbers)
    connection.execute(statement("phones/keep_on"), whose)


def add_phones(
    connection: Connection, account_id: str, numbers: Mapping[str, Iterable[str]]
) -> None:
    """Adds numbers of records, by Salesforce Id."""
    pairs = [(phone, record_id) for record_id, phones in numbers.items() for phone in phones]
    if pairs:
        phones, ids = zip(*pairs, strict=True)
        connection.execute(
            statement("phones/add"),
            {"account_id": account_id, "phones": list(phones), "salesforce_ids": list(ids)},
        )


def records_with(
    connection: Connection, account_id: str, phones: Iterable[str]
) -> dict[str, list[str]]:
    """Returns by number the Ids of the records that have it; each number that is asked is there.

    Of more than `SEVERAL` records of one number only some are given.
    """
    found: dict[str, list[str]] = {phone: [] for phone in phones}
    rows = connection.execute(
        statement("phones/whose"),
        {"account_id": account_id, "phones": list(found), "at_most": SEVERAL},
    )
    for row in rows:
        found[row.phone].append(row.salesforce_id)
    return found
