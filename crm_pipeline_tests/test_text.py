"""Values as text and as JSON."""

import json
import unicodedata
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_pipeline.text import (
    JsonText,
    parse_json,
    storable_json,
    trimmed,
    utf16_length,
    written,
)

any_text = st.text(st.characters(exclude_categories=()))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "true"),
        (False, "false"),
        (4711, "4711"),
        (4711.0, "4711"),
        (0.1, "0.1"),
        (1e22, "1e+22"),
        (float("-inf"), "-Infinity"),
        (Decimal("12345678901234567890.10"), "12345678901234567890.10"),
        (Decimal("NaN"), "NaN"),
        ({"a": Decimal("1.50"), "b": [1, None]}, '{"a":1.50,"b":[1,null]}'),
        ((1, None, "x"), "1, x"),
        (JsonText('{"b": 1,  "a": 2}'), '{"b": 1,  "a": 2}'),
    ],
)
def test_a_value_of_any_type_is_written_as_people_do(value, text):
    assert written(value) == text


@given(st.decimals(allow_nan=False, allow_infinity=False) | st.integers())
def test_a_number_keeps_its_value(number):
    assert Decimal(written(number)) == number


@given(st.floats(allow_nan=False))
def test_a_float_is_read_again_as_itself(number):
    assert float(written(number)) == number
    assert not written(number).endswith(".0")


@given(any_text, st.integers(1, 40))
def test_what_is_trimmed_is_the_beginning_and_fits(text, limit):
    cut = trimmed(text, limit)

    assert utf16_length(cut) <= limit
    assert text.startswith(cut)
    if utf16_length(text) <= limit:
        assert cut == text


@given(st.lists(st.sampled_from(["a", "e\u0301", "👍🏽", "🇩🇪", "👩‍💻", " ", "x\ufe0f"])))
def test_nothing_that_is_seen_as_one_character_is_cut(seen):
    text = "".join(seen)
    ends = {len(text)} | {len("".join(seen[:count]).rstrip()) for count in range(len(seen) + 1)}

    assert all(len(trimmed(text, limit)) in ends for limit in range(8, 40))


def test_a_character_that_is_longer_than_the_field_is_cut_all_the_same():
    assert trimmed("e" + "\u0301" * 50, 10) == "e" + "\u0301" * 9


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | any_text,
        lambda inner: st.lists(inner) | st.dictionaries(any_text, inner),
    )
)
def test_whatever_it_is_postgresql_can_store_it(value):
    read = json.loads(storable_json(value))

    def texts(inner: Any) -> Iterator[str]:
        if isinstance(inner, str):
            yield inner
        elif isinstance(inner, dict):
            for key, each in inner.items():
                yield from (key, *texts(each))
        elif isinstance(inner, list):
            for each in inner:
                yield from texts(each)

    for text in texts(read):
        assert "\0" not in text
        assert not any(unicodedata.category(each) == "Cs" for each in text)


@pytest.mark.parametrize("content", ['{"a": "\\ud800x"}', b'{"a": "\\ud800x"}'])
def test_half_a_surrogate_pair_makes_no_answer_unreadable(content):
    assert parse_json(content) == {"a": "\N{REPLACEMENT CHARACTER}x"}


@pytest.mark.parametrize("content", ["{", b"\xff", "[" * 100_000])
def test_what_is_no_json_is_said_to_be_none(content):
    with pytest.raises(ValueError):  # noqa: PT011 - any of the readers' words
        parse_json(content)


@pytest.mark.parametrize("levels", [300, 700, 20_000])
@pytest.mark.parametrize(("opens", "closes"), [("[", "]"), ('{"a": ', "}"), ('[{"a]": ', "}]")])
def test_what_is_deeper_than_anybody_reads_is_text_and_what_is_beside_it_stays(
    levels: int, opens: str, closes: str
):
    """PostgreSQL keeps thousands of levels; a value that no writer takes held up its account."""
    deep = opens * levels + '"]}"' + closes * levels
    beside, said = JsonText(f'[{{"answer": "[{{\\"["}}, {deep}]').parsed()

    assert beside == {"answer": '[{"['}
    assert json.loads(storable_json(said)) == said
    while not isinstance(said, str):
        [said] = said.values() if isinstance(said, dict) else said
    assert said in deep
    assert '"]}"' in said
