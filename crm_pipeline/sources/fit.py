"""Whether the extracts fit a warehouse: each is asked about a client, and what it gives looked at.

What is found says what to mend, and quotes no row.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from time import monotonic
from typing import Any

from sqlalchemy import Engine

from crm_pipeline.database.statements import explain, statement
from crm_pipeline.database.warehouses import as_day, as_list
from crm_pipeline.sources.contracts import CONTRACTS, Contract
from crm_pipeline.sources.errors import ExtractError, explained
from crm_pipeline.sources.extracts import moment
from crm_pipeline.sources.shipped import NEVER

MOST_ROWS = 5_000
"""Of each extract at most so many rows are looked at."""

_ENOUGH_ROWS = 100
_DAYS_BACK = (0, 30, 36_500)
"""So many days before the newest row are looked at: as few as have enough rows."""

_SLOW_SECONDS = 60
_CLOCKS_DIFFER = timedelta(minutes=5)
_COSTLY = 10_000
"""PostgreSQL's cost of reading all of a table of about a million rows."""

_ALL_BY_DESIGN = frozenset(("clients", "people", "row_counts", "tracked_lead_days"))
"""Extracts that are about all rows: those of a day, or what somebody who types asks for."""

_BARE_TIMESTAMP = 1114
"""PostgreSQL's type of times without a zone."""

_SOURCES = {
    "": ("registrations", "attendances"),
    "engagement": ("definitions", "prospects", "prospects_with_pages"),
}
_IDS = {"registrations": "registration_id", "attendances": "attendance_id"}

GivenRow = Mapping[str, Any]


@dataclass(slots=True)
class Fit:
    """How an extract fits.

    Attributes:
        extract: its name below `sql/extract/`.
        rows: how many it gave, at most `MOST_ROWS`; of several sources together.
        seconds: how long it took.
        faults: what is to be mended before a cycle can be right.
        notes: what is good to know, or to mend.
    """

    extract: str
    rows: int = 0
    seconds: float = 0
    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def fits(warehouse: Engine, client_id: str, timezone: str, sensor_seconds: int) -> Iterator[Fit]:
    """Asks each extract about a client, and yields how it fits, in the order of `CONTRACTS`.

    Args:
        warehouse: the platform's.
        client_id: one of its clients, with registrations and attendances if it can be.
        timezone: of its timestamps that carry none.
        sensor_seconds: how often it is asked for news.
    """
    look = _Look(warehouse, client_id, timezone)
    for name, contract in CONTRACTS.items():
        yield look.at(name, contract, sensor_seconds)


