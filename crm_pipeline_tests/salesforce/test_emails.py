"""Texts that name a person by email, and texts that do not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_pipeline.salesforce.emails import bare_address, email_key, folded, same_address


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
        ("a" * 65 + "@example.com", None),
        ("a" * 64 + "@example.com", "a" * 64 + "@example.com"),
        ("ann@" + "b" * 64 + ".com", None),
        ("ann@" + "b" * 63 + ".com", "ann@" + "b" * 63 + ".com"),
        ("a" * 10 + "@" + "b" * 60 + ".example.com", None),
        ("\ufeffann@example.com\u200b", "ann@example.com"),
        ("\u2060\xa0Ann@Example.com\xad\u200e\r\n\x00", "ann@example.com"),
        ("\u3164ann@example.com\u2800\u034f\U000e0020", "ann@example.com"),
        ("\ufeff\u200b", None),
        ("an\u200bn@example.com", None),
        ("maß@example.com", None),
        ("\N{KELVIN SIGN}im@example.com", None),
        ("o\N{LATIN SMALL LIGATURE FI}ce@example.com", None),
        ("ann@\N{FULLWIDTH LATIN SMALL LETTER E}xample.com", None),
        ("ıvan@example.com", None),
        ("ſam@example.com", None),
    ],
)
def test_an_email_is_known_by_its_key(text, key):
    assert email_key(text) == key


@given(st.emails() | st.text())
def test_a_key_is_its_own_key_in_any_case_and_among_blanks(text):
    key = email_key(text)

    if key is not None:
        assert email_key(key) == email_key(f" {key.upper()}\t") == key


@given(st.emails() | st.text(), st.text(alphabet="\ufeff\u200b\u2060 \t\xad"))
def test_what_nobody_sees_around_an_address_makes_no_other_person(text, unseen):
    assert email_key(unseen + text + unseen) == email_key(text)
    assert same_address(unseen + text.upper(), text.upper() + unseen)


@given(st.text(), st.text())
def test_two_texts_with_one_key_differ_in_ascii_case_and_the_unseen_alone(one, other):
    if email_key(one) is not None and email_key(one) == email_key(other):
        assert bare_address(one).isascii()
        assert bare_address(one).lower() == bare_address(other).lower()


@given(st.text(), st.text())
def test_folding_never_makes_one_of_two_but_by_ascii_case(one, other):
    assert len(folded(one)) == len(one)
    if folded(one) == folded(other):
        assert one.translate(UPPER) == other.translate(UPPER)


UPPER = {letter: letter - 32 for letter in range(ord("a"), ord("z") + 1)}
