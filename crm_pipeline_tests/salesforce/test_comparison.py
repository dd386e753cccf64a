import pytest

from crm_pipeline.salesforce.comparison import alike, changed, digest


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


def test_a_field_has_changed_when_it_differs_from_what_the_source_knows():
    types = {"A": "string", "B": "string"}
    read = {"A": "x", "B": "y"}
    assert changed(read, {}, {}, ("A", "B"), types) == read
    assert changed(read, {"A": "x"}, {"B": "y"}, ("A", "B"), types) == {}
    assert changed(read, {"A": "x", "B": "old"}, {"B": "older"}, ("A", "B"), types) == {"B": "y"}
    assert changed(read, {}, {}, ("A",), types) == {"A": "x"}
    assert changed({"A": None}, {"A": "x"}, {}, ("A",), types) == {"A": None}
    assert changed({"A": None}, {}, {"A": "x"}, ("A",), types) == {"A": None}
    assert changed({"A": None}, {}, {}, ("A",), types) == {}


def test_a_field_that_is_as_we_wrote_it_before_the_source_was_told_another_value_has_changed():
    assert changed({"A": "x"}, {"A": "x"}, {"A": "y"}, ("A",), {"A": "string"}) == {"A": "x"}


def test_a_digest_is_the_same_for_values_that_are_alike_and_for_no_others():
    assert digest(" a ", "string") == digest("a", "string") != digest("b", "string")
    assert digest(300, "int") == digest(300.0, "double") != digest(301, "int")
    assert digest(False, "boolean") == digest(None, "boolean") != digest(True, "boolean")
