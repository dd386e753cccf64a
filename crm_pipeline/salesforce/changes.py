"""Reading back: the records of an org that changed, all watched objects in one call.

Records are read in the order of (SystemModstamp, Id), so that a page cut inside one second loses
nothing. A transaction commits records with stamps of when it saved them; what may still come
with an older stamp only the org knows, and says as `latestDateCovered`. A reading therefore
asks for that first, reads on, and the next reading begins there. Records between the two come
again, which is for the caller to take as nothing new.

Sources: REST API Developer Guide, "Get Updated"; SOAP API Developer Guide, "Data Replication".
"""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from crm_pipeline.salesforce.composite import (
    Record,
    SubAnswer,
    Subrequest,
    composite,
    query_path,
)
from crm_pipeline.salesforce.errors import (
    AccountStopped,
    OrgUnavailable,
    RequestRefused,
    Treatment,
    decide,
    paused,
    stopped,
)
from crm_pipeline.salesforce.limits import COMPOSITE_QUERIES_OR_COLLECTIONS, QUERY_PAGE
from crm_pipeline.salesforce.soql import (
    datetime_literal,
    name,
    ordered,
    packed_in_queries,
    select,
    since,
    with_children,
)
from crm_pipeline.tracing import carried

if TYPE_CHECKING:
    from crm_pipeline.salesforce.connection import Org

OVERLAP = timedelta(minutes=10)
"""So far below the clock is read again where the org does not say what is covered."""

ASK_ALONE_AFTER = timedelta(minutes=30)
"""How old a position may get where `latestDateCovered` is to be had by a call of its own only."""

_WINDOW = timedelta(minutes=5)
"""Of a question for `latestDateCovered`: longer than a minute, and with few ids in the answer."""

_STAMP = "SystemModstamp"


class Children(NamedTuple):
    """A relationship whose records are read along (`OpportunityHistories`), and their fields."""

    relationship: str
    fields: tuple[str, ...]


class Watch(NamedTuple):
    """An object that is watched.

    Attributes:
        sobject: the object.
        fields: what is read of it beside Id and SystemModstamp; IsDeleted where it has that (a
            User has not).
        children: what is read along with each record.
    """

    sobject: str
    fields: tuple[str, ...]
    children: tuple[Children, ...] = ()


class Cursor(NamedTuple):
    """The last record of a reading that has not come to its end.

    Attributes:
        stamp: its SystemModstamp, UTC.
        record_id: its Id.
        upto: up to when all is covered as soon as the reading is at its end, UTC.
    """

    stamp: datetime
    record_id: str
    upto: datetime


class OrgPosition(NamedTuple):
    """The position in an object: all that changed before `covered` (UTC) is read, no more is sure.

    `cursor` is set where a reading that goes beyond `covered` is under way. `since` (UTC) is where
    the first reading began; None: nobody knows.
    """

    covered: datetime
    cursor: Cursor | None = None
    since: datetime | None = None

    def reaches_back_to(self, moment: datetime) -> bool:
        """Returns whether all that changed since a time (UTC) was read, or is being read."""
        return self.since is None or self.since <= moment


class ChangesPage(NamedTuple):
    """The result of one call.

    Attributes:
        records: by object, oldest change first; deleted ones are among them.
        positions: how far each of these objects is read with them; to be kept together with what
            follows from the records.
    """

    records: Mapping[str, list[Record]]
    positions: Mapping[str, OrgPosition]


