"""A census of an org's people, kept in PostgreSQL while they are matched.

An org may have millions of them; a process that held them would grow with the org.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

import orjson
from sqlalchemy import Connection

from crm_pipeline.database.statements import statement
from crm_pipeline.salesforce.matching import Candidate


@contextmanager
def staged_census(
    connection: Connection, people: Iterable[tuple[str, Candidate]]
) -> Iterator[None]:
    """Keeps everybody, by email key, for `found_in_census` in the block. Commits.

    The leftovers of a block that fails are replaced by the next one.
    """
    connection.execute(statement("ledger/drop_census"))
    connection.execute(statement("ledger/stage_census"))
    cursor = connection.connection.driver_connection.cursor()  # type: ignore[union-attr]
    with cursor.copy("COPY census (record_id, address, became, candidate) FROM STDIN") as copy:
        for key, each in people:
            row = (
                each.salesforce_id,
                key,
                each.converted_contact_id,
                orjson.dumps(tuple(each)).decode(),
            )
            copy.write_row(row)
    connection.execute(statement("ledger/index_census"))
    connection.execute(statement("ledger/analyze_census"))
    connection.commit()
    yield
    connection.execute(statement("ledger/drop_census"))
    connection.commit()


def found_in_census(
    connection: Connection, addresses: Sequence[str]
) -> Iterator[tuple[str, Candidate]]:
    """Those with one of the addresses, and the Contacts that Leads among them became."""
    rows = connection.execute(statement("ledger/found_in_census"), {"addresses": list(addresses)})
    for key, (sobject, record_id, fields, created, *conversion) in rows:
        created_at = datetime.fromisoformat(created)
        yield key, Candidate(sobject, record_id, fields, created_at, *conversion)
