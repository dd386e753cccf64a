from hypothesis import given
from hypothesis import strategies as st

from crm_pipeline.accounts.filters import matches, named_filter
from crm_pipeline.salesforce.emails import bare_address, folded

emails = st.emails()
texts = st.text(max_size=12)


def test_a_filter_string_matches_anywhere_in_the_address_in_any_case():
    assert matches("Ann@Rival.EXAMPLE", ["@rival."]) == "@rival."
    assert matches("ann@rival.example", ["RIVAL"]) == "RIVAL"
    assert matches("ann@friend.example", ["@rival."]) is None


def test_the_first_filter_string_that_matches_is_the_answer():
    assert matches("test@rival.example", ["rival", "test"]) == "rival"


def test_a_filter_of_domains_is_named_and_one_that_may_be_somebodys_name_is_not():
    assert named_filter("Ann@Rival.example", ["@rival."]) == "@rival."
    assert named_filter("ann@rival.example", ["RIVAL"]) == "rival"
    for somebody in ("ann@rival.example", "ann", "n@rival"):
        assert named_filter("ann@rival.example", [somebody]) == "part of an address"


def test_blanks_around_the_address_and_the_filter_string_do_not_count():
    assert matches("  ann@rival.example\n", [" rival.example "]) == " rival.example "


def test_without_filter_strings_nothing_is_rejected():
    assert matches("ann@rival.example", []) is None


@given(email=emails, blank=st.text(alphabet=" \t\n\u00a0\u3000"))
def test_a_blank_filter_string_rejects_nobody(email: str, blank: str):
    assert matches(email, [blank]) is None


@given(email=emails, data=st.data())
def test_every_part_of_an_address_matches_it(email: str, data: st.DataObject):
    start = data.draw(st.integers(0, len(email) - 1))
    end = data.draw(st.integers(start + 1, len(email)))
    part = email[start:end]
    assert matches(email.upper(), [part]) == part


@given(email=emails, strings=st.lists(texts))
def test_what_matches_is_one_of_the_filter_strings_and_in_the_address(
    email: str, strings: list[str]
):
    found = matches(email, strings)
    inside = [s for s in strings if bare_address(s) and folded(bare_address(s)) in folded(email)]
    assert found == (inside[0] if inside else None)
