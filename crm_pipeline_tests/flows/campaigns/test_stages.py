"""A stage for each session, and one status out of them: tables, and properties of any history."""

from collections.abc import Sequence, Set
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_pipeline.accounts.campaigns import CampaignSettings
from crm_pipeline.accounts.stages import Words
from crm_pipeline.flows.campaigns.explaining import explained
from crm_pipeline.flows.campaigns.rules import Choices, derived_again, member_intents, member_map
from crm_pipeline.ledger.campaigns import Said
from crm_pipeline.ledger.intents import Intent
from crm_pipeline.sources.participations import ExtractName, Participation
from crm_pipeline_tests.flows.people import people_of

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ALL: dict[str, Any] = {
    stage: {"label": stage.title(), "priority": 10 + place}
    for place, stage in enumerate(
        ("invited", "pending", "waitlisted", "declined", "attended_on_demand")
    )
}


def unknown_words(member: Intent) -> list[str]:
    """The status words of its rows that nobody has explained."""
    return list(((member.memory or {}).get("unknown") or {}).values())


def row(
    source: ExtractName,
    number: int,
    session: int,
    *,
    made: int = 0,
    minute: int = 0,
    **columns: Any,
) -> Participation:
    known = {"person_id": 1, "email": "ada@example.com", "event_id": 7, **columns}
    return Participation(
        source,
        number,
        session,
        NOON + timedelta(minutes=made),
        NOON + timedelta(minutes=minute),
        known,
    )


def registration(number: int, session: int, status: str, **more: int) -> Participation:
    return row("registrations", number, session, status=status, **more)


def attendance(number: int, session: int, **columns: Any) -> Participation:
    return row("attendances", number, session, **columns)


def read(*batches: Sequence[Participation], said: Said | None = None, **settings: Any) -> Intent:
    """The membership after these rows were read, one batch after another."""
    of_words = ("stage_of", "unknown_stage", "least_minutes")
    own = {name: settings.pop(name) for name in of_words if name in settings}
    further = {name: settings.pop(name) for name in ("over", "vanished") if name in settings}
    choices = Choices(
        CampaignSettings(**settings), member_map([]), {}, words=Words(**own), **further
    )
    for batch in batches:
        known = {} if said is None else {"member:7:1": said}
        [member] = member_intents(batch, choices, people_of(batch), known)
        said = Said(member.as_of, member.fields, member.memory)
    return member


TABLE = [
    ("registered", [registration(1, 1, "registered")], "registered"),
    ("cancelled", [registration(1, 1, "cancelled")], "cancelled"),
    (
        "one of two sessions cancelled",
        [registration(1, 1, "cancelled"), registration(2, 2, "registered")],
        "registered",
    ),
    (
        "both cancelled",
        [registration(1, 1, "cancelled"), registration(2, 2, "canceled")],
        "cancelled",
    ),
    (
        "cancelled, and registered again by another registration",
        [registration(1, 1, "cancelled"), registration(2, 1, "registered", made=5)],
        "registered",
    ),
    (
        "the one made last is cancelled",
        [registration(1, 1, "registered"), registration(2, 1, "cancelled", made=5)],
        "cancelled",
    ),
    (
        "attended one, cancelled the other",
        [registration(1, 1, "cancelled"), attendance(1, 2)],
        "attended",
    ),
    (
        "attended the session whose registration was cancelled",
        [registration(1, 1, "cancelled"), attendance(1, 1)],
        "attended",
    ),
    (
        "saw the recording of one, is registered for the other",
        [attendance(1, 1, kind="On_Demand"), registration(1, 2, "registered")],
        "attended_on_demand",
    ),
    (
        "there, and saw the recording, too",
        [attendance(1, 1, kind="live"), attendance(2, 1, kind="replay")],
        "attended",
    ),
    ("no minutes are no attendance", [attendance(1, 1, minutes_attended=0)], None),
    (
        "no minutes leave the registration",
        [registration(1, 1, "registered"), attendance(1, 1, minutes_attended=0)],
        "registered",
    ),
    (
        "not there in one, still to come to the other",
        [registration(1, 1, "no_show"), registration(2, 2, "registered")],
        "registered",
    ),
    (
        "not there in one, cancelled the other",
        [registration(1, 1, "No-Show"), registration(2, 2, "cancelled")],
        "no_show",
    ),
    ("waiting", [registration(1, 1, "Wait-Listed")], "waitlisted"),
    ("waitlisted", [registration(1, 1, "waitlisted")], "waitlisted"),
    ("pending", [registration(1, 1, "Pending approval")], "pending"),
    ("denied", [registration(1, 1, "denied")], "declined"),
    ("invited", [registration(1, 1, "invited")], "invited"),
    (
        "waitlisted in one, registered for the other",
        [registration(1, 1, "waitlisted"), registration(2, 2, "confirmed")],
        "registered",
    ),
    (
        "declined one, waitlisted in the other",
        [registration(1, 1, "declined"), registration(2, 2, "waitlisted")],
        "waitlisted",
    ),
    ("nothing said", [registration(1, 1, "")], "registered"),
    ("an unknown word is no registration", [registration(1, 1, "maybe")], None),
    (
        "an unknown word beside a known one",
        [registration(1, 1, "maybe"), registration(2, 2, "cancelled")],
        "cancelled",
    ),
]


