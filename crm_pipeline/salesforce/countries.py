"""Countries and their states by whatever people call them: codes and names of ISO 3166.

The names are those that pycountry keeps (the iso-codes of Debian), in English and some languages.
"""

import gettext
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from typing import Any

import pycountry

_WRITTEN_OUT = {
    "st": "saint",
    "ste": "sainte",
    "is": "islands",
    "rep": "republic",
    "fed": "federated",
    "dem": "democratic",
    "and": "",
    "the": "",
}

_ALSO_CALLED = {
    "AE": ("UAE", "Emirates"),
    "BN": ("Brunei",),
    "BQ": ("Caribbean Netherlands",),
    "CD": ("DRC", "DR Congo", "Congo-Kinshasa", "Congo (Kinshasa)", "Zaire"),
    "CG": ("Congo-Brazzaville", "Congo (Brazzaville)", "Republic of the Congo"),
    "CH": ("SUI",),
    "CI": ("Ivory Coast",),
    "CN": ("PRC", "Mainland China"),
    "CV": ("Cape Verde",),
    "CZ": ("Czech Republic",),
    "DE": ("GER",),
    "DK": ("DEN",),
    "FK": ("Falkland Islands",),
    "GB": ("UK", "Great Britain", "Britain", "England", "Scotland", "Wales", "Northern Ireland"),
    "GR": ("GRE",),
    "HR": ("CRO",),
    "IE": ("Republic of Ireland", "Eire", "Éire"),
    "KP": ("North Korea", "DPRK"),
    "KR": ("South Korea", "Republic of Korea", "Korea"),
    "LA": ("Laos",),
    "MK": ("Macedonia", "FYROM"),
    "MM": ("Burma",),
    "MO": ("Macau",),
    "NL": ("Holland", "NED"),
    "PS": ("Palestine",),
    "PT": ("POR",),
    "RU": ("Russia",),
    "SA": ("KSA",),
    "SY": ("Syria",),
    "SZ": ("Swaziland",),
    "TL": ("East Timor",),
    "TR": ("Turkey",),
    "US": ("America", "United States of America", "U.S.", "U.S.A."),
    "VA": ("Vatican", "Vatican City"),
    "VG": ("British Virgin Islands",),
    "VI": ("US Virgin Islands", "United States Virgin Islands"),
    "XK": ("Kosovo", "Republic of Kosovo", "XKX"),
    "ZA": ("RSA",),
}
"""Usual names and codes that ISO 3166 does not have; XK is what Salesforce and others use."""


_LANGUAGES = (
    *("da", "de", "el", "es", "fi", "fr", "hu", "it", "nb", "nl", "pl", "pt", "ro", "ru", "sv"),
    *("ar", "cs", "he", "ja", "ko", "tr", "uk", "zh_CN", "zh_TW"),
)
"""In which names are known too. All 160 would take some seconds to read."""


@lru_cache(maxsize=32_768)
def plain_name(text: str) -> str:
    """A name without what people write differently: case, accents, blanks, marks, short forms."""
    decomposed = unicodedata.normalize("NFKD", text.casefold().replace("&", " and "))
    letters = (
        "" if unicodedata.combining(each) or each in _WITHIN_WORDS else _blank_or_letter(each)
        for each in decomposed
    )
    words = "".join(letters).split()
    # Of "AND", the code of Andorra, nothing would be left.
    return "".join(_WRITTEN_OUT.get(word, word) for word in words) or "".join(words)


_WITHIN_WORDS = frozenset(".'`´ʹʻʼʽˈ‘’‛′")


def _blank_or_letter(character: str) -> str:
    return character if character.isalnum() else " "


@lru_cache(maxsize=8_192)
def country_code(text: str) -> str | None:
    """The code of two letters of a country, by any of its codes and names in any language."""
    return _countries().get(plain_name(text))


def subdivision_code(country: str, text: str) -> str | None:
    """The code of a state or province within its country (TX), by name or code (US-TX)."""
    return _subdivisions(country).get(plain_name(text))


@cache
def _countries() -> dict[str, str]:
    """Codes by plain name; a name that means two countries of one kind of names is left out."""
    countries: list[Any] = list(pycountry.countries)
    codes = [
        (country.alpha_2, code)
        for country in countries
        for code in (country.alpha_2, country.alpha_3, country.numeric)
    ]
    also = [(code, name) for code, names in _ALSO_CALLED.items() for name in ("", code, *names)]
    names = [(country.alpha_2, country.name) for country in countries]
    longer = [
        (country.alpha_2, form)
        for country in countries
        for field in ("name", "official_name", "common_name")
        for form in _forms(getattr(country, field, ""))
    ]
    found: dict[str, str] = {}
    for kind in (codes, names, also, longer, _translated(countries)):
        told: dict[str, set[str]] = {}
        for code, name in kind:
            if plain := plain_name(name):
                told.setdefault(plain, set()).add(code)
        for plain, meant in told.items():
            if len(meant) == 1:
                found.setdefault(plain, *meant)
    return found


def _forms(name: str) -> Iterator[str]:
    """A name as it is, the other way round ("Tanzania, United Republic of"), and its main part."""
    yield name
    main, comma, rest = name.partition(", ")
    if comma:
        yield f"{rest} {main}"
        yield main
    yield name.partition(" (")[0]


def _translated(countries: Iterable[Any]) -> Iterator[tuple[str, str]]:
    for language in _LANGUAGES:
        names = gettext.translation("iso3166-1", pycountry.LOCALES_DIR, [language], fallback=True)
        for country in countries:
            for field in ("name", "common_name"):
                if name := getattr(country, field, None):
                    yield country.alpha_2, names.gettext(name)


@cache
def _subdivisions(country: str) -> dict[str, str]:
    found: dict[str, str] = {}
    subdivisions: Iterable[Any] = pycountry.subdivisions
    for each in (each for each in subdivisions if each.country_code == country):
        code = each.code.partition("-")[2]
        for name in (code, each.code, *_forms(each.name)):
            found.setdefault(plain_name(name), code)
    return found
