"""People as a platform's registration forms leave them: in many scripts, with gaps and slips."""

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
import numpy.typing as npt
import pandas as pd

from crm_pipeline.sample.draws import Draws, Ids, Texts
from crm_pipeline.sample.vocabulary import COMPANIES, JOBS, MAIL_DOMAINS, REGIONS, TITLES, Region

UNUSABLE_ADDRESSES = (None, "", "   ", "n/a", "ask me at the booth", "@", "none@")

_DIGITS = np.array(list("0123456789"), dtype=object)
_BLANKS = (" ", "  ", "\t", "\u00a0")

# Longer than Salesforce takes, by column (Salesforce: Lead and Contact, field lengths).
_TOO_LONG = {
    "first_name": (0.004, 41),
    "surname": (0.004, 81),
    "job_title": (0.01, 129),
    "company_name": (0.006, 256),
    "address_2": (0.006, 256),
    "city": (0.004, 41),
    "county": (0.006, 81),
    "postal_code": (0.006, 21),
    "phone_1": (0.005, 41),
}

# Left empty, by column: how often.
_MISSING = {
    "first_name": 0.02,
    "surname": 0.04,
    "title": 0.5,
    "job_title": 0.2,
    "company_name": 0.09,
    "address_1": 0.3,
    "address_2": 0.8,
    "address_3": 0.93,
    "city": 0.25,
    "county": 0.45,
    "postal_code": 0.3,
    "country_code": 0.03,
    "phone_1": 0.25,
}


def people(draws: Draws, ids: Ids, first_ids: Ids, clients: Texts) -> pd.DataFrame:
    """People without their time of shipping.

    Args:
        draws: what chooses.
        ids: their `person_id`.
        first_ids: the first `person_id` of each one's client; a person who is there twice
            shares the address of the one before, in other letters.
        clients: their `client_id`.
    """
    region = _regions(draws, ids)
    place = draws.share(ids, "place")
    frame = pd.DataFrame(
        {
            "person_id": ids,
            "client_id": clients,
            "email": emails(draws, ids, first_ids),
            "first_name": _first_names(draws, ids, region, written=True),
            "surname": _surnames(draws, ids, region, written=True),
            "title": draws.pick(ids, "title", TITLES),
            "job_title": draws.pick(ids, "job", JOBS),
            "company_name": _companies(draws, ids, region),
            "address_1": _digits(draws, ids, "street", _of_region("streets", region, place)),
            "address_2": _digits(draws, ids, "floor", np.full(len(ids), "Floor #", dtype=object)),
            "address_3": draws.pick(ids, "door", ("c/o Reception", "Building C", "※ 裏口")),
            "city": _of_region("cities", region, place),
            "county": _of_region("counties", region, place),
            "postal_code": _digits(draws, ids, "code", _of_region("codes", region, place)),
            "country_code": _of_region("country codes", region, place),
            "phone_1": _digits(draws, ids, "phone", _of_region("phones", region, place)),
        }
    )
    for column, (probability, length) in _TOO_LONG.items():
        rows = draws.happens(ids, f"long {column}", probability)
        frame.loc[rows, column] = [_stretched(text, length) for text in frame.loc[rows, column]]
    for column, probability in _MISSING.items():
        rows = draws.happens(ids, f"missing {column}", probability)
        frame.loc[rows, column] = draws.pick(ids[rows], f"how {column} is missing", (None, "", " "))
    return frame