@pytest.mark.parametrize(
    ("rows", "stage"), [(r, s) for _, r, s in TABLE], ids=[t[0] for t in TABLE]
)
def test_one_stage_out_of_all_sessions(rows: list[Participation], stage: str | None) -> None:
    for order in (rows, rows[::-1]):
        assert read(order, **ALL).fields["stage"] == stage, "at once"
        assert read(*([each] for each in order), **ALL).fields["stage"] == stage, "one by one"


@pytest.mark.parametrize("status", ["cancelled", "no_show", "declined", "waitlisted", "pending"])
def test_the_same_registration_may_come_back(status: str) -> None:
    away, back = registration(1, 1, status, minute=1), registration(1, 1, "registered", minute=2)
    assert read([registration(1, 1, "registered")], [away], **ALL).fields["stage"] == status
    assert read([registration(1, 1, "registered")], [away], [back], **ALL).fields["stage"] == (
        "registered"
    )


def test_nothing_lifts_attended_but_the_retraction_of_the_attendance() -> None:
    registered = [registration(1, 1, "registered")]
    came = [attendance(1, 1, minute=1)]
    for later in ("cancelled", "no_show", "declined", "registered", "maybe"):
        after = read(registered, came, [registration(1, 1, later, minute=2)])
        assert after.fields["stage"] == "attended"
    gone = [attendance(1, 1, minute=3, minutes_attended=0)]
    assert read(registered, came, gone).fields["stage"] == "registered"
    assert read(came, gone).fields["stage"] == "registered", "a member, who was there for nothing"
    assert read(came, gone, vanished="delete").undoes, "nor a member, where such are to be gone"
    assert not read(registered, came, gone, vanished="delete").undoes
    brief = [attendance(2, 1, minutes_attended=3)]
    for left in (True, False):
        rest = read(came, [*gone, *brief], vanished="delete", least_minutes=5 if left else 1)
        assert rest.undoes == left, "a visit that is too short says nothing, either"
    assert read(registered, came, [attendance(2, 1, minute=2)], gone).fields["stage"] == "attended"


def test_a_registration_that_moves_to_another_session_leaves_the_first() -> None:
    moved = registration(1, 2, "cancelled", minute=5)
    assert read([registration(1, 1, "registered")], [moved]).fields["stage"] == "cancelled"


def test_an_unknown_word_is_held_and_told_and_what_it_said_before_stands() -> None:
    held = read([registration(1, 1, "Maybe_later")])
    assert held.rejected_because is not None
    assert "'maybe later'" in held.rejected_because
    assert unknown_words(held) == ["maybe later"]
    after = read([registration(1, 1, "cancelled")], [registration(1, 1, "maybe", minute=1)])
    assert (after.fields["stage"], after.rejected_because) == ("cancelled", None)
    assert unknown_words(after) == ["maybe"]
    again = Said(after.as_of, after.fields, after.memory)
    explained = read(
        [registration(1, 1, "maybe", minute=2)], said=again, stage_of={"MAYBE": "registered"}
    )
    assert (explained.fields["stage"], unknown_words(explained)) == ("registered", [])


def test_an_unknown_word_may_count_as_registered() -> None:
    member = read([registration(1, 1, "maybe")], unknown_stage="registered")
    assert (member.fields["stage"], unknown_words(member)) == ("registered", [])


@pytest.mark.parametrize(
    ("before", "row_read", "after"),
    [
        ("cancelled", registration(1, 2, "registered"), "registered"),
        ("registered", registration(1, 2, "cancelled"), "cancelled"),
        ("attended", registration(1, 2, "cancelled"), "attended"),
        ("attended", attendance(1, 2), "attended"),
        ("cancelled", registration(1, 2, "maybe"), "cancelled"),
        ("no_show", attendance(1, 2), "attended"),
    ],
)
def test_members_of_before_are_carried_over(
    before: str, row_read: Participation, after: str
) -> None:
    said = Said(NOON, {"stage": before, "Status": before.title(), "fields": {}, "parts": {}})
    assert read([row_read], said=said).fields["stage"] == after


