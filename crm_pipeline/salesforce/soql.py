"""SOQL texts. All of them are built here, so that a value is always data, never SOQL."""

import math
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

from crm_pipeline.salesforce.limits import QUERY_PAGE, SOQL_CHARS

Literal = str | bool | int | float | Decimal | date | datetime | None

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)*")
_SPECIAL = re.compile(r"[\\'\"\n\r\t\b\f]")
_ESCAPES = {
    "\\": "\\\\",
    "'": "\\'",
    '"': '\\"',
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\b": "\\b",
    "\f": "\\f",
}


def quote(value: Literal) -> str:
    """A value as a SOQL literal, whatever it contains.

    Source: SOQL and SOSL Reference, "Quoted String Escape Sequences", "Date Formats".

    Raises:
        ValueError: a time without zone, or a number that is none.
    """
    if isinstance(value, str):
        if _SPECIAL.search(value):
            value = _SPECIAL.sub(lambda found: _ESCAPES[found[0]], value)
        return f"'{value}'"
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, datetime):
        return datetime_literal(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("SOQL has no literal for a number that is not finite")
    return f"{value:f}" if isinstance(value, Decimal) else repr(value)


def datetime_literal(moment: datetime) -> str:
    """A time as SOQL and Salesforce's JSON take it: UTC, to the millisecond.

    Raises:
        ValueError: the time has no zone.
    """
    if moment.tzinfo is None:
        raise ValueError("a time without zone says nothing to Salesforce")
    utc = moment.astimezone(UTC)
    # Half the time of what `isoformat` does with a timespec.
    return f"{utc.isoformat()[:19]}.{utc.microsecond // 1000:03d}Z"


def name(text: str) -> str:
    """A field, path or object name, as it is.

    Raises:
        ValueError: it is no such name; mappings come from people.
    """
    if not _NAME.fullmatch(text):
        raise ValueError("not a name of a field or an object")
    return text


def select(fields: Iterable[str], sobject: str, *where: str) -> str:
    """A query for fields of an object; each condition must hold.

    Args:
        fields: names or paths (`Account.Name`).
        sobject: the object's name.
        where: conditions, their values written by `quote`; empty ones are left out.

    Raises:
        ValueError: a name is none.
    """
    text = f"SELECT {','.join(map(name, fields))} FROM {name(sobject)}"  # noqa: S608 - the one place
    conditions = " AND ".join(filter(None, where))
    return f"{text} WHERE {conditions}" if conditions else text


def in_list(field: str, values: Iterable[str]) -> str:
    """A condition: a field has one of a few values; there is at least one."""
    return f"{name(field)} IN ({','.join(map(quote, values))})"


def since(field: str, moment: datetime, after: tuple[datetime, str] | None = None) -> str:
    """A condition: from a moment on, or after a record of the order (field, Id).

    Args:
        field: of times.
        moment: the first one that counts, where `after` is not given.
        after: the time and the Id of the last record that was read.
    """
    if after is None:
        return f"{name(field)} >= {datetime_literal(moment)}"
    stamp, record_id = datetime_literal(after[0]), quote(after[1])
    return f"({name(field)} > {stamp} OR ({field} = {stamp} AND Id > {record_id}))"


def before(field: str, last: tuple[datetime, str]) -> str:
    """A condition: a record is before another one, given by its time and Id, in that order."""
    stamp, record_id = datetime_literal(last[0]), quote(last[1])
    return f"({name(field)} < {stamp} OR ({field} = {stamp} AND Id < {record_id}))"


def ordered(query: str, field: str, *, newest_first: bool = False, limit: int) -> str:
    """A query with its records in the order of a field and the Id, and no more of them."""
    direction = " DESC" if newest_first else ""
    return f"{query} ORDER BY {name(field)}{direction}, Id{direction} LIMIT {limit}"


def with_children(query: str, relationship: str, fields: Iterable[str]) -> str:
    """A query that reads the records of a child relationship along, as a sub-select."""
    head, _, tail = query.partition(" FROM ")
    return f"{head},({select(fields, relationship)}) FROM {tail}"


def count(sobject: str, *where: str) -> str:
    """A query for the number of an object's records; the answer has it as `totalSize`."""
    return select(["Id"], sobject, *where).replace("SELECT Id", "SELECT COUNT()", 1)


def count_by(fields: Sequence[str], sobject: str, *where: str) -> str:
    """Returns a query that counts records by the values of fields, as `records`.

    Salesforce groups at most 2,000 rows.
    """
    names = ",".join(map(name, fields))
    query = select(fields, sobject, *where).replace(" FROM ", ",COUNT(Id) records FROM ", 1)
    return f"{query} GROUP BY {names}"


def packed_in_queries(
    fields: Iterable[str],
    sobject: str,
    field: str,
    values: Iterable[str],
    *where: str,
    per_query: int = QUERY_PAGE,
) -> list[str]:
    """Returns as few queries as can hold `field IN (values)`.

    A query holds at most `per_query` values, so that its answer, where a value is found once,
    fits a page; and fewer than 100,000 characters.

    Args:
        fields: what to select.
        sobject: the object's name.
        field: what to compare.
        values: any number, in the order in which they are packed.
        where: further conditions that must hold.
        per_query: most values of a query.

    Raises:
        ValueError: a name is none, or a single value fills a query.
    """
    head = select(fields, sobject, *where, f"{name(field)} IN (")
    room = SOQL_CHARS - 1 - len(head) - 1
    queries: list[str] = []
    packed: list[str] = []
    size = 0
    for value in values:
        literal = quote(value)
        if len(literal) > room:
            raise ValueError("a value is too long for a query")
        if packed and (len(packed) == per_query or size + len(literal) > room):
            queries.append(f"{head}{','.join(packed)})")
            packed, size = [], 0
        packed.append(literal)
        size += len(literal) + 1
    if packed:
        queries.append(f"{head}{','.join(packed)})")
    return queries
