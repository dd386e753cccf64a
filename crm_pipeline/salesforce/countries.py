"""Countries and their states by whatever people call them: codes and names of ISO 3166.

The names are those that pycountry keeps (the iso-codes of Debian), in English and some languages.
"""

import gettext
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
    "of": "",
    "the": "",
}

_ALSO_CALLED = {
    "AE": ("UAE", "Emirates"),
    "AT": ("Oesterreich",),
    "BA": ("Bosnia",),
    "BN": ("Brunei",),
    "BY": ("Biélorussie", "Bielorrússia"),
    "BQ": ("Caribbean Netherlands",),
    "CD": ("DRC", "DR Congo", "Congo-Kinshasa", "Kongo-Kinshasa", "Zaire"),
    "CG": ("Congo-Brazzaville", "Kongo-Brazzaville", "Republic of the Congo"),
    "CH": ("SUI",),
    "CI": ("Ivory Coast",),
    "CN": ("PRC", "PR China", "Mainland China"),
    "CV": ("Cape Verde",),
    "CZ": ("Czech Republic",),
    "DE": ("GER", "BRD", "FRG", "FR Germany"),
    "DK": ("DEN",),
    "FK": ("Falkland Islands", "Islas Malvinas", "Malvinas"),
    "FO": ("Faeroe Islands", "Faeroes"),
    "GB": (
        *("Großbritannien", "Grande-Bretagne", "Gran Bretaña", "Gran Bretagna", "Groot-Brittannië"),
        *("UK", "Great Britain", "Gt Britain", "Britain", "United Kingdom of Great Britain"),
        *("England", "Scotland", "Wales", "Northern Ireland", "N Ireland"),
        *("ENG", "SCT", "WLS", "NIR"),
    ),
    "GR": ("GRE", "EL"),
    "HK": ("Hong Kong SAR", "Hong Kong SAR China", "Hong Kong, China"),
    "HR": ("CRO",),
    "IN": ("Bharat",),
    "IE": ("Republic of Ireland", "Eire", "Éire"),
    "KP": ("North Korea", "N Korea", "Democratic Republic of Korea", "DPRK"),
    "KN": ("St Kitts",),
    "KR": ("South Korea", "S Korea", "Republic of Korea", "Korea", "ROK", "한국"),
    "LA": ("Laos", "Lao PDR"),
    "MK": ("Macedonia", "FYROM", "FYR Macedonia", "Former Yugoslav Republic of Macedonia"),
    "MM": ("Burma",),
    "MO": ("Macau", "Macao SAR", "Macau SAR", "Macao SAR China", "Macau SAR China"),
    "NL": ("Holland", "NED"),
    "PN": ("Pitcairn Islands",),
    "PS": ("Palestine", "Palestinian Territories", "Occupied Palestinian Territory"),
    "PT": ("POR",),
    "RE": ("La Réunion", "Reunion Island"),
    "RU": (
        *("Russia", "Россия", "Russland", "Russie", "Rusia", "Rússia", "Rosja", "Ryssland"),
        *("Rusland", "Rusko", "Venäjä", "Oroszország"),
    ),
    "SA": ("KSA",),
    "ST": ("Sao Tome",),
    "SX": ("St Maarten",),
    "SY": ("Syria",),
    "SZ": ("Swaziland",),
    "TH": ("ประเทศไทย",),
    "TF": ("French Southern and Antarctic Lands",),
    "TL": ("East Timor",),
    "TR": ("Turkey",),
    "TT": ("Trinidad",),
    "TW": ("Taiwan ROC", "Chinese Taipei"),
    "UM": ("US Outlying Islands", "US Minor Outlying Islands"),
    "US": (
        *("America", "United States of America", "U.S.", "U.S.A.", "US of A", "The States"),
        *("EEUU", "EE UU", "Vereinigte Staaten von Amerika", "États-Unis d'Amérique"),
    ),
    "VA": ("Vatican", "Vatican City", "Vatican City State"),
    "VG": ("British Virgin Islands", "BVI"),
    "VI": ("US Virgin Islands", "United States Virgin Islands", "USVI"),
    "XK": ("Kosovo", "Republic of Kosovo", "XKX"),
    "ZA": ("RSA", "S Africa"),
}
"""Usual names and codes that ISO 3166 does not have; XK is what Salesforce and others use."""


_LANGUAGES = (
    *("da", "de", "el", "es", "fi", "fr", "hu", "it", "nb", "nl", "pl", "pt", "ro", "ru", "sv"),
    *("ar", "cs", "he", "ja", "ko", "tr", "uk", "zh_CN", "zh_TW"),
    *("bg", "ca", "et", "fa", "hi", "hr", "id", "lt", "lv", "ms", "sk", "sl", "sr", "th", "vi"),
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
    plain = "".join(_WRITTEN_OUT.get(word, word) for word in words) or "".join(words)
    if len(plain) > _CODE_CHARS or not plain.isascii():
        return plain
    # What looks like a code now was none where it had accents ("Áo" is Austria), or says nothing.
    compact = unicodedata.normalize("NFKC", text)
    if _NOT_APPLICABLE.fullmatch(compact.strip()):
        return ""
    return plain if compact.isascii() else text.strip().casefold()


_CODE_CHARS = 3
_NOT_APPLICABLE = re.compile(r"n\s?[./]\s?a\.?|n a", re.IGNORECASE)
_WITHIN_WORDS = frozenset(".'`´ʹʻʼʽˈ‘’‛′")


def _blank_or_letter(character: str) -> str:
    return character if character.isalnum() else " "


@lru_cache(maxsize=8_192)
def country_code(text: str) -> str | None:
    """The code of two letters of a country, by any of its codes and names in any language."""
    return _named(_countries(), text)


def subdivision_code(country: str, text: str) -> str | None:
    """The code of a state or province within its country (TX), by name or code (US-TX)."""
    return _named(_subdivisions(country), text)


_BETWEEN_NAMES = tuple(
    map(re.compile, (r"\s[\-\u2013\u2014]\s", r"\((?=[^()]*\)\s*$)", r"[/;:()\[\]|]", ",", "-"))
)
"""What stands between two names of one thing, what parts them most first."""


def _named(
    known: Mapping[str, str], text: str, between: Sequence[re.Pattern[str]] = _BETWEEN_NAMES
) -> str | None:
    """The code of what a text names.

    It may name it the other way round ("Korea, South"), or more than once ("Germany (DE)").
    """
    if found := known.get(plain_name(text)):
        return found
    if not between:
        return None
    names = [name for name in between[0].split(text) if name.strip()]
    if len(names) == 2 and (found := known.get(plain_name(f"{names[1]} {names[0]}"))):
        return found
    meant = {_named(known, name, between[1:]) for name in names}
    return meant.pop() if len(meant) == 1 else None


@cache
def _countries() -> dict[str, str]:
    """Codes by plain name; a name that means two countries of one kind of names is left out."""
    countries: list[Any] = list(pycountry.countries)
    codes = [
        (country.alpha_2, code)
        for country in countries
        # A column of numbers keeps no zeros in front: 36 is Australia.
        for code in (
            *(country.alpha_2, country.alpha_3),
            *(country.numeric, country.numeric.lstrip("0")),
        )
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