class _Look:
    """What is known of the warehouse so far, for the extracts that come later."""

    def __init__(self, warehouse: Engine, client_id: str, timezone: str) -> None:
        self._warehouse, self._timezone = warehouse, timezone
        self._client_id = client_id
        self._rows: dict[tuple[str, str], Sequence[GivenRow]] = {}
        self._days_back: dict[str, int] = {}

    def at(self, name: str, contract: Contract, sensor_seconds: int) -> Fit:
        fit = Fit(name)
        for source in self._sources(name):
            begun = monotonic()
            try:
                rows, names, bare = self._ask_for_enough(name, source)
            except ExtractError as error:
                told = fit.notes if contract.needed_by else fit.faults
                only = f"; only {contract.needed_by} need it" if contract.needed_by else ""
                told.append(f"{error}{only}")
                return fit
            fit.seconds += monotonic() - begun
            fit.rows += len(rows)
            if missing := [each for each in contract.needed if each not in names]:
                fit.faults.append(
                    f"lacks {', '.join(missing)}: add what is missing, by these names"
                )
                return fit
            self._rows[name, source] = rows
            fit.faults += _wrong_types(contract, rows)
            if unsaid := [each for each in contract.times if each in bare]:
                fit.notes.append(
                    f"{', '.join(unsaid)} carry no zone and count as of {self._timezone} "
                    "(WAREHOUSE_TIMEZONE)"
                )
            for look in (self._rows_of_source, self._end, self._news, self._counts):
                for is_fault, says in look(name, source, rows):
                    (fit.faults if is_fault else fit.notes).append(says)
        if not fit.rows:
            fit.notes.append("gives no row of this client, so nothing could be looked at")
        if fit.seconds > _SLOW_SECONDS:
            fit.notes.append(f"takes {fit.seconds / 60:.1f} minutes")
        if name.endswith("new_rows") and fit.seconds > sensor_seconds / 2:
            fit.faults.append(
                f"takes {fit.seconds:.0f} s and is asked each {sensor_seconds} s (SENSOR_SECONDS): "
                "index the client and the time of shipping of its tables, or ask less often"
            )
        fit.notes += self._cost(name)
        fit.faults, fit.notes = list(dict.fromkeys(fit.faults)), list(dict.fromkeys(fit.notes))
        return fit

    def _sources(self, name: str) -> Sequence[str]:
        if "source" in (asked := statement(f"extract/{name}").compile().params):
            return _SOURCES[name.rpartition("/")[0]]
        if "sources" in asked:
            folder, _, last = name.rpartition("/")
            plain = last.removeprefix("new_")
            return (plain,) if plain != "rows" else _SOURCES[folder]
        return ("",)

    def _ask_for_enough(
        self, name: str, source: str
    ) -> tuple[Sequence[GivenRow], Sequence[str], Collection[str]]:
        """As `_ask`, of as few days as have some rows, where the extract is about some."""
        if "since" in statement(f"extract/{name}").compile().params:
            for days in _DAYS_BACK:
                self._days_back[name] = days
                answer = self._ask(name, source)
                if len(answer[0]) >= _ENOUGH_ROWS:
                    return answer
        return self._ask(name, source)

    def _ask(
        self, name: str, source: str
    ) -> tuple[Sequence[GivenRow], Sequence[str], Collection[str]]:
        """The rows of an extract, its columns, and those that are times without a zone."""
        extract = statement(f"extract/{name}")
        with explained(name), self._warehouse.connect() as connection:
            result = connection.execution_options(
                stream_results=True, max_row_buffer=MOST_ROWS
            ).execute(extract, self._parameters(name, source))
            names = list(result.keys())
            types = [each[1] for each in result.cursor.description] if result.cursor else ()
            read = result.fetchmany(MOST_ROWS)
            result.close()
        rows = [dict(zip(names, row, strict=True)) for row in read]
        bare = {each for each, kind in zip(names, types, strict=False) if kind == _BARE_TIMESTAMP}
        bare |= {
            each
            for each in names
            for row in rows
            if isinstance(value := row[each], datetime) and value.tzinfo is None
        }
        return rows, names, bare

    def _parameters(self, name: str, source: str) -> dict[str, Any]:
        asked = statement(f"extract/{name}").compile().params
        about_rows = self._rows.get((source, ""), ())
        everybody = [*self._rows.get(("registrations", ""), ())]
        values: dict[str, Callable[[], Any]] = {
            "client_id": lambda: self._client_id,
            "client_ids": lambda: [self._client_id],
            "source": lambda: source,
            "sources": lambda: [source],
            "keys": lambda: ["0"],
            "since": lambda: self._since(name),
            "sinces": lambda: [self._since(source)],
            "until": lambda: datetime.now(UTC),
            "days": lambda: self._days(source),
            "sessions": lambda: None,
            "backfilled": list,
            "again": list,
            "ids": lambda: _some(about_rows, _IDS.get(source, "")),
            "person_ids": lambda: list(map(str, _some(everybody, "person_id"))),
            "emails": lambda: _some(everybody, "email"),
            "session_ids": lambda: _some(everybody, "event_session_id"),
            "event_ids": lambda: _some(everybody, "event_id"),
            "prospect_ids": lambda: (
                _some(self._rows.get(("engagement/prospects", ""), ()), "prospect_id")
                if name == "engagement/pages"
                else None
            ),
        }
        return {each: values[each]() for each in asked}

    def _since(self, source: str) -> datetime:
        """The end of the day (UTC) before the first one of which rows are looked at."""
        first = max(self._day(source) - timedelta(self._days_back.get(source, 0)), NEVER)
        return max(first - timedelta(microseconds=1), NEVER)

    def _days(self, source: str) -> list[date]:
        """The days on which the rows of a source that were read were shipped."""
        rows = self._rows.get((source, ""), ())
        times = (moment(row["changed_at"], self._timezone) for row in rows)
        return sorted({each.astimezone(UTC).date() for each in times if each is not None})

    def _day(self, source: str) -> datetime:
        """The day on which the newest row of a source was shipped; of an extract by its name."""
        last = source.rpartition("/")[2]
        named = (f"{last}_end", f"platform/end_of_{last}")
        for end in (("end", last), ("engagement/end", last), *((each, "") for each in named)):
            of_source = self._rows.get(end, ())
            if of_source and (newest := moment(of_source[0]["newest"], self._timezone)):
                return newest.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        return NEVER

    def _rows_of_source(
        self, name: str, _source: str, rows: Sequence[GivenRow]
    ) -> Iterator[tuple[bool, str]]:
        contract = CONTRACTS[name]
        if "changed_at" not in contract.times or name == "addresses":
            return
        times = [moment(row["changed_at"], self._timezone) for row in rows]
        known = [each for each in times if each is not None]
        if len(known) < len(times):
            yield (
                False,
                (
                    f"{len(times) - len(known)} of {len(times)} rows have no usable changed_at: "
                    "each reading takes them for changed"
                ),
            )
        if known != sorted(known) and name != "engagement/definitions":
            yield True, "gives rows in another order than oldest changed_at first: sort them so"
        if "since" in statement(f"extract/{name}").compile().params:
            early = sum(each <= self._since(name) for each in known)
            if early and name != "engagement/definitions":
                yield True, f"gives {early} rows that were shipped before :since: compare with it"
        for happened in {"registered_at", "attended_at", "happened_at"} & {*contract.times}:
            if nothing := sum(moment(row[happened], self._timezone) is None for row in rows):
                yield False, f"{nothing} of {len(rows)} rows have no {happened}, and are not sent"

    def _end(self, name: str, _source: str, rows: Sequence[GivenRow]) -> Iterator[tuple[bool, str]]:
        if CONTRACTS[name].needed != ("now", "newest") or not rows:
            return
        now = moment(rows[0]["now"], self._timezone)
        newest = moment(rows[0]["newest"], self._timezone)
        if now is None:
            yield True, "gives no time as now: it is the warehouse's own clock"
            return
        apart = abs(now - datetime.now(UTC))
        if apart > _CLOCKS_DIFFER:
            yield (
                True,
                (
                    f"its clock and ours are {_length(apart)} apart: set the clocks, or give "
                    "now with its zone"
                ),
            )
        if newest is not None and newest - now > _CLOCKS_DIFFER:
            yield (
                True,
                (
                    f"the newest row was shipped {_length(newest - now)} from now: its times are "
                    "of another zone than WAREHOUSE_TIMEZONE says"
                ),
            )
        elif newest is not None:
            yield False, f"the newest row was shipped {_length(now - newest)} ago"

    def _news(self, name: str, source: str, rows: Sequence[GivenRow]) -> Iterator[tuple[bool, str]]:
        if "keys" not in statement(f"extract/{name}").compile().params:
            return
        if len(rows) != 1:
            yield True, f"gives {len(rows)} rows for one question: it must give one for each"
        elif name == "new_rows" and not rows[0]["rows"] and self._since(source) > NEVER:
            yield (
                True,
                (
                    f"counts no row of {source} since the day of the newest: no cycle would begin; "
                    f"count what {source}.sql reads"
                ),
            )

    def _counts(
        self, name: str, source: str, rows: Sequence[GivenRow]
    ) -> Iterator[tuple[bool, str]]:
        given = self._rows.get((source, ""), ())
        if name == "still_there" and len(rows) < len(_some(given, _IDS[source])):
            yield True, f"does not find all rows that {source}.sql gives: join the same tables"
        if name != "row_counts" or len(given) >= MOST_ROWS:
            return
        days = self._days(source)
        since = self._since(source).astimezone(UTC).date()
        read = {row[_IDS[source]]: row.get("parts") for row in given if self._is_shipped(row)}
        counted: dict[Any, Any] = {}
        for row in rows:
            if as_day(row["day"]) in days:
                counted |= zip(as_list(row["ids"]), as_list(row["parts_of"]), strict=True)
        if more := counted.keys() - read.keys():
            yield True, f"counts {len(more)} {source} since {since} that {source}.sql does not give"
        if fewer := read.keys() - counted.keys():
            yield (
                True,
                f"does not count {len(fewer)} {source} since {since} that {source}.sql gives",
            )
        other = sum(counted[each] != read[each] for each in counted.keys() & read.keys())
        if other:
            yield True, f"adds up other parts than {source}.sql for {other} rows since {since}"

    def _is_shipped(self, row: GivenRow) -> bool:
        at = moment(row["changed_at"], self._timezone)
        return at is not None and at <= datetime.now(UTC)

    def _cost(self, name: str) -> list[str]:
        """The tables that PostgreSQL would read whole for each question; others do not tell."""
        if self._warehouse.dialect.name != "postgresql" or name in _ALL_BY_DESIGN:
            return []
        whole: set[str] = set()
        for source in self._sources(name):
            with explained(name), self._warehouse.connect() as connection:
                plan = connection.scalar(
                    explain(f"extract/{name}"), self._parameters(name, source)
                ).parsed()
            whole |= {
                str(node["Relation Name"])
                for node in _nodes(plan[0]["Plan"])
                if node["Node Type"] == "Seq Scan" and node["Total Cost"] > _COSTLY
            }
        return [
            f"reads all of {table} each time: an index on the client and the time of shipping "
            "would spare that"
            for table in sorted(whole)
        ]


