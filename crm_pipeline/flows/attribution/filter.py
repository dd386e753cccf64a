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

_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[t ]")

_ORDERS: Mapping[str, Callable[[Any, Any], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


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
