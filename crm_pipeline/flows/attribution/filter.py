"""The filter of opportunities, judged on our side, and when it fires. Pure."""

import operator
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from crm_pipeline.accounts.attribution import OpportunityCondition

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

    What the org has as a number is compared as one, however the condition writes it. Days and
    times are compared as they are written.
    """
    one, other = _plain(value), _plain(wanted)
    if isinstance(one, Decimal) and isinstance(other, str):
        try:
            other = Decimal(other)
        except InvalidOperation:
            other = None
    return one, other if one is None or type(one) is type(other) else None


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return value.strip().casefold() or None
    return value if isinstance(value, bool) or value is None else Decimal(str(value))
