"""Stages: how far a participant came, and the account's words for that. Plain, frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from unicodedata import category, normalize

Stage = Literal[
    "invited",
    "pending",
    "waitlisted",
    "declined",
    "registered",
    "cancelled",
    "substituted",
    "no_show",
    "attended_on_demand",
    "attended",
    "follow_up_requested",
]
"""How far a participant came, as the warehouse says it."""

UnknownStage = Literal["report", "registered"]
"""The fate of a status word that nobody has explained."""

STAGES_OF_PEOPLE: tuple[Stage, ...] = (
    "registered",
    "cancelled",
    "substituted",
    "no_show",
    "attended_on_demand",
    "attended",
)
"""Stages of those who registered or were there; the others asked for it, or were asked."""

WORDS: Mapping[str, Stage] = {
    "": "registered",
    "registered": "registered",
    "confirmed": "registered",
    "approved": "registered",
    "accepted": "registered",
    "cancelled": "cancelled",
    "canceled": "cancelled",
    "substituted": "substituted",
    "replaced": "substituted",
    "no show": "no_show",
    "attended": "attended",
    "attended on demand": "attended_on_demand",
    "invited": "invited",
    "pending": "pending",
    "pending approval": "pending",
    "waitlisted": "waitlisted",
    "waitlist": "waitlisted",
    "wait listed": "waitlisted",
    "on waitlist": "waitlisted",
    "declined": "declined",
    "denied": "declined",
    "rejected": "declined",
}
"""Status words of registrations; an account adds its own (`stage_of`)."""

WORD_CHARS = 40
"""Of a status word; what is longer in the warehouse goes by its beginning."""


def plain(word: object) -> str:
    """A status word without what people write differently: case, blanks, dashes, underscores.

    Nor what nobody sees: letters of another width, accents put together, marks without width.
    """
    text = "" if word is None else str(word)
    if not text.isascii():
        seen = (each for each in normalize("NFKC", text) if category(each) != "Cf")
        text = "".join("-" if category(each) == "Pd" else each for each in seen)
    return " ".join(text.casefold().replace("_", " ").replace("-", " ").split())


def status_word(word: object) -> str:
    """A registration's status as it is compared, told and kept."""
    return plain(word)[:WORD_CHARS].rstrip()


@dataclass(frozen=True, slots=True)
class Words:
    """The meaning of an account's status words.

    Attributes:
        stage_of: the account's own words, and the stage of each.
        unknown_stage: the fate of a word that nobody has explained.
        least_minutes: who was at a session for less has not attended it.
        early_visits_count: whether minutes before the planned start of a session count.
    """

    stage_of: Mapping[str, Stage] = field(default_factory=dict)
    unknown_stage: UnknownStage = "report"
    least_minutes: int = 1
    early_visits_count: bool = False
    _known: dict[str, Stage | None] = field(default_factory=dict, compare=False, repr=False)
    """Of each word as it stands in the warehouse: there are few."""

    def stage(self, word: object) -> Stage | None:
        """The stage that a registration's status says; None: nobody has said what it means."""
        said = word if type(word) is str else status_word(word)
        if said not in self._known:
            chosen = {status_word(each): stage for each, stage in self.stage_of.items()}
            known = chosen.get(status_word(said)) or WORDS.get(status_word(said))
            if known is None and self.unknown_stage == "registered":
                known = "registered"
            self._known[said] = known
        return self._known[said]
