"""Phone numbers that are written differently and are the same."""

import pytest

from crm_pipeline.salesforce.phones import phone_key, phone_keys, written_number

SPELLINGS = {
    ("US", "tel:+14155552671"): [
        "(415) 555-2671",
        "415.555.2671",
        "4155552671",
        "1 415 555 2671",
        "+1 415 555 2671",
        "+1 (415) 555-2671",
        "011 1 415 555 2671",
        "tel:+1-415-555-2671",
        "415 555 2671 (mobile)",
        "Call 415-555-2671",
        " 415 - 555 - 2671 ",
        "４１５５５５２６７１",
    ],
    ("DE", "tel:+4930901820"): [
        "030 901820",
        "030/901820",
        "(030) 90 18 20",
        "+49 30 901820",
        "+49 (0)30 901820",
        "0049 30 901820",
        "030-901820",
    ],
    ("IT", "tel:+390669812345"): ["06 6981 2345", "+39 06 6981 2345", "0039 0669812345"],
    ("GB", "tel:+442079460958"): ["020 7946 0958", "+44 (0)20 7946 0958", "00442079460958"],
    ("FR", "tel:+33142685300"): ["01 42 68 53 00", "+33 1 42 68 53 00", "01.42.68.53.00"],
    ("IN", "tel:+919876543210"): ["98765 43210", "09876543210", "+91-98765-43210"],
    ("BR", "tel:+5511987654321"): ["(11) 98765-4321", "011 98765 4321", "+55 11 98765 4321"],
    ("JP", "tel:+81312345678"): ["03-1234-5678", "+81 3 1234 5678", "010 81 3 1234 5678"],
    ("AU", "tel:+61291234567"): ["(02) 9123 4567", "+61 2 9123 4567", "0011 61 2 9123 4567"],
    ("CH", "tel:+41446681800"): ["044 668 18 00", "+41 44 668 18 00", "0041446681800"],
}


@pytest.mark.parametrize(
    ("region", "key", "text"),
    [(region, key, text) for (region, key), texts in SPELLINGS.items() for text in texts],
)
def test_one_number_in_all_its_spellings(region: str, key: str, text: str) -> None:
    assert phone_key(text, region) == key


@pytest.mark.parametrize(
    "text",
    [
        "",
        "n/a",
        "555-1212",
        "0000000000",
        "123",
        "1234567890123456789",
        "call me",
        None,
        4155552671,
    ],
)
def test_what_is_no_valid_number_matches_nobody(text: object) -> None:
    assert phone_key(text, "US") is None


def test_the_accounts_country_comes_first_and_then_the_persons() -> None:
    assert phone_key("030 901820", None) is None
    assert phone_key("030 901820", None, "Germany") == "tel:+4930901820"
    assert phone_key("030 901820", "FR", "Germany") == "tel:+4930901820"
    assert phone_key("030 901820", "DE", "US") == "tel:+4930901820"


def test_a_number_with_an_extension_is_another_one() -> None:
    with_extension = phone_key("(415) 555-2671 ext. 12", "US")
    assert with_extension == "tel:+14155552671;ext=12"
    assert phone_key("+1 415 555 2671 x12", "US") == with_extension
    assert written_number(with_extension) == "+14155552671 ext. 12"
    assert phone_key(written_number(with_extension), "DE") == with_extension


def test_several_numbers_in_one_field_are_all_found() -> None:
    text = "030 901820 / 0171 1234567"
    assert phone_keys(text, "DE") == ("tel:+4930901820", "tel:+491711234567")