def test_an_attendance_of_before_can_be_taken_back_once_it_was_read() -> None:
    said = Said(NOON, {"stage": "attended", "fields": {}, "parts": {}})
    came, gone = attendance(1, 1, minute=1), attendance(1, 1, minute=2, minutes_attended=0)
    rows = [registration(1, 1, "registered")]
    assert read(rows, [came], [gone], said=said).fields["stage"] == "registered"


def test_what_is_remembered_is_no_part_of_what_is_sent() -> None:
    once = read([registration(1, 1, "registered")])
    twice = read([registration(1, 1, "registered"), registration(2, 2, "cancelled")])
    assert once.fields == twice.fields
    assert once.memory != twice.memory


def test_no_shows_are_derived_session_by_session() -> None:
    rows = [registration(1, 1, "registered"), registration(2, 2, "registered")]
    assert read(rows, over=frozenset((1,))).fields["stage"] == "registered"
    assert read(rows, over=frozenset((1, 2))).fields["stage"] == "no_show"
    assert read(rows, over=frozenset((1, 2)), no_show=None).fields["stage"] == "registered"
    came = [*rows, attendance(1, 2)]
    assert read(came, over=frozenset((1, 2))).fields["stage"] == "attended"
    away = [registration(1, 1, "cancelled"), registration(2, 2, "registered")]
    assert read(away, over=frozenset((1, 2))).fields["stage"] == "no_show"
    assert read(away[:1], over=frozenset((1, 2))).fields["stage"] == "cancelled"


STATUS = st.sampled_from(
    ["registered", "cancelled", "no_show", "waitlisted", "declined", "pending", "maybe"]
)
HISTORY = st.lists(
    st.tuples(
        st.sampled_from(["registrations", "attendances"]),
        st.integers(1, 4),
        st.integers(1, 3),
        STATUS,
        st.sampled_from([None, "live", "replay"]),
        st.sampled_from([None, 0, 30]),
    ),
    min_size=1,
    max_size=12,
)


def by_brute_force(rows: Sequence[Participation], over: Set[int]) -> str | None:
    """The rule in the words of the specification, from each row's last form."""
    last = {(row.source, row.participation_id): row for row in rows}.values()
    sessions = {row.event_session_id for row in last}
    stages = set()
    for session in sessions:
        mine = [row for row in last if row.event_session_id == session]
        views = [
            row.columns["kind"]
            for row in mine
            if row.source == "attendances" and row.columns["minutes_attended"] != 0
        ]
        made = [row for row in mine if row.source == "registrations"]
        if any(view != "replay" for view in views):
            stages.add("attended")
        elif views:
            stages.add("attended_on_demand")
        elif made:
            newest = max(made, key=lambda row: (row.happened_at, row.participation_id))
            stage = newest.columns["status"]
            stages.add("no_show" if stage == "registered" and session in over else stage)
    for stage in ("attended", "attended_on_demand", "registered", "no_show", "pending"):
        if stage in stages:
            return stage
    return next((s for s in ("waitlisted", "cancelled", "declined") if s in stages), None)


@given(HISTORY, st.randoms(use_true_random=False), st.data())
def test_any_history_in_any_order_and_parts_comes_to_the_same(
    history: list[Any], lots: Any, data: st.DataObject
) -> None:
    """Rows change from time to time; each reading sees some of them as they are then."""
    rows = [
        row(
            source,
            number,
            session,
            made=number,
            minute=minute,
            status=status,
            kind=kind,
            minutes_attended=minutes,
        )
        for minute, (source, number, session, status, kind, minutes) in enumerate(history)
        if status != "maybe" or source == "attendances"
    ]
    if not rows:
        return
    final = {(each.source, each.participation_id): each for each in rows}
    batches = []
    for each in rows:
        batches.append([each])
        if data.draw(st.booleans()):
            batches.append([each])
    last = list(final.values())
    lots.shuffle(last)
    over = data.draw(st.frozensets(st.integers(1, 3)))
    expected = by_brute_force(rows, over)
    member = read(*batches, last, over=over, **ALL)
    if expected is None:
        assert member.fields["stage"] in (None, "registered")
    else:
        assert member.fields["stage"] == expected
        assert read(last, over=over, **ALL).fields["stage"] == expected
    # Sessions come to be over, and are so no more, without a row that is new.
    before = data.draw(st.frozensets(st.integers(1, 3)))
    earlier = read(*batches, last, over=before, **ALL)
    said = Said(earlier.as_of, earlier.fields, earlier.memory)
    choices = Choices(CampaignSettings(**ALL), member_map([]), {}, over=over)
    [again] = derived_again({earlier.natural_key: said}, choices)
    assert again.fields["stage"] == member.fields["stage"]


