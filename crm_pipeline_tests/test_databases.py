"""A test finds nothing of the one before it in its database."""

from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, text

from crm_pipeline.database.embedded import EmbeddedPostgres
from crm_pipeline_tests.databases import fresh_pipeline
from crm_pipeline_tests.emptying import emptied_afterwards

_ADD = "INSERT INTO crm.account (account_id, client_id, name, login_url) VALUES ('a', 'c', 'A', '')"


def _used(server: EmbeddedPostgres, folder: Path, *statements: str) -> str:
    """The name of a test's database after it has run these statements in it."""
    with fresh_pipeline(server, folder) as engine, engine.begin() as connection:
        name = str(connection.scalar(text("SELECT current_database()")))
        for statement in statements:
            connection.execute(text(statement))
    return name


def _rows(connection: Connection) -> list[int]:
    """The rows of each table that tests write into, and the number that comes next."""
    return list(
        connection.execute(
            text(
                "SELECT (SELECT count(*) FROM crm.account), (SELECT count(*) FROM crm.person),"
                " (SELECT count(*) FROM warehouse.person), nextval('crm.person_person_key_seq')"
            )
        ).one()
    )


def _person(address: str) -> str:
    return (
        "INSERT INTO crm.person (account_id, address, as_of, known_as_of)"
        f" VALUES ('a', '{address}', now(), now())"
    )


def test_the_next_test_gets_the_database_without_a_row(postgres, tmp_path):
    name = _used(postgres, tmp_path, _ADD, "CREATE TEMP TABLE passing (it int)")
    with fresh_pipeline(postgres, tmp_path) as engine, engine.connect() as connection:
        assert connection.scalar(text("SELECT current_database()")) == name
        assert _rows(connection) == [0, 0, 0, 1]


def test_who_is_still_in_it_is_thrown_out(postgres, tmp_path):
    with fresh_pipeline(postgres, tmp_path) as engine:
        left = engine.connect()
        left.execute(text(_ADD))
        name = left.scalar(text("SELECT current_database()"))
    assert _used(postgres, tmp_path, _ADD) == name
    left.invalidate()


def test_a_session_goes_on_to_the_next_test_and_takes_nothing_with_it(postgres, tmp_path):
    with fresh_pipeline(postgres, tmp_path) as engine, engine.connect() as connection:
        connection.execute(text("SET work_mem = '1MB'"))
        connection.execute(text("SELECT pg_advisory_lock(1)"))
        connection.execute(text("CREATE TEMP TABLE passing (it int)"))
        connection.commit()
        process = connection.scalar(text("SELECT pg_backend_pid()"))
    with fresh_pipeline(postgres, tmp_path) as engine, engine.connect() as connection:
        assert connection.scalar(text("SELECT pg_backend_pid()")) == process
        assert connection.scalar(text("SHOW work_mem")) == "16MB"
        assert connection.scalar(text("SELECT count(*) FROM pg_locks WHERE objid = 1")) == 0
        assert connection.scalar(text("SELECT to_regclass('passing')")) is None


def test_a_session_that_was_ended_is_not_kept(postgres, tmp_path):
    def processes(*connections: Connection) -> list[int]:
        return [each.scalar(text("SELECT pg_backend_pid()")) or 0 for each in connections]

    with fresh_pipeline(postgres, tmp_path) as engine, engine.connect() as one:
        with engine.connect() as other:
            [ended] = processes(other)
        one.execute(text("SELECT pg_terminate_backend(:it, 10000)"), {"it": ended})
    with (
        fresh_pipeline(postgres, tmp_path) as engine,
        engine.connect() as one,
        engine.connect() as other,
    ):
        assert ended not in processes(one, other)


@pytest.mark.parametrize(
    "change",
    [
        "CREATE TABLE another (it int)",
        "CREATE SCHEMA another",
        "DROP SCHEMA warehouse CASCADE",
        "ALTER TABLE warehouse.person RENAME TO everybody",
        "ALTER TABLE warehouse.person RENAME COLUMN surname TO family_name",
        "ALTER TABLE warehouse.person ALTER job_title SET DEFAULT 'none'",
        "ALTER TABLE warehouse.person ADD CHECK (email <> '')",
        "ALTER SEQUENCE crm.person_person_key_seq INCREMENT 2",
        "CREATE INDEX ON warehouse.person (surname)",
        "CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE OR REPLACE VIEW platform_inbox.current AS SELECT * FROM platform_inbox.current",
        "ANALYZE crm.account",
        "GRANT SELECT ON crm.account TO public",
        "DELETE FROM crm.migration WHERE name LIKE '0001%'",
        "UPDATE crm.migration SET name = 'another' WHERE name LIKE '0001%'",
        "TRUNCATE crm.account CASCADE",
        (
            "DO 'BEGIN EXECUTE format(''ALTER DATABASE %I SET work_mem = ''''1MB'''''',"
            " current_database()); END'"
        ),
        (
            "INSERT INTO crm.account (account_id, client_id, name, login_url)"
            " SELECT n, n, repeat('x', 900), '' FROM generate_series(1, 2000) AS n"
        ),
    ],
)
def test_no_test_gets_a_database_that_was_changed(postgres, tmp_path, change):
    changed = _used(postgres, tmp_path, change)
    assert _used(postgres, tmp_path) != changed


def test_a_modules_database_is_emptied_between_its_tests(pipeline: Engine):
    with emptied_afterwards(pipeline) as engine, engine.begin() as connection:
        connection.execute(text(_ADD))
        assert _rows(connection) == [1, 0, 0, 1]
    with pipeline.connect() as connection:
        assert _rows(connection) == [0, 0, 0, 1]
        assert connection.scalar(text("SELECT count(*) FROM crm.migration"))