def emails(draws: Draws, ids: Ids, first_ids: Ids) -> Texts:
    """Addresses as they were typed: capitals, stray blanks, and some that are none."""
    twice = draws.happens(ids, "is there twice", 0.02) & (ids > first_ids)
    owner = np.where(twice, ids - 1, ids)
    region = _regions(draws, owner)
    plain: Texts = (
        _first_names(draws, owner, region, written=False)
        + "."
        + _surnames(draws, owner, region, written=False)
        + owner.astype(str).astype(object)
        + "@"
        + draws.pick(owner, "domain", MAIL_DOMAINS)
    )
    typed = draws.share(ids, "typing")
    _change(plain, typed < 0.05, str.upper)
    _change(plain, (typed >= 0.05) & (typed < 0.14), str.title)
    before = draws.happens(ids, "blank before", 0.03)
    plain[before] = draws.pick(ids[before], "which before", _BLANKS) + plain[before]
    after = draws.happens(ids, "blank after", 0.04)
    plain[after] = plain[after] + draws.pick(ids[after], "which after", _BLANKS)
    unusable = draws.happens(ids, "no address", 0.008)
    plain[unusable] = draws.pick(ids[unusable], "which none", UNUSABLE_ADDRESSES)
    return plain


def _change(texts: Texts, rows: npt.NDArray[np.bool_], how: Callable[[str], str]) -> None:
    texts[rows] = [how(text) for text in texts[rows]]


def _stretched(text: str, length: int) -> str:
    return (f"{text} / " * (length // (len(text) + 3) + 1))[: length + 20].strip()


def _regions(draws: Draws, ids: Ids) -> Ids:
    bounds = np.cumsum([region.weight for region in REGIONS])
    region: Ids = np.searchsorted(bounds, draws.share(ids, "region") * bounds[-1], side="right")
    return region


_WORDS: dict[str, Callable[[Region], Sequence[str]]] = {
    "first names": lambda region: [name for name, _ in region.first_names],
    "first handles": lambda region: [handle for _, handle in region.first_names],
    "surnames": lambda region: [name for name, _ in region.surnames],
    "surname handles": lambda region: [handle for _, handle in region.surnames],
    "streets": lambda region: region.streets,
    "cities": lambda region: [city for city, _, _ in region.places],
    "counties": lambda region: [county for _, county, _ in region.places],
    "codes": lambda region: [code for _, _, code in region.places],
    "country codes": lambda region: [region.country_code],
    "phones": lambda region: [region.phone],
    "company endings": lambda region: region.company_endings,
}


@cache
def _flat(kind: str) -> tuple[Texts, Ids, Ids]:
    """All regions' words of a kind behind each other, with each region's start and number."""
    by_region = [_WORDS[kind](region) for region in REGIONS]
    sizes = np.array([len(words) for words in by_region], dtype=np.int64)
    words = np.array([word for words in by_region for word in words], dtype=object)
    return words, np.cumsum(sizes) - sizes, sizes


def _of_region(kind: str, region: Ids, share: npt.NDArray[np.float64]) -> Texts:
    words, starts, sizes = _flat(kind)
    return words[starts[region] + (share * sizes[region]).astype(np.int64)]


def _first_names(draws: Draws, ids: Ids, region: Ids, *, written: bool) -> Texts:
    kind = "first names" if written else "first handles"
    return _of_region(kind, region, draws.share(ids, "first name"))


def _surnames(draws: Draws, ids: Ids, region: Ids, *, written: bool) -> Texts:
    kind = "surnames" if written else "surname handles"
    return _of_region(kind, region, draws.share(ids, "surname"))


def _companies(draws: Draws, ids: Ids, region: Ids) -> Texts:
    endings = _of_region("company endings", region, draws.share(ids, "company ending"))
    names: Texts = draws.pick(ids, "company", COMPANIES) + " " + endings
    return names


def _digits(draws: Draws, ids: Ids, purpose: str, templates: Texts) -> Texts:
    """The templates with a digit for each `#`."""
    filled = np.empty(len(ids), dtype=object)
    codes, kinds = pd.factorize(templates)
    for code, template in enumerate(kinds):
        rows = codes == code
        parts = str(template).split("#")
        texts = np.full(int(rows.sum()), parts[0], dtype=object)
        for position, part in enumerate(parts[1:]):
            digit = draws.below(ids[rows], f"{purpose} {position}", 10)
            texts = texts + _DIGITS[digit] + part
        filled[rows] = texts
    return filled
