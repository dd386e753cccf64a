"""Sessions that keep what they prepared, and nothing else, beyond a ROLLBACK."""

from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import IntegrityError, OperationalError

from crm_pipeline.database.prepared import PreparingSession, undone

COUNT = text("SELECT count(*) FROM crm.cursor_of_a_test")


@pytest.fixture
def connection(pipeline: Engine) -> Iterator[Connection]:
    """A session that has prepared a statement about a table of the test's own."""
    with pipeline.connect() as connection:
        connection.execute(text("CREATE TABLE crm.cursor_of_a_test (n int PRIMARY KEY)"))
        connection.commit()
        for _ in range(7):
            connection.scalar(COUNT)
        connection.commit()
        assert prepared(connection)
        yield connection


def prepared(connection: Connection) -> bool:
    """Whether the server has the statement about the test's table."""
    found = connection.execute(text("SELECT statement FROM pg_prepared_statements")).scalars()
    is_there = any("cursor_of_a_test" in statement for statement in found)
    connection.commit()
    return is_there


def test_what_only_read_keeps_its_statements(connection: Connection):
    connection.scalar(COUNT)
    connection.rollback()
    assert prepared(connection)


def test_a_statement_is_planned_for_its_values_and_for_what_is_there_now(connection: Connection):
    """A plan that was kept from an empty table took a minute for ten thousand rows."""
    for number in range(12):
        above = text("SELECT count(*) FROM crm.cursor_of_a_test WHERE n > :number")
        connection.execute(above, {"number": number})
    generic = connection.scalars(
        text("SELECT generic_plans FROM pg_prepared_statements WHERE statement LIKE '%n > $1%'")
    )
    assert generic.all() == [0]


@pytest.mark.parametrize(
    "write",
    [
        "INSERT INTO crm.cursor_of_a_test VALUES (1)",
        "WITH made AS (INSERT INTO crm.cursor_of_a_test VALUES (1) RETURNING n) SELECT n FROM made",
        "DO $$ BEGIN INSERT INTO crm.cursor_of_a_test VALUES (1); END $$",
        "CREATE TABLE crm.other_of_a_test AS SELECT 1 AS n",
        "SAVEPOINT a; INSERT INTO crm.cursor_of_a_test VALUES (1); RELEASE a",
    ],
)
def test_nothing_that_was_written_outlasts_a_rollback(connection: Connection, write: str):
    connection.exec_driver_sql(write)
    connection.rollback()
    assert connection.scalar(COUNT) == 0
    assert connection.scalar(text("SELECT to_regclass('crm.other_of_a_test')")) is None


def test_locks_of_a_transaction_end_with_it(connection: Connection, pipeline: Engine):
    for lock in (
        "SELECT pg_advisory_xact_lock(1)",
        "LOCK TABLE crm.cursor_of_a_test IN ACCESS EXCLUSIVE MODE",
    ):
        connection.execute(text(lock))
        connection.rollback()
    with pipeline.connect() as other:
        assert other.scalar(text("SELECT pg_try_advisory_xact_lock(1)"))
        assert other.scalar(COUNT) == 0


def test_a_transaction_that_failed_is_rolled_back(connection: Connection):
    connection.execute(text("INSERT INTO crm.cursor_of_a_test VALUES (1)"))
    with pytest.raises(OperationalError):
        connection.execute(text("SET LOCAL statement_timeout = 1; SELECT pg_sleep(1)"))
    connection.rollback()
    assert connection.scalar(COUNT) == 0


def end(session: PreparingSession) -> None:
    """Ends a session at the server's side; the session does not know of it yet."""
    with psycopg.connect(session.info.dsn, password=session.info.password) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", (session.info.backend_pid,))


def test_what_a_lost_session_wrote_is_undone_by_the_server(postgres_session: PreparingSession):
    with postgres_session.undone():
        postgres_session.execute("SELECT pg_current_xact_id()")
        postgres_session.commit()
        end(postgres_session)
    assert postgres_session.closed


def test_a_session_that_was_ended_is_told_by_its_rollback(postgres_session: PreparingSession):
    postgres_session.execute("SELECT 1")
    end(postgres_session)
    with pytest.raises(psycopg.OperationalError):
        postgres_session.rollback()
    assert postgres_session.closed


@pytest.fixture
def postgres_session(pipeline: Engine) -> Iterator[PreparingSession]:
    with pipeline.connect() as connection:
        session = connection.connection.driver_connection
        assert isinstance(session, PreparingSession)
        yield session


def test_a_session_has_room_for_all_statements_of_a_cycle(postgres_session: PreparingSession):
    for number in range(700):
        postgres_session.execute(f"SELECT {number}", prepare=True)
    [kept] = postgres_session.execute("SELECT count(*) FROM pg_prepared_statements").fetchone() or [
        0
    ]
    assert kept >= 700


def test_what_is_undone_was_there_for_its_own_session_alone(
    connection: Connection, pipeline: Engine
) -> None:
    added = text("INSERT INTO crm.cursor_of_a_test VALUES (:n)")
    with undone(connection):
        connection.execute(added, {"n": 1})
        connection.commit()
        connection.execute(added, {"n": 2})
        connection.rollback()
        with pytest.raises(IntegrityError):
            connection.execute(added, {"n": 1})
        connection.rollback()
        assert connection.scalar(COUNT) == 1, "what was committed, and no more"
        with pipeline.connect() as other:
            assert other.scalar(COUNT) == 0
    assert connection.scalar(COUNT) == 0
    connection.execute(added, {"n": 3})
    connection.commit()
    assert connection.scalar(COUNT) == 1, "it commits as ever again"


def test_what_is_undone_waits_for_nobody(connection: Connection, pipeline: Engine) -> None:
    """It may hold what the other waits for, who would be ended by PostgreSQL after a second."""
    connection.execute(text("INSERT INTO crm.cursor_of_a_test VALUES (1)"))
    connection.commit()
    change = text("UPDATE crm.cursor_of_a_test SET n = n + 10")
    with pipeline.connect() as other:
        other.execute(change)
        with undone(connection), pytest.raises(OperationalError):
            connection.execute(change)


def test_a_session_that_was_ended_is_told_where_all_is_undone(
    connection: Connection, pipeline: Engine
) -> None:
    def is_ended() -> None:
        with undone(connection):
            connection.execute(text("INSERT INTO crm.cursor_of_a_test VALUES (1)"))
            connection.commit()
            ended = {"process": connection.scalar(text("SELECT pg_backend_pid()"))}
            with pipeline.connect() as other:
                other.execute(text("SELECT pg_terminate_backend(:process, 5000)"), ended)
            connection.scalar(COUNT)

    with pytest.raises(OperationalError, match="terminating connection"):
        is_ended()
    with pipeline.connect() as other:
        assert other.scalar(COUNT) == 0