def read_changes(
    connection: "Org",
    watches: Sequence[Watch],
    positions: Mapping[str, OrgPosition],
    now: datetime,
    *,
    pages_at_most: int,
) -> Iterator[ChangesPage]:
    """Reads what changed since these positions, a call at a time, until nothing is left.

    Five objects share a call; where one has more than a page to read, further calls follow. The
    caller keeps each page before it asks for the next, and may stop after any: meanwhile the next
    one is on its way already.

    Args:
        connection: the org.
        watches: each object once.
        positions: by object, one for each.
        now: the org's time, UTC.
        pages_at_most: after so many nothing more is read.

    Raises:
        QueryRefused: the org does not have, or does not show, what is watched.
        SalesforceProblem: as `Org.request`.
    """
    size = COMPOSITE_QUERIES_OR_COLLECTIONS
    left = pages_at_most
    with ThreadPoolExecutor(max_workers=1) as another_thread:
        for start in range(0, len(watches), size):
            waiting = watches[start : start + size]
            at = {watch.sobject: positions[watch.sobject] for watch in waiting}
            ahead = None
            while waiting and left:
                page = _read(connection, waiting, at, now) if ahead is None else ahead.result()
                left -= 1
                at = {**at, **page.positions}
                waiting = [watch for watch in waiting if at[watch.sobject].cursor is not None]
                if waiting and left:
                    ahead = another_thread.submit(carried(_read), connection, waiting, at, now)
                yield page


def read_newest(
    connection: "Org", watches: Sequence[Watch], positions: Mapping[str, OrgPosition]
) -> dict[str, list[Record]]:
    """The newest page of changes of up to five objects, in one call.

    While a mass update is caught up with, what people do now does not wait behind it. Positions
    stay as they are: these records come again.

    Raises:
        as `read_changes`.
    """
    queries = [
        ordered(
            _select(watch, since(_STAMP, positions[watch.sobject].covered)),
            _STAMP,
            newest_first=True,
            limit=QUERY_PAGE,
        )
        for watch in watches
    ]
    pages = [_page(answer) for answer in composite(connection, _gets(queries))]
    return {
        watch.sobject: plain_children(connection, watch, page["records"])[::-1]
        for watch, page in zip(watches, pages, strict=True)
    }


def asked_for(watch: Watch, field: str, values: Sequence[str]) -> list[str]:
    """The queries for records of a watched object by the values of a field, changed or not."""
    fields = dict.fromkeys(("Id", _STAMP, *watch.fields))
    queries = packed_in_queries(fields, watch.sobject, field, values)
    return [_also_children(query, watch) for query in queries]


def _read(
    connection: "Org", watches: Sequence[Watch], at: Mapping[str, OrgPosition], now: datetime
) -> ChangesPage:
    beginning = [watch.sobject for watch in watches if at[watch.sobject].cursor is None]
    covering = [
        Subrequest(f"u{index}", "GET", _covered_path(sobject, now), kind="updated")
        for index, sobject in enumerate(beginning)
    ]
    queries = _gets([_query(watch, at[watch.sobject]) for watch in watches])
    # The org works on them in this order: what is covered is asked before anything is read.
    answers = composite(connection, [*covering, *queries])
    ends = {sobject: _covered(answer) for sobject, answer in zip(beginning, answers, strict=False)}
    pages = answers[len(covering) :]
    untold = [sobject for sobject, end in ends.items() if end is None]
    due = [each for each in untold if now - at[each].covered >= ASK_ALONE_AFTER]
    if due:
        ends |= {sobject: _covered_alone(connection, sobject, now) for sobject in due}
        pages = composite(connection, queries)
    records: dict[str, list[Record]] = {}
    positions: dict[str, OrgPosition] = {}
    for watch, answer in zip(watches, pages, strict=True):
        page, position = _page(answer), at[watch.sobject]
        records[watch.sobject] = plain_children(connection, watch, page["records"])
        end = position.cursor.upto if position.cursor else ends[watch.sobject] or position.covered
        positions[watch.sobject] = _next_position(position, page, end)
    return ChangesPage(records, positions)


def _next_position(position: OrgPosition, page: Mapping[str, Any], end: datetime) -> OrgPosition:
    """Returns the position that a page leads to: on in the reading, or to its end."""
    found = page["records"]
    if found and (len(found) >= QUERY_PAGE or not page["done"]):
        last = found[-1]
        cursor = Cursor(_time(last["SystemModstamp"]), last["Id"], end)
        return position._replace(cursor=cursor)
    return OrgPosition(end, since=position.since)


