"""Rows as objects, by the names of their columns."""

from collections.abc import Callable, Sequence
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from operator import itemgetter
from typing import Any, TypeVar

from sqlalchemy import CursorResult

T = TypeVar("T")


def objects(result: CursorResult[Any], made: Callable[..., T]) -> list[T]:
    """Each row as an object of a class that takes the columns by their names.

    Args:
        result: of a statement.
        made: a dataclass or a named tuple.

    Raises:
        TypeError: there is a column that the class does not take, or none for what it needs.
    """
    in_order = _in_order(made, tuple(result.keys()))
    if in_order is None:
        return [made(*row) for row in result.all()]
    return [made(*in_order(row)) for row in result.all()]


def the_object(result: CursorResult[Any], made: Callable[..., T]) -> T:
    """The one row as an object.

    Raises:
        TypeError: as `objects`.
        ValueError: there is not exactly one row.
    """
    [only] = objects(result, made)
    return only


@cache
def _in_order(
    made: Callable[..., Any], columns: tuple[str, ...]
) -> Callable[[Sequence[Any]], Sequence[Any]] | None:
    """Brings a row's values into the order of the class; None: they are in it."""
    names, needed = _names(made)
    if wrong := (set(columns) - set(names)) | (needed - set(columns)):
        raise TypeError(f"{made.__name__} and its statement differ: {', '.join(sorted(wrong))}")
    given = [name for name in names if name in columns]
    if given != names[: len(given)]:
        raise TypeError(f"{made.__name__} has fields without a column before some with one")
    if tuple(given) == columns:
        return None
    return itemgetter(*(columns.index(name) for name in given))


def _names(made: Callable[..., Any]) -> tuple[list[str], set[str]]:
    """The names of the fields, and of those without a default."""
    if isinstance(made, type) and is_dataclass(made):
        of_class = [each for each in fields(made) if each.init]
        without = {
            each.name
            for each in of_class
            if each.default is MISSING and each.default_factory is MISSING
        }
        return [each.name for each in of_class], without
    names = list(made._fields)  # type: ignore[attr-defined]
    return names, set(names) - set(made._field_defaults)  # type: ignore[attr-defined]
