"""`/query` and `/queryAll`: the first page of a query, and the next ones by a cursor."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

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
_LOCATOR = re.compile(r"(\w{15,18})-(\d{1,9})")


@dataclass(slots=True)
class _Cursor:
    select: Select
    rows: list[Any]


@dataclass(slots=True)
class _Cursors:
    """The cursors of an org; the oldest gives way to the one too many."""

    held: dict[str, _Cursor] = field(default_factory=dict)
    ids: IdCounter | None = None

    def keep(self, org: Org, cursor: _Cursor) -> str:
        self.ids = self.ids or IdCounter("01g", org.id[3:7])
        cursor_id = self.ids.next()
        self.held[cursor_id] = cursor
        if len(self.held) > _MAX_CURSORS:
            del self.held[next(iter(self.held))]
        return cursor_id


_CURSORS = PerOrg(_Cursors)


def query(org: Org, call: Call) -> Answer:
    """`GET /query?q=SELECT ...`: deleted records are left out."""
    return _first_page(org, call, include_deleted=False)


def query_all(org: Org, call: Call) -> Answer:
    """`GET /queryAll?q=SELECT ...`: deleted records too."""
    return _first_page(org, call, include_deleted=True)


def query_more(org: Org, call: Call) -> Answer:
    """`GET /query/<cursor>-<offset>`, as a page's `nextRecordsUrl` says."""
    matched = _LOCATOR.fullmatch(call.params["locator"])
    cursor_id = long_id(matched[1]) if matched else None
    cursor = _CURSORS[org].held.get(cursor_id or "")
    if cursor is None or matched is None or cursor_id is None:
        raise SalesforceError(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
    offset = int(matched[2])
    if not 0 < offset < len(cursor.rows):
        raise SalesforceError(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
    return _page(org, call, cursor, offset, cursor_id)


def _first_page(org: Org, call: Call, *, include_deleted: bool) -> Answer:
    text = call.query.get("q", "")
    if not text:
        raise SalesforceError(400, "MALFORMED_QUERY", "A query string has to be specified")
    selected = select(org, text, call.version, include_deleted=include_deleted)
    rows = selected.rows()
    if selected.counts_only:
        return Answer(body={"totalSize": len(rows), "done": True, "records": []})
    return _page(org, call, _Cursor(selected, rows), 0, None)


def _page(org: Org, call: Call, cursor: _Cursor, offset: int, cursor_id: str | None) -> Answer:
    rows = cursor.rows
    end = offset + _page_length(org, call, cursor, offset)
    body: dict[str, Any] = {"totalSize": len(rows), "done": end >= len(rows)}
    if end < len(rows):
        cursor_id = cursor_id or _CURSORS[org].keep(org, cursor)
        body["nextRecordsUrl"] = path_of(call, f"query/{cursor_id}-{end}")
    render = cursor.select.render
    body["records"] = [render(row) for row in rows[offset:end]]
    return Answer(body=body)


def _page_length(org: Org, call: Call, cursor: _Cursor, offset: int) -> int:
    """As many records as the client and the org's limits say, fewer if they hold long texts.

    Salesforce: Query Options Header, "not guaranteed"; 200 at least, 2,000 at most.
    """
    limit = org.config.limits.query_batch_size
    asked = _BATCH_SIZE.search(call.headers.get("sforce-query-options", ""))
    length = min(max(int(asked[1]), _SMALLEST_BATCH), limit) if asked else limit
    if cursor.select.grouping:
        return length
    page = cursor.rows[offset : offset + length]
    total = 0
    for count, characters in enumerate(_long_texts(cursor.select, page)):
        total += characters
        if total > _LONG_TEXT_PER_PAGE and count:
            return count
    return length


def _long_texts(selected: Select, rows: list[Any]) -> Iterator[int]:
    columns = selected.long_texts()
    if columns:
        for row in rows:
            yield sum(len(column.read(row) or "") for column in columns)


_DATA = "/services/data/v{version}"

ROUTES = (
    Route("GET", f"{_DATA}/query", "query", query),
    Route("GET", f"{_DATA}/queryAll", "query", query_all),
    Route("GET", f"{_DATA}/query/{{locator}}", "query_more", query_more),
    Route("GET", f"{_DATA}/queryAll/{{locator}}", "query_more", query_more),
)
