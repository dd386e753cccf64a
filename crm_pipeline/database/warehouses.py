"""Warehouses that are not PostgreSQL: their engines, what is asked of them, what they give.

SQLAlchemy's dialects speak to them, the statements of `sql/extract/<dialect>/` say what differs;
here is only what no statement can say.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    URL,
    Engine,
    String,
    TextClause,
    bindparam,
    create_engine,
    event,
)
from sqlalchemy.pool import NullPool

from crm_pipeline.database.errors import tell_no_values
from crm_pipeline.database.statements import SQL, statement
from crm_pipeline.text import JsonText, parse_json, storable_json

_JSON_COLUMNS = frozenset(
    ("answers", "polls", "chats", "questions", "surveys", "resources", "links", "tags", "scores")
)
"""Columns of the extracts that are JSON by their contract: many drivers give it as plain text."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """The ways of a dialect.

    Attributes:
        options: what its engine is made with.
        has_lists: whether a parameter may be a list; else it comes as a JSON array.
    """

    options: Mapping[str, Any] = field(default_factory=dict)
    has_lists: bool = False


_DIALECTS = {
    # Whoever writes to a file must be alone with it: it is open only while it is read.
    "duckdb": Dialect(
        {"connect_args": {"read_only": True}, "poolclass": NullPool, "pool_pre_ping": False},
        has_lists=True,
    ),
}


@cache
def warehouse_at(url: URL, accounts_at_once: int, timezone: str) -> Engine:
    """The engine of a warehouse that is not PostgreSQL; its sessions speak the declared zone.

    Args:
        url: its address.
        accounts_at_once: how many accounts may read at once.
        timezone: the zone of its timestamps that carry none.
    """
    name = url.get_backend_name()
    dialect = _DIALECTS.get(name, Dialect())
    options = {"pool_pre_ping": True, **dialect.options}
    if "poolclass" not in options:
        options |= {"pool_size": accounts_at_once + 2, "max_overflow": accounts_at_once}
    made = create_engine(url, hide_parameters=True, **options)
    if (SQL / f"sessions/{name}.sql").is_file():
        _speak_zone(made, name, timezone)
    if not dialect.has_lists:
        event.listen(made, "before_execute", as_drivers_take_it, retval=True)
    tell_no_values(made)
    return made


def row_reader(
    warehouse: Engine, names: Sequence[str], timezone: str
) -> Callable[[Sequence[Any]], dict[str, Any]]:
    """Returns what makes a row of the warehouse a dict of its columns, alike for all dialects.

    Times without a zone get `timezone`; what is JSON is text that is parsed where it is needed.

    Args:
        warehouse: where the rows come from.
        names: of the columns.
        timezone: the zone of timestamps that carry none.
    """
    if warehouse.dialect.name == "postgresql":  # `database.loaders` has seen to it.
        return lambda row: dict(zip(names, row, strict=True))
    zone = ZoneInfo(timezone)
    return lambda row: {
        name: _as_postgresql_has_it(name, value, zone)
        for name, value in zip(names, row, strict=True)
    }


def as_list(value: Any) -> Sequence[Any]:
    """Returns the values of an array; a dialect without arrays gives it as JSON."""
    values: Sequence[Any] = parse_json(value) if isinstance(value, str) else value or ()
    return values


def as_time(value: Any, timezone: str) -> Any:
    """Returns a time with its zone, `timezone` where it carries none; it may come as text.

    A time that Python does not have, as of the year 24989, stays text.
    """
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        return value
    return at if at is None or at.tzinfo else at.replace(tzinfo=ZoneInfo(timezone))


def as_day(value: Any) -> Any:
    """Returns a day, which may come as text."""
    return date.fromisoformat(value) if isinstance(value, str) else value


def as_decimal(value: Any) -> Decimal:
    """Returns a sum as the ledger's are, which are exact; it may come as any number."""
    return value if isinstance(value, Decimal) else Decimal(str(value))


def times_in(value: Any, timezone: str = "UTC") -> list[Any]:
    """Returns the times of an array, as `as_list` and `as_time`; None where there is none."""
    return [as_time(at, timezone) for at in as_list(value)]


def _as_postgresql_has_it(name: str, value: Any, zone: ZoneInfo) -> Any:
    match value:
        case str():
            return JsonText(value) if name in _JSON_COLUMNS else value
        case datetime() if value.tzinfo is None:
            return value.replace(tzinfo=zone)
        case Mapping():
            return JsonText(storable_json(value))
        case list() if any(isinstance(each, Mapping | list) for each in value):
            return JsonText(storable_json(value))
        case _:
            return value


def _speak_zone(made: Engine, name: str, timezone: str) -> None:
    """Has each session of an engine begin with `sql/sessions/<dialect>.sql`."""
    compiled = statement(f"sessions/{name}").compile(dialect=made.dialect)
    values = compiled.construct_params({"timezone": timezone})
    given = values if compiled.positiontup is None else [values[n] for n in compiled.positiontup]

    @event.listens_for(made, "connect")
    def _begin(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        cursor.execute(str(compiled), given)
        cursor.close()


def as_drivers_take_it(
    _connection: object,
    executed: Any,
    multiparams: Any,
    params: Mapping[str, Any],
    _options: object,
) -> tuple[Any, Any, Any]:
    """Writes lists among the parameters of a statement as JSON arrays, and times as of UTC.

    Some drivers leave the zone of a time out; BigQuery's must know of what type nothing is.
    """

    def written(value: Any) -> Any:
        match value:
            case list():
                return storable_json(value)
            case datetime() if value.tzinfo is not None:
                return value.astimezone(UTC)
            case _:
                return value

    given = [{name: written(value) for name, value in each.items()} for each in multiparams]
    single = {name: written(value) for name, value in params.items()}
    if isinstance(executed, TextClause):
        missing = sorted(name for name, value in single.items() if value is None)
        executed = executed.bindparams(*(bindparam(name, type_=String()) for name in missing))
    return executed, given, single