def _wrong_types(contract: Contract, rows: Sequence[GivenRow]) -> Iterator[str]:
    for name in contract.times:
        kinds = {type(row[name]).__name__ for row in rows if not _is_time(row[name])}
        if kinds:
            yield f"{name} is of type {' and '.join(sorted(kinds))}: cast it to a timestamp"
    for name in contract.whole:
        kinds = {type(row[name]).__name__ for row in rows if not _is_whole(row[name])}
        if kinds:
            yield f"{name} is of type {' and '.join(sorted(kinds))}: it must be a whole number"


def _is_time(value: Any) -> bool:
    """Whether it is a time or nothing; PostgreSQL's infinity comes as text, and is judged later."""
    return value is None or isinstance(value, date) or moment(value, "UTC") is not None


def _is_whole(value: Any) -> bool:
    if isinstance(value, Decimal):
        return value == value.to_integral_value()
    return value is None or (isinstance(value, int) and not isinstance(value, bool))


def _some(rows: Sequence[GivenRow], name: str) -> list[Any]:
    return list(dict.fromkeys(v for row in rows if (v := row.get(name)) is not None))[:20]


def _nodes(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from _nodes(inner)


def _length(span: timedelta) -> str:
    minutes = span / timedelta(minutes=1)
    if minutes < 1.5:
        return "a minute"
    return f"{minutes:.0f} minutes" if minutes < 120 else f"{minutes / 60:.0f} hours"
