"""The key of a campaign says what it is about: an event (`4711`), a session, or a series.

`session:12` is a session, `series:tuesdays` a series of events: its name in small letters.
"""

import re
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

SESSION, SERIES = "session:", "series:"

SERIES_CHARS = 90
"""Of a series' name in its key; a longer one is named by its digest."""

_NUMBER = re.compile(r"-?\d{1,19}")


def of_session(session: int) -> str:
    """Returns the key of a session's campaign."""
    return f"{SESSION}{session}"


def of_series(name: str) -> str:
    """Returns the key of a series' campaign; case and blanks do not matter."""
    plain = " ".join(name.casefold().split())
    if len(plain) > SERIES_CHARS or not plain.isprintable():
        plain = blake2b(plain.encode(errors="backslashreplace"), digest_size=16).hexdigest()
    return f"{SERIES}{plain}"


def session_of(key: str) -> int | None:
    """Returns the session that a campaign is about; None where it is none's."""
    return int(key.removeprefix(SESSION)) if key.startswith(SESSION) else None


def called(key: str) -> str:
    """Returns a key as people read it: `event 4711`, `session 12`, `series tuesdays`."""
    return key.replace(":", " ", 1) if ":" in key else f"event {key}"


def key_of(intent: Mapping[str, Any]) -> str:
    """Returns the key of the campaign that an intent is, or is a membership in."""
    return str(intent.get("campaign_key", intent["event_id"]))


def typed(text: str) -> str:
    """Returns the key that somebody typed.

    Raises:
        ValueError: it is none.
    """
    kind, colon, about = text.strip().partition(":")
    if colon and kind.strip().casefold() == SERIES[:-1] and about.strip():
        return of_series(about)
    number = about.strip() if colon and kind.strip().casefold() == SESSION[:-1] else text.strip()
    if not (_NUMBER.fullmatch(number) and -(2**63) <= int(number) < 2**63):
        raise ValueError(
            f"{text!r} is neither an event's id, such as 4711, nor session:12, nor series:Tuesdays"
        )
    return of_session(int(number)) if colon else str(int(number))
