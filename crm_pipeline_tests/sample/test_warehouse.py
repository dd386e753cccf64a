"""The sample warehouse is as messy as a real one; each kind of mess is looked for in the rows."""

import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, create_engine, text

from crm_pipeline.database.embedded import EmbeddedPostgres
from crm_pipeline.sample.warehouse import SampleError, create
from crm_pipeline_tests.databases import fresh_pipeline

UNTIL = datetime(2026, 11, 20, 12, 7, tzinfo=UTC)
CLIENTS = {"alder": "Alder & Finch", "banner": "Banner Lane", "cobalt": "Cobalt Harbour"}


@pytest.fixture(scope="module")
def filled(module_pipeline: Engine) -> Engine:
    create(module_pipeline, CLIENTS, 6_000, seed=3, until=UNTIL)
    return module_pipeline


@pytest.fixture
def warehouse(filled: Engine) -> Iterator[Connection]:
    with filled.connect() as connection:
        yield connection


def number(connection: Connection, question: str) -> int:
    return int(connection.scalar(text(f"SELECT count(*) FROM {question}")) or 0)


def test_it_has_as_many_registrations_as_asked_for_and_every_client_has_some(
    warehouse: Connection,
):
    by_client = warehouse.execute(
        text("SELECT client_id, count(*) FROM warehouse.registration GROUP BY 1 ORDER BY 2 DESC")
    ).all()

    assert sum(rows for _, rows in by_client) == 6_000
    assert [client for client, _ in by_client] == list(CLIENTS)
    assert warehouse.scalar(text("SELECT name FROM warehouse.client LIMIT 1")) == "Alder & Finch"


def test_rows_refer_to_rows_of_the_same_client(warehouse: Connection):
    for table, key, other in [
        ("registration", "person_id", "person"),
        ("registration", "event_session_id", "event_session"),
        ("attendance", "person_id", "person"),
        ("attendance", "event_session_id", "event_session"),
        ("poll_answer", "attendance_id", "attendance"),
        ("poll_answer", "poll_question_id", "poll_question"),
        ("chat_message", "attendance_id", "attendance"),
        ("chat_reply", "chat_message_id", "chat_message"),
    ]:
        rows = number(warehouse, f"warehouse.{table}")
        assert rows > 100, table
        assert rows == number(
            warehouse, f"warehouse.{table} JOIN warehouse.{other} USING ({key}, client_id)"
        ), (table, other)


def test_names_are_in_many_scripts(warehouse: Connection):
    names = warehouse.scalars(
        text("SELECT DISTINCT surname FROM warehouse.person WHERE surname IS NOT NULL")
    ).all()

    scripts = {unicodedata.name(letter).split()[0] for name in names for letter in name.strip()}

    assert scripts >= {
        "LATIN",
        "CYRILLIC",
        "GREEK",
        "ARABIC",
        "HEBREW",
        "CJK",
        "KATAKANA",
        "HANGUL",
        "DEVANAGARI",
    }


LOOKS_IN = (
    "attendance INNER JOIN warehouse.event_session USING (event_session_id)"
    " WHERE attended_at + minutes_attended * interval '1 minute' < starts_at"
)
"""Visits that are over before the session begins."""


@pytest.mark.parametrize(
    ("mess", "at_least"),
    [
        ("person WHERE email <> lower(email)", 200),
        ("person WHERE email <> btrim(email)", 100),
        ("person WHERE email ~ '[\t\u00a0]$'", 10),
        ("person WHERE email IS NULL", 2),
        ("person WHERE btrim(email) = ''", 2),
        ("person WHERE email IS NOT NULL AND btrim(email) <> '' AND email !~ '@.+[.]'", 2),
        ("person WHERE surname IS NULL", 20),
        ("person WHERE surname ~ '^ *$'", 20),
        ("person WHERE company_name IS NULL", 50),
        ("person WHERE company_name ~ '^ *$'", 50),
        ("person WHERE length(first_name) > 40", 2),
        ("person WHERE length(surname) > 80", 2),
        ("person WHERE length(company_name) > 255", 2),
        ("person WHERE length(job_title) > 128", 2),
        ("person WHERE length(city) > 40", 2),
        ("person WHERE length(county) > 80", 2),
        ("person WHERE length(postal_code) > 20", 2),
        ("person WHERE length(phone_1) > 40", 2),
        ("person WHERE length(concat(address_1, address_2, address_3)) > 255", 2),
        ("chat_message WHERE message LIKE '%\"%'", 50),
        ("chat_message WHERE message ~ '\n'", 50),
        ("chat_message WHERE message ~ '\r'", 50),
        ("chat_message WHERE message ~ '🙉|👩‍💻'", 50),
        ("chat_message WHERE length(message) > 8000", 5),
        ("poll_answer WHERE answer IS NULL", 50),
        ("poll_answer WHERE answer ~ '\n'", 50),
        ("registration WHERE status = 'cancelled'", 50),
        ("registration WHERE status = 'waitlisted'", 20),
        ("registration WHERE status IN ('pending', 'denied')", 20),
        ("registration WHERE shipped_at > registered_at + interval '1 day'", 50),
        ("attendance WHERE kind = 'on_demand'", 20),
        ("registration WHERE role = 'speaker'", 5),
        ("attendance WHERE role = 'speaker'", 2),
        ("attendance WHERE minutes_attended = 0", 2),
        (LOOKS_IN, 2),
        ("attendance WHERE shipped_at > attended_at + interval '1 day'", 20),
    ],
)
def test_it_is_messy(warehouse: Connection, mess: str, at_least: int):
    assert number(warehouse, f"warehouse.{mess}") >= at_least