@pytest.mark.parametrize(
    "word",
    [
        "Cancelled",
        " CANCELLED\u00a0",
        "cancelled\u200b",
        "\ufeffcancelled",
        "can\u00adcelled",
        "\uff23ancelled",
        "ANNULE\u0301E",
        "annul\u00e9e",
    ],
)
def test_a_word_means_the_same_whatever_nobody_sees_of_it(word: str) -> None:
    said = read([registration(1, 70, word)], stage_of={"Annul\u00e9e": "cancelled"})
    assert said.fields["Status"] == "Cancelled"


@pytest.mark.parametrize("word", ["no-show", "No\u2013Show", "NO_SHOW", "no\u2011show"])
def test_a_dash_is_a_dash(word: str) -> None:
    assert read([registration(1, 70, word)]).fields["Status"] == "No Show"


@pytest.mark.parametrize(
    ("minutes", "status"),
    [
        (0, "Registered"),
        ("0", "Registered"),
        (-3, "Registered"),
        (0.4, "Registered"),
        (1, "Attended"),
        ("2", "Attended"),
        (None, "Attended"),
        (True, "Attended"),
    ],
)
def test_whoever_was_there_for_no_minute_has_not_attended(minutes: object, status: str) -> None:
    rows = [registration(1, 70, "registered"), attendance(2, 70, minutes_attended=minutes)]
    assert read(rows).fields["Status"] == status


def test_brief_visits_that_make_a_minute_together_are_one() -> None:
    visits = [row("attendances", n, 70, made=n, minutes_attended=0.6) for n in (1, 2)]
    assert read(visits[:1]).rejected_because is not None
    assert read(visits[:1], visits[1:]).fields["Status"] == "Attended"


@given(
    st.lists(st.tuples(st.integers(-60, 40), st.integers(0, 70)), min_size=1, max_size=5),
    st.sampled_from([1, 10, 30]),
    st.booleans(),
    st.data(),
)
def test_minutes_since_the_start_decide_as_by_brute_force_in_any_order(
    visits: list[tuple[int, int]], least: int, early_count: bool, data: st.DataObject
) -> None:
    """Visits begin so many minutes after the planned start, or before it, and overlap."""
    there = {
        minute
        for begins, stayed in visits
        for minute in range(begins, begins + stayed)
        if minute >= 0 or early_count
    }
    words = Words(least_minutes=least, early_visits_count=early_count)
    choices = Choices(CampaignSettings(), member_map([]), {}, words=words)
    rows = [registration(100, 70, "registered")]
    for number, (begins, stayed) in enumerate(visits, 1):
        visit = row("attendances", number, 70, made=begins, minutes_attended=stayed)
        visit.early = timedelta(minutes=max(0, -begins))
        rows.append(visit)
    known: dict[str, Said] = {}
    again = data.draw(st.lists(st.sampled_from(rows), max_size=2))
    for each in data.draw(st.permutations([*rows, *again])):
        [member] = member_intents([each], choices, people_of([each]), known)
        said = Said(member.as_of, member.fields, orjson.loads(orjson.dumps(member.memory)))
        known = {member.natural_key: said}
    assert member.fields["stage"] == ("attended" if len(there) >= least else "registered")
    [why] = known.values()
    told = explained(why, choices)
    assert set(told.sessions.values()) == {member.fields["stage"]}
    assert len(told.rows) == len(rows), "each row is told, also those that do not count"


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_each_session_has_its_own_stage_in_whatever_order_rows_come(order: Sequence[int]) -> None:
    """A replay, then live; a cancellation, then a registration; each in a session of its own."""
    rows = [
        row("attendances", 1, 70, made=1, minute=1, kind="on_demand"),
        row("attendances", 2, 70, made=2, minute=2, kind="live"),
        registration(3, 80, "cancelled", made=1, minute=3),
        registration(4, 80, "registered", made=2, minute=4),
    ]
    choices = Choices(CampaignSettings(grain="both"), member_map([]), {})
    known: dict[str, Said] = {}
    for place in order:
        for member in member_intents([rows[place]], choices, people_of([rows[place]]), known):
            known[member.natural_key] = Said(member.as_of, member.fields, member.memory)
    statuses = {key: said.intent["Status"] for key, said in known.items()}
    assert statuses == {
        "member:7:1": "Attended",
        "member:session:70:1": "Attended",
        "member:session:80:1": "Registered",
    }
