"""Later moments of the sample warehouse."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, text

from crm_pipeline.sample.later import add_traffic
from crm_pipeline.sample.warehouse import SampleError, create

UNTIL = datetime(2026, 11, 20, 12, 7, tzinfo=UTC)
LATER = UNTIL + timedelta(minutes=15)


def shipped_later(engine: Engine, table: str) -> int:
    with engine.connect() as connection:
        return int(
            connection.scalar(
                text(f"SELECT count(*) FROM warehouse.{table} WHERE shipped_at = :later"),
                {"later": LATER},
            )
            or 0
        )


def test_later_traffic_brings_new_and_changed_rows_of_every_kind(pipeline: Engine):
    create(pipeline, {"a": "A", "b": "B"}, 2_000, until=UNTIL)

    brought = add_traffic(pipeline, 15, registrations=200, at=LATER)

    assert brought.registrations == 200
    assert min(vars(brought).values()) > 0
    assert shipped_later(pipeline, "registration") == 200 - brought.late + brought.cancelled
    assert shipped_later(pipeline, "person") >= brought.new_people + brought.changed_people
    assert shipped_later(pipeline, "attendance") == brought.attendances
    assert shipped_later(pipeline, "poll_answer") > 0
    assert shipped_later(pipeline, "chat_message") > 0
    with pipeline.connect() as connection:
        moved = connection.scalar(
            text("SELECT count(*) FROM warehouse.person WHERE email LIKE 'moved.%'")
        )
        strangers = connection.scalar(
            text(
                "SELECT count(*) FROM warehouse.registration AS r"
                " LEFT JOIN warehouse.person AS p USING (person_id, client_id)"
                " LEFT JOIN warehouse.event_session AS s USING (event_session_id, client_id)"
                " WHERE p.person_id IS NULL OR s.event_session_id IS NULL"
            )
        )
    assert moved
    assert strangers == 0


def test_some_rows_commit_now_with_an_older_date_of_shipping(pipeline: Engine):
    create(pipeline, {"a": "A"}, 500, until=UNTIL)
    with pipeline.connect() as connection:
        last = connection.scalar(text("SELECT max(registration_id) FROM warehouse.registration"))

    brought = add_traffic(pipeline, 15, registrations=100, at=LATER)

    with pipeline.connect() as connection:
        dates = connection.scalars(
            text(
                "SELECT shipped_at FROM warehouse.registration"
                " WHERE registration_id > :last AND shipped_at < :later"
            ),
            {"last": last, "later": LATER},
        ).all()
    assert len(dates) == brought.late > 0
    assert min(dates) >= LATER - timedelta(minutes=20)
    assert min(dates) < UNTIL


def test_moments_can_follow_each_other(pipeline: Engine):
    """The first one was made by an older version, whose warehouse had fewer columns."""
    create(pipeline, {"a": "A"}, 300, until=UNTIL)
    with pipeline.begin() as connection:
        connection.execute(text("ALTER TABLE warehouse.attendance DROP COLUMN joined_as"))
        connection.execute(text("DELETE FROM crm.migration WHERE name = '0134_joined_as'"))

    for number in range(1, 4):
        add_traffic(pipeline, 15, at=UNTIL + timedelta(minutes=15 * number))

    with pipeline.connect() as connection:
        rows = connection.scalar(text("SELECT count(*) FROM warehouse.registration"))
        connection.execute(text("SELECT joined_as FROM warehouse.attendance"))
    assert rows == 330


def test_an_empty_warehouse_has_no_later_moment(pipeline: Engine):
    with pytest.raises(SampleError, match="sample create"):
        add_traffic(pipeline, 15)
