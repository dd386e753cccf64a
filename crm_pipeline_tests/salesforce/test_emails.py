"""Which text names a person by email."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_pipeline.salesforce.emails import email_key


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("ann@example.com", "ann@example.com"),
        ("  Ann.O'Brien+tax@EXAMPLE.co.uk \n", "ann.o'brien+tax@example.co.uk"),
        ("a@b.museum", "a@b.museum"),
        ("a@xn--mller-kva.xn--p1ai", "a@xn--mller-kva.xn--p1ai"),
        (None, None),
        ("", None),
        ("ann", None),
        ("ann@localhost", None),
        ("ann@example.com, bob@example.com", None),
        ("Ann <ann@example.com>", None),
        (".ann@example.com", None),
        ("ann..b@example.com", None),
        ("ann@-example.com", None),
        ("ann@example.c", None),
        ("änn@example.com", None),
        ("o'brien\\'@x.com", None),
        ("') OR Email LIKE ('%", None),
        ("a" * 69 + "@example.com", None),
        ("a" * 68 + "@example.com", "a" * 68 + "@example.com"),
    ],
)
def test_an_email_is_known_by_its_key(text, key):
    assert email_key(text) == key


@given(st.emails() | st.text())
def test_a_key_is_its_own_key_in_any_case_and_among_blanks(text):
    key = email_key(text)

    if key is not None:
        assert email_key(key) == email_key(f" {key.upper()}\t") == key