def _query(watch: Watch, position: OrgPosition) -> str:
    after = None if position.cursor is None else position.cursor[:2]
    return ordered(_select(watch, since(_STAMP, position.covered, after)), _STAMP, limit=QUERY_PAGE)


def _select(watch: Watch, where: str) -> str:
    query = select(dict.fromkeys(("Id", _STAMP, *watch.fields)), watch.sobject, where)
    return _also_children(query, watch)


def _also_children(query: str, watch: Watch) -> str:
    for children in watch.children:
        query = with_children(query, children.relationship, children.fields)
    return query


def _gets(queries: Sequence[str]) -> list[Subrequest]:
    return [
        Subrequest(f"q{index}", "GET", query_path(query, include_deleted=True), kind="changes")
        for index, query in enumerate(queries)
    ]


def _page(answer: SubAnswer) -> Mapping[str, Any]:
    """A page of records.

    Raises:
        AccountStopped: the org does not have, or does not show, what is watched.
        AccountPaused, OrgUnavailable, RequestRefused: as the org says.
    """
    if answer.error is None:
        body: Mapping[str, Any] = answer.body
        return body
    code, message = answer.error
    match decide(code, message, answer.status):
        case Treatment.STOP_ACCOUNT:
            raise stopped(code, answer.status, message)
        case Treatment.PAUSE_ACCOUNT:
            raise paused(code, answer.status)
        case Treatment.RETRY | Treatment.LOG_IN_AGAIN | Treatment.RESTART_QUERY:
            raise OrgUnavailable(f"Changes cannot be read now: {code} (HTTP {answer.status})")
        case _:
            raise RequestRefused(answer.status, code, message)


def plain_children(connection: "Org", watch: Watch, records: list[Record]) -> list[Record]:
    """The records with a plain list for each relationship, further pages of it included."""
    further: list[tuple[list[Record], str]] = []
    for record in records:
        for children in watch.children:
            page = record.get(children.relationship) or {"records": [], "done": True}
            record[children.relationship] = page["records"]
            if not page["done"]:
                further.append((page["records"], page["nextRecordsUrl"]))
    size = COMPOSITE_QUERIES_OR_COLLECTIONS
    while further:
        now, further = further[:size], further[size:]
        gets = [
            Subrequest(f"n{index}", "GET", url, kind="changes")
            for index, (_, url) in enumerate(now)
        ]
        for (so_far, _), answer in zip(now, composite(connection, gets), strict=True):
            page = _page(answer)
            so_far.extend(page["records"])
            if not page["done"]:
                further.append((so_far, page["nextRecordsUrl"]))
    return records


def _covered_path(sobject: str, now: datetime) -> str:
    # The org cuts seconds off; a minute that is not over yet is not asked about.
    end = now.replace(second=0, microsecond=0)
    window = f"start={datetime_literal(end - _WINDOW)}&end={datetime_literal(end)}"
    return f"sobjects/{name(sobject)}/updated/?{window}"


def _covered(answer: SubAnswer) -> datetime | None:
    """Returns up to when the org says its answer covers; None where it does not say it here."""
    if answer.error is not None or not isinstance(answer.body, dict):
        return None
    return _time(answer.body["latestDateCovered"])


def _covered_alone(connection: "Org", sobject: str, now: datetime) -> datetime:
    """Asks by a call of its own how far is covered; an overlap where the org does not say it."""
    try:
        answer = connection.request("updated", "GET", _covered_path(sobject, now))
    except (RequestRefused, AccountStopped):
        # Objects that are not replicated, and users who may not ask, have no such answer.
        return now - OVERLAP
    return _time(answer.body["latestDateCovered"])


def _time(text: str) -> datetime:
    """A time as Salesforce writes it, `2026-01-02T03:04:05.000+0000`."""
    return datetime.fromisoformat(text)
