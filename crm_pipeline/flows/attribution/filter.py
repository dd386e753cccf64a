"""The filter of opportunities, judged on our side, and when it fires. Pure."""

import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from crm_pipeline.accounts.attribution import AttributionSettings, OpportunityCondition
from crm_pipeline.ledger.opportunities import LiveOpportunity

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[t ]")

_ORDERS: Mapping[str, Callable[[Any, Any], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


_NUMBER_TYPES = ("int", "double", "currency", "percent")
STANDARD_TYPES: Mapping[str, str] = {
    "Amount": "currency",
    "Probability": "percent",
    "CloseDate": "date",
    "CreatedDate": "datetime",
    "IsClosed": "boolean",
    "IsWon": "boolean",
}
"""The types of fields that each org has; of others its describe tells them."""


def never_compared(condition: OpportunityCondition, field_type: str | None) -> str | None:
    """Returns what a condition has to compare with, where nothing ever compares with what it says.

    Args:
        condition: of a filter.
        field_type: as the org describes the field; None where nobody has seen it: what is neither
            a number nor a day nor a time has no order then.
    """
    values = condition.value if isinstance(condition.value, tuple) else (condition.value,)
    given = [each for each in values if each is not None and each != ""]
    is_order = condition.operator[0] in "<>"
    if field_type == "boolean":
        fits = condition.operator in ("=", "!=") and all(isinstance(v, bool) for v in given)
        wanted = "= or != and true or false"
    elif field_type in _NUMBER_TYPES:
        fits, wanted = all(_is_number(each) for each in given), "a number"
    elif field_type == "date":
        fits, wanted = all(_is_day(each) for each in given), "a day such as 2026-12-31"
    elif field_type == "datetime":
        fits = all(_is_time(each) or (is_order and _is_day(each)) for each in given)
        wanted = "a time such as 2026-12-31T09:30:00Z; < and > take a day, too"
    elif field_type is not None:
        fits, wanted = all(isinstance(each, str) for each in given), "a text"
    else:
        fits = not is_order or all(
            _is_number(each) or _is_day(each) or _is_time(each) for each in given
        )
        wanted = "a number, a day such as 2026-12-31, or a time such as 2026-12-31T09:30:00Z"
    return None if fits else wanted


def _is_number(value: Any) -> bool:
    return not isinstance(value, bool) and _number(value) is not None


def _is_day(value: Any) -> bool:
    if not (isinstance(value, str) and _DAY.fullmatch(value.strip())):
        return False
    return _time(f"{value.strip()} 00:00") is not None


def _is_time(value: Any) -> bool:
    return _time(_plain(value)) is not None


def passes(record: Mapping[str, Any], conditions: Sequence[OpportunityCondition]) -> bool:
    """Returns whether an opportunity fulfils all conditions.

    Args:
        record: what was read of it, by API name. A field that was not read fulfils nothing.
        conditions: of the account's filter.
    """
    return all(each.field in record and _fulfils(record[each.field], each) for each in conditions)


def fires(*, inside: bool, was_inside: bool, has_fired: bool, again: bool) -> bool:
    """Returns whether the filter fires: where an opportunity enters it.

    Args:
        inside: it fulfils the conditions now.
        was_inside: it did so before.
        has_fired: the filter has fired for it once.
        again: whether re-entering fires as well.
    """
    return inside and not was_inside and (again or not has_fired)


@dataclass(frozen=True, slots=True)
class Preview:
    """The opportunities for which a filter would fire, and those of which that is not known.

    Attributes:
        fires: those that would enter it now.
        unknown: how many were read without a field that it asks for; they are read again first.
    """

    fires: Sequence[LiveOpportunity]
    unknown: int

    def sums(self, currency: str | None) -> dict[str | None, Decimal]:
        """Their amounts by currency; `currency` is that of an org that does not name it."""
        found: dict[str | None, Decimal] = {}
        for each in self.fires:
            code = each.record.get("CurrencyIsoCode", currency)
            found[code] = found.get(code, Decimal(0)) + (each.amount or 0)
        return found


def would_fire(live: Iterable[LiveOpportunity], choices: AttributionSettings) -> Preview:
    """Returns for which opportunities the filter would fire with these settings, as they stand."""
    conditions = choices.opportunity_filter
    found: list[LiveOpportunity] = []
    unknown = 0
    for each in live if conditions else ():
        unknown += any(condition.field not in each.record for condition in conditions)
        if fires(
            inside=passes(each.record, conditions),
            was_inside=each.in_filter,
            has_fired=each.has_fired,
            again=choices.filter_fires_again,
        ):
            found.append(each)
    return Preview(found, unknown)


def _fulfils(value: Any, condition: OpportunityCondition) -> bool:
    wanted = condition.value
    match condition.operator:
        case "in":
            return isinstance(wanted, tuple) and any(_alike(value, each) for each in wanted)
        case "=":
            return _alike(value, wanted)
        case "!=":
            return not _alike(value, wanted)
        case order:
            one, other = _comparable(value, wanted)
            return one is not None and other is not None and _ORDERS[order](one, other)


def _alike(value: Any, wanted: Any) -> bool:
    """Returns whether two values are the same: numbers by value, text in any case, '' is none."""
    one, other = _comparable(value, wanted)
    return type(one) is type(other) and bool(one == other)


def _comparable(value: Any, wanted: Any) -> tuple[Any, Any]:
    """Returns both as values of one type, or the second as None where they do not compare.

    What the org has as a number is compared as one, however the condition writes it; so is what it
    has as a time, in whatever zone. Days are compared as they are written.
    """
    one, other = _plain(value), _plain(wanted)
    if (at := _time(one)) is not None and (then := _time(other)) is not None:
        return at, then
    if isinstance(one, Decimal) and isinstance(other, str):
        other = _number(other)
    return one, other if one is None or type(one) is type(other) else None


def _time(value: Any) -> datetime | None:
    """Returns the time that a text is, UTC where it names no zone; None of a day or other text."""
    if not (isinstance(value, str) and _TIME.match(value)):
        return None
    try:
        read = datetime.fromisoformat(value.upper())
    except ValueError:
        return None
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return value.strip().casefold() or None
    return value if isinstance(value, bool) or value is None else _number(value)


def _number(value: Any) -> Decimal | None:
    """Returns a number; None of what is none, `NaN` among it, which compares with nothing."""
    try:
        read = Decimal(str(value))
    except InvalidOperation:
        return None
    return None if read.is_nan() else read
