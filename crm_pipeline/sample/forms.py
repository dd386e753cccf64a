"""The forms of registrations: how people came, answers and consent; and what attendees do."""

import json

import numpy as np
import numpy.typing as npt
import pandas as pd

from crm_pipeline.sample.draws import Draws, Ids, Texts
from crm_pipeline.sample.platform import Moments, shipped
from crm_pipeline.sample.vocabulary import (
    BUDGETS,
    CAMPAIGNS,
    CONSENTS,
    DONE,
    MEDIA,
    SEARCH_TERMS,
    UTM_SOURCES,
)

_PURPOSE = "I agree to receive news by e-mail."


def filled_in(draws: Draws, ids: Ids, registered_at: Moments) -> dict[str, Texts]:
    """The columns of registrations that their forms fill; half of them came by a tracked link."""
    tracked = draws.happens(ids, "by a tracked link", 0.5)
    by_link = {
        "utm_source": UTM_SOURCES,
        "utm_medium": MEDIA,
        "utm_campaign": CAMPAIGNS,
        "utm_term": SEARCH_TERMS,
        "utm_content": ("banner", "footer", None),
        "referrer": ("https://news.example/a?b=c", "https://search.example/", None),
        "landing_page": ("https://platform.example/webinars", "https://platform.example/?p=1"),
    }
    columns = {name: _only(draws.pick(ids, name, of), tracked) for name, of in by_link.items()}
    asked = draws.happens(ids, "has questions", 0.6)
    budgets = draws.pick(ids, "budget", BUDGETS)
    sizes = draws.below(ids, "team size", 200)
    answers = [
        json.dumps({"budget": budget, "team_size": int(size)})
        for budget, size in zip(budgets, sizes, strict=True)
    ]
    consent = draws.pick(ids, "consent", CONSENTS)
    said = np.array([word is not None for word in consent], dtype=bool)
    at = np.char.add(np.datetime_as_string(registered_at, unit="s"), "Z").astype(object)
    return {
        **columns,
        "answers": _only(np.array(answers, dtype=object), asked),
        "consent": consent,
        "consent_at": _only(at, said),
        "consent_text": _only(np.full(len(ids), _PURPOSE, dtype=object), said),
    }


def interactions(
    draws: Draws,
    ids: Ids,
    *,
    clients: Texts,
    at: Moments,
    until: np.datetime64,
) -> pd.DataFrame:
    """Questions, surveys, downloads, clicks, ratings and certificates of three in ten attendees."""
    takes_part = draws.happens(ids, "does more", 0.3)
    numbers = np.where(takes_part, 1 + draws.below(ids, "deeds", 4), 0)
    row = np.repeat(np.arange(len(ids)), numbers)
    position = np.arange(len(row)) - np.repeat(np.cumsum(numbers) - numbers, numbers) + 1
    number = ids[row] * 10 + position
    chosen = draws.below(number, "deed", len(DONE))
    done = np.minimum(at[row] + position * 5 * np.timedelta64(1, "m"), until)
    columns = {
        name: np.array([each[place] for each in DONE], dtype=object)[chosen]
        for place, name in enumerate(("kind", "label", "value", "url"))
    }
    return pd.DataFrame(
        {
            "interaction_id": number,
            "client_id": clients[row],
            "attendance_id": ids[row],
            **columns,
            "at": done,
            "shipped_at": shipped(draws, number, "interaction", done, until),
        }
    )


def _only(values: Texts, where: npt.NDArray[np.bool_]) -> Texts:
    kept: Texts = values.copy()
    kept[~where] = None
    return kept
