"""What single objects do beyond their describe: before and after a record is saved."""

from collections.abc import Callable

from crm_pipeline.local_org.schema import Row
from crm_pipeline.local_org.store import Table
from crm_pipeline.local_org.transaction import WriteContext

Behaviour = Callable[[WriteContext, Table, Row, Row | None], None]


def _person_name(_context: WriteContext, _table: Table, row: Row, _old: Row | None) -> None:
    first, last = row.get("FirstName"), row["LastName"]
    row["Name"] = f"{first} {last}" if first else last


BEFORE_SAVE: dict[str, Behaviour] = {
    "Lead": _person_name,
    "Contact": _person_name,
    "User": _person_name,
}

AFTER_SAVE: dict[str, Behaviour] = {}
