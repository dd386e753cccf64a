"""getUpdated and getDeleted: which records of an object changed or went in a window of minutes."""

from datetime import timedelta
from itertools import chain
from typing import NamedTuple

from crm_pipeline.local_org.errors import SalesforceError
from crm_pipeline.local_org.open_transactions import covered_until
from crm_pipeline.local_org.rest import table_named
from crm_pipeline.local_org.routing import Answer, Call, Route
from crm_pipeline.local_org.sharing import HIDDEN
from crm_pipeline.local_org.store import Org
from crm_pipeline.local_org.tables import timestamp
from crm_pipeline.local_org.values import stored_datetime

_UPDATED_SINCE = timedelta(days=30)
_DELETED_SINCE = timedelta(days=15)
_MAX_IDS = 600_000


class _Changes(NamedTuple):
    """The changes in a window, the earliest minute to ask for, and the last that is covered.

    Each change is an id and when it was made.
    """

    changes: list[tuple[str, str]]
    earliest: str
    covered: str


def updated_ids(org: Org, call: Call) -> Answer:
    """`GET /sobjects/X/updated?start=&end=`: ids created or changed in between, 30 days back."""
    changes, _, covered = _changes(org, call, _UPDATED_SINCE, deleted=False)
    ids = [record_id for record_id, _ in changes]
    return Answer(body={"ids": ids, "latestDateCovered": covered})


def deleted_ids(org: Org, call: Call) -> Answer:
    """`GET /sobjects/X/deleted?start=&end=`: what was deleted in between, 15 days back.

    The log of deletions outlives the recycle bin: what was erased for good is in it.
    """
    changes, earliest, covered = _changes(org, call, _DELETED_SINCE, deleted=True)
    return Answer(
        body={
            "deletedRecords": [
                {"deletedDate": moment, "id": record_id} for record_id, moment in changes
            ],
            "earliestDateAvailable": earliest,
            "latestDateCovered": covered,
        }
    )


def _changes(org: Org, call: Call, reach: timedelta, *, deleted: bool) -> _Changes:
    """Salesforce cuts the seconds off both ends; the minutes of both belong to the window."""
    table = table_named(org, call.params["sobject"])
    if not table.type.describe["replicateable"]:
        message = f"entity type {table.type.name} is not replicateable"
        raise SalesforceError(400, "INVALID_TYPE_FOR_OPERATION", message)
    now = org.now()
    earliest = _minute(timestamp(now - reach))
    # A `+` of an offset that was not escaped arrives as a blank.
    given = [call.query.get(name, "").replace(" ", "+") for name in ("start", "end")]
    start, end = map(stored_datetime, given)
    if start is None or end is None:
        raise SalesforceError(400, "MALFORMED_QUERY", "start and end are a date and time each")
    start, end = _minute(start), _minute(end)
    refusal = None
    if start < earliest:
        refusal = "startDate before org replication enabled date"
    elif end < start:
        refusal = "endDate before startDate"
    elif end == start:
        refusal = "startDate and endDate must be at least one minute apart"
    if refusal:
        raise SalesforceError(400, "INVALID_REPLICATION_DATE", refusal)
    covered = _minute(covered_until(org, min(end, timestamp(now))))
    hidden = HIDDEN[org]
    all_changes = (
        (record_id, row["SystemModstamp"])
        for record_id, row in table.rows.items()
        if row["IsDeleted"] is deleted
    )
    changes = [
        (record_id, moment)
        for record_id, moment in chain(all_changes, table.erased.items() if deleted else ())
        if record_id not in hidden and start <= _minute(moment) <= covered
    ]
    if len(changes) > _MAX_IDS:
        raise SalesforceError(400, "EXCEEDED_ID_LIMIT", f"more than {_MAX_IDS} ids in the window")
    return _Changes(changes, earliest, covered)


def _minute(stored: str) -> str:
    """A datetime as it is stored, without its seconds."""
    return f"{stored[:16]}:00.000+0000"


_OBJECT = "/services/data/v{version}/sobjects/{sobject}"

ROUTES = (
    Route("GET", f"{_OBJECT}/updated", "updated", updated_ids),
    Route("GET", f"{_OBJECT}/deleted", "deleted", deleted_ids),
)
