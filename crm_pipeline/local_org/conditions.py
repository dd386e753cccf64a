"""WHERE and HAVING: conditions become tests of a row, and ids that an index already knows."""

import operator
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple

from crm_pipeline.local_org.columns import Column
from crm_pipeline.local_org.ids import long_id
from crm_pipeline.local_org.soql import (
    Comparison,
    Condition,
    FunctionCall,
    InList,
    InQuery,
    Junction,
    Literal,
    Negation,
    Operand,
    SoqlError,
)
from crm_pipeline.local_org.tables import timestamp
from crm_pipeline.local_org.values import stored_date, stored_datetime

Test = Callable[[Any], bool]
_ORDERINGS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_MOMENTS: dict[str, Callable[[str], str | None]] = {
    "date": stored_date,
    "datetime": stored_datetime,
}
_TYPE_NAMES = {"datetime": "dateTime", "currency": "double", "percent": "double"}
_INVALID_OPERATOR = "INVALID_QUERY_FILTER_OPERATOR"
_MAX_SEMI_JOINS = 2
_MAX_DEPTH = 50


class Clause(NamedTuple):
    """A condition, compiled. `ids`, unless None, holds every row that can pass (and others)."""

    test: Test
    ids: set[str] | None


class Period(NamedTuple):
    """The time that a relative date literal covers: from `start` until before `end`, as stored."""

    start: str
    end: str


class Conditions:
    """Compiles the conditions of one SELECT.

    `column` resolves an operand; `semi_join` runs a sub-select and returns the ids it selects;
    relative dates count from `now` (UTC).
    """

    def __init__(
        self,
        column: Callable[[Operand], Column],
        semi_join: Callable[[InQuery, Column], set[str]],
        now: datetime,
    ) -> None:
        self._column = column
        self._semi_join = semi_join
        self._now = now
        self._semi_joins = 0

    def compile(self, condition: Condition, where: str = "top", depth: int = 0) -> Clause:
        """Compiles a condition; `where` says whether it stands at the top, under OR or NOT."""
        if depth > _MAX_DEPTH:
            raise SoqlError("The condition is too complicated", code="QUERY_TOO_COMPLICATED")
        match condition:
            case Junction():
                return self._junction(condition, where, depth)
            case Negation():
                inner = self.compile(condition.condition, "under NOT", depth + 1).test
                return Clause(lambda row: not inner(row), None)
            case InQuery():
                return self._in_query(condition, where)
            case InList():
                return self._in_list(condition)
            case Comparison():
                return self._comparison(condition)

    def _junction(self, junction: Junction, where: str, depth: int) -> Clause:
        under = where if junction.every else "under OR"
        clauses = [self.compile(each, under, depth + 1) for each in junction.conditions]
        tests = [clause.test for clause in clauses]
        known = [clause.ids for clause in clauses if clause.ids is not None]
        if junction.every:
            fewest = min(known, key=len) if known else None
            return Clause(lambda row: all(test(row) for test in tests), fewest)
        union = set().union(*known) if len(known) == len(clauses) else None
        return Clause(lambda row: any(test(row) for test in tests), union)

    def _in_query(self, condition: InQuery, where: str) -> Clause:
        at = condition.operand.at
        if where == "under OR":
            raise SoqlError("Semi join sub-selects are not allowed with the 'OR' operator", at)
        if where != "top":
            message = "Semi join sub-selects are only allowed at the top level WHERE expressions"
            raise SoqlError(message, at)
        self._semi_joins += 1
        if self._semi_joins > _MAX_SEMI_JOINS:
            raise SoqlError("Maximum 2 semi join sub-selects are allowed", at)
        column = self._filterable(condition.operand)
        ids, read = self._semi_join(condition, column), column.read
        if condition.negated:
            return Clause(lambda row: read(row) not in ids, None)
        return Clause(lambda row: read(row) in ids, column.find(ids))

    def _in_list(self, condition: InList) -> Clause:
        column = self._filterable(condition.operand)
        at, key = condition.operand.at, column.key()
        wanted = [self._wanted(column, literal, at) for literal in condition.literals]
        periods = [each for each in wanted if isinstance(each, Period)]
        values = {each for each in wanted if not isinstance(each, Period)}

        holds = _holds(key, values, periods)
        if condition.negated:
            return Clause(lambda row: not holds(row), None)
        return Clause(holds, None if periods or None in values else column.find(values))

    def _comparison(self, condition: Comparison) -> Clause:
        column = self._filterable(condition.operand)
        literal, sign, at = condition.literal, condition.operator, condition.operand.at
        is_like, of = sign == "LIKE", column.field
        if not of.is_text if is_like else of.type == "boolean":
            kind = "id" if of.is_id else of.type
            raise SoqlError(f"invalid operator on {kind} field", at, _INVALID_OPERATOR)
        if not is_like:
            wanted = self._wanted(column, literal, at, is_bound=True)
            return Clause(_ordering(column.key(), sign, wanted), None)
        if literal.kind != "string":
            raise _mistyped(column, at)
        matches, read = literal.like().fullmatch, column.read
        return Clause(lambda row: (value := read(row)) is not None and bool(matches(value)), None)

    def _filterable(self, operand: Operand) -> Column:
        column = self._column(operand)
        field = column.field
        if not (field.filterable and field.type != "address") and not isinstance(
            operand, FunctionCall
        ):
            message = f"field '{column.label}' can not be filtered in a query call"
            raise SoqlError(message, operand.at, "INVALID_FIELD")
        return column

    def _wanted(self, column: Column, literal: Literal, at: int, *, is_bound: bool = False) -> Any:
        """Returns what a stored value is compared with: of its type, a Period, or None for null."""
        field = column.field
        if literal.kind == "null":
            return None
        if field.is_id:
            return _id(column, literal, at)
        if field.type in _MOMENTS:
            return self._moment(column, literal, at, is_bound=is_bound)
        kind = "string" if field.is_text else "number" if field.is_number else field.type
        if literal.kind != kind:
            raise _mistyped(column, at)
        if kind == "number":
            return float(literal.text)
        if kind == "boolean":
            return literal.text.lower() == "true"
        text = literal.value() or None
        return text.lower() if text and not field.case_sensitive else text

    def _moment(self, column: Column, literal: Literal, at: int, *, is_bound: bool) -> str | Period:
        kind = column.field.type
        if literal.kind == "relative":
            start, end = relative_dates(literal, self._now.date(), is_bound=is_bound)
            if kind == "date":
                return Period(start.isoformat(), end.isoformat())
            return Period(*(timestamp(datetime.combine(day, time(), UTC)) for day in (start, end)))
        moment = _MOMENTS[kind](literal.text.upper()) if literal.kind == kind else None
        if moment is None:
            raise _mistyped(column, at)
        return moment


