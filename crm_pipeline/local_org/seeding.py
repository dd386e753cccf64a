"""Records put into an org by hand: with any id and date, past all rules."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crm_pipeline.local_org import dml
from crm_pipeline.local_org.errors import SalesforceError
from crm_pipeline.local_org.open_transactions import abandon_all
from crm_pipeline.local_org.schema import Row
from crm_pipeline.local_org.store import Org
from crm_pipeline.local_org.transaction import WriteContext, committed


def seed(org: Org, records: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, list[str]]:
    """Creates records, given by object; returns their ids in the same order.

    System and read-only fields (Id, CreatedDate, IsConverted ...) may be given. All or none are
    created. Rules do not apply, and nothing is counted as written. Raises `SalesforceError`.
    """
    ids: dict[str, list[str]] = {}
    written = org.rows_written.copy()
    user_id = next(iter(org.users.values())).id
    with committed(WriteContext(org, user_id, seeding=True)) as context:
        for sobject, rows in records.items():
            if sobject.lower() not in org.tables:
                raise SalesforceError(400, "INVALID_TYPE", f"there is no object {sobject}")
            ids[sobject] = []
            for place, row in enumerate(rows):
                result = dml.create(org, context, sobject, row)
                if result.id is None:
                    error = result.errors[0]
                    message = f"{sobject} {place}: {error.message}"
                    raise SalesforceError(400, error.status_code, message)
                ids[sobject].append(result.id)
    org.rows_written = written
    return ids


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All records of an org at one moment."""

    rows: dict[str, dict[str, Row]]
    erased: dict[str, dict[str, str]]
    counters: dict[str, int]


def snapshot(org: Org) -> Snapshot:
    """Takes a snapshot; rows are never changed in place, so it costs little."""
    return Snapshot(
        rows={name: table.rows.copy() for name, table in org.tables.items()},
        erased={name: table.erased.copy() for name, table in org.tables.items()},
        counters={name: table.ids.last for name, table in org.tables.items()},
    )


def restore(org: Org, taken: Snapshot) -> None:
    """Puts all records back as they were; open transactions are forgotten."""
    abandon_all(org)
    for name, table in org.tables.items():
        table.rows = taken.rows[name].copy()
        table.erased = taken.erased[name].copy()
        table.ids.last = taken.counters[name]
        table.build_indexes()
    if org.journal is not None:
        org.journal.rewrite(org.tables)
