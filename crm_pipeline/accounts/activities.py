"""An account's choices for what its activities say. Plain values."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator

ActivityText = Literal[
    "event",
    "session",
    "minutes",
    "polls",
    "questions",
    "chats",
    "surveys",
    "resources",
    "links",
]
"""A part of an activity's description."""

ACTIVITY_TEXT: tuple[ActivityText, ...] = (
    "event",
    "session",
    "minutes",
    "polls",
    "questions",
    "chats",
)

Activities = Literal["all", "attendance", "none"]
"""The rows of which there are activities: all, attendances and views alone, none."""

CancelledActivity = Literal["keep", "mark", "delete"]
"""The fate of the activity of a registration that is cancelled; mark: its first line says so."""

ON_DEMAND = "Webinar On-Demand View"
"""Subject of the activity of whoever saw the recording."""

AS_IT_IS = "{subject}"

_PLACES = ("{subject}", "{event}", "{session}")


def _known_places(pattern: str) -> str:
    if unknown := set(re.findall(r"\{[^}]*\}?|\}", pattern)).difference(_PLACES):
        raise ValueError(f"{min(unknown)} stands for nothing; these do: {', '.join(_PLACES)}")
    return pattern


SubjectPattern = Annotated[str, AfterValidator(_known_places)]
"""The Subject of activities: text with `{subject}`, `{event}` and `{session}`."""
