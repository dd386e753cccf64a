import pytest

from crm_pipeline.salesforce.comparison import alike, changed


@pytest.mark.parametrize(
    ("one", "other", "field_type"),
    [
        (" text ", "text", "string"),
        ("", None, "string"),
        ("  ", None, "textarea"),
        ("A@Example.com", "a@example.com", "email"),
        ("00Q000000000001", "00Q000000000001AAA", "reference"),
        ("2026-01-02T03:04:05.000+0000", "2026-01-02T04:04:05.123+0100", "datetime"),
        (300.0, 300, "double"),
        ("300.50", 300.5, "currency"),
        (False, None, "boolean"),
        (0, 0.0, "int"),
    ],
)
def test_salesforce_takes_them_for_the_same(one, other, field_type):
    assert alike(one, other, field_type)
    assert alike(other, one, field_type)


@pytest.mark.parametrize(
    ("one", "other", "field_type"),
    [
        ("a", "b", "string"),
        ("A", "a", "string"),
        (0, None, "double"),
        (True, None, "boolean"),
        ("00Q000000000001AAA", "00Q000000000002AAA", "reference"),
        ("2026-01-02T03:04:05.000+0000", "2026-01-02T03:04:06.000+0000", "datetime"),
    ],
)
def test_they_are_other_values(one, other, field_type):
    assert not alike(one, other, field_type)


def test_a_field_has_changed_when_it_differs_from_what_was_written_and_from_what_was_told():
    types = {"A": "string", "B": "string"}
    read = {"A": "x", "B": "y"}
    assert changed(read, {}, {}, ("A", "B"), types) == read
    assert changed(read, {"A": "x"}, {"B": "y"}, ("A", "B"), types) == {}
    assert changed(read, {"A": "x", "B": "old"}, {"B": "older"}, ("A", "B"), types) == {"B": "y"}
    assert changed(read, {}, {}, ("A",), types) == {"A": "x"}
    assert changed({"A": None}, {"A": "x"}, {}, ("A",), types) == {"A": None}
    assert changed({"A": None}, {}, {"A": "x"}, ("A",), types) == {"A": None}
    assert changed({"A": None}, {}, {}, ("A",), types) == {}
