"""Prospects of a tracking product: without an address, two with one, merged chains, many pages."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from crm_pipeline.sample.draws import Draws, Ids, Texts
from crm_pipeline.sample.people import UNUSABLE_ADDRESSES, emails
from crm_pipeline.sample.platform import HISTORY, Moments, SamplePlatform, first_ids, shipped
from crm_pipeline.sample.traffic import Tables

TAGS = ("Pricing", "Webinar", "Newsletter", "Trial", "Partner", 'Grüße, "Kunde"')
WITHDRAWN_TAG = "t7"
"""Prospects have it, and it is not defined any more."""

SCORES = (("Fit", "grade"), ("Interest", "number"), ("Reach", "number"))
GRADES = ("A", "B", "C", "D", None)
MANY_PAGES = 200
"""Pages of the first prospect of each client; others have up to six."""

_DEFINED_AGO = np.timedelta64(60, "D").astype("timedelta64[s]")
_TITLES = ("Prices", "Our blog – näher dran", None, "x" * 300)
_PATHS = ("", "pricing", "demo?ref=a&b=%20", "blog/näher-dran", "contact")
_KINDS = ("page visit", "page visit", "page visit", "form submit", "custom event")


def numbers_of_prospects(platform: SamplePlatform) -> Ids:
    """Number of prospects of each client: one for six registrations."""
    return np.maximum(2, platform.registrations // 6)


def definitions_of_platform(platform: SamplePlatform) -> Tables:
    """The tags and scores that each client has defined."""
    tags = [
        (client, f"t{number}", name, "Interest" if number % 2 else None)
        for client in platform.clients
        for number, name in enumerate(TAGS, start=1)
    ]
    scores = [
        (client, f"s{number}", name, kind)
        for client in platform.clients
        for number, (name, kind) in enumerate(SCORES, start=1)
    ]
    shipped_at = platform.until - _DEFINED_AGO
    return {
        "tag_definition": pd.DataFrame(
            tags, columns=["client_id", "tag_id", "name", "category"]
        ).assign(shipped_at=shipped_at),
        "score_definition": pd.DataFrame(
            scores, columns=["client_id", "score_id", "name", "kind"]
        ).assign(shipped_at=shipped_at),
    }


def prospects_of_platform(platform: SamplePlatform, ids: Ids) -> Iterator[Tables]:
    """The prospects with these ids, with their tags, scores and pages."""
    draws, until = platform.draws, platform.until
    client = np.searchsorted(np.cumsum(numbers_of_prospects(platform)), ids)
    clients = platform.client_ids(client)
    is_first = ids == first_ids(numbers_of_prospects(platform))[client]
    ago = (draws.share(ids, "first seen") * HISTORY).astype("timedelta64[s]")
    first_visit = until - ago
    last_visit = until - (ago * draws.share(ids, "last seen")).astype("timedelta64[s]")
    at = shipped(draws, ids, "prospect", last_visit, until)
    merged = draws.happens(ids, "was merged", 0.06) & ~is_first
    life_cycle = draws.pick(ids, "spelt", ("Active", "active"))
    life_cycle[draws.happens(ids, "was deleted", 0.04)] = "Deleted"
    life_cycle[merged] = "Merged"
    into = _texts("p", ids - 1)
    into[~merged] = None
    names = _texts("p", ids)
    rows = pd.DataFrame(
        {
            "client_id": clients,
            "prospect_id": names,
            "email": _addresses(platform, ids, client),
            "first_name": draws.pick(ids, "first name", ("Kim", "Ada", " Jo ", "李", None)),
            "last_name": draws.pick(ids, "last name", ("Weber", "O'Neill", "小龍", "", None)),
            "company": draws.pick(ids, "company", ("Hafen & Söhne", "Kontor 7", None)),
            "favorite": draws.pick(ids, "favorite", (True, False, False, None)),
            "temperature": _sometimes(draws, ids, "temperature", 101, 0.9),
            "predictive_score": _sometimes(draws, ids, "predictive score", 101, 0.5),
            "first_visit": first_visit,
            "last_visit": last_visit,
            "visits": 1 + draws.below(ids, "visits", 40),
            "life_cycle": life_cycle,
            "merged_into": into,
            "shipped_at": at,
        }
    )
    yield {"prospect": rows}
    yield {"prospect_tag": _tags(draws, ids, clients, first_visit, at)}
    yield {"prospect_score": _scores(draws, ids, clients, at)}
    pages = np.where(is_first, MANY_PAGES, draws.below(ids, "pages", 7))
    yield {"prospect_page": _pages(draws, rows, ids, pages)}


def _addresses(platform: SamplePlatform, ids: Ids, client: Ids) -> Texts:
    """Of somebody on the platform; one in twelve has none, one in thirty that of the one before."""
    draws = platform.draws
    shares = draws.happens(ids, "has the address of another", 0.03)
    owner = np.where(shares, ids - 1, ids)
    first = first_ids(platform.people)[client]
    person = first + draws.below(owner, "which person it is", platform.people[client])
    found = emails(draws, person, first)
    none = draws.happens(ids, "is not known by address", 0.08)
    found[none] = draws.pick(ids[none], "which is none", UNUSABLE_ADDRESSES)
    return found


def _tags(
    draws: Draws, ids: Ids, clients: Texts, since: Moments, shipped_at: Moments
) -> pd.DataFrame:
    has = [draws.happens(ids, f"has tag {number}", 0.3) for number in range(1, len(TAGS) + 1)]
    has.append(draws.happens(ids, "has the withdrawn tag", 0.05))
    frames = [
        pd.DataFrame(
            {
                "client_id": clients[mask],
                "prospect_id": _texts("p", ids[mask]),
                "tag_id": f"t{number}",
                "since": since[mask],
                "times": 1 + draws.below(ids[mask], f"times of {number}", 9),
                "shipped_at": shipped_at[mask],
            }
        )
        for number, mask in enumerate(has, start=1)
    ]
    return pd.concat(frames, ignore_index=True)


def _scores(draws: Draws, ids: Ids, clients: Texts, shipped_at: Moments) -> pd.DataFrame:
    frames = []
    for number, (_, kind) in enumerate(SCORES, start=1):
        # Few have the last one: when it is withdrawn, no more is deleted than a cycle may.
        share = 0.2 if number == len(SCORES) else 0.7
        mask = draws.happens(ids, f"has score {number}", share)
        some = ids[mask]
        graded = kind == "grade"
        grades = draws.pick(some, f"grade of {number}", GRADES) if graded else None
        values = draws.below(some, f"value of {number}", 10_001) / 100
        frames.append(
            pd.DataFrame(
                {
                    "client_id": clients[mask],
                    "prospect_id": _texts("p", some),
                    "score_id": f"s{number}",
                    "value": None if graded else values,
                    "grade": grades,
                    "shipped_at": shipped_at[mask],
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def _pages(draws: Draws, prospects: pd.DataFrame, ids: Ids, number: Ids) -> pd.DataFrame:
    """So many pages of each of these prospects."""
    place = np.repeat(np.arange(len(ids)), number)
    within = np.concatenate([np.arange(each) for each in number]) if len(place) else place
    page = ids[place] * 1_000 + within
    since = prospects["first_visit"].to_numpy()[place]
    shipped_at = prospects["shipped_at"].to_numpy()[place]
    minutes = draws.below(page, "minutes later", 60 * 24 * 7) * np.timedelta64(1, "m")
    path = draws.pick(page, "path", _PATHS)
    return pd.DataFrame(
        {
            "client_id": prospects["client_id"].to_numpy()[place],
            "page_id": _texts("v", page),
            "prospect_id": _texts("p", ids[place]),
            "kind": draws.pick(page, "kind of page", _KINDS),
            "url": "https://www.example.com/" + path,
            "title": draws.pick(page, "title", _TITLES),
            "referrer": draws.pick(page, "referrer", ("https://search.example/?q=a", None)),
            "seconds": draws.below(page, "seconds", 600),
            "visited_at": np.minimum(since + minutes, shipped_at),
            "shipped_at": shipped_at,
        }
    )


def _sometimes(draws: Draws, ids: Ids, what: str, limit: int, probability: float) -> Texts:
    values: Texts = draws.below(ids, what, limit).astype(object)
    values[~draws.happens(ids, f"has a {what}", probability)] = None
    return values


def _texts(prefix: str, numbers: Ids) -> Texts:
    return np.array([f"{prefix}{each}" for each in numbers.tolist()], dtype=object)
