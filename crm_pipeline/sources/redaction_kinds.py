"""What redaction finds in what people write, by kind: patterns, and the checks of numbers. Pure."""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from phonenumbers import Leniency, PhoneNumberMatcher

Finder = Callable[[str], Iterator[tuple[int, int]]]
"""Gives where in a text something begins and ends that is to be taken out."""


def _all(pattern: str, check: Callable[[str], bool] | None = None, flags: int = 0) -> Finder:
    compiled = re.compile(pattern, flags)

    def found(text: str) -> Iterator[tuple[int, int]]:
        for each in compiled.finditer(text):
            if check is None or check(each[0]):
                yield each.span()

    return found


def _digits(text: str) -> list[int]:
    return [int(each) for each in text if each.isdigit()]


def _is_card(text: str) -> bool:
    """Returns whether digits are a card's number: the last one checks the others (Luhn)."""
    return 13 <= len(_digits(text)) <= 19 and _checks(text)


def _checks(text: str) -> bool:
    digits = _digits(text)[::-1]
    doubled = [2 * each - 9 * (each > 4) for each in digits[1::2]]
    return sum(digits[::2] + doubled) % 10 == 0


def _cards(text: str) -> Iterator[tuple[int, int]]:
    """Numbers of cards, also where another number stands right before or behind them."""
    for run in _DIGITS.finditer(text):
        groups = [each.span() for each in re.finditer(r"\d+", run[0])]
        after = 0
        for first, (start, _) in enumerate(groups):
            ends = [end for _, end in groups[first:] if _is_card(run[0][start:end])]
            if ends and start >= after:
                after = max(ends)
                yield run.start() + start, run.start() + after


_DIGITS = re.compile(r"\d(?:[ -]?\d){12,}")


def _is_iban(text: str) -> bool:
    """Returns whether it checks as a bank account's number (ISO 13616)."""
    bare = text.replace(" ", "")
    moved = bare[4:] + bare[:4]
    return 15 <= len(bare) <= 34 and int("".join(str(int(each, 36)) for each in moved)) % 97 == 1


def _is_dni(text: str) -> bool:
    """Returns whether the letter of a Spanish id checks its number."""
    number = text[:-1].upper().translate(str.maketrans("XYZ", "012"))
    return "TRWAGMYFPDXBNJZSQVHLCKE"[int(number) % 23] == text[-1].upper()


def _is_nir(text: str) -> bool:
    """Returns whether the key of a French social security number checks it."""
    bare = re.sub(r"\s", "", text).upper().replace("2A", "19").replace("2B", "18")
    return 97 - int(bare[:13]) % 97 == int(bare[13:])


def _is_tax_id(text: str) -> bool:
    """Returns whether the last digit of a German tax id checks the others (ISO 7064)."""
    *digits, last = _digits(text)
    product = 10
    for each in digits:
        product = ((each + product) % 10 or 10) * 2 % 11
    return digits[0] != 0 and (11 - product) % 10 == last


def _phones(text: str) -> Iterator[tuple[int, int]]:
    """Numbers with a country code, and those that are written as people write national ones."""
    if sum(each.isdigit() for each in text) < _FEWEST_DIGITS:
        return
    for match in PhoneNumberMatcher(text, None, Leniency.VALID):
        yield match.start, match.end
    yield from _NATIONAL(text)


_FEWEST_DIGITS = 7
_NATIONAL = _all(
    r"(?<![\w.+-])(?:\(0\d{1,5}\)[ ./-]?\d[\d ./-]{4,}\d|0\d{1,5}[ /-]\d[\d ./-]{3,}\d|0\d{8,12}"
    r"|\(\d{3}\) ?\d{3}[ .-]\d{4}|\d{3}[.-]\d{3}[.-]\d{4})(?![\w.-]?\w)"
)

_NUMBER = r"\d{1,4}(?: ?[a-zA-Z])?\b"

