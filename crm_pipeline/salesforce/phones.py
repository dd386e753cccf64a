"""Phone numbers: when two that are written differently are the same (ITU E.164)."""

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
    if not text or not isinstance(text, str) or len(text) > _LONGEST_TEXT:
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
    if sum(map(str.isdigit, text)) < _FEWEST_DIGITS:
        return ()
    is_plain = text.isascii() and text.removeprefix("+").isdigit()
    for one in _regions(region, country):
        if found := _plain(text, one) if is_plain else _in_text(text, one):
            return found
    return ()


def _regions(region: str | None, country: str | None) -> tuple[str | None, ...]:
    if country and (code := country_code(country)) and code != region:
        return region, code
    return (region,)


def _plain(digits: str, region: str | None) -> tuple[str, ...]:
    """The key of a number that is written in digits alone, if it is valid."""
    try:
        number = e164(digits, region)
    except Unsure:
        return _in_text(digits, region)
    return () if number is None else (SCHEME + number,)


def _in_text(text: str, region: str | None) -> tuple[str, ...]:
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
    keys = [
        f"{key};ext={number.extension}" if number.extension else key
        for number in valid
        for key in (SCHEME + library.format_number(number, library.PhoneNumberFormat.E164),)
    ]
    return tuple(dict.fromkeys(keys))


def written_number(key: str) -> str:
    """Returns a number as it is written to the org: `+4930901820 ext. 12`."""
    number, _, extension = key.removeprefix(SCHEME).partition(";ext=")
    return f"{number} ext. {extension}" if extension else number
