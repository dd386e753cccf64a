"""What people write is freed of cards, health words and patterns, and of nothing else."""

import pytest

from crm_pipeline.sources.extracts import moment
from crm_pipeline.sources.participations import Participation, participation_of
from crm_pipeline.sources.redaction import redacted, redactions
from crm_pipeline.text import JsonText


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("my card 4111 1111 1111 1111, thanks", "my card [removed], thanks"),
        ("4111-1111-1111-1112 is none", "4111-1111-1111-1112 is none"),
        ("order 20260301120000", "order 20260301120000"),
        ("I am pregnant and have HIV", "I am [removed] and have [removed]"),
        ("Ich bin schwanger", "Ich bin [removed]"),
        ("Canceled my trip", "Canceled my trip"),
        ("ticket AB-123", "ticket [removed]"),
    ],
)
def test_a_text_is_freed_of_what_is_not_to_leave(text: str, left: str) -> None:
    assert redactions(["cards", "health", r"\bAB-\d+\b"])(text) == left


def test_free_texts_of_a_row_are_freed_and_nothing_else() -> None:
    now = moment("2026-03-01T12:00:00+00:00", "UTC")
    assert now is not None
    row = participation_of(
        "attendances",
        {
            "attendance_id": 1,
            "event_session_id": 1,
            "attended_at": now,
            "changed_at": now,
            "email": "hiv@example.com",
            "surname": "Krebs",
            "polls": JsonText('[{"question": "Card?", "answer": "4111111111111111"}]'),
            "chats": JsonText('[{"message": "HIV", "replies": ["no"]}]'),
            "answers": JsonText('{"card": 4111111111111111, "size": 4.5}'),
        },
        "UTC",
        now,
    )
    told: Participation = redacted(row, redactions(["cards", "health"]))
    assert (told.columns["email"], told.columns["surname"]) == ("hiv@example.com", "Krebs")
    assert told.columns["polls"].parsed() == [{"question": "Card?", "answer": "[removed]"}]
    assert told.columns["chats"].parsed() == [{"message": "[removed]", "replies": ["no"]}]
    assert told.columns["answers"].parsed()["card"] == "[removed]"
    assert float(told.columns["answers"].parsed()["size"]) == 4.5
