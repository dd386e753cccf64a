"""Rows that a person has asked to be read again, as what they come to is another thing by now.

Each function works within the caller's transaction, on the connection that holds the account's
lock.
"""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import Connection

from crm_pipeline.database.statements import statement


def replay_rows(
    connection: Connection, account_id: str, flow: str, rows: Mapping[str, Collection[int]]
) -> None:
    """Has a flow's next reading read these rows again, whatever their time.

    Args:
        connection: of the transaction.
        account_id: the account.
        flow: the flow that reads them.
        rows: their ids, by source.
    """
    for source, row_ids in rows.items():
        connection.execute(
            statement("ledger/replay_rows"),
            {"account_id": account_id, "flow": flow, "source": source, "row_ids": list(row_ids)},
        )


def rows_to_replay(connection: Connection, account_id: str, flow: str) -> dict[str, list[int]]:
    """Returns the ids of the rows that a flow is to read again, by source."""
    whose = {"account_id": account_id, "flow": flow}
    found = connection.execute(statement("ledger/rows_to_replay"), whose)
    return {row.source: row.row_ids for row in found}


def rows_were_replayed(
    connection: Connection, account_id: str, flow: str, sources: Sequence[str]
) -> None:
    """Notes that a flow has read all rows of these sources that it was to read again."""
    what = {"account_id": account_id, "flow": flow, "sources": list(sources)}
    connection.execute(statement("ledger/rows_were_replayed"), what)
