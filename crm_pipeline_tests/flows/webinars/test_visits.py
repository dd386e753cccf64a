"""Which visits are one attendance, and which of them has the activity: tables and properties."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_pipeline.flows.webinars.visits import joined, one_of_many
from crm_pipeline.ledger.visits import Place, Visit
from crm_pipeline.sources.participations import Participation

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HERE, THERE = Place(1, 7, False), Place(2, 7, False)


def at(**minutes: int) -> dict[int, datetime]:
    return {int(row[1:]): NOON + timedelta(minutes=each) for row, each in minutes.items()}


def visit(row: int, place: Place = HERE, part_of: int | None = None) -> Visit:
    return Visit(row, *place, part_of)


TABLE: list[tuple[str, dict[int, Place | None], dict[int, Visit], dict[int, int], set[int]]] = [
    ("one", {1: HERE}, {}, {1: 1}, set()),
    ("the first one has the activity", {2: HERE, 1: HERE}, {}, {1: 2, 2: 2}, set()),
    (
        "one that is there has it, though another began before",
        {1: HERE, 2: HERE},
        {1: visit(1)},
        {1: 1, 2: 1},
        set(),
    ),
    ("somebody else's is another", {1: HERE, 2: THERE}, {}, {1: 1, 2: 2}, set()),
    (
        "of two that had one, one is undone",
        {1: HERE, 2: HERE},
        {1: visit(1), 2: visit(2)},
        {1: 2, 2: 2},
        {1},
    ),
    (
        "one that comes from elsewhere is undone",
        {1: HERE, 2: HERE},
        {1: visit(1), 2: visit(2, THERE)},
        {1: 1, 2: 1},
        {2},
    ),
    (
        "one from before visits were known goes on",
        {1: HERE, 2: HERE},
        {1: visit(1, Place(1, None, False))},
        {1: 1, 2: 1},
        set(),
    ),
    (
        "one that is none any more hands over",
        {1: None, 2: HERE},
        {1: visit(1), 2: visit(2, part_of=1)},
        {2: 2},
        {1},
    ),
    ("alone it stays as rows do that are refused", {1: None}, {1: visit(1)}, {}, set()),
    (
        "one that moves away hands over",
        {1: THERE, 2: HERE},
        {1: visit(1), 2: visit(2, part_of=1)},
        {1: 1, 2: 2},
        set(),
    ),
]


@pytest.mark.parametrize(
    ("places", "known", "first_of", "undone"), [t[1:] for t in TABLE], ids=[t[0] for t in TABLE]
)
def test_one_row_of_an_attendance_has_the_activity(
    places: dict[int, Place | None],
    known: dict[int, Visit],
    first_of: dict[int, int],
    undone: set[int],
) -> None:
    found = joined(places, at(r1=5, r2=1), known)
    assert (found.first_of, found.undone) == (first_of, undone)


def test_of_a_row_that_is_gone_another_one_has_the_activity() -> None:
    known = {1: visit(1), 2: visit(2, part_of=1)}
    found = joined({2: HERE}, at(r2=1), known, {1})
    assert (found.first_of, found.undone, found.forgotten) == ({2: 2}, {1}, {1})
    alone = joined({}, {}, {1: visit(1)}, {1})
    assert (alone.undone, alone.forgotten) == (set(), {1})


PLACES = st.one_of(st.none(), st.builds(Place, st.integers(1, 2), st.integers(1, 2), st.booleans()))


@given(st.lists(st.dictionaries(st.integers(1, 5), PLACES, min_size=1), min_size=1, max_size=6))
def test_each_attendance_has_one_activity_however_rows_come_and_move(
    readings: list[dict[int, Place | None]],
) -> None:
    """Each reading has all rows of the attendances that it touches, as the reader gives them."""
    ledger: dict[int, Visit] = {}
    now: dict[int, Place | None] = {}
    active: set[int] = set()
    times = {row: NOON + timedelta(minutes=(row * 7) % 5) for row in range(1, 6)}
    for changes in readings:
        now |= changes
        touched = {place for place in changes.values() if place}
        touched |= {ledger[row].place for row in changes if row in ledger}
        read = {row: place for row, place in now.items() if row in changes or place in touched}
        before = {row: ledger[row] for row in read if row in ledger}
        found = joined(read, times, before)
        ledger |= {each.attendance_id: each for each in found.visits}
        for row in found.forgotten:
            del ledger[row]
        active -= found.undone
        active -= {row for row, place in read.items() if place is None}
        active |= {row for row, first in found.first_of.items() if row == first}
        expected: Mapping[Place, int] = {
            place: sum(1 for row in active if now[row] == place) for place in now.values() if place
        }
        assert set(expected.values()) <= {1}
        for row, place in now.items():
            assert (row in ledger) is (place is not None)


def row(number: int, minute: int, **columns: Any) -> Participation:
    then = NOON + timedelta(minutes=minute)
    return Participation("attendances", number, 7, then, then, columns)


def test_the_activity_is_of_all_visits() -> None:
    polls = [{"question": f"Q{n}", "answer": "A"} for n in range(12)]
    first = row(
        1,
        10,
        minutes_attended=20,
        questions_answered=2,
        polls=polls[6:],
        parts=6,
        chats=[{"message": "late"}],
    )
    earlier = row(2, 0, minutes_attended=15, questions_answered=1, polls=polls[:6], parts=6)
    whole = one_of_many([first, earlier], first)
    assert whole.happened_at == NOON
    assert (whole.participation_id, whole.changed_at) == (1, first.changed_at)
    told = {
        name: whole.columns[name] for name in ("minutes_attended", "questions_answered", "parts")
    }
    assert told == {"minutes_attended": 30, "questions_answered": 3, "parts": 6}
    assert whole.columns["polls"] == polls[2:]
    assert whole.columns["chats"] == [{"message": "late"}]
    assert one_of_many([first], first) is first


def test_minutes_that_nobody_knows_stay_unknown() -> None:
    rows = [row(1, 0), row(2, 5)]
    assert one_of_many(rows, rows[0]).columns.get("minutes_attended") is None
