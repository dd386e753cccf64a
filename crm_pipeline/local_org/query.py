"""`/query` and `/queryAll`: the first page of a query, and the next ones by a cursor."""

import re
from dataclasses import dataclass, field
from typing import Any

from crm_pipeline.local_org.column_metadata import column_metadata
from crm_pipeline.local_org.errors import SalesforceError
from crm_pipeline.local_org.ids import IdCounter, long_id
from crm_pipeline.local_org.per_org import PerOrg
from crm_pipeline.local_org.routing import Answer, Call, Route, path_of
from crm_pipeline.local_org.selection import Select, select
from crm_pipeline.local_org.store import Org

_SMALLEST_BATCH = 200
_MAX_CURSORS = 100
_LONG_TEXT_PER_PAGE = 500_000
_BATCH_SIZE = re.compile(r"batchSize\s*=\s*(\d{1,9})", re.IGNORECASE)


@dataclass(slots=True)
class _Cursor:
    select: Select
    rows: list[Any]


@dataclass(slots=True)
class _Cursors:
    """The cursors of an org; the oldest gives way to the one too many."""

    held: dict[str, _Cursor] = field(default_factory=dict)
    ids: IdCounter = field(default_factory=lambda: IdCounter("01g", "000"))


_CURSORS = PerOrg(_Cursors)


def query(org: Org, call: Call) -> Answer:
    """`GET /query?q=SELECT ...`, without deleted records, and `GET /queryAll`, with them.

    `&columns=true` asks for the columns instead of the records.
    """
    text = call.query.get("q", "")
    if not text:
        raise SalesforceError(400, "MALFORMED_QUERY", "A query string has to be specified")
    include_deleted = call.path.endswith("/queryAll")
    selected = select(
        org, text, call.version, include_deleted=include_deleted, user_id=call.user_id
    )
    if call.query.get("columns", "").lower() == "true":
        return Answer(body=column_metadata(selected))
    rows = selected.rows()
    if selected.counts_only:
        return Answer(body={"totalSize": len(rows), "done": True, "records": []})
    return _page(org, call, _Cursor(selected, rows), 0)


def query_more(org: Org, call: Call) -> Answer:
    """`GET /query/<cursor>-<offset>`, as a page's `nextRecordsUrl` says."""
    cursor_id, _, offset = call.params["locator"].partition("-")
    cursor = _CURSORS[org].held.get(long_id(cursor_id) or "")
    length = len(cursor.rows) if cursor else 0
    place = int(offset) if offset.isdecimal() and len(offset) < 10 else 0
    if cursor is None or not 0 < place < length:
        raise SalesforceError(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
    return _page(org, call, cursor, place, long_id(cursor_id))


def _page(
    org: Org, call: Call, cursor: _Cursor, offset: int, cursor_id: str | None = None
) -> Answer:
    rows, cursors = cursor.rows, _CURSORS[org]
    end = offset + _page_length(org, call, cursor, offset)
    body: dict[str, Any] = {"totalSize": len(rows), "done": end >= len(rows)}
    if end < len(rows):
        if cursor_id is None:
            cursor_id = cursors.ids.next()
            cursors.held[cursor_id] = cursor
            if len(cursors.held) > _MAX_CURSORS:
                del cursors.held[next(iter(cursors.held))]
        body["nextRecordsUrl"] = path_of(call, f"query/{cursor_id}-{end}")
    body["records"] = [cursor.select.render(row) for row in rows[offset:end]]
    return Answer(body=body)


def _page_length(org: Org, call: Call, cursor: _Cursor, offset: int) -> int:
    """Returns the length of a page: the client's and the org's limit, less if texts are long.

    Salesforce: Query Options Header, "not guaranteed"; 200 at least, 2,000 at most.
    """
    limit = org.config.limits.query_batch_size
    asked = _BATCH_SIZE.search(call.headers.get("sforce-query-options", ""))
    length = min(max(int(asked[1]), _SMALLEST_BATCH), limit) if asked else limit
    columns = cursor.select.long_texts()
    total = 0
    for count, row in enumerate(cursor.rows[offset : offset + length] if columns else ()):
        total += sum(len(column.read(row) or "") for column in columns)
        if total > _LONG_TEXT_PER_PAGE and count:
            return count
    return length


_DATA = "/services/data/v{version}"

ROUTES = (
    Route("GET", f"{_DATA}/query", "query", query),
    Route("GET", f"{_DATA}/queryAll", "query", query),
    Route("GET", f"{_DATA}/query/{{locator}}", "query_more", query_more),
    Route("GET", f"{_DATA}/queryAll/{{locator}}", "query_more", query_more),
)