_STREETS = (
    (
        r"\b\d{1,5}[a-zA-Z]?,? (?:[A-Z][\w'-]*\.? ){1,4}(?i:street|st|road|rd|avenue|ave|lane|ln"
        r"|drive|dr|boulevard|blvd|way|court|square)\b\.?"
    ),
    r"\b[A-ZÄÖÜ][\wäöüß-]*?[ -]?(?i:straße|strasse|str\.|weg|platz|allee|gasse|ring|ufer) "
    + _NUMBER,
    (
        r"\b\d{1,4}(?: (?:bis|ter))?,? (?i:rue|avenue|boulevard|place|chemin|impasse|quai|allée) "
        r"(?:d(?:e|u|es) (?:la |l')?|d')?[\w'-]+(?: [A-Z][\w'-]*)*"
    ),
    r"\b(?i:calle|avenida|avda\.|plaza|paseo|via|viale|piazza|corso) (?:[\w'-]+ ){1,4}?" + _NUMBER,
)

_NATIONAL_IDS: tuple[Finder, ...] = (
    # United States, United Kingdom, Spain, France, Germany, Italy, Brazil, Sweden.
    _all(r"\b(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}\b"),
    _all(r"\b[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D]\b"),
    _all(r"\b(?:\d{8}|[XYZxyz]\d{7})[A-Za-z]\b", _is_dni),
    _all(r"\b[12] ?\d{2} ?[01]\d ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}\b", _is_nir),
    _all(r"(?<![\w+])\d{2} ?\d{3} ?\d{3} ?\d{3}\b", _is_tax_id),
    _all(r"\b[A-Z]{6}\d{2}[A-EHLMPRST]\d{2}[A-Z]\d{3}[A-Z]\b", flags=re.IGNORECASE),
    _all(r"\b\d{3}\.\d{3}\.\d{3}-\d{2}\b"),
    _all(r"\b(?:19|20)?\d{2}[01]\d[0-3]\d[-+]\d{4}\b", lambda text: _checks(text[-11:])),
)

_HEALTH = (
    r"\b(?:hiv|aids|cancer|chemotherapy|diabet\w*|pregnan\w*|miscarr\w*|depress(?:ion|ed|ive)"
    r"|diagnos\w*|psychiatr\w*|epilep\w*|krebs\w*|schwanger\w*|zucker(?:krank\w*)|depression\w*"
    r"|diagnose\w*|enceinte|cancer\w*|diabète\w*)\b"
)


def _each(several: tuple[Finder, ...], text: str) -> Iterator[tuple[int, int]]:
    for found in several:
        yield from found(text)


def _behind_links(text: str) -> Iterator[tuple[int, int]]:
    """The query of each link and the part behind its #, with their sign."""
    for link in _LINK.finditer(text):
        signs = [at for sign in "?#" if (at := link[0].find(sign)) >= 0]
        if signs and len(link[0]) > min(signs) + 1:
            yield link.start() + min(signs), link.end()


_LINK = re.compile(r"\b(?:https?://|www\.)[^\s\"'<>]+", re.IGNORECASE)

KINDS: Mapping[str, Finder] = {
    # Of a link all that may be a key: who logs in, the query, the part behind the #.
    "link_secrets": partial(_each, (_all(r"(?<=://)[^\s/@]+(?=@)"), _behind_links)),
    "cards": _cards,
    "bank_accounts": _all(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}\b", _is_iban),
    "national_ids": partial(_each, _NATIONAL_IDS),
    "emails": _all(r"[\w.+%'-]+@[\w-]+(?:\.[\w-]+)+"),
    "phones": _phones,
    "postal_addresses": partial(_each, tuple(map(_all, _STREETS))),
    "health": _all(_HEALTH, flags=re.IGNORECASE),
}
"""What can be named in `redaction`, in the order in which it is sought: what follows from a check,
or says more, first. Everything else that is named is a regular expression."""
