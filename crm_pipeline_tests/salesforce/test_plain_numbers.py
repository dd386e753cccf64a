"""Numbers in digits alone: our short way and the library's long one say the same."""

from collections.abc import Iterator
from random import Random

import phonenumbers
import pytest

from crm_pipeline.salesforce.plain_numbers import Unsure, e164

NUMBERS = 6_000
MANY = 2_500
"""At least so many of them are not left to the library."""


def by_the_library(text: str, region: str | None) -> str | None:
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def numbers() -> Iterator[tuple[str, str | None]]:
    """Numbers of all kinds and countries, good ones and spoilt ones, in all spellings."""
    draw = Random(7)
    regions = sorted(phonenumbers.SUPPORTED_REGIONS)
    codes = sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE)
    kinds = phonenumbers.PhoneNumberType.values()
    for _ in range(NUMBERS):
        region = draw.choice(regions)
        example = phonenumbers.example_number_for_type(region, draw.choice(kinds))
        digits = list(phonenumbers.national_significant_number(example) if example else "30901820")
        for _ in range(draw.choice((0, 0, 1, 2, 4))):
            digits[draw.randrange(len(digits))] = draw.choice("0123456789")
            if draw.random() < 0.5:
                digits = digits[:-1] if draw.random() < 0.5 else [*digits, "5"]
        national, code = "".join(digits), phonenumbers.country_code_for_region(region)
        prefixes = (f"+{code}", "0", "", f"+{code}0", f"00{code}", "1", f"+{draw.choice(codes)}")
        yield draw.choice(prefixes) + national, draw.choice((region, None, draw.choice(regions)))


def test_both_ways_say_the_same() -> None:
    sure = 0
    for text, region in numbers():
        try:
            said = e164(text, region)
        except Unsure:
            continue
        sure += 1
        assert said == by_the_library(text, region), (text, region)
    assert sure > MANY


@pytest.mark.parametrize(
    ("text", "region", "expected"),
    [
        ("+4930901820", None, "+4930901820"),
        ("030901820", "DE", "+4930901820"),
        ("2025550123", "US", "+12025550123"),
        ("+442079460123", None, "+442079460123"),
        ("2025550", "US", None),
        ("+49309", None, None),
    ],
)
def test_the_common_ones(text: str, region: str | None, expected: str | None) -> None:
    assert e164(text, region) == expected == by_the_library(text, region)


@pytest.mark.parametrize(
    ("text", "region"),
    [
        ("+0493090182", None),
        ("00493090182", "DE"),
        ("493090182", "DE"),
        ("030901820", "US"),
        ("+390612345678", None),
        ("030901820", None),
    ],
)
def test_special_cases_are_left_to_the_library(text: str, region: str | None) -> None:
    with pytest.raises(Unsure):
        e164(text, region)
