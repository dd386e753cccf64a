"""Tests in two tiers: of a whole matrix, `make test` tries a sample and `make test-deep` the rest.

Marked `deep` are the rest of such matrices, long searches, and stacks that take very long to start.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import pytest
from _pytest.mark import ParameterSet

T = TypeVar("T")


def deep_but_for(is_sample: Callable[[T], bool], values: Iterable[T]) -> list[ParameterSet]:
    """Values of a test's parameter, of which only the sample is tried by `make test`."""
    return [pytest.param(each, marks=_marks(deep=not is_sample(each))) for each in values]


def deep_but_first(count: int, values: Iterable[T]) -> list[ParameterSet]:
    """Values of a test's parameter, of which only the first so many are tried by `make test`."""
    return [
        pytest.param(each, marks=_marks(deep=number >= count)) for number, each in enumerate(values)
    ]


def deep_rows_but_for(
    is_sample: Callable[..., bool], rows: Iterable[tuple[Any, ...]]
) -> list[ParameterSet]:
    """As `deep_but_for`, of values of several parameters."""
    return [pytest.param(*row, marks=_marks(deep=not is_sample(*row))) for row in rows]


def in_groups(each: Sequence[Mapping[str, Any]], groups: int) -> list[dict[str, Any]]:
    """Choices put together in so many groups, all of which are tried for a part of the time.

    In groups by two numbers without a common divisor no two choices are together twice, as long as
    there are fewer than their product: what one hides of another, it does not hide in both.
    """
    return [
        {name: value for choice in each[nth::groups] for name, value in choice.items()}
        for nth in range(groups)
    ]


def _marks(*, deep: bool) -> tuple[pytest.MarkDecorator, ...]:
    return (pytest.mark.deep,) if deep else ()
