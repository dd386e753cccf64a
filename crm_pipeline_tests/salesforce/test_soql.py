"""SOQL is built in one place, where a value can never become SOQL."""

import re
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm_pipeline.salesforce.soql import count, packed_in_queries, quote, select

_UNESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}


def _read_literal(text: str) -> tuple[str, str]:
    """One SOQL string literal as Salesforce reads it, and what stands behind it."""
    assert text[0] == "'"
    value = ""
    position = 1
    while text[position] != "'":
        if text[position] == "\\":
            position += 1
            value += _UNESCAPES.get(text[position], text[position])
        else:
            assert text[position] not in "\n\r"
            value += text[position]
        position += 1
    return value, text[position + 1 :]


@pytest.mark.parametrize(
    ("value", "literal"),
    [
        ("ann@example.com", "'ann@example.com'"),
        ("o'brien\\'@x.com", r"'o\'brien\\\'@x.com'"),
        ("') OR Email LIKE ('%", r"'\') OR Email LIKE (\'%'"),
        ("two\nlines", r"'two\nlines'"),
        (None, "NULL"),
        (True, "TRUE"),
        (7, "7"),
        (1.5, "1.5"),
        (Decimal("1.50"), "1.50"),
        (date(2026, 11, 20), "2026-11-20"),
        (datetime(2026, 11, 20, 9, 30, tzinfo=UTC), "2026-11-20T09:30:00.000Z"),
        (
            datetime(2026, 11, 20, 9, 30, 0, 123456, tzinfo=timezone(timedelta(hours=2))),
            "2026-11-20T07:30:00.123Z",
        ),
    ],
)
def test_each_kind_of_value_has_its_literal(value, literal):
    assert quote(value) == literal


@given(st.text())
def test_whatever_a_text_contains_it_stays_one_literal(value):
    assert _read_literal(quote(value)) == (value, "")


@pytest.mark.parametrize("value", [datetime(2026, 1, 1), float("nan"), float("inf")])  # noqa: DTZ001
def test_a_value_without_a_literal_is_refused(value):
    with pytest.raises(ValueError, match=r"Salesforce|SOQL"):
        quote(value)


def test_conditions_are_joined_and_empty_ones_left_out():
    assert select(["Id", "Owner.Name"], "Lead") == "SELECT Id,Owner.Name FROM Lead"
    assert (
        select(["Id"], "Lead", "IsConverted = FALSE", "", "City = 'Bonn'")
        == "SELECT Id FROM Lead WHERE IsConverted = FALSE AND City = 'Bonn'"
    )


def test_records_are_counted_under_conditions():
    assert count("Lead") == "SELECT COUNT() FROM Lead"
    assert count("Lead", "Email != null") == "SELECT COUNT() FROM Lead WHERE Email != null"


@pytest.mark.parametrize("field", ["", "Id FROM User", "Id,Name", "a'b", "1a", "Id;", "Account."])
def test_a_name_out_of_a_mapping_cannot_carry_soql(field):
    with pytest.raises(ValueError, match="not a name"):
        select([field], "Lead")


def test_ten_thousand_emails_make_five_queries():
    emails = [f"person{n}@example.com" for n in range(10_000)]

    queries = packed_in_queries(["Id", "Email"], "Lead", "Email", emails)

    assert len(queries) == 5
    assert queries[0].startswith("SELECT Id,Email FROM Lead WHERE Email IN ('person0@example.com'")


def test_further_conditions_stand_before_the_values():
    assert packed_in_queries(["Id"], "Event", "WhoId", ["00Q1"], "IsDeleted = FALSE") == [
        "SELECT Id FROM Event WHERE IsDeleted = FALSE AND WhoId IN ('00Q1')"
    ]


@given(
    st.lists(st.text(max_size=300), max_size=60),
    st.integers(min_value=1, max_value=40),
)
def test_packing_keeps_every_value_once_in_order_and_every_limit(values, per_query):
    queries = packed_in_queries(["Id"], "Lead", "Email", values, per_query=per_query)

    unpacked = []
    for query in queries:
        rest = query.removeprefix("SELECT Id FROM Lead WHERE Email IN (")
        count = 0
        while rest != ")":
            value, rest = _read_literal(rest.removeprefix(","))
            unpacked.append(value)
            count += 1
        assert 1 <= count <= per_query
    assert unpacked == values


@settings(max_examples=30)
@given(st.integers(min_value=1, max_value=3_900), st.sampled_from(["x", "'"]))
def test_no_query_reaches_the_length_limit_and_none_is_needlessly_short(length, character):
    values = [character * length] * 150

    queries = packed_in_queries(["Id"], "Lead", "Email", values)

    assert all(len(query) < 100_000 for query in queries)
    literal = len(quote(values[0])) + 1
    assert all(
        len(query) + literal >= 100_000 or query.count(",") + 1 >= 2_000 for query in queries[:-1]
    )


def test_no_values_make_no_query():
    assert packed_in_queries(["Id"], "Lead", "Email", []) == []


def test_a_value_that_fills_a_query_is_refused():
    with pytest.raises(ValueError, match="too long"):
        packed_in_queries(["Id"], "Lead", "Email", ["x" * 100_000])


def test_no_other_module_of_the_room_writes_soql():
    from pathlib import Path

    import crm_pipeline.salesforce

    for file in Path(crm_pipeline.salesforce.__path__[0]).glob("*.py"):
        if file.name != "soql.py":
            assert not re.search(r"f\"[^\"\n]*\b(SELECT|WHERE)\b", file.read_text()), file.name