@pytest.mark.parametrize(
    ("what", "grouped"),
    [
        ("people who come back", "attendance GROUP BY person_id, event_session_id"),
        ("people in several sessions", "registration GROUP BY person_id"),
        (
            "people who are there twice under one address",
            "person WHERE email LIKE '%@%' GROUP BY client_id, lower(btrim(email, E' \t\u00a0'))",
        ),
        ("attendances with more than ten answers", "poll_answer GROUP BY attendance_id"),
        ("attendances with more than five messages", "chat_message GROUP BY attendance_id"),
        ("messages with two replies", "chat_reply GROUP BY chat_message_id"),
    ],
)
def test_some_have_several(warehouse: Connection, what: str, grouped: str):
    several = {"ten": 10, "five": 5}.get(what.split()[-2], 1)

    assert (
        number(warehouse, f"(SELECT FROM warehouse.{grouped} HAVING count(*) > {several}) AS x")
        > 10
    )


def test_a_series_has_several_events_and_some_events_are_of_none(warehouse: Connection):
    events = "SELECT client_id, series FROM warehouse.event"
    alone = f"({events} WHERE series IS NOT NULL GROUP BY 1, 2 HAVING count(*) = 1) AS s"
    several = f"({events} WHERE series IS NOT NULL GROUP BY 1, 2 HAVING count(*) > 1) AS s"
    assert number(warehouse, alone) == 0
    assert number(warehouse, several) > 0
    assert number(warehouse, f"({events} WHERE series IS NULL) AS s") > 0


def test_some_came_without_registering_and_some_registered_without_coming(warehouse: Connection):
    both = "(person_id, event_session_id)"
    unasked = f"warehouse.attendance LEFT JOIN warehouse.registration AS r USING {both}"
    absent = f"warehouse.registration LEFT JOIN warehouse.attendance AS a USING {both}"

    assert number(warehouse, f"{unasked} WHERE r.person_id IS NULL") > 100
    assert number(warehouse, f"{absent} WHERE a.person_id IS NULL") > 1_000
    assert number(
        warehouse,
        "(SELECT person_id FROM warehouse.attendance"
        " EXCEPT SELECT person_id FROM warehouse.registration) AS never_registered",
    )


def test_five_long_messages_exceed_the_description_of_an_activity(warehouse: Connection):
    longest = warehouse.scalar(
        text(
            "SELECT max(length) FROM (SELECT sum(length(message)) AS length FROM ("
            "SELECT *, row_number() OVER (PARTITION BY attendance_id ORDER BY sent_at DESC) AS n"
            " FROM warehouse.chat_message) AS m WHERE n <= 5 GROUP BY attendance_id) AS sums"
        )
    )

    assert longest > 32_000


def test_all_has_been_shipped_by_then_and_nothing_before_it_happened(warehouse: Connection):
    for table, happened in [("registration", "registered_at"), ("attendance", "attended_at")]:
        newest, oldest = warehouse.execute(
            text(f"SELECT max(shipped_at), min({happened}) FROM warehouse.{table}")
        ).one()
        assert UNTIL - timedelta(days=1) < newest <= UNTIL
        assert UNTIL - timedelta(days=120) < oldest
        assert not number(warehouse, f"warehouse.{table} WHERE shipped_at < {happened}")


def test_filling_a_filled_warehouse_needs_to_be_asked_for(
    postgres: EmbeddedPostgres, tmp_path: Path
):
    with fresh_pipeline(postgres, tmp_path) as engine:
        create(engine, CLIENTS, 100, until=UNTIL)

        with pytest.raises(SampleError, match="--replace"):
            create(engine, CLIENTS, 100, until=UNTIL)
        create(engine, {"only": "Only One"}, 50, until=UNTIL, replace=True)

        with engine.connect() as connection:
            assert number(connection, "warehouse.registration") == 50
            assert number(connection, "warehouse.client") == 1


def test_it_makes_its_schema_where_there_is_none(postgres: EmbeddedPostgres):
    engine = create_engine(postgres.url("without_schema"))
    try:
        progress: list[tuple[int, int]] = []
        create(engine, CLIENTS, 40, progress=lambda done, total: progress.append((done, total)))

        with engine.connect() as connection:
            assert number(connection, "warehouse.registration") == 40
        assert progress[-1] == (40, 40)
    finally:
        engine.dispose()


def test_forms_are_filled_in_and_attendees_do_more_than_look(warehouse: Connection):
    for what in (
        "registration WHERE utm_source IS NOT NULL AND landing_page IS NOT NULL",
        "registration WHERE answers ->> 'budget' <> '' AND (answers ->> 'team_size')::int > 0",
        "registration WHERE consent = 'no' AND consent_at = registered_at",
        "interaction WHERE kind = 'survey' AND label LIKE 'May we call%' AND value LIKE 'Yes%'",
    ):
        assert number(warehouse, f"warehouse.{what}") > 20, what
    assert number(warehouse, "warehouse.registration WHERE replaced_by IS NOT NULL") > 20
    came_back = (
        "warehouse.registration AS a JOIN warehouse.registration AS b USING (person_id,"
        " event_session_id) WHERE a.status = 'cancelled' AND b.status = 'registered'"
        " AND b.registered_at > a.registered_at"
    )
    assert number(warehouse, came_back) > 5
