"""Stages: one for each session of a person's event, and one out of them. Pure (spec 2).

Each row of the source says one thing of one session, and what it says last counts. So the stages
are the same in whatever order, however often and in however many parts the rows are read.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from crm_pipeline.accounts.stages import Stage, Words, status_word
from crm_pipeline.ledger.campaigns import Said
from crm_pipeline.sources.minutes import minutes_together
from crm_pipeline.sources.participations import Participation
from crm_pipeline.sources.stages import is_too_short, visit, why_absent, word_of

ORDER: tuple[Stage, ...] = (
    "follow_up_requested",
    "attended",
    "attended_on_demand",
    "registered",
    "no_show",
    "pending",
    "waitlisted",
    "invited",
    "cancelled",
    "substituted",
    "declined",
)
"""Of several sessions' stages the first of these is the event's: whoever is to come to one of them
is Registered, and Cancelled is who cancelled them all."""

_MADE_BY: tuple[Stage, ...] = ("follow_up_requested", "attended", "attended_on_demand")
"""Stages that stay, whatever a registration says, until the source takes the attendance back."""


_ENDED: tuple[Stage, ...] = ("cancelled", "declined", "no_show", "substituted")
"""Stages that a new registration lifts."""

_COMES: tuple[Stage, ...] = ("registered", "attended", "attended_on_demand")
"""Stages of those of whom a wish to be spoken to says more."""


class Word(NamedTuple):
    """The statement of one row: which session, which stage, and when that was (UTC, ISO)."""

    session: int
    stage: Stage
    at: str


class Absent(NamedTuple):
    """A visit that is no attendance: to which session, why not, and when it was (UTC, ISO)."""

    session: int
    why: str
    at: str


@dataclass(frozen=True, slots=True)
class Told:
    """The statements of all rows of a person and an event.

    Attributes:
        words: by row: `r4711` is a registration, `a99` an attendance.
        unknown: status words that nobody has explained, by row.
        before: a stage that was reached before rows were remembered, and is not among theirs yet.
        brief: the minutes of attendances that are none by themselves, as they are so few.
        early: how many minutes before those of `brief` somebody was there already, which do not
            count.
        absent: attendances that are none, and why.
    """

    words: Mapping[str, Word]
    unknown: Mapping[str, str]
    before: Stage | None = None
    brief: Mapping[str, float] = field(default_factory=dict)
    early: Mapping[str, float] = field(default_factory=dict)
    absent: Mapping[str, Absent] = field(default_factory=dict)

    def of_sessions(
        self,
        over: Collection[int] = (),
        *,
        with_recordings: bool = True,
        least_minutes: int = 1,
        reregistration: bool = True,
    ) -> dict[int, Stage]:
        """The stage of each session.

        Args:
            over: as in `stages_of_sessions`.
            with_recordings: whether views of recordings count; else it is as if there were none.
            least_minutes: whoever was at a session for less has not attended it.
            reregistration: whether a later registration lifts what ended an earlier one.
        """
        none = self.too_brief(least_minutes)
        words = {
            row: word
            for row, word in self.words.items()
            if (with_recordings or word.stage != "attended_on_demand") and row not in none
        }
        if not reregistration:
            ended = {word.session for word in words.values() if word.stage in _ENDED}
            words = {
                row: word
                for row, word in words.items()
                if word.stage != "registered" or word.session not in ended
            }
        return stages_of_sessions(words, over)

    def too_brief(self, least_minutes: int) -> Collection[str]:
        """The attendances of sessions at which somebody was for too short, all visits together."""
        visits: defaultdict[int, list[tuple[datetime, float]]] = defaultdict(list)
        for row in self.brief.keys() & self.words.keys():
            word = self.words[row]
            since = datetime.fromisoformat(word.at) + timedelta(minutes=self.early.get(row, 0))
            visits[word.session].append((since, self.brief[row]))
        return {
            row
            for row in self.brief.keys() & self.words.keys()
            if minutes_together(visits[self.words[row].session]) < least_minutes
        }

    def says_nothing(self, least_minutes: int) -> bool:
        """Returns whether no row says anything: none is left, or all are visits that are none."""
        if self.unknown or self.before is not None:
            return False
        return not self.words.keys() - set(self.too_brief(least_minutes))

    def without(self, rows: Collection[str]) -> "Told":
        """Returns the rest when these rows say nothing of the event any more."""
        return replace(
            self,
            words={row: word for row, word in self.words.items() if row not in rows},
            unknown={row: word for row, word in self.unknown.items() if row not in rows},
            brief={row: minutes for row, minutes in self.brief.items() if row not in rows},
            early={row: minutes for row, minutes in self.early.items() if row not in rows},
            absent={row: none for row, none in self.absent.items() if row not in rows},
        )

    def joined(self, other: "Told") -> "Told":
        """Returns the statements of two people who are one now."""
        return Told(
            {**other.words, **self.words},
            {**other.unknown, **self.unknown},
            self.before or other.before,
            {**other.brief, **self.brief},
            {**other.early, **self.early},
            {**other.absent, **self.absent},
        )

    @property
    def rows(self) -> set[str]:
        """The rows that have said something."""
        return {*self.words, *self.unknown}

    @property
    def memory(self) -> dict[str, Any]:
        """The form in which the ledger keeps it."""
        rest = {
            "unknown": self.unknown,
            "before": self.before,
            "brief": self.brief,
            "early": self.early,
            "absent": {key: list(none) for key, none in self.absent.items()},
        }
        rows = {key: list(word) for key, word in self.words.items()}
        return {"rows": rows} | {name: each for name, each in rest.items() if each}


def row_key(participation: Participation) -> str:
    """Returns the key of a row in the memory: `r4711` is a registration, `a99` an attendance."""
    return f"{participation.source[0]}{participation.participation_id}"


def row_name(key: str) -> str:
    """Returns the natural key of the activity of a row, by its key in the memory."""
    return f"{'registration' if key.startswith('r') else 'attendance'}:{key[1:]}"


def told(
    rows: Iterable[Participation],
    means: Words,
    before: Told,
    wants_follow_up: Callable[[Mapping[str, Any]], bool] = lambda _: False,
) -> Told:
    """Returns the state of a person after some of their rows were read.

    Args:
        rows: as the source has them now. An unknown word leaves what its row said before; an
            attendance that is none takes back what was one.
        means: the meaning of the account's words.
        before: what was known.
        wants_follow_up: whether somebody asks in a row, given its columns, to be spoken to.
    """
    words, unknown = dict(before.words), dict(before.unknown)
    brief, early, absent = dict(before.brief), dict(before.early), dict(before.absent)
    for row in rows:
        key = row_key(row)
        stage = word_of(row, means)
        unknown.pop(key, None)
        brief.pop(key, None)
        early.pop(key, None)
        absent.pop(key, None)
        if stage in _COMES and wants_follow_up(row.columns):
            stage = "follow_up_requested"
        if stage == "attended" and is_too_short(row, means):
            since, brief[key] = visit(row, means) or (row.happened_at, 0)
            if since > row.happened_at:
                early[key] = (since - row.happened_at) / timedelta(minutes=1)
        at = row.happened_at.astimezone(UTC).isoformat()
        if stage == "absent":
            words.pop(key, None)
            absent[key] = Absent(row.event_session_id, why_absent(row), at)
        elif stage == "unknown":
            unknown[key] = status_word(row.columns.get("status"))
        else:
            words[key] = Word(row.event_session_id, stage, at)
    return Told(words, unknown, before.before, brief, early, absent)


def stages_of_sessions(words: Mapping[str, Word], over: Collection[int] = ()) -> dict[int, Stage]:
    """A stage for each session: an attendance, else the word of the registration made last.

    Whoever is registered for one of the sessions that are `over` has not come: a no-show.
    """
    last: dict[int, tuple[tuple[int, str, int, str], Stage]] = {}
    for key, word in words.items():
        attended = len(_MADE_BY) - _MADE_BY.index(word.stage) if word.stage in _MADE_BY else 0
        weight = attended, word.at, len(key), key
        if word.session not in last or last[word.session][0] < weight:
            last[word.session] = weight, word.stage
    return {
        session: "no_show" if stage == "registered" and session in over else stage
        for session, (_, stage) in last.items()
    }


def one_stage(stages: Iterable[Stage], sent: Sequence[Stage]) -> Stage | None:
    """The event's stage out of those of its sessions; None where the account sends none of them."""
    there = set(stages)
    return next((stage for stage in ORDER if stage in there and stage in sent), None)


def remembered(said: Said | None) -> Told:
    """Returns the state of a member before rows are read.

    Of a member that was made before rows were remembered, an attendance stands; any other stage
    is what the rows say that are read from now on.
    """
    memory: Mapping[str, Any] = (said.memory if said else None) or {}
    words = {key: Word(*word) for key, word in memory.get("rows", {}).items()}
    before = memory.get("before")
    if said is not None and "rows" not in memory and said.intent.get("stage") in _MADE_BY:
        before = said.intent["stage"]
    if any(word.stage == before for word in words.values()):
        before = None
    unknown, brief, early = (memory.get(name, {}) for name in ("unknown", "brief", "early"))
    absent = {key: Absent(*none) for key, none in memory.get("absent", {}).items()}
    return Told(words, unknown, before, brief, early, absent)
