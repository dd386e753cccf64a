"""Lists arrive as arrays as they are, whatever stands in them."""

from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg.adapt import PyFormat, Transformer
from psycopg.types.array import ListDumper

from crm_pipeline.database.dumpers import writing_adapters

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


def dumped(values: list[Any], adapters: Any) -> tuple[bytes, int]:
    """An array as it goes to PostgreSQL, and the Oid of its type."""
    dumper = Transformer(adapters).get_dumper(values, PyFormat.AUTO)
    assert isinstance(dumper, ListDumper)
    return bytes(dumper.dump(values) or b""), dumper.oid


def read(array: bytes) -> list[str | None]:
    """An array as psycopg reads PostgreSQL's text of it, which is of the same form."""
    loaded: list[str | None] = Transformer().get_loader(1009, psycopg.pq.Format.TEXT).load(array)
    return loaded


@given(st.lists(st.none() | TEXT))
def test_texts_are_read_as_they_were(values: list[str | None]) -> None:
    array, oid = dumped(values, writing_adapters())
    assert read(array) == values
    assert oid == dumped(values, psycopg.adapters)[1]


@pytest.mark.parametrize("values", [[], [1, -2], [10**30], [2**63], [True], [1.5, 2.0], [["a"]]])
def test_all_else_goes_as_psycopg_has_it(values: list[Any]) -> None:
    assert dumped(values, writing_adapters()) == dumped(values, psycopg.adapters)


def test_plain_ids_go_the_quick_way() -> None:
    assert dumped(["003A", "NULL", "{}"], writing_adapters())[0] == b'{"003A","NULL","{}"}'
