"""The words of an activity: its subject, and a description for whoever calls. Pure (spec 1)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from crm_pipeline.accounts.activities import ACTIVITY_TEXT, AS_IT_IS, ON_DEMAND, ActivityText
from crm_pipeline.flows.webinars.visits import several
from crm_pipeline.sources.extracts import moment
from crm_pipeline.sources.minutes import minutes_of
from crm_pipeline.sources.participations import ExtractName, Participation
from crm_pipeline.sources.stages import is_on_demand
from crm_pipeline.text import seen, trimmed, written

SUBJECT: Mapping[ExtractName, str] = {
    "registrations": "Webinar Registration",
    "attendances": "Webinar Attendance",
}

SUBJECT_CHARS = 255
"""Of Event.Subject (Salesforce: Event), in units of UTF-16."""


@dataclass(frozen=True, slots=True)
class Telling:
    """An account's choices for the words of its activities.

    Attributes:
        on_demand_subject: Subject of the activity of whoever saw the recording.
        activity_subject: what each Subject is made of.
        activity_text: the parts of the description, in their order.
        marks_cancelled: whether the description of a cancelled registration begins with that.
        timezone: of times of the warehouse that carry none.
    """

    on_demand_subject: str = ON_DEMAND
    activity_subject: str = AS_IT_IS
    activity_text: Sequence[ActivityText] = ACTIVITY_TEXT
    marks_cancelled: bool = True
    timezone: str = "UTC"
    _told: dict[tuple[object, ...], str] = field(default_factory=dict, compare=False, repr=False)
    """Lines of events and sessions, by what they are made of: many rows have the same."""

    def subject(self, row: Participation) -> str:
        """The Subject of a row's activity."""
        own = SUBJECT[row.source]
        if row.source == "attendances" and is_on_demand(row.columns):
            own = self.on_demand_subject
        if self.activity_subject == AS_IT_IS:
            return own
        whole = self.activity_subject.replace("{subject}", own)
        for place, column in (("{event}", "event_name"), ("{session}", "session_title")):
            whole = whole.replace(place, _name(row.columns.get(column)))
        return trimmed(whole.strip(), SUBJECT_CHARS) or own

    def description(self, row: Participation, *, ended: str | None = None) -> str:
        """The description of a row's activity.

        It begins with the event, the session and the minutes; then come the last 10 poll
        questions with answers and the last 5 chat messages with replies. Blank and missing values
        have no line.

        Args:
            row: of the warehouse.
            ended: of a registration that is over, `cancelled` or `substituted`: the first line
                says so.
        """
        columns = row.columns
        lines = [self._ended(columns, ended)] if ended and self.marks_cancelled else []
        for part in self.activity_text:
            if part == "event":
                lines.append(self._event(columns))
            elif part == "session":
                lines.append(self._session(columns))
            elif part == "minutes":
                lines.append(self._minutes(columns) if row.source == "attendances" else "")
            elif (value := columns.get(part)) is None:
                pass
            elif part == "polls":
                _tell_polls(lines, value)
            elif part == "chats":
                _tell_chats(lines, value)
            else:
                _tell_done(lines, _DONE[part], value)
        return "\n".join(filter(None, lines))

    def _event(self, columns: Mapping[str, Any]) -> str:
        named = _plain(columns.get("event_name"))
        key = ("event", named)
        if key not in self._told:
            self._told[key] = f"Event: {name}" if (name := _name(named)) else ""
        return self._told[key]

    def _session(self, columns: Mapping[str, Any]) -> str:
        titled = _plain(columns.get("session_title"))
        starts = _plain(columns.get("session_starts_at"))
        key = ("session", titled, starts)
        if key not in self._told:
            said = ", ".join(each for each in (_name(titled), self._time(starts)) if each)
            self._told[key] = f"Session: {said}" if said else ""
        return self._told[key]

    def _minutes(self, columns: Mapping[str, Any]) -> str:
        """How long, of how long, and whether live, as far as the warehouse says."""
        minutes = minutes_of(columns)
        if is_on_demand(columns):
            return "Watched on demand" + ("" if minutes is None else f": {_minutes(minutes)}")
        told = []
        if minutes is not None:
            starts = _plain(columns.get("session_starts_at"))
            planned = self._planned(starts, _plain(columns.get("session_ends_at")))
            told.append(f"{round(minutes)} of {planned}" if planned else _minutes(minutes))
        if "kind" in columns:
            told.append("live")
        return f"Attended: {', '.join(told)}" if told else ""

    def _planned(self, starts: Any, ends: Any) -> str:
        key = ("planned", starts, ends)
        if key not in self._told:
            begins, over = moment(starts, self.timezone), moment(ends, self.timezone)
            length = over - begins if begins is not None and over is not None else timedelta()
            minutes = length / timedelta(minutes=1)
            self._told[key] = _minutes(minutes) if minutes >= 1 else ""
        return self._told[key]

    def _ended(self, columns: Mapping[str, Any], how: str) -> str:
        at = self._time(columns.get("cancelled_at"))
        said = "Cancelled" if how == "cancelled" else "Somebody else comes instead"
        return f"{said} {'on' if how == 'cancelled' else 'since'} {at}" if at else said

    def _time(self, value: Any) -> str:
        at = None if value is None else moment(value, self.timezone)
        return "" if at is None else at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def _minutes(minutes: float) -> str:
    whole = round(minutes)
    return f"{whole} minute" if whole == 1 else f"{whole} minutes"


_AS_IT_COMES = (str, datetime, type(None))


def _plain(value: Any) -> str | datetime | None:
    """A value by which lines are known; what is of another type is its text."""
    return value if isinstance(value, _AS_IT_COMES) else written(value)


def _name(value: Any) -> str:
    """A name on one line."""
    return "" if value is None else " ".join(seen(written(value)).split())


def _tell_polls(lines: list[str], value: Any) -> None:
    for poll in several(value):
        whole = poll if type(poll) is dict else {"question": poll}
        _say(lines, "Poll", whole.get("question"))
        _say(lines, "Answer", whole.get("answer"))


_DONE: Mapping[str, str] = {
    "questions": "Question",
    "surveys": "Survey",
    "resources": "Downloaded",
    "links": "Clicked",
}


def _tell_done(lines: list[str], label: str, value: Any) -> None:
    """A line for each thing that somebody did: its label, what they said, and the address."""
    for each in several(value):
        whole = each if type(each) is dict else {"label": each}
        named, said = _name(whole.get("label")), _name(whole.get("value"))
        what = ": ".join(part for part in (named, said) if part)
        _say(lines, label, what or whole.get("url"))


def _tell_chats(lines: list[str], value: Any) -> None:
    for chat in several(value):
        whole = chat if type(chat) is dict else {"message": chat}
        _say(lines, "Chat", whole.get("message"))
        for reply in several(whole.get("replies")):
            _say(lines, "Reply", reply)


def _say(lines: list[str], label: str, value: Any) -> None:
    if text := seen(written(value)):
        lines.append(f"{label}: {text}")
