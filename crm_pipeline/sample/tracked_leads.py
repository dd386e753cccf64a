"""A tracker's leads: numbers in every spelling, callers without a name, junk, repeated calls."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from crm_pipeline.sample.draws import Draws, Ids, Texts
from crm_pipeline.sample.people import UNUSABLE_ADDRESSES, emails
from crm_pipeline.sample.platform import HISTORY, Moments, SamplePlatform, first_ids, shipped

KINDS: Mapping[str, int] = {
    "call": 46,
    "form": 27,
    "chat": 9,
    "text_message": 6,
    "appointment": 5,
    "transaction": 3,
    "email": 2,
    "event": 1,
    "fax": 1,
}
"""How many of a hundred leads are of a kind; what nobody knows is among them."""

SPELLINGS = (
    "0{0} {1}",
    "0{0}/{1}",
    "(0{0}) {1}",
    "+49 {0} {1}",
    "+49 (0){0} {1}",
    "0049{0}{1}",
    "0{0}-{1}",
)
"""Of a German number, by its area and the rest."""

UNUSABLE_NUMBERS = (None, "", "anonymous", "0000000000", "unknown", "555-0100", "n/a")

AREA = "171"
_NAMES = ("Kim Weber", "Okafor, Ada", "  Jo  Lindqvist ", "Madonna", "Dr. Mina Sato", "李 小龍")
_SOURCES = ("google", "bing", "newsletter", "facebook", "(direct)", None)
_MEDIA = ("cpc", "organic", "email", "social", None)
_CAMPAIGNS = ("Spring Sale", "brand", "Näher dran", None)
_KEYWORDS = ("warehouse robots", "how to ship", "cobalt harbour", None)
_PAGES = ("https://www.example.com/", "https://www.example.com/contact?utm=1&x=%20", None)
_MESSAGES = ("Please call back", "How much is it?\nThank you", None)


@dataclass(frozen=True)
class Found:
    """Where leads come from: their clients, and the people of these whom they may be.

    `first` is the first `person_id` of each one's client, and `people` how many it has.
    """

    clients: Texts
    first: Ids
    people: Ids


def tracked_leads(
    draws: Draws, ids: Ids, found: Found, happened: Moments, shipped_at: Moments
) -> pd.DataFrame:
    """Rows of leads; two in five are of somebody who got in touch shortly before."""
    kind = _weighted(draws, ids)
    again = draws.happens(ids, "calls again", 0.4)
    caller = np.maximum(1, ids - again * (1 + draws.below(ids, "who calls again", 3)))
    named = draws.happens(ids, "gives a name", 0.6)
    is_call = np.isin(kind, ("call", "text_message"))
    with_email = draws.happens(ids, "gives an address", 0.92) & ~is_call
    with_email |= draws.happens(ids, "says an address", 0.12) & is_call
    return pd.DataFrame(
        {
            "lead_id": ids,
            "client_id": found.clients,
            "kind": kind,
            "happened_at": happened,
            "is_spam": draws.happens(ids, "is spam", 0.05),
            "is_duplicate": draws.happens(ids, "is a duplicate", 0.04),
            "contact_name": _only(named, draws.pick(ids, "name", _NAMES)),
            "company_name": draws.pick(ids, "company", ("Hafen & Söhne", "Kontor 7", None, "")),
            "email": _only(with_email, _addresses(draws, ids, found, caller)),
            "phone": _numbers(draws, ids, caller),
            "country_code": draws.pick(ids, "country", ("DE", "Germany", "", None)),
            "message": draws.pick(ids, "message", _MESSAGES),
            "duration_seconds": _only(is_call, draws.below(ids, "seconds", 900).astype(object)),
            "source": draws.pick(ids, "source", _SOURCES),
            "medium": draws.pick(ids, "medium", _MEDIA),
            "campaign": draws.pick(ids, "campaign", _CAMPAIGNS),
            "keyword": draws.pick(ids, "keyword", _KEYWORDS),
            "landing_page": draws.pick(ids, "page", _PAGES),
            "gclid": _only(
                draws.happens(ids, "clicked", 0.4),
                "Cj0K" + _texts(draws.below(ids, "click", 10**9)),
            ),
            "shipped_at": shipped_at,
        }
    )


def leads_of_platform(platform: SamplePlatform, ids: Ids) -> pd.DataFrame:
    """The leads with these ids, of the last months."""
    client = np.searchsorted(np.cumsum(numbers_of_leads(platform)), ids)
    ago = (platform.draws.share(ids, "got in touch") * HISTORY).astype("timedelta64[s]")
    happened = platform.until - ago
    found = Found(
        platform.client_ids(client), first_ids(platform.people)[client], platform.people[client]
    )
    at = shipped(platform.draws, ids, "lead", happened, platform.until)
    return tracked_leads(platform.draws, ids, found, happened, at)


def numbers_of_leads(platform: SamplePlatform) -> Ids:
    """Number of tracked leads of each client: one for eight registrations."""
    return np.maximum(1, platform.registrations // 8)


def _only(rows: npt.NDArray[np.bool_], values: Texts) -> Texts:
    """The values in these rows; the others have none."""
    kept = values.copy()
    kept[~rows] = None
    return kept


def _texts(numbers: Ids) -> Texts:
    texts: Texts = numbers.astype(str).astype(object)
    return texts


def _weighted(draws: Draws, ids: Ids) -> Texts:
    bounds = np.cumsum(list(KINDS.values()))
    place = np.searchsorted(bounds, draws.share(ids, "kind of lead") * bounds[-1], side="right")
    kinds: Texts = np.array(list(KINDS), dtype=object)[place]
    return kinds


def _addresses(draws: Draws, ids: Ids, found: Found, caller: Ids) -> Texts:
    """Of somebody who is on the platform, or of the caller; one in thirty is somebody else's."""
    known = found.first + draws.below(caller, "is on the platform", found.people)
    of_platform = emails(draws, known, found.first)
    family = draws.happens(ids, "is of the family", 0.03)
    own = "caller" + _texts(caller) + "@kontor.example"
    own[family] = "family." + own[family]
    chosen: Texts = np.where(draws.happens(caller, "registered", 0.3), of_platform, own)
    none = draws.happens(ids, "types no address", 0.03)
    chosen[none] = draws.pick(ids[none], "which is none", UNUSABLE_ADDRESSES)
    return chosen


def _numbers(draws: Draws, ids: Ids, caller: Ids) -> Texts:
    written = draws.pick(ids, "spelling", SPELLINGS)
    numbers: npt.NDArray[np.object_] = np.array(
        [
            spelling.format(AREA, f"{2_000_000 + number:07}")
            for spelling, number in zip(written, caller.tolist(), strict=True)
        ],
        dtype=object,
    )
    extension = draws.happens(ids, "is behind a switchboard", 0.02)
    numbers[extension] = numbers[extension] + " ext. 12"
    none = draws.happens(ids, "hides the number", 0.06)
    numbers[none] = draws.pick(ids[none], "which number is none", UNUSABLE_NUMBERS)
    return numbers
