"""Any row becomes a participation, and any value JSON, whatever is in it."""

import json
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_pipeline.accounts.account import AccountSettings
from crm_pipeline.flows.webinars.rules import Choices, intents, refusals
from crm_pipeline.sources.mapping import field_maps, rejection, salesforce_value
from crm_pipeline.sources.participations import participation_of
from crm_pipeline.sources.people import sightings
from crm_pipeline.text import JsonText, storable_json
from crm_pipeline_tests.flows.people import people_of

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
GOOD: dict[str, Any] = {
    "registration_id": 1,
    "event_session_id": 7,
    "registered_at": NOON - timedelta(hours=2),
    "changed_at": NOON - timedelta(hours=1),
    "person_id": 3,
    "email": "ann@example.com",
}

odd = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.decimals(),
    st.text(),
    st.binary(),
    st.datetimes(),
    st.datetimes(timezones=st.just(UTC)),
    st.dates(),
    st.times(),
    st.lists(st.one_of(st.none(), st.text(), st.integers(), st.decimals())),
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text()),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    ).map(lambda value: JsonText(json.dumps(value))),
)


@pytest.mark.parametrize(
    ("column", "reason"),
    [
        ("registration_id", "no registration_id"),
        ("event_session_id", "no event_session_id"),
        ("registered_at", "no registered_at"),
        ("changed_at", None),
        ("person_id", None),
        ("email", "no email"),
    ],
)
def test_null_in_a_column_of_the_contract(column: str, reason: str | None):
    row = participation_of("registrations", GOOD | {column: None}, "UTC", NOON)
    if column.endswith("_id") and reason is not None:
        blank = participation_of("registrations", GOOD | {column: " "}, "UTC", NOON)
        assert rejection(blank, []) == reason

    assert rejection(row, []) == reason
    if column == "changed_at":
        assert row.changed_at == NOON, "as if it had changed now"
    if reason is None:
        [told] = sightings([row])
        assert told.source_person == (None if column == "person_id" else "3")


@pytest.mark.parametrize(
    ("value", "taken"),
    [
        ("2026-03-01T10:00:00+01:00", datetime(2026, 3, 1, 9, tzinfo=UTC)),
        ("2026-03-01 10:00", datetime(2026, 3, 1, 10, tzinfo=UTC)),
        (date(2026, 3, 1), datetime(2026, 3, 1, tzinfo=UTC)),
        (datetime(1700, 1, 1, tzinfo=UTC), datetime(1700, 1, 1, tzinfo=UTC)),
        (datetime(4001, 1, 1, tzinfo=UTC), None),
        ("infinity", None),
        ("", None),
        (4711, None),
    ],
)
def test_a_time_is_taken_in_whatever_type_it_comes(value: Any, taken: datetime | None):
    row = participation_of("registrations", GOOD | {"registered_at": value}, "UTC", NOON)

    if taken is None:
        assert row.flaw == "registered_at is no usable time"
    else:
        assert (row.happened_at, row.flaw) == (taken, None)


@given(st.fixed_dictionaries(dict.fromkeys(GOOD, odd) | {"address_1": odd, "polls": odd}))
def test_whatever_a_row_holds_it_is_mapped_or_rejected(columns: dict[str, Any]):
    row = participation_of("registrations", columns, "UTC", NOON)
    maps = field_maps(AccountSettings(), [])
    made = intents([row], Choices(maps), people_of([row]), refusals([row], Choices(maps)))

    assert row.changed_at <= NOON
    for intent in made:
        assert "\\u0000" not in storable_json(intent.fields)
    assert len(made) == (1 if made[-1].rejected_because else 2)


@given(odd)
def test_every_value_is_json_that_says_the_same_when_it_is_read_again(value: Any):
    kept = salesforce_value(value)

    assert kept is None or isinstance(kept, str | bool | int | float | list)
    assert kept not in ("", [])
    json.loads(storable_json(kept))


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (Decimal(4711), "4711"),
        (Decimal("1E+3"), "1000"),
        (4711.0, 4711.0),
        (float("nan"), "NaN"),
        (2**70, str(2**70)),
        (True, True),
        (["red", None, " ", "blue"], ["red", "blue"]),
        ([[1, 2], [3]], ["1", "2", "3"]),
        ([], None),
        (" \t", None),
        (time(14, 30), "14:30:00"),
        (b"hi", "\\x6869"),
        (JsonText("null"), None),
        (JsonText("true"), True),
        (JsonText('{"a": 1.50}'), '{"a": 1.50}'),
        (JsonText("[" * 5_000 + "]" * 5_000), ["[" * 4_900 + "]" * 4_900]),
        (JsonText('{"a":' * 5_000 + "1" + "}" * 5_000), '{"a":' * 5_000 + "1" + "}" * 5_000),
    ],
)
def test_a_value_is_kept_as_it_was_written(value: Any, kept: Any):
    assert salesforce_value(value) == kept


@pytest.mark.parametrize(
    ("starts", "zone", "early"),
    [
        (NOON + timedelta(minutes=30), "UTC", 30),
        (NOON - timedelta(minutes=30), "UTC", 0),
        (NOON, "UTC", 0),
        ("2026-03-01 13:30", "Europe/Berlin", 30),
        ("2026-03-01 13:30", "America/New_York", 390),
        ("2026-03-02", "UTC", 720),
        # Not known, or no time: nobody came too early.
        (None, "UTC", 0),
        ("soon", "UTC", 0),
        ("infinity", "UTC", 0),
        ([7], "UTC", 0),
    ],
)
def test_how_early_somebody_came_is_told_where_the_start_is_known(
    starts: object, zone: str, early: int
) -> None:
    came = {"attendance_id": 1, "attended_at": NOON, "session_starts_at": starts}
    columns = {**GOOD, **came}
    assert participation_of("attendances", columns, zone, NOON).early == timedelta(minutes=early)
    columns.pop("session_starts_at")
    assert participation_of("attendances", columns, zone, NOON).early == timedelta()