def _mistyped(column: Column, at: int) -> SoqlError:
    if column.field.is_text or column.field.is_id:
        expected = "string and should be enclosed in quotes"
    else:
        kind = _TYPE_NAMES.get(column.field.type, column.field.type)
        expected = f"{kind} and should not be enclosed in quotes"
    message = f"value of filter criterion for field '{column.label}' must be of type {expected}"
    return SoqlError(message, at, "INVALID_FIELD")


def _id(column: Column, literal: Literal, at: int) -> str | None:
    if literal.kind != "string":
        raise _mistyped(column, at)
    text = literal.value()
    found = long_id(text)
    if text and found is None:
        raise SoqlError(f"invalid ID field: {text}", at, _INVALID_OPERATOR)
    return found


def _holds(key: Callable[[Any], Any], values: set[Any], periods: list[Period]) -> Test:
    if not periods:
        return lambda row: key(row) in values

    def holds(row: Any) -> bool:
        value = key(row)
        within = (value is not None and start <= value < end for start, end in periods)
        return value in values or any(within)

    return holds


def _ordering(key: Callable[[Any], Any], sign: str, wanted: Any) -> Test:
    if wanted is None:
        return lambda _: False
    if isinstance(wanted, Period):
        # "> TODAY" is from tomorrow on, "<= TODAY" until tomorrow begins.
        wanted = wanted.end if sign in (">", "<=") else wanted.start
        sign = {">": ">=", "<=": "<"}.get(sign, sign)
    compare = _ORDERINGS[sign]
    return lambda row: (value := key(row)) is not None and compare(value, wanted)


_RELATIVE = re.compile(r"(LAST|THIS|NEXT)_(?:N_)?([A-Z]+?)S?(?::(\d+))?|N_([A-Z]+)S_AGO:(\d+)")
_SINGLE_DAYS = {"TODAY": 0, "YESTERDAY": -1, "TOMORROW": 1}


def relative_dates(literal: Literal, today: date, *, is_bound: bool = False) -> tuple[date, date]:
    """First day, and first day after the end, of `TODAY`, `LAST_N_DAYS:3`, `THIS_MONTH` ...

    Salesforce: Date Formats and Date Literals. Weeks begin on Sunday. As the bound of a
    comparison (`> LAST_N_DAYS:30`, which people write for the last 30 days), the n days stand
    for the farthest of them.
    """
    text = literal.text.upper().replace("_90_DAYS", "_N_DAYS:90")
    unit, first = "DAY", _SINGLE_DAYS.get(text, 0)
    end = first + 1
    matched = _RELATIVE.fullmatch(text)
    if matched:
        side, span, many, ago, past = matched.groups()
        unit = span or ago
        if ago:
            first, end = -int(past), 1 - int(past)
        elif many is None:
            first = {"LAST": -1, "THIS": 0, "NEXT": 1}[side]
            end = first + 1
        elif side == "NEXT":
            first, end = 1, int(many) + 1
        else:
            # The last n days run into today; the last n weeks end with the week before this one.
            first, end = -int(many), int(unit == "DAY")
        if many and is_bound and unit == "DAY":
            first, end = (end - 1, end) if side == "NEXT" else (first, first + 1)
    try:
        return _shifted(today, unit, first), _shifted(today, unit, end)
    except (OverflowError, ValueError):
        raise SoqlError(f"date literal out of range: {literal.text}", literal.at) from None


def _shifted(day: date, unit: str, count: int) -> date:
    """The first day of the unit that holds the day, moved by a number of such units."""
    if unit == "DAY":
        return day + timedelta(count)
    if unit == "WEEK":
        return day - timedelta((day.weekday() + 1) % 7) + timedelta(weeks=count)
    months = {"MONTH": 1, "QUARTER": 3, "YEAR": 12}[unit]
    index = (day.year * 12 + day.month - 1) // months * months + count * months
    return date(index // 12, index % 12 + 1, 1)
