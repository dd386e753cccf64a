"""The words of an activity: which webinar, which session, how long, live or not."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crm_pipeline.accounts.account import AccountError, AccountSettings
from crm_pipeline.flows.webinars.rules import choices, intents, refusals
from crm_pipeline.flows.webinars.telling import Telling
from crm_pipeline.sources.participations import ExtractName, Participation
from crm_pipeline_tests.flows.people import people_of

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
EXPO: dict[str, Any] = {
    "person_id": 1,
    "email": "ada@example.com",
    "event_name": " Expo\n2026 ",
    "session_title": "Keynote",
    "session_starts_at": NOON,
    "session_ends_at": NOON + timedelta(hours=1),
}
HEAD = "Event: Expo 2026\nSession: Keynote, 2026-03-01 12:00 UTC"


def row(source: ExtractName, **columns: Any) -> Participation:
    return Participation(source, 1, 7, NOON, NOON, {**EXPO, **columns})


def told(source: ExtractName, columns: dict[str, Any], **settings: Any) -> str:
    """The description of the activity of a row."""
    chosen = choices(AccountSettings(**settings), [], [])
    rows = [row(source, **columns)]
    *_, activity = intents(rows, chosen, people_of(rows), refusals(rows, chosen))
    said: str = activity.fields.get("Description", "")
    return said


@pytest.mark.parametrize(
    ("columns", "line"),
    [
        ({"minutes_attended": 45, "kind": None}, "Attended: 45 of 60 minutes, live"),
        ({"minutes_attended": 45, "kind": "simulive"}, "Attended: 45 of 60 minutes, live"),
        ({"minutes_attended": 45}, "Attended: 45 of 60 minutes"),
        ({"minutes_attended": 1, "session_ends_at": None}, "Attended: 1 minute"),
        ({"minutes_attended": 44.6, "session_ends_at": NOON}, "Attended: 45 minutes"),
        ({"kind": "live"}, "Attended: live"),
        ({"minutes_attended": 20, "kind": "on_demand"}, "Watched on demand: 20 minutes"),
        ({"kind": "Replay"}, "Watched on demand"),
        ({}, ""),
    ],
)
def test_an_attendance_says_how_long_of_how_long_and_whether_live(
    columns: dict[str, Any], line: str
) -> None:
    assert told("attendances", columns) == "\n".join(filter(None, (HEAD, line)))


def test_what_was_said_comes_behind_that() -> None:
    said = {
        "minutes_attended": 5,
        "polls": [{"question": "Ready?", "answer": "Yes"}],
        "chats": [{"message": "Hello\nall", "replies": ["Hi 👋", "Welcome"]}],
    }
    assert told("attendances", said) == (
        f"{HEAD}\nAttended: 5 of 60 minutes\nPoll: Ready?\nAnswer: Yes\nChat: Hello\nall\n"
        "Reply: Hi 👋\nReply: Welcome"
    )
    assert told("attendances", said, activity_text=["chats", "minutes"]) == (
        "Chat: Hello\nall\nReply: Hi 👋\nReply: Welcome\nAttended: 5 of 60 minutes"
    )


def test_where_the_warehouse_says_nothing_there_is_no_line() -> None:
    nothing = dict.fromkeys(EXPO.keys() - {"person_id", "email"})
    assert told("registrations", nothing) == ""
    assert told("attendances", nothing) == ""
    assert told("registrations", {"session_title": None}) == (
        "Event: Expo 2026\nSession: 2026-03-01 12:00 UTC"
    )
    odd = {"event_name": ["Expo"], "session_title": 7, "session_starts_at": [NOON]}
    assert told("registrations", odd).startswith("Event: ")
    bad = {"session_starts_at": "soon", "session_ends_at": 7}
    assert told("attendances", {**bad, "minutes_attended": 3}) == (
        "Event: Expo 2026\nSession: Keynote\nAttended: 3 minutes"
    )


def test_a_cancelled_registration_says_so_first() -> None:
    at = {"status": "Cancelled", "cancelled_at": datetime(2026, 2, 27, 9, 30, tzinfo=UTC)}
    assert told("registrations", {"status": "registered"}) == HEAD
    assert told("registrations", at) == f"Cancelled on 2026-02-27 09:30 UTC\n{HEAD}"
    assert told("registrations", {"status": "cancelled"}) == f"Cancelled\n{HEAD}"
    assert told("registrations", at, cancelled_activity="keep") == HEAD


def test_a_cancelled_registration_may_take_its_activity_along() -> None:
    chosen = choices(AccountSettings(cancelled_activity="delete"), [], [])
    rows = [row("registrations", status="cancelled")]
    [gone] = intents(rows, chosen, {}, refusals(rows, chosen))
    assert gone.rejected_because == "cancelled, and the account has such activities deleted"
    assert gone.undoes


def test_the_subject_may_name_the_event() -> None:
    def subject(pattern: str, **columns: Any) -> str:
        return Telling(activity_subject=pattern).subject(row("registrations", **columns))

    assert subject("{subject}") == "Webinar Registration"
    assert subject("{subject}: {event}, {session}") == "Webinar Registration: Expo 2026, Keynote"
    assert len(subject("{event}", event_name="x" * 300)) == 255
    assert subject("{event}", event_name=None) == "Webinar Registration"
    for wrong in ("{name}", "{subject", "}", "{subject}}"):
        told = r"[{}].* stands for nothing; these do: \{subject\}"
        with pytest.raises(AccountError, match=told):
            AccountSettings.parse("acme", {"activity_subject": wrong})


def test_lines_of_one_event_are_made_once() -> None:
    telling = Telling()
    first, second = row("attendances"), row("attendances", event_name="Other")
    assert telling.description(first) == telling.description(first)
    assert telling.description(second).startswith("Event: Other\n")
