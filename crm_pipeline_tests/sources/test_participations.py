"""Reading the warehouse: in chunks, from the watermark on, late rows included."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from crm_pipeline.ledger.positions import Position
from crm_pipeline.sources.errors import ExtractError
from crm_pipeline.sources.participations import Extract, ExtractName, Participation, RowSelection
from crm_pipeline.sources.source import Asked, Chunk
from crm_pipeline_tests.flows.webinars.warehouse import (
    CLIENT,
    LONG_AGO,
    add_person,
    add_sessions,
    answer_poll,
    attend,
    chat,
    insert,
    register,
)

Chunks = list[Chunk[Participation]]


@pytest.fixture
def warehouse(pipeline: Engine) -> Iterator[Connection]:
    with pipeline.connect() as connection:
        add_sessions(connection, 1, 2)
        add_person(connection, 1)
        yield connection


def read_all(
    warehouse: Connection,
    source: ExtractName = "registrations",
    position: Position | None = None,
    **more: Any,
) -> tuple[list[int], Position, Chunks]:
    """Ids in the order of reading, the last position, the chunks."""
    warehouse.commit()
    selection = RowSelection(warehouse.engine, CLIENT, None, (), timedelta(minutes=30), 1000)
    chunks = list(Extract(source).read(replace(selection, **more), position))
    ids = [each.participation_id for chunk in chunks for each in chunk.rows]
    return ids, chunks[-1].position, chunks


def test_what_was_read_is_not_new_and_what_came_since_is(warehouse: Connection) -> None:
    register(warehouse, 1, 1, minute=0)
    register(warehouse, 2, 1, minute=120)
    ids, position, _ = read_all(warehouse)
    assert ids == [1, 2]
    assert position.watermark == LONG_AGO + timedelta(minutes=120)
    register(warehouse, 3, 1, minute=240)
    ids, position, _ = read_all(warehouse, position=position)
    assert ids == [2, 3], "from half an hour below the watermark"


def test_a_row_that_commits_late_is_read_and_counted(warehouse: Connection) -> None:
    register(warehouse, 1, 1, minute=60)
    _, position, _ = read_all(warehouse)
    assert position.seen_rows == 1
    register(warehouse, 2, 1, minute=45)
    ids, position, _ = read_all(warehouse, position=position)
    assert ids == [2, 1]
    assert position.seen_rows == 2


def test_many_rows_with_one_time_come_in_chunks_without_loss(warehouse: Connection) -> None:
    for number in range(1, 26):
        register(warehouse, number, 1, minute=7)
    ids, _, chunks = read_all(warehouse, chunk_rows=10)
    assert ids == list(range(1, 26))
    assert [len(chunk.rows) for chunk in chunks] == [10, 10, 5, 0]
    assert chunks[0].position.seen_rows == -1, "unfinished: still due after a crash"


def test_a_changed_person_brings_the_registrations_again(warehouse: Connection) -> None:
    register(warehouse, 1, 1)
    _, position, _ = read_all(warehouse)
    warehouse.execute(
        text("UPDATE warehouse.person SET surname = 'New', shipped_at = :at"),
        {"at": LONG_AGO + timedelta(days=1)},
    )
    ids, _, _ = read_all(warehouse, position=position)
    assert ids == [1]


def test_only_sessions_to_push_are_read_and_added_ones_from_their_start(
    warehouse: Connection,
) -> None:
    register(warehouse, 1, 1, session=1)
    register(warehouse, 2, 1, session=2)
    ids, position, _ = read_all(warehouse, sessions=[1])
    assert ids == [1]
    register(warehouse, 3, 1, session=1, minute=600)
    _, position, _ = read_all(warehouse, position=position, sessions=[1])
    ids, _, _ = read_all(warehouse, position=position, sessions=[1, 2], backfilled=[2])
    assert ids == [2, 3]


def test_an_attendance_has_the_last_ten_polls_and_five_chats_oldest_first(
    warehouse: Connection,
) -> None:
    attend(warehouse, 1, 1)
    for number in range(1, 13):
        answer_poll(warehouse, number, 1, minute=number)
    for number in range(1, 8):
        chat(warehouse, number, 1, minute=number, replies=2)
    _, _, chunks = read_all(warehouse, "attendances")
    columns = chunks[0].rows[0].columns
    assert [poll["question"] for poll in columns["polls"]] == [
        f"Question {number}?" for number in range(3, 13)
    ]
    assert [each["message"] for each in columns["chats"]] == [
        f"Message {number}" for number in range(3, 8)
    ]
    assert columns["chats"][0]["replies"] == ["Reply 3.0", "Reply 3.1"]


@pytest.mark.parametrize("more", ["poll", "chat", "reply"])
def test_an_attendance_comes_again_with_more_of_its_polls_and_chats(
    warehouse: Connection, more: str
) -> None:
    attend(warehouse, 1, 1)
    chat(warehouse, 1, 1)
    _, position, _ = read_all(warehouse, "attendances")
    if more == "poll":
        answer_poll(warehouse, 1, 1, minute=600)
    elif more == "chat":
        chat(warehouse, 2, 1, minute=600)
    else:
        chat(warehouse, 3, 1, replies=1, minute=600)
    ids, _, chunks = read_all(warehouse, "attendances", position)
    assert ids == [1]
    assert chunks[0].rows[0].changed_at == LONG_AGO + timedelta(minutes=600)


@pytest.mark.parametrize(
    ("source", "parent"),
    [
        (source, parent)
        for source in ("registrations", "attendances")
        for parent in ("person", "event_session", "event")
    ]
    + [("attendances", "poll_question"), ("attendances", "chat_message")],
)
def test_what_a_row_is_joined_with_brings_it_however_late_it_is_shipped(
    warehouse: Connection, source: ExtractName, parent: str
) -> None:
    """The parent is not there when its rows are read; hours later it is."""
    register(warehouse, 1, 1)
    attend(warehouse, 1, 1)
    answer_poll(warehouse, 1, 1)
    chat(warehouse, 1, 1, replies=1)
    register(warehouse, 2, 1, session=2, minute=300)
    attend(warehouse, 2, 1, session=2, minute=300)
    hidden = warehouse.execute(text(f"SELECT * FROM warehouse.{parent}")).mappings().all()
    warehouse.execute(text("SET session_replication_role = replica"))
    warehouse.execute(text(f"DELETE FROM warehouse.{parent}"))
    _, before, _ = read_all(warehouse, source)
    late = LONG_AGO + timedelta(hours=9)
    for row in hidden:
        insert(warehouse, parent, **{**row, "shipped_at": late})
    warehouse.execute(text("SET session_replication_role = origin"))
    warehouse.commit()
    assert Extract(source).news([Asked("acme", CLIENT, before)]), "the account is due"
    ids, after, chunks = read_all(warehouse, source, before)
    expected = [1] if parent in ("poll_question", "chat_message") else [1, 2]
    changed_at = {each.participation_id: each.changed_at for each in chunks[0].rows}
    assert {number: changed_at.get(number) for number in expected} == dict.fromkeys(expected, late)
    assert set(expected) <= set(ids)
    assert after.watermark == late
    assert not Extract(source).news([Asked("acme", CLIENT, after)]), "and not in vain thereafter"


def test_a_row_dated_in_the_future_does_not_hide_those_after_it(warehouse: Connection) -> None:
    now = warehouse.scalar(text("SELECT now()"))
    register(warehouse, 1, 1, shipped_at=now + timedelta(days=1))
    _, position, _ = read_all(warehouse)
    assert position.watermark < now + timedelta(minutes=5)
    register(warehouse, 2, 1, shipped_at=now)
    ids, _, _ = read_all(warehouse, position=position)
    assert ids == [2, 1]


def test_a_warehouse_set_back_is_read_from_where_it_is(warehouse: Connection) -> None:
    register(warehouse, 1, 1, minute=0)
    ahead = Position("registrations", LONG_AGO + timedelta(days=9), LONG_AGO, 5, Decimal())
    ids, position, _ = read_all(warehouse, position=ahead)
    assert ids == [1]
    assert position.watermark == LONG_AGO


def test_another_client_s_rows_are_not_read(warehouse: Connection) -> None:
    add_sessions(warehouse, 9, client="client-2")
    add_person(warehouse, 9, client="client-2")
    register(warehouse, 9, 9, session=9, client="client-2")
    assert read_all(warehouse)[0] == []


def test_a_person_of_another_client_brings_no_rows_of_theirs(warehouse: Connection) -> None:
    add_sessions(warehouse, 9, client="client-2")
    add_person(warehouse, 9)
    register(warehouse, 9, 9, session=9, client="client-2")
    attend(warehouse, 9, 9, session=9, client="client-2")
    assert read_all(warehouse)[0] == read_all(warehouse, "attendances")[0] == []


def test_a_statement_that_does_not_fit_the_warehouse_is_named(warehouse: Connection) -> None:
    warehouse.execute(text("ALTER TABLE warehouse.person RENAME COLUMN surname TO family_name"))
    with pytest.raises(ExtractError, match=r"sql/extract/registrations\.sql .*surname"):
        read_all(warehouse)
