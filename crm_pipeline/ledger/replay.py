"""Rows that a person has asked to be read again, as what they come to is another thing by now.

Each function works within the caller's transaction, on the connection that holds the account's
lock.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from crm_pipeline.database.statements import statement
from crm_pipeline.ledger.intents import Intent


def replay_rows(
    connection: Connection,
    account_id: str,
    flow: str,
    rows: Mapping[str, Collection[int]],
    kinds: Collection[str] | None = None,
) -> None:
    """Has a flow's next reading read these rows again, whatever their time.

    Args:
        connection: of the transaction.
        account_id: the account.
        flow: the flow that reads them.
        rows: their ids, by source.
        kinds: of operations that are said again; None: all that the flow wants of the rows.
    """
    for source, row_ids in rows.items():
        connection.execute(
            statement("ledger/replay_rows"),
            {
                "account_id": account_id,
                "flow": flow,
                "source": source,
                "row_ids": list(row_ids),
                "kinds": None if kinds is None else sorted(kinds),
            },
        )


@dataclass(frozen=True, slots=True)
class RowsToReplay:
    """The rows that a flow is to read again, by their ids.

    Attributes:
        whole: by source those of which all is said again.
        parts: by the kinds of operations that alone are said again, and source.
    """

    whole: Mapping[str, Sequence[int]]
    parts: Mapping[frozenset[str], Mapping[str, Sequence[int]]]


def rows_to_replay(connection: Connection, account_id: str, flow: str) -> RowsToReplay:
    """Returns the rows that a flow is to read again."""
    whose = {"account_id": account_id, "flow": flow}
    whole: dict[str, Sequence[int]] = {}
    parts: defaultdict[frozenset[str], dict[str, Sequence[int]]] = defaultdict(dict)
    for row in connection.execute(statement("ledger/rows_to_replay"), whose):
        of_kinds = whole if row.kinds is None else parts[frozenset(row.kinds)]
        of_kinds[row.source] = row.row_ids
    return RowsToReplay(whole, parts)


def said_again(
    connection: Connection, account_id: str, intents: Sequence[Intent], kinds: Collection[str]
) -> list[Intent]:
    """Returns those of rows' intents that are said again where only some kinds are to be.

    What they belong to is said, too, where the ledger has nothing of it: else they would wait.
    """
    others = [each.natural_key for each in intents if each.kind not in kinds]
    whose = {"account_id": account_id, "natural_keys": others}
    known = set(connection.scalars(statement("ledger/wanted_keys"), whose)) if others else set()
    return [each for each in intents if each.kind in kinds or each.natural_key not in known]


def rows_were_replayed(
    connection: Connection,
    account_id: str,
    flow: str,
    replayed: RowsToReplay,
    sources: Collection[str],
) -> None:
    """Notes that a flow has read these rows again, as far as they are of these sources.

    What was asked for meanwhile stays to be read.
    """
    rows = [
        (source, row_id)
        for by_source in (replayed.whole, *replayed.parts.values())
        for source, row_ids in by_source.items()
        if source in sources
        for row_id in row_ids
    ]
    if rows:
        what = {
            "account_id": account_id,
            "flow": flow,
            "sources": [source for source, _ in rows],
            "row_ids": [row_id for _, row_id in rows],
        }
        connection.execute(statement("ledger/rows_were_replayed"), what)
