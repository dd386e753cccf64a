"""Rows become objects by the names of their columns, in whatever order these stand."""

from dataclasses import dataclass
from typing import NamedTuple

import pytest
from sqlalchemy import Engine, text

from crm_pipeline.database.rows import objects, the_object


@dataclass(slots=True)
class Thing:
    number: int
    name: str
    size: int = 7


class Pair(NamedTuple):
    left: int
    right: int


@pytest.mark.parametrize("columns", ["1 AS number, 'n' AS name", "'n' AS name, 1 AS number"])
def test_columns_may_stand_in_any_order(pipeline: Engine, columns: str) -> None:
    with pipeline.connect() as connection:
        assert objects(connection.execute(text(f"SELECT {columns}")), Thing) == [Thing(1, "n")]


def test_named_tuples_are_made_too(pipeline: Engine) -> None:
    with pipeline.connect() as connection:
        result = connection.execute(text("SELECT 2 AS right, 1 AS left"))
        assert the_object(result, Pair) == Pair(1, 2)


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ("1 AS number", "differ: name"),
        ("1 AS number, 'n' AS name, 2 AS weight", "differ: weight"),
        ("1 AS number, 'n' AS nam", "differ: nam, name"),
    ],
)
def test_a_statement_that_gives_something_else_is_refused(
    pipeline: Engine, columns: str, said: str
) -> None:
    with pipeline.connect() as connection, pytest.raises(TypeError, match=said):
        objects(connection.execute(text(f"SELECT {columns}")), Thing)
