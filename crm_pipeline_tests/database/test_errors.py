"""Errors of the databases: no value of a row in what they say."""

import traceback

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import DBAPIError, OperationalError

from crm_pipeline.database.engines import engine
from crm_pipeline.database.errors import in_words
from crm_pipeline.database.statements import statement

SECRET = "ada@example.com"


@pytest.mark.parametrize(
    ("failing", "said"),
    [
        ("SELECT CAST(:it AS text)::int", "invalid text representation (SQLSTATE 22P02)"),
        ("SELECT CAST(:it AS text)::timestamptz", "invalid datetime format (SQLSTATE 22007)"),
        ("SELECT CAST(:it AS text)::jsonb", "invalid text representation (SQLSTATE 22P02)"),
        ("SELECT CAST(:it AS text)::regclass", "invalid schema name (SQLSTATE 3F000)"),
        ("SELECT to_number(CAST(:it AS text), 'L')", "SQLSTATE 22"),
        ("INSERT INTO once VALUES (:it), (:it)", "unique violation (SQLSTATE 23505)"),
        ("INSERT INTO small VALUES (:it)", "string data right truncation (SQLSTATE 22001)"),
        ("INSERT INTO checked VALUES (:it)", "check violation (SQLSTATE 23514)"),
        ("DO $$ BEGIN RAISE 'not ada@example.com'; END $$", "raise exception (SQLSTATE P0001)"),
        ("SELECT missing FROM crm.account", 'SQLSTATE 42703): column "missing" does not exist'),
    ],
)
@pytest.mark.parametrize("streamed", [False, True])
def test_an_error_names_its_sqlstate_and_no_value(
    pipeline: Engine, failing: str, said: str, streamed: bool
) -> None:
    with engine("pipeline").connect() as connection:
        connection.execute(text("CREATE TEMP TABLE once (it text PRIMARY KEY)"))
        connection.execute(text("CREATE TEMP TABLE small (it varchar(3))"))
        connection.execute(text("CREATE TEMP TABLE checked (it text CHECK (it = ''))"))
        options = {"stream_results": True} if streamed and failing.startswith("SELECT") else {}
        connection.execution_options(**options)
        with pytest.raises(DBAPIError) as failed:
            connection.execute(text(failing), {"it": SECRET}).all()
    shown = "".join(traceback.format_exception(failed.value))
    assert said in str(failed.value)
    assert SECRET not in shown.replace(failing, "")
    assert SECRET not in in_words(failed.value)


def test_an_error_names_its_statement(pipeline: Engine) -> None:
    wrong = {"account_id": "acme", "operation_ids": ["x"]}
    with pipeline.connect() as connection, pytest.raises(DBAPIError) as failed:
        connection.execute(statement("ledger/back_to_pending"), wrong)
    assert "sql/ledger/back_to_pending.sql: " in str(failed.value)


def test_a_database_that_is_not_there_says_where_it_was_sought() -> None:
    nobody = create_engine("postgresql+psycopg://u:s3cret@127.0.0.1:9/x")
    with pytest.raises(OperationalError) as failed:
        nobody.connect()
    assert "127.0.0.1" in in_words(failed.value)
    assert "s3cret" not in in_words(failed.value)
