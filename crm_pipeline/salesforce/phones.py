"""Phone numbers: when two that are written differently are the same (ITU E.164)."""

from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache

from crm_pipeline.salesforce.countries import country_code
from crm_pipeline.salesforce.plain_numbers import Unsure, e164

SCHEME = "tel:"
"""The beginning of the key of a person who is known by a phone number alone; no email has it."""

_FEWEST_DIGITS = 5
_LONGEST_TEXT = 250


def is_phone_key(key: str) -> bool:
    """Returns whether the key of a person is that of a number, and not an email address."""
    return key.startswith(SCHEME)


def phone_key(text: object, region: str | None, country: object = None) -> str | None:
    """Returns the key of the first valid number in a text, such as `tel:+4930901820;ext=12`.

    A number with an extension is another one than the number itself: behind a switchboard sits
    everybody.

    Args:
        text: as somebody wrote it.
        region: the country's two letters in which numbers without a country code are read first.
        country: the person's, as somebody wrote it; tried where the number is not valid there.

    Returns:
        None where it has no valid number: too short, a placeholder, no country known.
    """
    return next(iter(phone_keys(text, region, country)), None)


def phone_keys(text: object, region: str | None, country: object = None) -> tuple[str, ...]:
    """Returns the keys of all valid numbers in a text, as `phone_key`; people write several."""
    if not isinstance(text, str) or len(text) > _LONGEST_TEXT:
        return ()
    of = country if isinstance(country, str) else None
    bare = text.translate(_BETWEEN_DIGITS)
    if bare.isascii() and bare.removeprefix("+").isdigit() and (found := _keys(bare, region, of)):
        return found
    return _keys(text, region, of)


_BETWEEN_DIGITS = str.maketrans("", "", " -().\xa0\t")
"""Signs between the digits of one number: without them many texts are the same."""


# Asked again when a row is read again, and of the numbers that an org has many times.
@lru_cache(maxsize=65_536)
def _keys(text: str, region: str | None, country: str | None) -> tuple[str, ...]:
    if sum(each.isdigit() for each in text) < _FEWEST_DIGITS:
        return ()
    for one in _regions(region, country):
        if found := tuple(dict.fromkeys(_valid(text, one))):
            return found
    return ()


def _regions(region: str | None, country: str | None) -> Iterator[str | None]:
    yield region
    if country and (code := country_code(country)) and code != region:
        yield code


def _valid(text: str, region: str | None) -> Iterator[str]:
    if text.isascii() and text.removeprefix("+").isdigit():
        with suppress(Unsure):
            if valid_one := e164(text, region):
                yield SCHEME + valid_one
            return
    # It takes a tenth of a second to load, and few programs need it.
    import phonenumbers as library

    try:
        numbers = [library.parse(text, region)]
    except library.NumberParseException:
        numbers = []
    valid = list(filter(library.is_valid_number, numbers))
    if not valid and not text.removeprefix("+").isdigit():
        matcher = library.PhoneNumberMatcher(text, region)
        valid = [each.number for each in matcher if library.is_valid_number(each.number)]
    for number in valid:
        key = SCHEME + library.format_number(number, library.PhoneNumberFormat.E164)
        yield f"{key};ext={number.extension}" if number.extension else key


def written_number(key: str) -> str:
    """Returns a number as it is written to the org: `+4930901820 ext. 12`."""
    number, _, extension = key.removeprefix(SCHEME).partition(";ext=")
    return f"{number} ext. {extension}" if extension else number
